//! Decisions: what a review accepts and rejects.

use serde_json::json;

use crate::support::{ARTICLE, Bench, FOUR, UBUNTU, subject};

/// Decides on the fixes of a repository by their transforms.
fn decide(bench: &Bench, file: &str, name: &str, at: &str, verdict: impl Fn(&str) -> Option<&'static str>) {
    let source = bench.entry(name)["source"].clone();
    let decisions: Vec<_> = bench
        .fixes(name)
        .iter()
        .filter_map(|[transform, _, path, fingerprint]| {
            let decision = verdict(transform)?;
            Some(json!({"repository": source, "path": path, "fingerprint": fingerprint, "decision": decision, "at": at}))
        })
        .collect();
    bench.write(file, json!({"version": 1, "decisions": decisions}).to_string());
}

fn name(bench: &Bench) -> String {
    bench.json("plan/plan.json")["repositories"][0]["name"].as_str().unwrap().to_owned()
}

#[test]
fn only_what_was_accepted_is_applied() {
    let bench = Bench::new();
    bench.repository("app", &[("Dockerfile", ARTICLE.as_bytes())]);
    bench.ok("migrate plan app -o plan");
    let run = bench.run("migrate apply plan");
    assert!(run.code == Some(2) && run.stderr.contains("nothing was decided"), "{}", run.stderr);
    decide(&bench, "plan/decisions.json", &name(&bench), "", |transform| {
        Some(if transform == "copy-after-install" { "accept" } else { "reject" })
    });
    bench.ok("migrate apply plan");
    assert_eq!(bench.subjects("app", "main..dockeropt"), [subject("copy-after-install")]);
}

#[test]
fn what_builds_on_a_rejected_fix_is_left_out_and_said() {
    let bench = Bench::new();
    bench.repository(
        "app",
        &[("Dockerfile", UBUNTU.as_bytes()), ("b/Dockerfile", b"FROM debian:12\nRUN pip install x\n")],
    );
    bench.ok("migrate plan app -o plan");
    let name = name(&bench);
    decide(&bench, "plan/decisions.json", &name, "", |transform| {
        Some(if transform == "merge-run" { "reject" } else { "accept" })
    });
    bench.ok("migrate apply plan");
    let text = bench.git("app", &["show", "dockeropt:Dockerfile"]);
    assert!(text.contains("RUN apt-get update\nRUN apt-get install"), "{text}");
    let remarks = bench.status(&name)["remarks"].to_string();
    assert!(remarks.contains("builds on a fix that was not accepted"), "{remarks}");
    assert!(bench.read(&format!("plan/{name}/body.md")).contains("### Left out"));
}

#[test]
fn what_was_rejected_stays_rejected() {
    let bench = Bench::new();
    bench.repository("app", &[("Dockerfile", ARTICLE.as_bytes())]);
    bench.ok("migrate plan app -o plan");
    let name = name(&bench);
    decide(&bench, "plan/decisions.json", &name, "2026-01-01T00:00:00Z", |transform| {
        (transform == "copy-after-install").then_some("reject")
    });
    // Something above it, and a new plan by the same name.
    bench.write("app/Dockerfile", format!("# moved\n\n{ARTICLE}"));
    bench.commit("app");
    bench.ok(&format!("migrate plan app -o plan {FOUR}"));
    assert!(bench.read("plan/report.html").contains("\"decision\":\"reject\""));
    decide(&bench, "more.json", &name, "2026-01-02T00:00:00Z", |transform| {
        (transform == "no-recommends").then_some("reject")
    });
    bench.ok("migrate apply plan --accept all --decisions more.json");
    let expected = ["merge-run", "clean-package-cache"].map(subject);
    assert_eq!(bench.subjects("app", "main..dockeropt"), expected);
    let kept = bench.json("plan/decisions.json");
    assert_eq!(kept["decisions"].as_array().unwrap().len(), 2);
    let again = bench.ok("migrate apply plan --accept all");
    assert!(again.contains("0 of them new"), "{again}");
    // Other decisions need another branch.
    decide(&bench, "plan/decisions.json", &name, "2026-01-03T00:00:00Z", |_| Some("accept"));
    bench.ok("migrate apply plan");
    assert!(bench.status(&name)["reason"].as_str().unwrap().contains("was made of other decisions"));
    bench.ok("migrate apply plan --branch all");
    assert_eq!(bench.subjects("app", "main..all").len(), 4);
}
