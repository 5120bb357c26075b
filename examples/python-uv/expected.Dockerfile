FROM python:3.10-slim
WORKDIR /app
COPY pyproject.toml uv.lock /app/
RUN pip install --no-cache-dir uv==0.5.14 && uv sync --frozen --no-dev
COPY . /app
ENV PATH=/app/.venv/bin:$PATH
CMD ["python", "sign.py", "hello"]
