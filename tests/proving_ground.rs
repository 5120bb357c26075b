//! The proving ground: small real projects, built before and after by a real engine.
//!
//! Runs where `DOCKEROPT_BUILDS` is set and says so where it isn't: it needs an engine, the base images
//! that the projects start from, and minutes. With `DOCKEROPT_RESULTS` it writes docs/RESULTS.md, and with
//! `DOCKEROPT_TIMES` it takes times for it, which is most of an hour. With `DOCKEROPT_PRUNE` it drops the
//! engine's whole build cache after each project, for an engine that serves nobody else: a disk need not hold
//! the layers of all of them. `DOCKEROPT_PROGRAM` is the program to try, where that is another one than is built with
//! the test: it reads gigabytes, which takes long without optimization.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "these are tests, helpers included")]
#![cfg(unix)]

use std::env;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn is_wanted() -> bool {
    let wanted = env::var_os("DOCKEROPT_BUILDS").is_some();
    if !wanted {
        println!("skipped: DOCKEROPT_BUILDS is not set, so nothing is built");
    }
    wanted
}

/// Drops what the engine keeps of the builds so far, where that is asked for.
fn prune() {
    if env::var_os("DOCKEROPT_PRUNE").is_some() {
        let output = Command::new("docker").args(["builder", "prune", "--all", "--force"]).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

/// A text that lies beside a project's Dockerfile, if it does.
fn note(project: &Path, name: &str) -> Option<String> {
    Some(fs::read_to_string(project.join(name)).ok()?.trim().to_owned())
}

fn dockeropt(arguments: &[&str]) -> Output {
    let program = env::var_os("DOCKEROPT_PROGRAM").unwrap_or_else(|| env!("CARGO_BIN_EXE_dockeropt").into());
    let output = Command::new(program).args(arguments).output().unwrap();
    print!("{}", String::from_utf8_lossy(&output.stderr));
    output
}

/// Builds the images in tests/bases that a project starts from, where the engine hasn't got them: those of which
/// no official one can be fetched everywhere.
fn build_bases(project: &Path) {
    let text = fs::read_to_string(project.join("Dockerfile")).unwrap();
    for entry in fs::read_dir(root().join("tests/bases")).unwrap() {
        let folder = entry.unwrap().path();
        let dockerfile = fs::read_to_string(folder.join("Dockerfile")).unwrap();
        let name = dockerfile.lines().next().unwrap().trim_start_matches("# ");
        let is_used = text.lines().any(|line| line.split_whitespace().nth(1) == Some(name));
        let is_there =
            || Command::new("docker").args(["image", "inspect", name]).output().unwrap().status.success();
        if is_used && !is_there() {
            let mut build = Command::new("docker");
            let output =
                build.args(["build", "--network", "host", "--tag", name]).arg(&folder).output().unwrap();
            assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
        }
    }
}

/// What `verify` finds in a project.
fn verify(project: &Path, measure: bool) -> Value {
    let smoke = note(project, "smoke").unwrap();
    let (touch, manifest) = (note(project, "touch"), note(project, "manifest"));
    let path = project.to_str().unwrap();
    let mut arguments = vec!["verify", "--unsafe", "--network", "host", "--format", "json", path];
    for line in smoke.lines().filter(|line| !line.trim().is_empty()) {
        arguments.extend(["--run", line]);
    }
    if measure {
        arguments.push("--measure=1");
        if let Some(touch) = &touch {
            arguments.extend(["--touch", touch]);
        }
        if let Some(manifest) = &manifest {
            arguments.extend(["--manifest", manifest]);
        }
    }
    let output = dockeropt(&arguments);
    serde_json::from_slice(&output.stdout).unwrap_or(Value::Null)
}

/// The projects by name: those that are for this alone, and the examples that say what to run in their images.
fn projects() -> Vec<PathBuf> {
    let only = env::var("DOCKEROPT_PROJECT").ok();
    let mut found: Vec<PathBuf> = ["tests/build", "examples"]
        .into_iter()
        .flat_map(|folder| fs::read_dir(root().join(folder)).unwrap())
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.join("Dockerfile").is_file() && path.join("smoke").is_file())
        .filter(|path| only.as_ref().is_none_or(|only| path.ends_with(only)))
        .collect();
    found.sort_by(|one, other| one.file_name().cmp(&other.file_name()));
    found
}

#[test]
fn every_project_does_the_same_after_the_rewrite() {
    if !is_wanted() {
        return;
    }
    let measure = env::var_os("DOCKEROPT_TIMES").is_some();
    let mut wrong = Vec::new();
    let mut table = String::new();
    let found = projects();
    assert!(!found.is_empty());
    for project in &found {
        let name = project.file_name().unwrap().to_string_lossy().into_owned();
        build_bases(project);
        let report = verify(project, measure);
        prune();
        let size = |side: &str| report[side]["size"].as_u64().unwrap_or_default();
        let (before, after) = (size("before"), size("after"));
        println!("{name}: passed {}, {before} bytes became {after}", report["passed"]);
        if report["passed"] != true {
            wrong.push(format!("{name}: {} {} {}", report["broken"], report["unexpected"], report["runs"]));
        }
        // A list of dependencies that is copied first lies in two layers.
        if after > before + 65_536 {
            wrong.push(format!("{name}: {before} bytes became {after}"));
        }
        if after > 0 {
            table.push_str(&row(&name, &report, measure));
        }
    }
    if env::var_os("DOCKEROPT_RESULTS").is_some() {
        replace_part("projects", &with_others(&table, measure));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The columns with times, and where the report has them.
const TIMES: [(&str, &str); 3] = [
    ("cold build, s", "cold_build"),
    ("after a source changed, s", "rebuild_source"),
    ("after the manifest changed, s", "rebuild_manifest"),
];

/// The first two lines of the table of projects.
fn head(with_times: bool) -> String {
    let mut columns = vec!["project", "size, MB", "", "less, MB", "predicted, MB"];
    columns.extend(TIMES.iter().filter(|_| with_times).map(|(title, _)| *title));
    columns.push("applied");
    format!("| {} |\n|{}\n", columns.join(" | "), "---|".repeat(columns.len()))
}

/// The line of a project.
fn row(name: &str, report: &Value, with_times: bool) -> String {
    let size = |side: &str| report[side]["size"].as_u64().unwrap_or_default() as f64;
    let (before, after) = (size("before"), size("after"));
    let time = |what: &str| {
        let median = |side: &str| report["measures"][what][side]["median"].as_f64();
        let both = median("before").zip(median("after"));
        both.map_or_else(String::new, |(before, after)| format!("{before:.1} → {after:.1}"))
    };
    let mut applied: Vec<&str> = report["fixes"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|fix| fix["transform"].as_str())
        .collect();
    applied.sort_unstable();
    applied.dedup();
    let mut columns = vec![
        name.to_owned(),
        format!("{:.1} → {:.1}", before / 1e6, after / 1e6),
        format!("{:+.1} %", (after / before.max(1.0) - 1.0) * 100.0),
        // Not -0.0 of what is a little larger.
        format!("{:.1}", ((before - after) / 1e5).round() / 10.0 + 0.0),
        predicted(report),
    ];
    columns.extend(TIMES.iter().filter(|_| with_times).map(|(_, what)| time(what)));
    columns.push(applied.join(", "));
    format!("| {} |\n", columns.join(" | "))
}

/// What the fixes are said to save, with a `+` if some of them may save more than there is a basis for.
fn predicted(report: &Value) -> String {
    const SAVE: [&str; 4] = ["slim-base", "split-stages", "no-recommends", "clean-package-cache"];
    let fixes = report["fixes"].as_array().map(Vec::as_slice).unwrap_or_default();
    let known: i64 = fixes.iter().filter_map(|fix| fix["saves_bytes"].as_i64()).sum();
    let saves = |fix: &&Value| fix["transform"].as_str().is_some_and(|name| SAVE.contains(&name));
    let more = fixes.iter().filter(saves).any(|fix| fix["saves_bytes"].is_null());
    format!("{:.1}{}", known as f64 / 1e6, if more { " +" } else { "" })
}

/// The table with these rows, and with those that are there of projects that were not built now.
fn with_others(rows: &str, with_times: bool) -> String {
    let head = head(with_times);
    let text = fs::read_to_string(root().join("docs/RESULTS.md")).unwrap();
    let there =
        text.split("<!-- projects -->\n").nth(1).and_then(|rest| rest.split("<!-- /projects -->").next());
    let name = |row: &str| row.split('|').nth(1).unwrap_or_default().trim().to_owned();
    let mut all: std::collections::BTreeMap<String, &str> = there
        .filter(|part| part.starts_with(&head))
        .into_iter()
        .flat_map(|part| part.lines().skip(2))
        .map(|row| (name(row), row))
        .collect();
    all.extend(rows.lines().map(|row| (name(row), row)));
    let rows: String = all.values().flat_map(|row| [row, "\n"]).collect();
    format!("{head}{rows}")
}

/// Replaces what stands between two comments of docs/RESULTS.md.
fn replace_part(name: &str, content: &str) {
    let path = root().join("docs/RESULTS.md");
    let text = fs::read_to_string(&path).unwrap();
    let (start, end) = (format!("<!-- {name} -->\n"), format!("<!-- /{name} -->"));
    let (before, rest) = text.split_once(&start).unwrap();
    let (_, after) = rest.split_once(&end).unwrap();
    fs::write(&path, format!("{before}{start}{content}{end}{after}")).unwrap();
}

/// The steps of the article by hand, with the sizes that it gives.
const STEPS: [(&str, &str, &str); 11] = [
    ("0", "as it starts", "925"),
    ("1", "a slim base, with a compiler", "361"),
    ("2", "without recommended packages", "349"),
    ("3", "`.dockerignore`", "297"),
    ("4", "update and install in one RUN", "297"),
    ("5", "package lists removed there", "279"),
    ("6", "the install above the COPY", "279-283"),
    ("7", "stages for production and development", "279"),
    ("8", "flattened", "273"),
    ("9", "the manifest first", ""),
    ("10", "builder and runtime", ""),
];

#[test]
fn the_steps_of_the_article_give_its_sizes() {
    if !is_wanted() {
        return;
    }
    let article = root().join("examples/article-steps");
    let context = tempfile::tempdir().unwrap();
    for name in ["app.py", "requirements.txt"] {
        fs::copy(root().join("examples/article").join(name), context.path().join(name)).unwrap();
    }
    fs::copy(article.join("requirements-dev.txt"), context.path().join("requirements-dev.txt")).unwrap();
    fs::create_dir(context.path().join("tmp")).unwrap();
    // What can't be compressed away: 50 MB, the same on every run.
    let mut state = 1u64;
    let random = std::iter::repeat_with(|| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 56) as u8
    });
    fs::write(context.path().join("tmp/random"), random.take(50_000_000).collect::<Vec<u8>>()).unwrap();
    let mut table = "| step | what changes | article, MB | here, MB |\n|---|---|---|---|\n".to_owned();
    let mut sizes = Vec::new();
    for (step, what, theirs) in STEPS {
        let dockerfile = article.join(format!("step{step}.Dockerfile"));
        // The file to ignore comes with step 3.
        if step == "3" {
            fs::write(context.path().join(".dockerignore"), "tmp/\n").unwrap();
        }
        let size = built_size(&dockerfile, context.path());
        println!("step {step}: {:.1} MB", size as f64 / 1e6);
        let _ = writeln!(table, "| {step} | {what} | {theirs} | {:.1} |", size as f64 / 1e6);
        sizes.push(size);
    }
    if env::var_os("DOCKEROPT_RESULTS").is_some() {
        replace_part("article", &table);
    }
    prune();
    // What the article shows: which steps save, and which don't.
    for (earlier, later, saves) in [
        (0, 1, true),
        (1, 2, true),
        (2, 3, true),
        (3, 4, false),
        (4, 5, true),
        (6, 7, false),
        (7, 8, true),
        (9, 10, true),
    ] {
        let saved = sizes[earlier] as f64 - sizes[later] as f64;
        assert_eq!(saved > 1e6, saves, "step {later} saves {saved} bytes");
    }
}

/// The bytes in the image that a Dockerfile gives.
fn built_size(dockerfile: &Path, context: &Path) -> u64 {
    let tag = format!("dockeropt-article-{}:step", std::process::id());
    let docker = |arguments: &[&str]| {
        let output = Command::new("docker").args(arguments).env("DOCKER_BUILDKIT", "1").output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let target: &[&str] =
        if dockerfile.ends_with("step7.Dockerfile") { &["--target", "production"] } else { &[] };
    let build = ["build", "--network", "host", "--tag", &tag, "--file", dockerfile.to_str().unwrap()];
    docker(&[&build[..], target, &[context.to_str().unwrap()]].concat());
    let size = docker(&["image", "inspect", "--format", "{{.Size}}", &tag]).trim().parse().unwrap();
    docker(&["rmi", &tag]);
    size
}
