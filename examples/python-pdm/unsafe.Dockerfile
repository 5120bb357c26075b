FROM python:3.10-slim
RUN pip install --no-cache-dir pdm==2.22.4
WORKDIR /project
COPY pyproject.toml pdm.lock ./
RUN pdm sync --prod --no-editable --no-self
COPY . .
RUN pdm sync --prod --no-editable
CMD ["pdm", "run", "sign", "hello"]
