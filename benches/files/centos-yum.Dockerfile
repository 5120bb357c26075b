FROM centos:7
MAINTAINER Someone <someone@example.com>

RUN yum -y update
RUN yum -y install epel-release
RUN yum -y install nginx supervisor python-pip
RUN pip install --upgrade pip
RUN pip install uwsgi flask

ADD ./conf/nginx.conf /etc/nginx/nginx.conf
ADD ./conf/supervisord.conf /etc/supervisord.conf
ADD . /srv/app

EXPOSE 80 443
CMD ["/usr/bin/supervisord", "-n"]
