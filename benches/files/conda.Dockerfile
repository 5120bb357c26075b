FROM continuumio/miniconda3:latest
RUN apt-get update && apt-get install -y libgl1-mesa-glx libglib2.0-0 && apt-get clean
COPY environment.yml /tmp/environment.yml
RUN conda env create -f /tmp/environment.yml
RUN conda install -y -c conda-forge jupyterlab=4.1 numpy pandas
SHELL ["conda", "run", "-n", "science", "/bin/bash", "-c"]
RUN pip install torch==2.2.0 torchvision
WORKDIR /work
COPY notebooks/ notebooks/
VOLUME /data
CMD ["jupyter", "lab", "--ip=0.0.0.0", "--allow-root"]
