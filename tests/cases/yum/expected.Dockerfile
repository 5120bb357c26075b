FROM centos:7
ENV LANG en_US.UTF-8
RUN yum -y update && yum clean all
RUN yum -y install gcc make \
	&& yum clean all
COPY . /app
RUN cd /app && make
