//! What commands may write, where builds showed that they do.

#![allow(clippy::unwrap_used, reason = "these are tests, helpers included")]

use dockeropt_facts::Facts;
use dockeropt_facts::effects::{is_private, of_script, within};
use dockeropt_syntax::parse;

/// Whether a command in the folder /w may write a path.
fn may_write(command: &str, path: &str) -> bool {
    let text = format!("FROM debian:bookworm\nWORKDIR /w\nRUN {command}\n");
    let file = parse(&text);
    assert!(file.diagnostics.is_empty(), "{command}");
    let facts = Facts::new(&file);
    let step = facts.steps.last().unwrap();
    let run = step.run().unwrap();
    let (list, script) = run.script(step.instruction).unwrap();
    let writes = of_script(list, script, &step.state.workdir).writes;
    writes.everything
        || (writes.system && !is_private(path))
        || writes.paths.iter().any(|folder| within(path, folder))
}

#[test]
fn what_builds_showed() {
    for (command, path) in [
        ("gzip d/a.txt", "/w/d/a.txt.gz"),
        ("unxz a.txt.xz", "/w/a.txt"),
        ("split -n 2 a.txt d/part.", "/w/d/part.aa"),
        ("cp -b a.txt d/a.txt", "/w/d/a.txt~"),
        ("install --backup=numbered a.txt d/a.txt", "/w/d/a.txt.~1~"),
        ("sed -i.orig s/a/b/ d/a.txt", "/w/d/a.txt.orig"),
        ("sed -n 'w out' a.txt", "/w/out"),
        ("sed -n 's/a/b/w /v/out' a.txt", "/v/out"),
        ("rmdir -p d/a/b", "/w/d"),
        ("git config --system user.name app", "/etc/gitconfig"),
        ("usermod -m -d /w/new app", "/w/old"),
        ("userdel -r app", "/w/home"),
        ("deluser --remove-home app", "/w/home"),
        ("newusers users.txt", "/v/home"),
        ("mktemp -d d.XXXXXX", "/w/d.abcdef"),
        ("mktemp", "/tmp/tmp.abcdef"),
        ("gpg --dearmor d/key.asc", "/w/d/key.asc.gpg"),
        ("ssh-keygen -q -f d/key", "/w/d/key.pub"),
        ("dpkg -i own.deb", "/app/file"),
        ("apt-get install -y ./own.deb", "/app/file"),
        ("nginx -t -c /w/nginx.conf", "/v/access.log"),
        ("service own start", "/v/own.log"),
        ("supervisord -c own.conf", "/v/out"),
        ("tini -- make install", "/v/out"),
        ("chroot / make install", "/v/out"),
        ("mk-build-deps control", "/w/own-build-deps_1.0_all.deb"),
        ("rpmkeys --import key.asc", "/root/.rpmdb"),
        ("apt-get check", "/var/lib/dpkg/lock"),
        ("apt-get satisfy -y less", "/usr/bin/less"),
        ("aptitude hold bash", "/var/lib/aptitude/pkgstates"),
    ] {
        assert!(may_write(command, path), "`{command}` wrote {path}");
    }
}

#[test]
fn other_calls_write_no_more_than_before() {
    for (command, path) in [
        ("sed -i s/a/b/ d/a.txt", "/w/d/b.txt"),
        ("sed -i 's/new /old /' d/a.txt", "/w/d/b.txt"),
        ("cp -a d/a.txt e/a.txt", "/w/e/b.txt"),
        ("gzip d/a.txt", "/w/e"),
        ("useradd -m app", "/w/d"),
        ("userdel app", "/w/d"),
        ("dpkg -l", "/w/d"),
        ("rpm -qi bash", "/w/d"),
        ("git clone https://example.com/a.git /v/a", "/etc/gitconfig"),
        ("apt-get install -y less", "/w/d"),
    ] {
        assert!(!may_write(command, path), "`{command}` does not write {path}");
    }
}
