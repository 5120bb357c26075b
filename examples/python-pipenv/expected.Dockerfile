FROM python:3.10-slim
WORKDIR /app
RUN pip install --no-cache-dir pipenv==2024.4.1
COPY Pipfile Pipfile.lock ./
RUN pipenv install --system --deploy
COPY . ./
CMD ["python", "sign.py", "hello"]
