FROM fedora
SHELL ["/bin/bash", "-e", "-c"]
RUN if ./x; then dnf install -y gcc; fi && make; true
