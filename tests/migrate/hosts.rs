//! Repositories on servers: git's own protocol, and http of both kinds.

use std::io::{BufRead, BufReader};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::{ARTICLE, Bench};

/// A server that ends with the test.
pub(crate) struct Server {
    child: Child,
    pub(crate) port: u16,
}

impl Drop for Server {
    fn drop(&mut self) {
        // A daemon has children of its own.
        let group = i32::try_from(self.child.id()).ok().and_then(rustix::process::Pid::from_raw);
        if let Some(group) = group {
            let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
        }
        let _ = self.child.wait();
    }
}

fn start(mut command: Command, port: u16) -> Server {
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    let server = Server { child: command.spawn().unwrap(), port };
    let start = Instant::now();
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(start.elapsed() < Duration::from_secs(20), "the server does not start");
        std::thread::sleep(Duration::from_millis(20));
    }
    server
}

fn free_port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port()
}

/// Serves a folder by git's own protocol, also for pushes.
pub(crate) fn daemon(bench: &Bench, folder: &str) -> Server {
    let port = free_port();
    let mut command = bench.command("git");
    let base = format!("--base-path={}", bench.path(folder).display());
    command.args([
        "daemon",
        "--reuseaddr",
        "--listen=127.0.0.1",
        "--enable=receive-pack",
        "--max-connections=0",
    ]);
    command.arg(format!("--port={port}")).arg(base).stdout(Stdio::null()).stderr(Stdio::null());
    start(command, port)
}

/// Serves a folder by http: `/smart/` through git's own program, `/dumb/` as files.
pub(crate) fn http(bench: &Bench, folder: &str) -> Server {
    let mut command = bench.command("python3");
    command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/migrate/http_server.py"));
    command.arg(bench.path(folder)).stdout(Stdio::piped()).stderr(Stdio::null());
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    let mut child = command.spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    Server { child, port: line.trim().parse().unwrap() }
}

#[test]
fn repositories_are_planned_and_pushed_to_over_all_protocols() {
    let bench = Bench::new();
    for name in ["org/a", "org/b", "org/c"] {
        bench.served(name, &[("Dockerfile", ARTICLE.as_bytes()), ("more", b"x")]);
        let served = format!("served/{name}.git");
        bench.write(&format!("{served}/git-daemon-export-ok"), "");
        bench.git(&served, &["config", "http.receivepack", "true"]);
        bench.git(&served, &["update-server-info"]);
    }
    bench.served("org/secret", &[("Dockerfile", ARTICLE.as_bytes())]);
    let (daemon, http) = (daemon(&bench, "served"), http(&bench, "served"));
    let git = format!("git://127.0.0.1:{}", daemon.port);
    let web = format!("http://127.0.0.1:{}", http.port);
    bench.write(
        "list",
        format!("{git}/org/a.git\n{web}/smart/org/b.git\n{web}/dumb/org/c.git\n{git}/org/secret.git\n{web}/smart/none.git\n"),
    );
    let run = bench.run("migrate plan list -o plan");
    assert!(
        run.stderr.contains("5 repositories: 3 would change, 0 need nothing, 2 failed"),
        "{}",
        run.stderr
    );
    let refused = bench.status("org-secret");
    assert!(
        refused["reason"].as_str().unwrap().contains("access denied or repository not exported"),
        "{refused}"
    );
    bench.run("migrate apply plan --accept safe --push origin");
    for (name, pushed) in [("org/a", true), ("org/b", true), ("org/c", false)] {
        let has = bench.git(&format!("served/{name}.git"), &["branch", "--list", "dockeropt"]);
        assert_eq!(!has.is_empty(), pushed, "{name}");
        let status = bench.status(&name.replace('/', "-"));
        assert_eq!(status["status"], if pushed { "pushed" } else { "failed" }, "{status}");
        assert_eq!(status["commits"], 5);
    }
}
