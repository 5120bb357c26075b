FROM python:3.10-slim

WORKDIR /usr/src/app

COPY requirements/production.txt requirements/base.txt ./requirements/

RUN pip install --no-cache-dir --upgrade pip==24.0 && pip install --no-cache-dir -r requirements/production.txt

# The whole project
COPY . .

EXPOSE 8000
CMD ["gunicorn", "--bind", "0.0.0.0:8000", "shop:app"]
