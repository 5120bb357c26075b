FROM ubuntu:14.04
RUN apt-get update && apt-get -y install qemu
RUN apt-get -y install lvm2
RUN apt-get -y install
