//! `verify` and `fix --verify` with a made engine: what is found, what is dropped, what is left behind.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "these are tests, helpers included")]
#![cfg(unix)]

mod large;
mod support;

use std::fs;
use std::process::Output;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use support::{Bench, File, Made, file};

const DOCKERFILE: &str = "FROM debian:bookworm-slim
RUN apt-get update
RUN apt-get install -y --no-install-recommends curl
RUN pip install flask
";

/// What is in the rewritten file, and not in the original.
const REWRITTEN: &str = "apt-get update && apt-get install";

/// What dpkg notes of some packages.
fn status(packages: &[&str]) -> File {
    let paragraph = |name: &&str| {
        let recommends = if *name == "git" { "Recommends: less\n" } else { "" };
        format!("Package: {name}\nStatus: install ok installed\nVersion: 1\n{recommends}")
    };
    let paragraphs: Vec<String> = packages.iter().map(paragraph).collect();
    file("/var/lib/dpkg/status", &paragraphs.join("\n"))
}

fn original() -> Made {
    let mut program = file("/usr/local/bin/serve", "#!/bin/sh\n");
    program.mode = 0o755;
    let mut ping = file("/usr/bin/ping", "ping");
    ping.capability = Some(b"\x01\0\0\x02\0\x20\0\0".to_vec());
    let mut data = file("/srv/data", "data");
    data.owner = (1000, 1000);
    let mut link = file("/usr/bin/editor", "");
    link.link = Some("/usr/bin/vim".to_owned());
    Made {
        layers: vec![
            vec![file("/etc/", ""), file("/etc/os-release", "ID=debian\n")],
            vec![
                program,
                ping,
                data,
                link,
                status(&["curl", "libc6"]),
                file("/var/lib/apt/lists/example.net_Packages", &"x".repeat(10_000)),
            ],
        ],
        config: json!({"Env": ["PATH=/usr/bin"], "Cmd": ["serve"], "WorkingDir": "/srv"}),
    }
}

/// The original without its package lists: what the rewrite rightly gives.
fn clean() -> Made {
    original().change("/var/lib/apt/lists/example.net_Packages", |_| None)
}

fn bench(after: &Made) -> Bench {
    let bench = Bench::new(DOCKERFILE);
    bench.install("docker");
    bench.image("a-rewrite", REWRITTEN, after);
    bench.image("original", "RUN", &original());
    bench
}

#[track_caller]
fn report(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)))
}

fn unexpected(report: &Value) -> Vec<String> {
    let text = |it: &Value, key: &str| it[key].as_str().unwrap().to_owned();
    let all = report["unexpected"].as_array().unwrap().iter();
    all.map(|it| format!("{}: {}", text(it, "place"), text(it, "what"))).collect()
}

#[test]
fn a_right_rewrite_passes() {
    let bench = bench(&clean());
    let output = bench.run(&["verify", "--format", "json", "--run", "serve --version"]);
    let report = report(&output);
    assert_eq!(unexpected(&report), [""; 0]);
    assert_eq!(report["passed"], true);
    assert_eq!(report["expected"][0]["place"], "/var/lib/apt/lists/example.net_Packages");
    assert_eq!(report["runs"][0]["differs"], Value::Null);
    assert_eq!(
        report["before"]["size"].as_u64().unwrap() - report["after"]["size"].as_u64().unwrap(),
        10_000
    );
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(bench.left(), [""; 0]);
}

/// Each loss is found, and named.
#[test]
fn what_a_rewrite_loses_is_found() {
    fn with(change: impl Fn(&mut File)) -> impl Fn(File) -> Option<File> {
        move |mut file| {
            change(&mut file);
            Some(file)
        }
    }
    let config = |key: &str, value: Value| {
        let mut made = clean();
        made.config[key] = value;
        made
    };
    let table: Vec<(Made, &str)> = vec![
        (clean().change("/usr/local/bin/serve", |_| None), "/usr/local/bin/serve: missing"),
        (
            clean().change("/usr/local/bin/serve", with(|file: &mut File| file.mode = 0o644)),
            "/usr/local/bin/serve: mode 0755 became 0644",
        ),
        (
            clean().change("/srv/data", with(|file: &mut File| file.owner = (0, 0))),
            "/srv/data: owner 1000:1000 became 0:0",
        ),
        (
            clean().change("/srv/data", with(|file: &mut File| file.content = b"DATA".to_vec())),
            "/srv/data: other content",
        ),
        (
            clean().change("/usr/bin/ping", with(|file: &mut File| file.capability = None)),
            "/usr/bin/ping: attributes security.capability became none",
        ),
        (
            clean().change(
                "/usr/bin/editor",
                with(|file: &mut File| file.link = Some("/usr/bin/nano".to_owned())),
            ),
            "/usr/bin/editor: link to /usr/bin/vim became link to /usr/bin/nano",
        ),
        (
            clean().change("/usr/bin/editor", with(|file: &mut File| file.link = None)),
            "/usr/bin/editor: link became file",
        ),
        (config("Env", json!([])), "config Env: [\"PATH=/usr/bin\"] became nothing"),
        (config("Cmd", json!(["sh"])), "config Cmd: [\"serve\"] became [\"sh\"]"),
        (config("WorkingDir", json!("")), "config WorkingDir: \"/srv\" became nothing"),
        (
            clean().change("/var/lib/dpkg/status", |_| Some(status(&["libc6"]))),
            "package curl: no longer installed",
        ),
    ];
    for (after, found) in table {
        let bench = bench(&after);
        let output = bench.run(&["verify", "--format", "json"]);
        assert_eq!(unexpected(&report(&output)), [found]);
        assert_eq!(output.status.code(), Some(1), "{found}");
        assert_eq!(bench.left(), [""; 0]);
    }
}

