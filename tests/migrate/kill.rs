//! Killed at any point, the same command goes on where it was.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

use crate::support::{ARTICLE, Bench, CLEAN, UBUNTU, is_long, program};

/// How often the program is killed; without DOCKEROPT_MIGRATE=1 some times less.
const KILLS: usize = 50;

/// Random numbers that are the same in each run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end.max(1)
    }
}

const PLAN: &str = "migrate plan list -o plan --jobs 3";
const APPLY: &str = "migrate apply plan --accept all --push origin --jobs 3";

/// Runs the program and kills it after a while, with what it started in its group or without; whether that
/// was in time.
fn run_and_kill(bench: &Bench, arguments: &str, after: Duration, with_group: bool) -> bool {
    let mut command = bench.command(program());
    command.args(arguments.split(' ')).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
    let mut child = command.spawn().unwrap();
    let start = Instant::now();
    while start.elapsed() < after {
        std::thread::sleep(Duration::from_millis(1));
    }
    let pid = Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
    let in_time = child.try_wait().unwrap().is_none();
    if in_time {
        let kill = if with_group { kill_process_group } else { kill_process };
        let _ = kill(pid, Signal::KILL);
    }
    child.wait().unwrap();
    in_time
}

/// All that the plan and the repositories hold, except for the journal and the clones.
fn state(bench: &Bench) -> BTreeMap<String, String> {
    let mut state = BTreeMap::new();
    collect(&bench.path("plan"), &mut state);
    for place in ["served/org/a.git", "served/org/b.git", "served/org/c.git", "src/d", "src/e"] {
        let refs = bench.git(place, &["for-each-ref", "--format=%(refname) %(objectname)"]);
        state.insert(place.to_owned(), refs);
    }
    state.insert("status".to_owned(), bench.run("migrate status plan --format json").stdout);
    state
}

fn collect(folder: &Path, state: &mut BTreeMap<String, String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.is_dir() {
            collect(&path, state);
        } else if name != "journal.jsonl" && name != "lock" && !name.starts_with(".dockeropt-") {
            state.insert(path.display().to_string(), fs::read_to_string(&path).unwrap());
        }
    }
}

fn restore(bench: &Bench) {
    for folder in ["served", "src", "plan", "cache"] {
        let _ = fs::remove_dir_all(bench.path(folder));
    }
    let copied = bench.command("cp").args(["-a", "base/served", "base/src", "."]).status().unwrap();
    assert!(copied.success());
}

#[test]
fn a_run_that_was_killed_ends_as_if_it_was_not() {
    let bench = Bench::new();
    let files: [(&str, &[u8]); 2] = [("Dockerfile", ARTICLE.as_bytes()), ("b/Dockerfile", UBUNTU.as_bytes())];
    let mut list = String::new();
    for name in ["org/a", "org/b", "org/c"] {
        list += &format!("{}\n", bench.served(name, &files));
        bench.git(&format!("served/{name}.git"), &["config", "core.logAllRefUpdates", "true"]);
    }
    for name in ["src/d", "src/e"] {
        bench.repository(name, &files);
        bench.git("", &["clone", "-q", "--bare", name, &format!("{name}.git")]);
        bench.git(name, &["remote", "add", "origin", &format!("../{}.git", &name[4..])]);
        bench.git(name, &["config", "core.logAllRefUpdates", "true"]);
        list += &format!("{name}\n");
    }
    bench.repository("src/f", &[("Dockerfile", CLEAN.as_bytes())]);
    list += "src/f\nsrc/none\n";
    bench.write("list", list);
    let config = bench.read("gitconfig");
    bench.write("gitconfig", config + "[core]\n\tlogAllRefUpdates = always\n");
    fs::create_dir(bench.path("base")).unwrap();
    assert!(bench.command("cp").args(["-a", "served", "src", "base"]).status().unwrap().success());

    restore(&bench);
    let start = Instant::now();
    bench.run(PLAN);
    let planning = start.elapsed();
    let start = Instant::now();
    bench.ok(APPLY);
    let applying = start.elapsed();
    let wanted = state(&bench);
    assert!(wanted["status"].contains("\"pushed\": 5"), "{}", wanted["status"]);

    let kills = if is_long("killing 50 times instead of 8") { KILLS } else { 8 };
    let mut numbers = Numbers(7);
    let mut in_time = 0;
    for kill in 0..kills {
        restore(&bench);
        let while_planning = kill % 2 == 0;
        let (arguments, time) = if while_planning { (PLAN, planning) } else { (APPLY, applying) };
        if !while_planning {
            bench.run(PLAN);
        }
        // Sometimes it is killed again when it goes on.
        for _ in 0..=numbers.below(2) {
            let after = Duration::from_micros(numbers.below(time.as_micros() as u64));
            in_time += usize::from(run_and_kill(&bench, arguments, after, numbers.below(2) == 0));
        }
        if while_planning {
            bench.run(PLAN);
        }
        let run = bench.run(APPLY);
        assert_eq!(run.code, Some(0), "kill {kill}: {}", run.stderr);
        let state = state(&bench);
        for (place, content) in &wanted {
            assert_eq!(state.get(place), Some(content), "kill {kill}: {place}");
        }
        assert_eq!(state.len(), wanted.len(), "kill {kill}");
        check_that_nothing_was_done_twice(&bench, kill);
    }
    assert!(in_time * 2 > kills, "most of the time it was too late to kill it: {in_time} of {kills}");
}

fn check_that_nothing_was_done_twice(bench: &Bench, kill: usize) {
    let journal = bench.read("plan/journal.jsonl");
    let count = |event: &str, name: &str| {
        let is_it = |line: &&str| {
            line.contains(&format!("\"event\":\"{event}\"")) && line.contains(&format!("\"name\":\"{name}\""))
        };
        journal.lines().filter(is_it).count()
    };
    for name in ["org-a", "org-b", "org-c", "src-d", "src-e"] {
        for event in ["made", "pushed"] {
            assert_eq!(count(event, name), 1, "kill {kill}: {event} {name}\n{journal}");
        }
        let plans = journal.lines().filter(|line| line.contains("\"event\":\"plan\"")).count();
        assert!(count("looked", name) <= plans, "kill {kill}\n{journal}");
    }
    for place in ["served/org/a.git", "src/d", "src/d.git"] {
        let log = bench.git(place, &["reflog", "show", "--format=%H", "dockeropt"]);
        assert_eq!(log.lines().count(), 1, "kill {kill}: {place}\n{log}");
    }
}
