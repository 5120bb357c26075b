# What the sample commands work on, in /w.
set -e
mkdir -p src/sub
echo hello > a.txt
echo other > b.txt
echo one > src/one
echo two > src/sub/two
gzip -k a.txt
tar -cf t.tar -C src one sub