/// What is only recommended may go if a fix claims it; what the file names may not.
#[test]
fn packages_that_a_fix_leaves_out_are_expected() {
    let list = |package: &str, path: &str| file(&format!("/var/lib/dpkg/info/{package}.list"), path);
    let mut before = original();
    before.layers[1].extend([
        status(&["git", "less", "nano", "libc6"]),
        list("less", "/.\n/usr/bin/less\n"),
        list("nano", "/usr/bin/nano\n"),
        file("/usr/bin/less", "less"),
        file("/usr/bin/nano", "nano"),
    ]);
    let after = original();
    let after = {
        let mut made = after.change("/var/lib/dpkg/status", |_| Some(status(&["git", "libc6"])));
        made.layers[1].push(file("/root/new", ""));
        made
    };
    let bench = Bench::new("FROM ubuntu:22.04\nRUN apt-get update && apt-get install -y git nano\n");
    bench.install("docker");
    bench.image("a-rewrite", "--no-install-recommends", &after);
    bench.image("original", "RUN", &before);
    let output = bench.run(&["verify", "--unsafe", "--format", "json"]);
    let report = report(&output);
    // nano is named, so neither it nor its file may be gone.
    assert_eq!(
        unexpected(&report),
        ["package nano: no longer installed", "/root/new: new", "/usr/bin/nano: missing"]
    );
    let expected = report["expected"].as_array().unwrap();
    assert!(expected.iter().any(|it| it["place"] == "/usr/bin/less"), "{expected:?}");
}

/// Packages that make users may make them in another order: names count then, not numbers.
#[test]
fn owners_are_compared_by_name_where_packages_differ() {
    let users = |number: u32| {
        file("/etc/passwd", &format!("root:x:0:0::/root:/bin/sh\napp:x:{number}:0::/:/bin/sh\n"))
    };
    let owned = |number: u64| {
        let mut file = file("/srv/app", "app");
        file.owner = (number, 0);
        file
    };
    let with = |made: Made, number: u32, packages: &[&str]| {
        let mut made = made.change("/var/lib/dpkg/status", |_| Some(status(packages)));
        let group = file("/etc/group", "root:x:0:\n");
        made.layers[1].extend([users(number), group, owned(number.into())]);
        made
    };
    for (packages, found) in [
        (&["git", "libc6"][..], vec![]),
        (&["git", "less", "libc6"], vec!["/etc/passwd: other content", "/srv/app: owner 101:0 became 100:0"]),
    ] {
        let bench = Bench::new("FROM ubuntu:22.04\nRUN apt-get update && apt-get install -y git\n");
        bench.install("docker");
        bench.image("a-rewrite", "--no-install-recommends", &with(clean(), 100, packages));
        bench.image("original", "RUN", &with(original(), 101, &["git", "less", "libc6"]));
        let report = report(&bench.run(&["verify", "--unsafe", "--format", "json"]));
        assert_eq!(unexpected(&report), found);
    }
}

#[test]
fn a_smoke_test_that_differs_fails() {
    for (output, status) in [("other\n", 0), ("out\n", 3)] {
        let bench = bench(&clean());
        bench.runs("a-rewrite", output, status);
        let done = bench.run(&["verify", "--run", "serve"]);
        let text = String::from_utf8_lossy(&done.stdout).into_owned();
        assert!(text.contains("run `serve`: differs:"), "{text}");
        assert_eq!(done.status.code(), Some(1));
    }
}

