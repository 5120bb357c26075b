#!/bin/sh
# A stand-in for docker, podman and buildah: it notes how it is called and hands out images that the
# test has made. An image NAME.tar belongs to the Dockerfile that contains the text in NAME.match.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
store=$here/store
program=$(basename "$0")
printf '%s' "$program" >> "$store/transcript"
for word; do printf ' %s' "$word" >> "$store/transcript"; done
printf '\n' >> "$store/transcript"

# image TAG: the made image that a tag stands for
image() { cat "$store/tags/$(printf '%s' "$1" | tr '/:' '__')"; }

case $1 in
version | info) [ ! -e "$store/silent" ] || { echo "Cannot connect to the daemon" >&2; exit 1; } ;;
build)
    tag= file=
    while [ $# -gt 0 ]; do
        case $1 in
        --tag) tag=$2; shift ;;
        --file) file=$2; shift ;;
        esac
        shift
    done
    if [ -e "$store/hang" ]; then : > "$store/hanging"; exec sleep 60; fi
    if grep -q no-space "$file"; then echo "write /x: no space left on device" >&2; exit 1; fi
    for match in "$store"/*.match; do
        if grep -q -F -f "$match" "$file"; then
            basename "$match" .match > "$store/tags/$(printf '%s' "$tag" | tr '/:' '__')"
            exit 0
        fi
    done
    echo "ERROR: failed to solve: nothing matches" >&2
    exit 1 ;;
save) for last; do :; done; cat "$store/$(image "$last").tar" ;;
push) cp "$store/$(image "$2").tar" "${3#docker-archive:}" ;;
from) for last; do :; done; printf 'container-of-%s\n' "$(image "$last")" ;;
run)
    case $program in
    buildah) for word; do case $word in container-of-*) name=${word#container-of-} ;; esac; done ;;
    *) name=; for word; do [ ! -e "$store/tags/$(printf '%s' "$word" | tr '/:' '__')" ] || name=$(image "$word"); done ;;
    esac
    cat "$store/$name.run"
    exit "$(cat "$store/$name.exit")" ;;
rm | rmi) for last; do :; done; rm -f "$store/tags/$(printf '%s' "$last" | tr '/:' '__')" ;;
esac
