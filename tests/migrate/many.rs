//! Two hundred repositories, some of them broken in every way that was thought of; and a thousand.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;
use std::time::Duration;

use dockeropt::pipeline::{Options, optimize};
use serde_json::Value;

use crate::hosts::{daemon, http};
use crate::page::{browse, playwright};
use crate::support::{ARTICLE, Bench, FOUR, is_long, program, subject};

/// Real Dockerfiles with fixes, of the corpus that DOCKEROPT_CORPUS names.
fn real_files(count: usize) -> Option<Vec<String>> {
    let Some(path) = std::env::var_os("DOCKEROPT_CORPUS") else {
        eprintln!("left out without DOCKEROPT_CORPUS: many repositories");
        return None;
    };
    let mut text = String::new();
    flate2::read::GzDecoder::new(fs::File::open(path).unwrap()).read_to_string(&mut text).unwrap();
    let only = FOUR.trim_start_matches("--only ").split(',').map(str::to_owned).collect();
    let options = Options { allow_unsafe: true, only, ..Options::default() };
    let texts = text.lines().map(|line| {
        let value: Value = serde_json::from_str(line).unwrap();
        value["text"].as_str().unwrap().to_owned()
    });
    let with_fixes = texts.filter(|text| !optimize(text, &options).fixes.is_empty());
    Some(with_fixes.take(count).collect())
}

