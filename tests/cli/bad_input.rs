//! Files that can't be worked on cost themselves only.

use std::fs::File;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::process::Command;

use dockeropt::read::LIMIT;

use crate::support::{Folder, program, run_in};

#[test]
fn the_others_go_on() {
    let folder = Folder::with(&[
        ("a/Dockerfile", "FROM a\nFORM old\n"),
        ("b/Dockerfile", "FROM a\0\n"),
        ("d/Dockerfile", "FROM PANIC\n"),
        ("e/Dockerfile", "FROM old\n"),
        ("f/Dockerfile", ""),
    ]);
    folder.write("c/Dockerfile", "");
    File::create(folder.path("c/Dockerfile")).unwrap().set_len(LIMIT * 7).unwrap();
    let ran = run_in(&folder, |settings| settings.write = true);
    let lines: Vec<_> = ran.err.lines().collect();
    assert_eq!(lines[0], "error: a/Dockerfile:2:1: unknown instruction: FORM");
    assert_eq!(lines[1], "error: b/Dockerfile: is a binary file: byte 7 is zero");
    assert_eq!(lines[2], "error: c/Dockerfile: is larger than 16 MiB, which no Dockerfile is");
    assert!(lines[3].starts_with("error: d/Dockerfile: left alone because of a bug"), "{}", lines[3]);
    assert_eq!(lines[4], "1 file changed (1 fix); 4 errors");
    assert_eq!(folder.read("a/Dockerfile"), "FROM a\nFORM old\n");
    assert_eq!(folder.read("e/Dockerfile"), "FROM new\n");
    assert_eq!(ran.ending.summary.errors, 4);
}

#[test]
fn a_pipe_or_device_is_refused_by_name_and_passed_over_in_a_search() {
    let folder = Folder::with(&[("ok/Dockerfile", "FROM a\n")]);
    for name in ["Dockerfile", "Containerfile"] {
        let made = Command::new("mkfifo").arg(folder.path(name)).status().unwrap();
        assert!(made.success());
    }
    symlink("Containerfile", folder.path("Dockerfile.b")).unwrap();
    let _socket = UnixListener::bind(folder.path("Dockerfile.c")).unwrap();
    for path in ["Dockerfile", "Dockerfile.b", "Dockerfile.c", "/dev/null"] {
        for command in ["fix", "inspect"] {
            let output = program(&folder.root()).args([command, path]).output().unwrap();
            assert_eq!(output.status.code(), Some(2));
            let err = String::from_utf8(output.stderr).unwrap();
            assert!(err.contains(&format!("{path}: is not a regular file\n")), "{err}");
        }
    }
    assert_eq!(folder.found(), ["ok/Dockerfile"]);
    assert_eq!(run_in(&folder, |_| ()).err, "nothing to do in 1 file\n");
}

#[test]
fn bytes_that_are_not_utf8_survive() {
    let folder = Folder::with(&[]);
    folder.write("Dockerfile", b"# caf\xe9\r\nFROM old\r\n# \xff");
    let ran = run_in(&folder, |settings| settings.write = true);
    assert_eq!(ran.ending.summary.changed, 1);
    assert_eq!(std::fs::read(folder.path("Dockerfile")).unwrap(), b"# caf\xe9\r\nFROM new\r\n# \xff");
}
