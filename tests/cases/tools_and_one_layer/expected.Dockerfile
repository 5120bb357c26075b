FROM python:3.10-slim-bookworm AS production
WORKDIR /app
RUN apt-get update && apt-get install -y --no-install-recommends ffmpeg librsvg2-common \
    && rm -rf /var/lib/apt/lists/*
COPY requirements.txt /app/
RUN pip install --no-cache-dir -r requirements.txt
COPY . /app
CMD ["python", "app.py"]

FROM production AS development
RUN pip install --no-cache-dir pytest ipython

FROM scratch
COPY --from=development / /
ENV PATH=/usr/local/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
ENV LANG=C.UTF-8
WORKDIR /app
CMD ["python", "app.py"]
