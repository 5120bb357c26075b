#!/bin/sh
# Starts sshd, lets the user in with a new key, and copies a folder over that connection.
set -eu
home=/home/backup-user
ssh-keygen -q -t ed25519 -N "" -f /root/.ssh/id_ed25519
install -d -o backup-user -m 700 $home/.ssh
install -o backup-user -m 600 /root/.ssh/id_ed25519.pub $home/.ssh/authorized_keys
/usr/sbin/sshd -p 18014 -o ListenAddress=127.0.0.1

ssh='ssh -p 18014 -o LogLevel=ERROR -o StrictHostKeyChecking=no'
for _ in $(seq 50); do
    $ssh backup-user@127.0.0.1 true 2> /dev/null && break
    sleep 0.2
done
$ssh backup-user@127.0.0.1 'id -un; pwd; umask'
rsync -a -e "$ssh" /etc/cron.d/ backup-user@127.0.0.1:jobs/
ls -l $home/jobs | grep -c heartbeat
echo 'get jobs/heartbeat /tmp/fetched' | sftp -q -b - -P 18014 -o LogLevel=ERROR backup-user@127.0.0.1 > /dev/null
cmp /etc/cron.d/heartbeat /tmp/fetched && echo fetched
