FROM archlinux
ENV HOME /emacs
WORKDIR /emacs
ADD conf /emacs/conf
RUN pacman --noconfirm -Sy git
