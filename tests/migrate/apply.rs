//! `migrate apply`.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::support::{ARTICLE, Bench, CLEAN, FOUR, UBUNTU, subject};

fn script(bench: &Bench, path: &str, text: &str) {
    bench.write(path, format!("#!/bin/sh\n{text}\n"));
    fs::set_permissions(bench.path(path), fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn each_kind_of_change_is_a_commit_on_a_branch() {
    let bench = Bench::new();
    bench.repository("src/app", &[("Dockerfile", ARTICLE.as_bytes()), ("b/Dockerfile", UBUNTU.as_bytes())]);
    fs::set_permissions(bench.path("src/app/b/Dockerfile"), fs::Permissions::from_mode(0o755)).unwrap();
    bench.commit("src/app");
    bench.repository("src/clean", &[("Dockerfile", CLEAN.as_bytes())]);
    let before = bench.git("src/app", &["rev-parse", "main"]);
    bench.ok(&format!("migrate plan src -o plan {FOUR}"));
    let said = bench.ok("migrate apply plan --accept all");
    assert!(said.contains("1 branch with 4 commits"), "{said}");
    let transforms = ["merge-run", "no-recommends", "clean-package-cache", "copy-after-install"];
    assert_eq!(bench.subjects("src/app", "main..dockeropt"), transforms.map(subject));
    assert_eq!(bench.git("src/app", &["rev-parse", "main", "HEAD"]), format!("{before}\n{before}"));
    assert_eq!(bench.git("src/app", &["status", "--porcelain"]), "");
    let changed = bench.git("src/app", &["diff", "--summary", "--name-only", "main..dockeropt"]);
    assert_eq!(changed, "Dockerfile\nb/Dockerfile");
    assert!(bench.git("src/app", &["ls-tree", "dockeropt", "b/Dockerfile"]).starts_with("100755"));
    bench.git("", &["clone", "-q", "src/app", "copy"]);
    bench.ok(&format!("fix --write --unsafe copy {FOUR}"));
    for path in ["Dockerfile", "b/Dockerfile"] {
        let text = bench.git("src/app", &["show", &format!("dockeropt:{path}")]);
        assert_eq!(text, bench.read(&format!("copy/{path}")).trim_end());
    }
    let message = bench.git("src/app", &["log", "--format=%an <%ae>%n%B", "dockeropt~2", "-1"]);
    for wanted in [
        "Ann Example <ann@example.com>",
        "tools for a person",
        "b/Dockerfile:3: ",
        "What it takes for granted:",
        "Predicted saving:",
        "dockeropt verify --unsafe --context b",
        "skip=no-recommends",
    ] {
        assert!(message.contains(wanted), "{wanted}\n{message}");
    }
    assert_eq!(bench.status("src-clean")["status"], "nothing");
    assert_eq!(bench.status("src-app")["status"], "applied");
    assert!(!bench.git("src/clean", &["branch"]).contains("dockeropt"));
}

#[test]
fn the_safe_fixes_are_those_that_fix_applies() {
    let bench = Bench::new();
    bench.repository("app", &[("Dockerfile", UBUNTU.as_bytes())]);
    bench.ok("migrate plan app -o plan");
    let said = bench.ok("migrate apply plan --accept safe");
    assert!(!said.contains("unsafe"), "{said}");
    bench.git("", &["clone", "-q", "app", "copy"]);
    bench.ok("fix --write copy");
    assert_eq!(bench.git("app", &["show", "dockeropt:Dockerfile"]), bench.read("copy/Dockerfile").trim_end());
}

/// A Dockerfile with a safe fix that builds on an unsafe one: the ENV passes the install only when the package
/// lists don't outlive that.
const LATER: &str =
    "FROM debian:12\nENV VERSION 1.2\nRUN apt-get update\nRUN apt-get install -y gcc\nRUN ./x $VERSION\n";
/// A Dockerfile with a safe fix that is not made where unsafe ones are: they make one install of two.
const INSTEAD: &str = "FROM debian:12\nRUN apt-get update && apt-get install -y no-such-package \
    && apt-get install -y build-essential && rm -rf /var/lib/apt/lists/*\n";

#[test]
fn safe_fixes_that_hang_together_with_unsafe_ones_are_told_apart() {
    for (text, only, waiting) in [(LATER, "with_unsafe", 1), (INSTEAD, "without_unsafe", 0)] {
        let bench = Bench::new();
        bench.repository("app", &[("Dockerfile", text.as_bytes())]);
        let said = bench.ok(&format!("migrate plan app -o plan {FOUR}"));
        assert_eq!(said.contains("1 more once unsafe ones are accepted"), waiting == 1, "{said}");
        let name = bench.json("plan/plan.json")["repositories"][0]["name"].as_str().unwrap().to_owned();
        let fixes = bench.entry(&name)["files"][0]["fixes"].as_array().unwrap().clone();
        let marked: Vec<_> = fixes.iter().filter(|fix| fix["only"] == only).collect();
        assert!(marked.len() == 1 && marked[0]["applicability"] == "safe" && marked[0]["hunks"].is_array());
        for (accept, option) in [("safe", ""), ("all", "--unsafe")] {
            let said = bench.ok(&format!("migrate apply plan --accept {accept} --branch {accept}"));
            let is_told =
                said.contains("1 safe fix builds on an unsafe one") && said.contains("--accept all");
            assert_eq!(is_told, accept == "safe" && waiting == 1, "{said}");
            bench.git("", &["clone", "-q", "app", accept]);
            bench.ok(&format!("fix --write {option} {accept} {FOUR}"));
            let made = bench.git("app", &["show", &format!("{accept}:Dockerfile")]);
            assert_eq!(made, bench.read(&format!("{accept}/Dockerfile")).trim_end(), "{accept} {text}");
            let remarks = &bench.status(&name)["remarks"];
            assert!(remarks.is_null(), "{remarks}");
        }
    }
}

#[test]
fn it_pushes_and_does_nothing_twice() {
    let bench = Bench::new();
    let url = bench.served("org/app", &[("Dockerfile", ARTICLE.as_bytes())]);
    bench.ok(&format!("migrate plan {url} -o plan"));
    bench.ok("migrate apply plan --accept safe --push origin");
    let served = "served/org/app.git";
    let head = bench.git(served, &["rev-parse", "dockeropt"]);
    assert_eq!(bench.subjects(served, "main..dockeropt").len(), 5);
    assert_eq!(bench.status("org-app")["pushed"], serde_json::json!(["origin"]));
    let journal = bench.read("plan/journal.jsonl").lines().count();
    let said = bench.ok("migrate apply plan --accept safe --push origin");
    assert!(said.contains("0 of them new"), "{said}");
    assert_eq!(bench.git(served, &["rev-parse", "dockeropt"]), head);
    // Only that a run began and ended is new.
    assert_eq!(bench.read("plan/journal.jsonl").lines().count(), journal + 2);
    // The clone may be thrown away.
    fs::remove_dir_all(bench.path("cache")).unwrap();
    bench.ok("migrate apply plan --accept safe --push origin");
    assert_eq!(bench.git(served, &["rev-parse", "dockeropt"]), head);
}

#[test]
fn a_push_that_is_refused_is_recorded_and_can_be_tried_again() {
    let bench = Bench::new();
    let urls = ["org/a", "org/b"].map(|name| bench.served(name, &[("Dockerfile", ARTICLE.as_bytes())]));
    script(&bench, "served/org/a.git/hooks/pre-receive", "echo 'branches need a ticket' >&2; exit 1");
    bench.ok(&format!("migrate plan {} {} -o plan", urls[0], urls[1]));
    let run = bench.run("migrate apply plan --accept safe --push origin");
    assert_eq!(run.code, Some(2), "{}", run.stderr);
    let status = bench.status("org-a");
    assert_eq!((&status["status"], &status["step"]), (&"failed".into(), &"push".into()));
    assert!(status["output"].as_str().unwrap().contains("branches need a ticket"), "{status}");
    assert_eq!(bench.status("org-b")["status"], "pushed");
    fs::remove_file(bench.path("served/org/a.git/hooks/pre-receive")).unwrap();
    bench.ok("migrate apply plan --accept safe --push origin");
    assert_eq!(bench.status("org-a")["status"], "failed", "it is not tried again unasked");
    bench.ok("migrate apply plan --accept safe --push origin --retry-failed");
    assert_eq!(bench.status("org-a")["status"], "pushed");
}

#[test]
fn hooks_do_not_run() {
    let bench = Bench::new();
    bench.repository("app", &[("Dockerfile", ARTICLE.as_bytes())]);
    bench.git("", &["clone", "-q", "--bare", "app", "remote.git"]);
    bench.git("app", &["remote", "add", "origin", "../remote.git"]);
    let ran = bench.path("ran").display().to_string();
    for hook in [
        "pre-commit",
        "commit-msg",
        "post-commit",
        "reference-transaction",
        "pre-push",
        "post-checkout",
        "post-index-change",
    ] {
        script(&bench, &format!("app/.git/hooks/{hook}"), &format!("echo {hook} >> {ran}"));
    }
    bench.git("app", &["config", "core.fsmonitor", &format!("touch {ran} #")]);
    bench.ok("migrate plan app -o plan");
    bench.ok("migrate apply plan --accept safe --push origin");
    assert!(!bench.path("ran").exists(), "{}", bench.read("ran"));
    assert_eq!(bench.subjects("remote.git", "main..dockeropt").len(), 5);
}

#[test]
fn a_dry_run_shows_commands_and_changes_nothing() {
    let bench = Bench::new();
    bench.repository("app", &[("Dockerfile", ARTICLE.as_bytes())]);
    bench.git("", &["clone", "-q", "--bare", "app", "remote.git"]);
    bench.git("app", &["remote", "add", "origin", "../remote.git"]);
    bench.ok("migrate plan app -o plan");
    let refs = bench.git("app", &["for-each-ref"]);
    let journal = bench.read("plan/journal.jsonl");
    let shown = bench.run("migrate apply plan --accept safe --push origin --dry-run").stdout;
    for command in [
        "read-tree",
        "commit1=$(printf",
        "commit-tree -p \"$commit1\"",
        "update-ref refs/heads/dockeropt \"$commit5\"",
        "push --quiet",
    ] {
        assert!(shown.contains(command), "{command}\n{shown}");
    }
    assert!(!shown.contains("force"), "{shown}");
    assert_eq!(bench.git("app", &["for-each-ref"]), refs);
    assert_eq!(bench.read("plan/journal.jsonl"), journal);
    // A shell that runs them does what `apply` does.
    bench.write("commands.sh", shown);
    let run = bench.command("sh").args(["-eu", "commands.sh"]).output().unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let made = bench.git("app", &["rev-parse", "dockeropt"]);
    assert_eq!(bench.git("remote.git", &["rev-parse", "dockeropt"]), made);
    assert_eq!(bench.git("app", &["status", "--porcelain"]), "");
    bench.git("app", &["branch", "-D", "dockeropt"]);
    bench.git("remote.git", &["branch", "-D", "dockeropt"]);
    bench.ok("migrate apply plan --accept safe --push origin");
    assert_eq!(bench.git("remote.git", &["rev-parse", "dockeropt"]), made);
}

#[test]
fn what_must_not_be_touched_is_not() {
    let bench = Bench::new();
    for name in ["dirty", "taken", "current"] {
        bench.repository(&format!("src/{name}"), &[("Dockerfile", ARTICLE.as_bytes()), ("README", b"x")]);
    }
    bench.ok("migrate plan src -o plan");
    bench.write("src/dirty/README", "y");
    bench.git("src/taken", &["branch", "dockeropt"]);
    bench.git("src/current", &["switch", "-q", "-c", "dockeropt"]);
    let states =
        || ["dirty", "taken", "current"].map(|name| bench.git(&format!("src/{name}"), &["for-each-ref"]));
    let before = states();
    bench.ok("migrate apply plan --accept safe");
    for (name, reason) in
        [("dirty", "uncommitted changes (README)"), ("taken", "already"), ("current", "checked out")]
    {
        let status = bench.status(&format!("src-{name}"));
        assert_eq!(status["status"], "skipped", "{status}");
        assert!(status["reason"].as_str().unwrap().contains(reason), "{status}");
    }
    assert_eq!(states(), before);
    for branch in ["main", "a..b", "-x"] {
        bench.run(&format!("migrate apply plan --accept safe --retry-failed --branch={branch}"));
        assert_eq!(states(), before, "{branch}");
    }
    bench.git("src/dirty", &["restore", "README"]);
    bench.ok("migrate apply plan --accept safe --retry-failed");
    assert_eq!(bench.status("src-dirty")["status"], "applied");
}

#[test]
fn the_default_branch_of_a_remote_is_never_pushed_to() {
    let bench = Bench::new();
    let url = bench.served("org/app", &[("Dockerfile", ARTICLE.as_bytes())]);
    bench.git("", &["clone", "-q", &url, "app"]);
    bench.git("served/org/app.git", &["branch", "other", "main"]);
    bench.git("served/org/app.git", &["symbolic-ref", "HEAD", "refs/heads/other"]);
    bench.ok("migrate plan app -o plan");
    bench.ok("migrate apply plan --accept safe --push origin --branch other");
    assert!(bench.run("migrate status plan").stdout.contains("is the default branch of origin"));
    bench.git("served/org/app.git", &["branch", "third", "main"]);
    bench.ok("migrate apply plan --accept safe --push origin --branch third");
    assert!(bench.run("migrate status plan").stdout.contains("origin has a branch `third` already"));
    let refs = bench.git("served/org/app.git", &["for-each-ref", "--format=%(objectname)"]);
    assert!(refs.lines().all(|id| id == bench.git("app", &["rev-parse", "main"])), "{refs}");
}

#[test]
fn what_moved_is_looked_at_anew_or_skipped() {
    let bench = Bench::new();
    let names = ["org/a", "org/b", "org/c"];
    let urls = names.map(|name| bench.served(name, &[("Dockerfile", ARTICLE.as_bytes())]));
    bench.ok(&format!("migrate plan {} -o plan", urls.join(" ")));
    let moves =
        [format!("# new\n{ARTICLE}RUN apt-get install -y make\n"), CLEAN.to_owned(), ARTICLE.to_owned()];
    for (name, text) in names.iter().zip(&moves) {
        let work = format!("work/{name}");
        bench.write(&format!("{work}/Dockerfile"), text);
        bench.write(&format!("{work}/new"), "x");
        bench.commit(&work);
        let bare = bench.path(&format!("served/{name}.git"));
        bench.git(&work, &["push", "-q", bare.to_str().unwrap(), "main"]);
    }
    bench.ok("migrate apply plan --accept safe --moved skip --push origin");
    assert!(bench.status("org-a")["reason"].as_str().unwrap().contains("moved since the plan, from "));
    bench.ok("migrate apply plan --accept safe --push origin");
    let text = bench.git("served/org/a.git", &["show", "dockeropt:Dockerfile"]);
    assert!(text.starts_with("# new\n") && text.contains("RUN apt-get install -y make"), "{text}");
    assert!(bench.git("served/org/a.git", &["ls-tree", "--name-only", "dockeropt"]).contains("new"));
    assert!(bench.status("org-a")["remarks"].to_string().contains("planned at"));
    assert!(bench.status("org-b")["reason"].as_str().unwrap().contains("no accepted fix is left"));
    assert_eq!(bench.subjects("served/org/c.git", "main..dockeropt").len(), 5);
}

#[test]
fn commits_are_signed_and_signed_off_as_git_is_configured() {
    let bench = Bench::new();
    bench.repository("app", &[("Dockerfile", UBUNTU.as_bytes())]);
    let key = bench.path("key").display().to_string();
    let made = bench.command("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f", &key]).status();
    if !made.is_ok_and(|status| status.success()) {
        eprintln!("no ssh-keygen here: signing is not tested");
        return;
    }
    let public = bench.read("key.pub");
    bench.write("signers", format!("ann@example.com {public}"));
    for (name, value) in [
        ("gpg.format", "ssh"),
        ("user.signingKey", &key),
        ("commit.gpgSign", "true"),
        ("format.signOff", "true"),
        ("gpg.ssh.allowedSignersFile", &bench.path("signers").display().to_string()),
    ] {
        bench.git("", &["config", "--global", name, value]);
    }
    bench.ok("migrate plan app -o plan");
    bench.command(crate::support::program());
    let author = "Bob Example <bob@example.com>";
    let output = bench
        .command(crate::support::program())
        .args(["migrate", "apply", "plan", "--accept", "all", "--author", author])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let log = bench.git("app", &["log", "--format=%G? %an %cn", "main..dockeropt"]);
    assert!(log.lines().count() == 3 && log.lines().all(|line| line == "G Bob Example Ann Example"), "{log}");
    let trailers =
        bench.git("app", &["log", "--format=%(trailers:key=Signed-off-by,valueonly)", "-1", "dockeropt"]);
    assert_eq!(trailers.trim(), "Ann Example <ann@example.com>");
}

#[test]
fn without_a_name_nothing_is_committed() {
    let bench = Bench::new();
    bench.repository("app", &[("Dockerfile", UBUNTU.as_bytes())]);
    bench.ok("migrate plan app -o plan");
    bench.write("gitconfig", "");
    let run = bench.run("migrate apply plan --accept safe");
    assert!(run.stderr.contains("git doesn't know who commits"), "{}", run.stderr);
    let run = bench
        .command(crate::support::program())
        .args(["migrate", "apply", "plan", "--accept", "safe", "--retry-failed"])
        .args(["--author", "Bob <bob@example.com>"])
        .output()
        .unwrap();
    assert!(run.status.success());
    assert_eq!(bench.git("app", &["log", "-1", "--format=%cn", "dockeropt"]), "Bob");
}
