//! The review page in a real browser: Debian's chromium, driven by playwright-core from npm.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use crate::support::{ARTICLE, Bench, UBUNTU, is_long, subject};

/// The folder with playwright-core, if the page can be tested; says why not.
pub(crate) fn playwright() -> Option<PathBuf> {
    if !is_long("the page in a browser") {
        return None;
    }
    let folder = std::env::var_os("DOCKEROPT_PLAYWRIGHT").map(PathBuf::from);
    if folder.is_none() {
        eprintln!(
            "left out without DOCKEROPT_PLAYWRIGHT, a folder with playwright-core: the page in a browser"
        );
    }
    folder
}

/// Does something with a page in the browser, which must find no mistake; what it found.
pub(crate) fn browse(bench: &Bench, page: &str, task: &str, playwright: &PathBuf) -> Value {
    fs::create_dir_all(bench.path("saved")).unwrap();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/migrate/browser.mjs");
    let mut command = bench.command("node");
    command.arg(script).arg(bench.path(page)).arg(bench.path("saved")).arg(playwright).arg(task);
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(found["mistakes"], serde_json::json!([]), "{said}");
    found
}

#[test]
fn a_review_in_a_browser_is_applied() {
    let Some(playwright) = playwright() else { return };
    let bench = Bench::new();
    let odd = "FROM debian:12\nRUN apt-get update\nRUN apt-get install -y \"</script><b>\" caf\u{e9}\n";
    bench.repository("src/a", &[("Dockerfile", ARTICLE.as_bytes()), ("b/Dockerfile", UBUNTU.as_bytes())]);
    bench.repository("src/b", &[("Dockerfile", odd.as_bytes())]);
    bench.repository("src/z", &[("Dockerfile", ARTICLE.as_bytes())]);
    bench.ok("migrate plan src -o plan");
    browse(&bench, "plan/report.html", "review", &playwright);
    bench.ok("migrate apply plan --decisions saved/decisions.json");
    let expected = ["ignore-junk", "merge-run", "no-recommends", "clean-package-cache"].map(subject);
    assert_eq!(bench.subjects("src/a", "main..dockeropt"), expected);
    assert_eq!(bench.status("src-z")["reason"], "no fix was accepted");
}

#[test]
fn the_page_opens_at_once_with_5000_fixes() {
    let Some(playwright) = playwright() else { return };
    let bench = Bench::new();
    let mut files = Vec::new();
    for number in 0..1000 {
        files.push((format!("service-{number}/Dockerfile"), format!("{ARTICLE}# {number}\n")));
    }
    for (path, text) in &files {
        bench.write(&format!("project/{path}"), text);
    }
    let page = bench.run("fix --unsafe --format html project").stdout;
    bench.write("report.html", page);
    let found = browse(&bench, "report.html", "speed", &playwright);
    eprintln!("{found}");
    assert!(found["fixes"].as_u64().unwrap() >= 5000, "{found}");
    assert!(found["milliseconds"].as_f64().unwrap() < 2000.0, "{found}");
}
