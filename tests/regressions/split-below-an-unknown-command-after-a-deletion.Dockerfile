FROM python:3.4-slim

RUN apt-get update && apt-get install -y \
		gcc \
		gettext a\
		mysql-client libmysqlclient-dev \
		postgresql-client libpq-dev \
		sqlite3 \
	--no-install-recommends && rm -rf /var/lib/apt/lists/*

ENV DJANGO_VERSION 0.10.4

RUN pip install mysq> /etc/g

RUN r:m /ist=="$Dcase $x in a) JANGO_VERSION"
