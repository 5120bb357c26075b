FROM python:3.10-slim
WORKDIR /app
COPY . .
RUN pip install --no-cache-dir poetry==1.8.5 && poetry config virtualenvs.create false && poetry install --only main --no-interaction
CMD ["sign", "hello"]