#[test]
fn layers_are_put_on_top_of_each_other() {
    let made = |wrong: bool| Made {
        layers: vec![
            vec![
                file("/a/", ""),
                file("/a/one", "1234"),
                file("/a/two", "12"),
                file("/b/", ""),
                file("/b/x", "123"),
            ],
            vec![file("/a/.wh.one", ""), file("/b/.wh..wh..opq", ""), file("/b/y", "1")],
            vec![file("/a/two", if wrong { "wrong" } else { "right" })],
        ],
        config: json!({}),
    };
    let flat = Made {
        layers: vec![vec![file("/a/", ""), file("/a/two", "right"), file("/b/", ""), file("/b/y", "1")]],
        config: json!({}),
    };
    for (wrong, found) in [(false, vec![]), (true, vec!["/a/two: other content".to_owned()])] {
        let bench = Bench::new(DOCKERFILE);
        bench.install("docker");
        bench.image("a-rewrite", REWRITTEN, &flat);
        bench.image("original", "RUN", &made(wrong));
        let report = report(&bench.run(&["verify", "--format", "json"]));
        assert_eq!(unexpected(&report), found);
        // /a/one is deleted: its 4 bytes; /a/two is replaced: 2 and 5.
        assert_eq!(report["before"]["wasted"], 4 + 2 + 5);
        assert_eq!(report["before"]["layers"][1], json!({"size": 1, "created_by": "step 1"}));
    }
}

#[test]
fn compressed_layers_are_read() {
    let bench = bench(&clean());
    fs::write(bench.path("bin/store/a-rewrite.tar"), clean().archive(true)).unwrap();
    assert_eq!(bench.run(&["verify"]).status.code(), Some(0));
}

/// A second build of the original tells what differs anyway.
#[test]
fn what_two_builds_of_the_original_differ_in_is_noise() {
    let bench = Bench::new(DOCKERFILE);
    bench.install("docker");
    let mut other = clean();
    other.layers[1].push(file("/opt/stamp", "today"));
    bench.image("a-rewrite", REWRITTEN, &other);
    bench.image("original", "RUN", &original());
    assert_eq!(bench.run(&["verify"]).status.code(), Some(1));
    // The same text gives another image when it is built without the cache.
    let script = fs::read_to_string(bench.path("bin/docker")).unwrap();
    let mut second = original();
    second.layers[1].push(file("/opt/stamp", "then"));
    bench.image("no-cache", "nothing has this", &second);
    let control = "case \"$*\" in *--no-cache*) set -- \"$@\"; f=no-cache; esac\n";
    let script = script.replace("    tag= file=\n", &format!("    {control}    tag= file=\n")).replace(
        "    for match in",
        "    if [ \"${f-}\" ]; then echo no-cache > \"$store/tags/$(printf '%s' \"$tag\" | tr '/:' '__')\"; exit 0; fi\n    for match in",
    );
    fs::write(bench.path("bin/docker"), script).unwrap();
    let output = bench.run(&["verify", "--control", "--format", "json"]);
    let report = report(&output);
    assert_eq!(unexpected(&report), [""; 0]);
    assert_eq!(report["noise"][0]["place"], "/opt/stamp");
    assert_eq!(output.status.code(), Some(0));
}

