#!/bin/sh
# Opens a window, waits for it, and tells how large it is.
set -eu
xeyes -geometry 120x80+10+20 &
eyes=$!
for _ in $(seq 300); do
    xwininfo -name xeyes > window 2> /dev/null && break
    sleep 0.1
done
grep -E 'Width|Height' window
xdpyinfo | grep -E 'dimensions|number of screens'
kill $eyes