/// A bare repository with one commit, made by one command.
fn import(bench: &Bench, place: &str, files: &[(&str, &str, &[u8])]) {
    fs::create_dir_all(bench.path(place)).unwrap();
    bench.git(place, &["init", "-q", "--bare", "--template="]);
    for setting in ["uploadpack.allowFilter", "uploadpack.allowAnySHA1InWant", "http.receivepack"] {
        let mut config =
            fs::OpenOptions::new().append(true).open(bench.path(&format!("{place}/config"))).unwrap();
        let (section, name) = setting.split_once('.').unwrap();
        writeln!(config, "[{section}]\n\t{name} = true").unwrap();
    }
    let mut input =
        b"commit refs/heads/main\ncommitter A <a@example.com> 1700000000 +0000\ndata 6\nState\n\n".to_vec();
    for (mode, path, content) in files {
        if *mode == "160000" {
            input.extend(format!("M 160000 {} {path}\n", String::from_utf8_lossy(content)).bytes());
        } else {
            input.extend(format!("M {mode} inline {path}\ndata {}\n", content.len()).bytes());
            input.extend_from_slice(content);
            input.push(b'\n');
        }
    }
    let mut command = bench.command("git");
    command.arg("-C").arg(bench.path(place)).args(["fast-import", "--quiet"]).stdin(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(&input).unwrap();
    assert!(child.wait().unwrap().success());
}

/// What is wrong with a repository, and what must be said of it.
const KINDS: [(&str, &str); 10] = [
    ("empty", "is empty"),
    ("missing-ref", "has no branch or tag"),
    ("refused", "git says: "),
    ("huge", "--max-size allows"),
    ("not-utf8", "binary file"),
    ("link-outside", "link out of the tree"),
    ("submodule", "submodule"),
    ("dirty", "uncommitted changes"),
    ("protected", "a ticket is needed"),
    ("conflict", "already"),
];

struct Estate {
    /// The lines of the list.
    list: Vec<String>,
    /// The folders of the good repositories, by their names in the plan.
    good: BTreeMap<String, String>,
    /// The names of the bad ones with their kinds.
    bad: Vec<(String, &'static str)>,
    /// All folders with repositories.
    all: Vec<String>,
}

fn build(bench: &Bench, git: &str, web: &str, texts: &[String]) -> Estate {
    let mut estate = Estate { list: Vec::new(), good: BTreeMap::new(), bad: Vec::new(), all: Vec::new() };
    for (number, text) in texts.iter().enumerate() {
        let place = format!("served/team/app{number}.git");
        let text =
            if number % 20 == 7 { text.replace("\r\n", "\n").replace('\n', "\r\n") } else { text.clone() };
        let latin = [b"# caf\xe9\n", text.as_bytes()].concat();
        let content = if number % 20 == 9 { &latin[..] } else { text.as_bytes() };
        let files: [(&str, &str, &[u8]); 3] = [
            ("100644", "Dockerfile", content),
            ("100755", "run.sh", b"#!/bin/sh\n"),
            ("100644", "sub/Dockerfile.dev", texts[(number + 1) % texts.len()].as_bytes()),
        ];
        import(bench, &place, &files[..if number % 3 == 0 { 3 } else { 2 }]);
        bench.write(&format!("{place}/git-daemon-export-ok"), "");
        let url = if number % 2 == 0 { git } else { web };
        estate.list.push(format!("{url}/team/app{number}.git"));
        estate.good.insert(format!("team-app{number}"), place.clone());
        estate.all.push(place);
    }
    let good = std::mem::take(&mut estate.list);
    let noise: Vec<u8> =
        (0_u32..4_000_000).map(|at| (at.wrapping_mul(2_654_435_761) >> 13) as u8 ^ (at >> 3) as u8).collect();
    for (number, (kind, _)) in KINDS.iter().cycle().take(24).enumerate() {
        let name = format!("{kind}{number}");
        let place = format!("served/bad/{name}.git");
        let article: (&str, &str, &[u8]) = ("100644", "Dockerfile", ARTICLE.as_bytes());
        let mut line = format!("{}/bad/{name}.git", if number % 2 == 0 { git } else { web });
        match *kind {
            "empty" => {
                fs::create_dir_all(bench.path(&place)).unwrap();
                bench.git(&place, &["init", "-q", "--bare"]);
            }
            "missing-ref" => {
                import(bench, &place, &[article]);
                line += " no-such-branch";
            }
            "huge" => {
                import(bench, &place, &[article, ("100644", "noise", &noise)]);
                bench.git(&place, &["config", "uploadpack.allowFilter", "false"]);
            }
            "not-utf8" => {
                let wide: Vec<u8> = ARTICLE.encode_utf16().flat_map(u16::to_le_bytes).collect();
                import(bench, &place, &[("100644", "Dockerfile", &wide)]);
            }
            "link-outside" => import(bench, &place, &[("120000", "Dockerfile", b"../../../../etc/passwd")]),
            "submodule" => {
                let module = b"[submodule \"m\"]\n\tpath = m\n\turl = ../app0.git\n";
                let id = bench.git("served/team/app0.git", &["rev-parse", "main"]);
                import(bench, &place, &[("100644", ".gitmodules", module), ("160000", "m", id.as_bytes())]);
            }
            "dirty" => {
                import(bench, &place, &[article]);
                fs::create_dir_all(bench.path("bad")).unwrap();
                bench.git("", &["clone", "-q", &place, &format!("bad/{name}")]);
                bench.write(&format!("bad/{name}/Dockerfile"), "FROM scratch\n");
                line = format!("bad/{name}");
            }
            "protected" => {
                import(bench, &place, &[article]);
                let hook = format!("{place}/hooks/pre-receive");
                bench.write(&hook, "#!/bin/sh\necho 'a ticket is needed' >&2\nexit 1\n");
                fs::set_permissions(bench.path(&hook), fs::Permissions::from_mode(0o755)).unwrap();
            }
            "conflict" => {
                import(bench, &place, &[article]);
                bench.git(&place, &["branch", "dockeropt", "main"]);
            }
            _ => import(bench, &place, &[article]),
        }
        if *kind != "refused" {
            bench.write(&format!("{place}/git-daemon-export-ok"), "");
        }
        estate.list.push(line);
        estate.bad.push((format!("bad-{name}"), kind));
        estate.all.push(place);
    }
    // The review rejects all of the last one.
    estate.list.extend(good);
    estate
}

/// All references of a repository but the branch that is made.
fn references(bench: &Bench, place: &str) -> String {
    let all = bench.git(place, &["for-each-ref", "--format=%(refname) %(objectname)"]);
    let head = bench.git(place, &["symbolic-ref", "HEAD"]);
    let others: Vec<_> = all.lines().filter(|line| !line.starts_with("refs/heads/dockeropt ")).collect();
    format!("{head}\n{}", others.join("\n"))
}

#[test]
fn two_hundred_repositories() {
    if !is_long("two hundred repositories") {
        return;
    }
    let Some(texts) = real_files(176) else { return };
    let bench = Bench::new();
    fs::create_dir_all(bench.path("served")).unwrap();
    let (daemon, http) = (daemon(&bench, "served"), http(&bench, "served"));
    let git = format!("git://127.0.0.1:{}", daemon.port);
    let web = format!("http://127.0.0.1:{}/smart", http.port);
    let estate = build(&bench, &git, &web, &texts);
    assert_eq!(estate.list.len(), 200);
    bench.write("list", estate.list.join("\n"));
    let before: Vec<String> = estate.all.iter().map(|place| references(&bench, place)).collect();

    let run = bench.run(&format!("migrate plan list -o plan --max-size 2 {FOUR}"));
    eprintln!("{}", run.stderr.lines().last().unwrap());
    assert_eq!(run.code, Some(2));
    decide(&bench);
    let run = bench.run("migrate apply plan --push origin --max-size 2");
    eprintln!("{}", run.stderr.lines().last().unwrap());

    let status: Value = serde_json::from_str(&bench.run("migrate status plan --format json").stdout).unwrap();
    let rows: BTreeMap<String, &Value> = status["repositories"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| (row["name"].as_str().unwrap().to_owned(), row))
        .collect();
    for (name, kind) in &estate.bad {
        let wanted = KINDS.iter().find(|(known, _)| known == kind).unwrap().1;
        let row = rows[name].to_string() + &bench.entry(name)["errors"].to_string();
        assert!(row.contains(wanted), "{name}: {row}");
        assert_ne!(rows[name]["status"], "pushed", "{name}");
    }
    let decisions = accepted(&bench);
    let mut applied = 0;
    for (name, place) in &estate.good {
        applied += usize::from(check(&bench, name, place, rows[name], &decisions));
    }
    eprintln!("{applied} of {} good repositories have the branch", estate.good.len());
    assert!(applied > 120, "{applied}");
    for (place, before) in estate.all.iter().zip(&before) {
        assert_eq!(references(&bench, place), *before, "{place}");
    }
}

/// Reviews the plan: in a browser, or else by the same rules.
fn decide(bench: &Bench) {
    if let Some(playwright) = playwright() {
        browse(bench, "plan/report.html", "review", &playwright);
        fs::copy(bench.path("saved/decisions.json"), bench.path("plan/decisions.json")).unwrap();
        return;
    }
    let plan = bench.json("plan/plan.json");
    let mut decisions = Vec::new();
    for entry in plan["repositories"].as_array().unwrap() {
        for file in entry["files"].as_array().into_iter().flatten() {
            for fix in file["fixes"].as_array().unwrap() {
                let is_safe = fix["applicability"] == "safe" && fix["transform"] != "copy-after-install";
                decisions.push(serde_json::json!({
                    "repository": entry["source"], "path": file["path"], "fingerprint": fix["fingerprint"],
                    "decision": if is_safe { "accept" } else { "reject" },
                }));
            }
        }
    }
    bench.write("plan/decisions.json", serde_json::json!({"version": 1, "decisions": decisions}).to_string());
}

/// The fingerprints that were accepted, by repository and path.
fn accepted(bench: &Bench) -> BTreeMap<(String, String), BTreeSet<String>> {
    let mut accepted: BTreeMap<_, BTreeSet<String>> = BTreeMap::new();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    for decision in bench.json("plan/decisions.json")["decisions"].as_array().unwrap() {
        if decision["decision"] == "accept" {
            let key = (text(&decision["repository"]), text(&decision["path"]));
            accepted.entry(key).or_default().insert(text(&decision["fingerprint"]));
        }
    }
    accepted
}

/// Checks that a good repository has what was accepted and nothing else; whether that was anything.
fn check(
    bench: &Bench,
    name: &str,
    place: &str,
    row: &Value,
    accepted: &BTreeMap<(String, String), BTreeSet<String>>,
) -> bool {
    patches_apply(bench, name, place);
    let source = row["source"].as_str().unwrap();
    let mut transforms = BTreeSet::new();
    let mut changed = Vec::new();
    for (path, fingerprints) in accepted.iter().filter(|((of, _), _)| of == source).map(|((_, p), f)| (p, f))
    {
        let show = |commit: &str| {
            let output = bench.try_git(place, &["show", &format!("{commit}:{path}")]);
            dockeropt_syntax::Text::decode(output.stdout).as_str().to_owned()
        };
        let options = Options { fingerprints: fingerprints.clone(), ..Options::default() };
        let outcome = optimize(&show("main"), &options);
        transforms.extend(outcome.fixes.iter().map(|fix| subject(fix.transform)));
        if !outcome.fixes.is_empty() {
            assert_eq!(show("dockeropt"), outcome.after, "{name} {path}");
            changed.push(path.as_str());
        }
    }
    if transforms.is_empty() {
        assert_eq!(row["status"], "skipped", "{row}");
        return false;
    }
    assert_eq!(row["status"], "pushed", "{row}");
    let subjects = bench.subjects(place, "main..dockeropt");
    assert_eq!(subjects.len(), transforms.len(), "{name}: one commit for each transform");
    assert_eq!(subjects.into_iter().collect::<BTreeSet<_>>(), transforms, "{name}");
    let differs = bench.git(place, &["diff", "--name-only", "main", "dockeropt"]);
    assert_eq!(differs.lines().collect::<Vec<_>>(), changed, "{name}");
    true
}

fn patches_apply(bench: &Bench, name: &str, place: &str) {
    for kind in ["safe", "all"] {
        let folder = bench.path(&format!("plan/{name}/patches/{kind}"));
        let mut patches: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        patches.sort();
        if patches.is_empty() {
            continue;
        }
        let _ = fs::remove_dir_all(bench.path("am"));
        bench.git("", &["clone", "-q", "--branch", "main", place, "am"]);
        let mut arguments = vec!["am".into(), "-q".into()];
        arguments.extend(patches.into_iter().map(std::path::PathBuf::into_os_string));
        bench.git("am", &arguments);
    }
}

/// The processor time of all that this process waited for, in seconds.
fn time_of_children() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    let ticks: u64 = fields[13].parse::<u64>().unwrap() + fields[14].parse::<u64>().unwrap();
    ticks as f64 / 100.0
}

/// Run by itself: other tests in the same process would be counted with it.
#[test]
fn a_thousand_repositories_take_little() {
    if !is_long("a thousand repositories") {
        return;
    }
    let Some(texts) = real_files(1000) else { return };
    let bench = Bench::new();
    let mut list = String::new();
    for (number, text) in texts.iter().enumerate() {
        let files: [(&str, &str, &[u8]); 2] =
            [("100644", "Dockerfile", text.as_bytes()), ("100644", "src/main.c", b"int main() {}\n")];
        import(&bench, &format!("served/team/app{number}.git"), &files);
        list += &format!("{}\n", bench.url(&format!("team/app{number}")));
    }
    bench.write("list", list);
    let before = time_of_children();
    let mut command = bench.command(program());
    command.args(["migrate", "plan", "list", "-o", "plan"]).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    let mut most = 0;
    while child.try_wait().unwrap().is_none() {
        let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB"));
        most = most.max(peak.map_or(0, |peak| peak.trim().parse::<u64>().unwrap()));
        std::thread::sleep(Duration::from_millis(20));
    }
    let time = time_of_children() - before;
    eprintln!("a thousand repositories: {time:.1} s of processor time, {} MB", most / 1000);
    let plan = bench.json("plan/plan.json");
    let planned =
        plan["repositories"].as_array().unwrap().iter().filter(|entry| entry["status"] == "planned");
    assert!(planned.count() > 950);
    assert!(most < 300_000, "{most} kB");
    assert!(time < 120.0, "{time} s");
}
