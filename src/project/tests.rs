#![allow(clippy::unwrap_used, reason = "these are tests")]

use std::fs;
use std::path::Path;
use std::process::Command;

use dockeropt_syntax::parse;

use super::*;

/// A folder of files by their paths, with content of that many bytes or a text.
fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

fn git(folder: &Path) {
    let status = Command::new("git").arg("init").arg("-q").current_dir(folder).status().unwrap();
    assert!(status.success());
}

/// The project of the Dockerfile at a path in a folder.
fn project(folder: &Path, dockerfile: &str) -> Option<Project> {
    let path = folder.join(dockerfile);
    let text = fs::read_to_string(&path).unwrap();
    let contexts = Contexts::default();
    contexts.around(&path).project(&Facts::new(&parse(&text))).cloned()
}

fn context(folder: &Path, dockerfile: &str) -> Option<String> {
    let path = folder.join(dockerfile);
    let text = fs::read_to_string(&path).unwrap();
    let found = fs::canonicalize(Contexts::default().of(&path, &Facts::new(&parse(&text)))?).unwrap();
    Some(found.strip_prefix(fs::canonicalize(folder).unwrap()).unwrap().to_str().unwrap().to_owned())
}

#[test]
fn the_context_is_where_all_that_is_copied_lies() {
    let top = folder(&[
        ("docker/Dockerfile", "FROM a\nCOPY src /app\n"),
        ("docker/all.Dockerfile", "FROM a\nCOPY . /app\n"),
        ("docker/lost.Dockerfile", "FROM a\nCOPY nowhere /app\n"),
        ("docker/url.Dockerfile", "FROM a\nADD https://example.com/x /\nCOPY --from=b x y\nCOPY *.none /x\n"),
        ("src/x", ""),
    ]);
    assert_eq!(context(top.path(), "docker/all.Dockerfile").as_deref(), Some("docker"));
    assert_eq!(context(top.path(), "docker/url.Dockerfile").as_deref(), Some("docker"));
    // Without git nobody says where the project ends.
    assert_eq!(context(top.path(), "docker/Dockerfile"), None);
    git(top.path());
    assert_eq!(context(top.path(), "docker/Dockerfile").as_deref(), Some(""));
    assert_eq!(context(top.path(), "docker/lost.Dockerfile"), None);
    let named = Contexts { named: Some(top.path().join("src")), ..Contexts::default() };
    let file = parse("FROM a\nCOPY . .\n");
    let facts = Facts::new(&file);
    assert_eq!(named.of(Path::new("x"), &facts), Some(top.path().join("src")));
    assert_eq!(named.of(Path::new("-"), &facts), None);
    assert_eq!(Contexts::default().of(Path::new("-"), &facts), None);
}

#[test]
fn files_have_sizes_and_some_a_text() {
    let top = folder(&[
        ("Dockerfile", "FROM a\nCOPY . .\n"),
        ("package.json", "{}"),
        ("run", "#!/bin/sh\n"),
        ("data", "no script"),
        ("a/b/c.bin", "12345"),
        ("node_modules/x/y", "123"),
        ("node_modules/z", "1234"),
        (".git/objects/x", "12"),
    ]);
    let project = project(top.path(), "Dockerfile").unwrap();
    assert!(!project.is_partial);
    let entry = |path: &str| project.entry(path).map(|entry| (entry.kind, entry.size, entry.skipped));
    assert_eq!(entry("a/b/c.bin"), Some((EntryKind::File, 5, 0)));
    assert_eq!(entry("a/b"), Some((EntryKind::Folder, 0, 0)));
    assert_eq!(entry("node_modules"), Some((EntryKind::Folder, 7, 2)));
    assert_eq!((entry("node_modules/x"), entry(".git")), (None, Some((EntryKind::Folder, 2, 1))));
    let texts: Vec<_> = project.texts().map(|(path, _)| path.to_owned()).collect();
    assert_eq!(texts, ["package.json", "run"]);
    assert_eq!(project.sent_bytes("a"), 5);
}

#[cfg(unix)]
#[test]
fn links_are_not_followed() {
    use std::os::unix::fs::symlink;
    let outside = folder(&[("secret/x", "1")]);
    let top = folder(&[("Dockerfile", "FROM a\nCOPY . .\n")]);
    symlink(outside.path(), top.path().join("out")).unwrap();
    symlink(".", top.path().join("round")).unwrap();
    symlink("nowhere", top.path().join("broken")).unwrap();
    let project = project(top.path(), "Dockerfile").unwrap();
    let found: Vec<_> = project.entries().map(|(path, entry)| (path, entry.kind)).collect();
    assert_eq!(
        found,
        [
            ("Dockerfile", EntryKind::File),
            ("broken", EntryKind::Link),
            ("out", EntryKind::Link),
            ("round", EntryKind::Link),
        ]
    );
}

