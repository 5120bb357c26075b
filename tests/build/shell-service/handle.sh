#!/bin/bash
# Answers one request: /count adds one to the state, /version tells the version.
set -euo pipefail
read -r _ path _
case $path in
/count) jq '.count += 1' state.json > state.new && mv state.new state.json && body=$(jq -c . state.json) ;;
/version) body=$(jq -nc --arg version "$APP_VERSION" '{$version}') ;;
*) body='{"error":"not found"}' ;;
esac
printf 'HTTP/1.0 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s\n' $((${#body} + 1)) "$body"
