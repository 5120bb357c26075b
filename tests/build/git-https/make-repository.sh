# A repository that a plain web server can serve.
set -eu
git init -q --initial-branch main work
cd work
echo "A file" > README
git add README
GIT_AUTHOR_DATE=2026-01-01T00:00:00Z GIT_COMMITTER_DATE=2026-01-01T00:00:00Z \
    git -c user.name=Someone -c user.email=someone@example.com commit -q -m "First"
cd ..
git clone -q --bare work repository.git
git -C repository.git update-server-info
