# Serves the folder over https with a certificate that the system is told to trust.
set -eu
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost \
    -addext subjectAltName=DNS:localhost -keyout /tmp/key.pem -out /usr/local/share/ca-certificates/localhost.crt 2> /dev/null
update-ca-certificates > /dev/null 2>&1
# the query is part of the file's name for this server
cp repository.git/info/refs "repository.git/info/refs?service=git-upload-pack"
exec openssl s_server -quiet -WWW -accept 18443 -key /tmp/key.pem -cert /usr/local/share/ca-certificates/localhost.crt > /dev/null 2>&1
