FROM continuumio/miniconda3:4.7.12
RUN conda create -y -n x && cp -r /opt/conda/pkgs/x /x
