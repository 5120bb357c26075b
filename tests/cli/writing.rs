//! Rewriting files in place.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::os::unix::process::ExitStatusExt;
use std::process::Stdio;
use std::time::Duration;

use crate::support::{Folder, is_root, program, run_in, run_on};

#[test]
fn a_link_in_the_tree_leads_to_the_file() {
    let folder = Folder::with(&[("docker/Dockerfile.prod", "FROM old\n")]);
    folder.git(&["init", "-q"]);
    symlink("docker/Dockerfile.prod", folder.path("Dockerfile")).unwrap();
    let ran = run_on(&folder, &[folder.path("Dockerfile")], |settings| {
        settings.write = true;
        settings.allow_dirty = true;
    });
    assert_eq!(ran.ending.summary.changed, 1);
    assert_eq!(folder.read("docker/Dockerfile.prod"), "FROM new\n");
    assert!(folder.path("Dockerfile").is_symlink());
}

#[test]
fn a_link_out_of_the_tree_is_not_followed() {
    let outside = Folder::with(&[("Dockerfile", "FROM old\n"), ("folder/Dockerfile", "FROM old\n")]);
    let folder = Folder::with(&[]);
    symlink(outside.path("Dockerfile"), folder.path("Dockerfile")).unwrap();
    symlink(outside.path("folder"), folder.path("folder")).unwrap();
    let ran = run_in(&folder, |settings| settings.write = true);
    assert_eq!(ran.err, "no Dockerfile found; 1 file left out (link out of the tree)\n");
    assert_eq!(outside.read("Dockerfile"), "FROM old\n");
    // What is named is followed.
    let named = [folder.path("Dockerfile"), folder.path("folder")];
    let ran = run_on(&folder, &named, |settings| settings.write = true);
    assert_eq!((ran.ending.summary.changed, ran.ending.summary.errors), (2, 0), "{}", ran.err);
    assert_eq!(outside.read("Dockerfile"), "FROM new\n");
    assert_eq!(outside.read("folder/Dockerfile"), "FROM new\n");
    assert!(folder.path("Dockerfile").is_symlink());
}

#[test]
fn hard_links_are_kept() {
    let folder = Folder::with(&[("a/Dockerfile", "FROM old\n"), ("b/x", "")]);
    fs::hard_link(folder.path("a/Dockerfile"), folder.path("b/Dockerfile")).unwrap();
    let ran = run_in(&folder, |settings| settings.write = true);
    assert_eq!((ran.ending.summary.changed, ran.ending.summary.errors), (1, 0), "{}", ran.err);
    assert_eq!(folder.read("b/Dockerfile"), "FROM new\n");
    let inode = |path: &str| fs::metadata(folder.path(path)).unwrap().ino();
    assert_eq!(inode("a/Dockerfile"), inode("b/Dockerfile"));
}

#[test]
fn uncommitted_changes_are_kept() {
    let folder = Folder::with(&[
        ("clean/Dockerfile", "FROM old\n"),
        ("changed/Dockerfile", "FROM a\n"),
        ("staged/Dockerfile", "FROM a\n"),
        ("same/Dockerfile", "FROM a\n"),
    ]);
    folder.git(&["init", "-q"]);
    folder.git(&["add", "."]);
    folder.git(&["commit", "-q", "-m", "one"]);
    for name in ["changed", "staged", "untracked"] {
        folder.write(&format!("{name}/Dockerfile"), "FROM old\n");
    }
    folder.git(&["add", "staged"]);
    folder.write("same/Dockerfile", "FROM b\n");
    let ran = run_in(&folder, |settings| settings.write = true);
    assert_eq!((ran.ending.summary.changed, ran.ending.summary.errors), (1, 3), "{}", ran.err);
    let refused =
        "error: changed/Dockerfile: has uncommitted changes; commit or stash them, or pass --allow-dirty";
    assert!(ran.err.contains(refused), "{}", ran.err);
    assert_eq!(folder.read("clean/Dockerfile"), "FROM new\n");
    assert_eq!(folder.read("untracked/Dockerfile"), "FROM old\n");
    let ran = run_in(&folder, |settings| {
        settings.write = true;
        settings.allow_dirty = true;
    });
    assert_eq!((ran.ending.summary.changed, ran.ending.summary.errors), (3, 0));
    assert_eq!(folder.read("untracked/Dockerfile"), "FROM new\n");
}

#[test]
fn a_read_only_folder_is_told() {
    if is_root() {
        return;
    }
    let folder = Folder::with(&[("shut/Dockerfile", "FROM old\n")]);
    fs::set_permissions(folder.path("shut"), fs::Permissions::from_mode(0o555)).unwrap();
    let ran = run_in(&folder, |settings| settings.write = true);
    fs::set_permissions(folder.path("shut"), fs::Permissions::from_mode(0o755)).unwrap();
    assert!(ran.err.contains("shut/Dockerfile: can't be written: permission denied"), "{}", ran.err);
    assert_eq!(folder.read("shut/Dockerfile"), "FROM old\n");
}

#[test]
fn a_link_beside_its_target_stays_a_link() {
    for by_name in [false, true] {
        let folder = Folder::with(&[("Dockerfile", "FROM old\n")]);
        symlink("Dockerfile", folder.path("Dockerfile.prod")).unwrap();
        let both = [folder.path("Dockerfile"), folder.path("Dockerfile.prod")];
        let all = [folder.root()];
        let ran = run_on(&folder, if by_name { &both } else { &all }, |settings| settings.write = true);
        assert_eq!((ran.ending.summary.changed, ran.ending.summary.errors), (1, 0), "{}", ran.err);
        assert_eq!(folder.read("Dockerfile"), "FROM new\n");
        assert_eq!(fs::read_link(folder.path("Dockerfile.prod")).unwrap().to_str(), Some("Dockerfile"));
        assert_eq!(fs::metadata(folder.path("Dockerfile")).unwrap().nlink(), 1);
        assert_eq!(fs::read_dir(folder.root()).unwrap().count(), 2);
    }
}

#[test]
fn an_interrupt_tells_how_many_files_were_written() {
    use rustix::process::{Pid, Signal, kill_process};
    let text = "FROM debian:12\nRUN apt-get update\nRUN apt-get install -y gcc\n";
    let folder = Folder::with(&[]);
    let names: Vec<_> = (1000..2500).map(|number| format!("Dockerfile.{number}")).collect();
    for name in &names {
        folder.write(name, text);
    }
    let mut command = program(&folder.root());
    command.args(["fix", "--write", "--unsafe", "--jobs", "1"]);
    let child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    while folder.read(&names[0]) == text {
        std::thread::sleep(Duration::from_millis(1));
    }
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    let output = child.wait_with_output().unwrap();
    let written = names.iter().filter(|name| folder.read(name) != text).count();
    let files = if written == 1 { "1 file was" } else { &format!("{written} files were") };
    let expected = format!("interrupted: {files} written, the others are as they were\n");
    assert_eq!(String::from_utf8(output.stderr).unwrap(), expected);
    assert_eq!(output.status.signal(), Some(Signal::INT.as_raw()));
    assert_eq!(fs::read_dir(folder.root()).unwrap().count(), names.len());
}

#[test]
fn nothing_is_left_behind() {
    let folder = Folder::with(&[("Dockerfile", "FROM old\n"), ("b.Dockerfile", "FROM old\n")]);
    run_in(&folder, |settings| settings.write = true);
    let mut names: Vec<_> =
        fs::read_dir(folder.root()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["Dockerfile", "b.Dockerfile"]);
}
