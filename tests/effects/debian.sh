# What the sample commands on Debian need besides.
set -e
zip -q z.zip a.txt src/one
as -o prog.o /dev/null
git init -q --bare repo.git
openssl req -x509 -nodes -newkey rsa:2048 -subj /CN=example.com -keyout key.pem -out cert.pem
gpg --batch --passphrase '' --quick-generate-key a@example.com
gpg --batch --armor --export > key.asc
gpg --batch --export > key.gpg
gpg --batch --detach-sign a.txt
for name in own other; do
    mkdir -p $name-package/DEBIAN $name-package/w/of-$name
    echo $name > $name-package/w/of-$name/file
    printf 'Package: %s\nVersion: 1\nArchitecture: all\nMaintainer: a <a@example.com>\nDescription: a package of a project\n' $name > $name-package/DEBIAN/control
    dpkg-deb --build $name-package $name.deb
done
