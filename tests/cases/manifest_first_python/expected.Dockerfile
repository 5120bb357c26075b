FROM python:3.10-bookworm
WORKDIR /app
COPY requirements.txt /app/
RUN apt-get update && apt-get install -y --no-install-recommends gettext \
    && rm -rf /var/lib/apt/lists/* && python -m pip install --no-cache-dir -U pip && python -m pip install --no-cache-dir -r requirements.txt
COPY . /app
RUN make translations
RUN pip install --no-cache-dir -r requirements.txt gunicorn
