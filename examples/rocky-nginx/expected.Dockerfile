FROM rockylinux:9

LABEL maintainer="web@example.com"

RUN dnf -y install epel-release && dnf clean all
RUN dnf -y install nginx \
                   python3-pip \
                   unzip && dnf clean all

RUN pip3 install --no-cache-dir j2cli==0.3.10

COPY nginx.conf.j2 /etc/nginx/
COPY site/ /usr/share/nginx/html/

EXPOSE 80
CMD ["/bin/sh", "-c", "j2 /etc/nginx/nginx.conf.j2 > /etc/nginx/nginx.conf && exec nginx -g 'daemon off;'"]