/// `fix --verify` drops just the fix that does harm, and keeps the others.
#[test]
fn the_guilty_fix_is_dropped() {
    let bench = Bench::new(DOCKERFILE);
    bench.install("docker");
    let broken = clean().change("/usr/local/bin/serve", |_| None);
    bench.image("a-guilty", "--no-cache-dir", &broken);
    bench.image("b-rewrite", "rm -rf /var/lib/apt/lists", &clean());
    bench.image("original", "RUN", &original());
    let output = bench.run(&["fix", "--verify", "--write"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        said.contains("Dockerfile:4: dropped clean-package-cache: Install with pip without keeping its cache: /usr/local/bin/serve missing"),
        "{said}"
    );
    assert_eq!(output.status.code(), Some(0), "{said}");
    let after = fs::read_to_string(bench.path("project/Dockerfile")).unwrap();
    assert!(after.contains("rm -rf /var/lib/apt/lists") && !after.contains("--no-cache-dir"), "{after}");
    assert_eq!(bench.left(), [""; 0]);
    // Each combination is built once.
    let builds = bench.transcript().lines().filter(|line| line.starts_with("docker build")).count();
    assert!(builds <= 5, "{}", bench.transcript());
}

#[test]
fn failures_are_told_apart() {
    let bench = bench(&clean());
    let fails = |bench: &Bench, arguments: &[&str]| {
        let output = bench.run(arguments);
        assert_eq!(bench.left(), [""; 0]);
        (output.status.code().unwrap(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let (code, said) = fails(&bench, &["verify", "--engine", "podman"]);
    assert_eq!((code, said.as_str()), (2, "error: no build engine was found on PATH: looked for podman\n"));
    bench.set("silent");
    let (code, said) = fails(&bench, &["verify"]);
    assert_eq!(code, 2);
    assert!(said.contains("docker is installed, but its engine does not answer: Cannot connect"), "{said}");
    fs::remove_file(bench.path("bin/store/silent")).unwrap();
    fs::remove_file(bench.path("bin/store/original.match")).unwrap();
    let (code, said) = fails(&bench, &["verify"]);
    assert_eq!(code, 3);
    assert!(said.contains("the original doesn't build: docker build"), "{said}");
    let (code, said) = fails(&bench, &["fix", "--verify"]);
    assert_eq!(code, 3, "{said}");
    fs::write(bench.path("project/Dockerfile"), format!("{DOCKERFILE}LABEL a=no-space\n")).unwrap();
    let (code, said) = fails(&bench, &["verify"]);
    assert_eq!(code, 2);
    assert!(said.contains("no space is left on the device"), "{said}");
}

#[test]
fn a_rewrite_that_does_not_build_fails() {
    let bench = Bench::new(DOCKERFILE);
    bench.install("docker");
    bench.image("original", "RUN apt-get update\nRUN", &original());
    fs::write(bench.path("bin/store/original.match"), "RUN apt-get install").unwrap();
    let output = bench.run(&["verify"]);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(text.contains("the rewrite does not build"), "{text}");
    assert!(text.contains("nothing matches"), "{text}");
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(bench.left(), [""; 0]);
}

#[test]
fn an_engine_that_hangs_is_stopped_by_the_timeout() {
    let bench = bench(&clean());
    bench.set("hang");
    let start = Instant::now();
    let output = bench.run(&["verify", "--timeout", "1"]);
    assert!(start.elapsed() < Duration::from_secs(30));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("docker build took longer than 1 s, which --timeout allows"), "{said}");
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(bench.left(), [""; 0]);
}

/// Killed in the middle of a build, nothing is left: no image, no folder, no changed Dockerfile.
#[test]
fn an_interrupt_leaves_nothing_behind() {
    for arguments in [&["verify"][..], &["fix", "--verify", "--write"]] {
        let bench = bench(&clean());
        bench.set("hang");
        let mut child = bench
            .command(arguments)
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let start = Instant::now();
        while !bench.path("bin/store/hanging").exists() {
            assert!(start.elapsed() < Duration::from_secs(60), "no build was started");
            std::thread::sleep(Duration::from_millis(10));
        }
        let process = rustix::process::Pid::from_raw(child.id() as i32).unwrap();
        rustix::process::kill_process(process, rustix::process::Signal::INT).unwrap();
        let status = child.wait().unwrap();
        assert_eq!(status.code(), Some(2));
        assert_eq!(bench.left(), [""; 0]);
        assert_eq!(fs::read_to_string(bench.path("project/Dockerfile")).unwrap(), DOCKERFILE);
    }
}

/// The command lines that each engine is given.
#[test]
fn engines_are_called_by_their_own_command_lines() {
    let options = ["--build-arg", "A=b", "--network", "host", "--secret", "id=x"];
    for program in ["docker", "podman", "buildah"] {
        let bench = bench(&clean());
        fs::remove_file(bench.path("bin/docker")).unwrap();
        bench.install(program);
        let mut arguments = vec!["verify", "--run", "serve"];
        arguments.extend(options);
        let output = bench.run(&arguments);
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
        let expected = fs::read_to_string(
            std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/verify/{program}.txt")),
        );
        let transcript = bench.transcript();
        if std::env::var_os("UPDATE_EXPECT").is_some() {
            fs::write(
                std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/verify/{program}.txt")),
                &transcript,
            )
            .unwrap();
        } else {
            assert_eq!(expected.unwrap_or_default(), transcript);
        }
        assert_eq!(bench.left(), [""; 0]);
    }
}

#[test]
fn markdown_is_for_a_pull_request() {
    let output = bench(&clean()).run(&["verify", "--format", "markdown"]);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        text.starts_with("**Dockerfile**: the rewrite builds, and nothing unexpected differs\n"),
        "{text}"
    );
    assert!(text.contains("| size | 0.0 MB | 0.0 MB | -0.0 MB |"), "{text}");
    assert!(text.contains("- line 2: Join 2 RUNs (`merge-run`)"), "{text}");
}