#[test]
fn what_is_too_deep_or_has_no_name_is_left_out_and_told() {
    let top = folder(&[("Dockerfile", "FROM a\nCOPY . .\n")]);
    let deep = top.path().join(vec!["d"; DEEPEST + 2].join("/"));
    fs::create_dir_all(deep).unwrap();
    let found = project(top.path(), "Dockerfile").unwrap();
    assert!(found.is_partial);
    assert_eq!(found.entries().count(), DEEPEST + 1);
    #[cfg(target_os = "linux")]
    {
        use std::os::unix::ffi::OsStrExt;
        let top = folder(&[("Dockerfile", "FROM a\nCOPY . .\n")]);
        fs::write(top.path().join(std::ffi::OsStr::from_bytes(b"\xff")), "").unwrap();
        assert!(project(top.path(), "Dockerfile").unwrap().is_partial);
    }
}

#[test]
fn the_ignore_file_of_a_dockerfile_takes_the_place_of_the_other() {
    let top = folder(&[
        ("Dockerfile", "FROM a\nCOPY . .\n"),
        ("b.Dockerfile", "FROM a\nCOPY . .\n"),
        (".dockerignore", "tmp\n"),
        ("b.Dockerfile.dockerignore", "src\n"),
        ("tmp/x", ""),
        ("src/x", ""),
    ]);
    let own = |name: &str| {
        let project = project(top.path(), name).unwrap();
        let path = project.ignore_file.path.rsplit('/').next().unwrap().to_owned();
        (path, project.is_sent("tmp/x"), project.is_sent("src/x"))
    };
    assert_eq!(own("Dockerfile"), (".dockerignore".to_owned(), false, true));
    assert_eq!(own("b.Dockerfile"), ("b.Dockerfile.dockerignore".to_owned(), true, false));
    // What can't be read says nothing, and neither is anything said about it.
    fs::remove_file(top.path().join(".dockerignore")).unwrap();
    fs::create_dir(top.path().join(".dockerignore")).unwrap();
    assert_eq!(project(top.path(), "Dockerfile"), None);
}

#[test]
fn other_dockerfiles_are_siblings() {
    let top = folder(&[
        ("Dockerfile", "FROM own\nCOPY . .\n"),
        ("a/Dockerfile.dev", "FROM dev\n"),
        ("b/web.dockerfile", "FROM web\n"),
        ("c/Dockerfile.j2", "FROM {{ x }}\n"),
        ("c/notes", "FROM me\n"),
    ]);
    let mut siblings = project(top.path(), "Dockerfile").unwrap().siblings;
    siblings.sort();
    assert_eq!(siblings, ["FROM dev\n", "FROM web\n", "FROM {{ x }}\n"]);
}

#[test]
fn callers_name_stages() {
    let top = folder(&[
        ("app/Dockerfile", "FROM a\nCOPY . .\n"),
        ("app/build.sh", "#!/bin/sh\ndocker build --target=test .\ndocker build --target \"$STAGE\" .\n"),
        (
            "compose.yaml",
            "services:\n  x:\n    build:\n      target: dev\n    volumes:\n    - target: /data\n",
        ),
        (".github/workflows/ci.yml", "with:\n  target: 'prod'\n"),
        ("docker-bake.hcl", "target \"web\" {\n  target = \"release\"\n}\n"),
        ("docs.txt", "target: nothing\n"),
    ]);
    git(top.path());
    let project = project(top.path(), "app/Dockerfile").unwrap();
    let mut targets: Vec<_> = project.callers.iter().map(|caller| caller.target.as_str()).collect();
    targets.sort_unstable();
    targets.dedup();
    assert_eq!(targets, [Caller::ANY, "dev", "prod", "release", "test", "web"]);
}

#[test]
fn targets_are_read() {
    let read = |text: &str| targets(text).join(" ");
    assert_eq!(read("--target a --target=b target: c target = \"d\" \"target\": \"e\""), "a b c d e");
    assert_eq!(read("mytarget: x; target_dir=y; the target of all; target: /data; targets: z"), "of");
}
