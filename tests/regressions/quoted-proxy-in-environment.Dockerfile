FROM centos:7.2.1511
ENV offlineroxy "$https_proxy"
RUN yum install wget
RUN git