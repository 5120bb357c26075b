//! The effect tables, held against real builds: each sample command is a layer, and what the layer
//! changed must be what the facts say that the command may write.
//!
//! Runs where `DOCKEROPT_BUILDS` is set: it needs an engine and the base images.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "these are tests, helpers included")]
#![cfg(unix)]

mod archive;
mod equations;
mod server;
mod tables;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use dockeropt_facts::Facts;
use dockeropt_facts::command::call;
use dockeropt_facts::effects::{Effects, is_private, of_script, resolve, within};
use dockeropt_facts::shell_state::visit;
use dockeropt_syntax::parse;

use archive::{Layer, read};
use tables::Sample;

/// Whether builds are wanted.
pub(crate) fn is_wanted() -> bool {
    let wanted = std::env::var_os("DOCKEROPT_BUILDS").is_some();
    if !wanted {
        println!("skipped: DOCKEROPT_BUILDS is not set, so nothing is built");
    }
    wanted
}

/// An engine keeps no more than 127 layers in an image.
const SAMPLES_OF_A_STAGE: usize = 100;

/// A Dockerfile, and of each of its last stages the samples.
struct Plan<'s> {
    text: String,
    stages: Vec<&'s [Sample]>,
}

fn plan<'s>(base: &str, image: &str, samples: &'s [Sample]) -> Plan<'s> {
    let packages: BTreeSet<&str> = samples.iter().flat_map(|sample| sample.packages.split(' ')).collect();
    let packages: Vec<&str> = packages.into_iter().filter(|name| !name.is_empty()).collect();
    let mut text = format!("FROM {image} AS base\n");
    if !packages.is_empty() {
        let install = "DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends";
        let _ = writeln!(text, "RUN apt-get update && {install} {}", packages.join(" "));
    }
    let _ = writeln!(text, "WORKDIR /w\nCOPY *.sh /\nRUN sh /setup.sh");
    if base == "debian" {
        text.push_str("RUN sh /debian.sh\n");
    }
    let stages: Vec<&[Sample]> = samples.chunks(SAMPLES_OF_A_STAGE).collect();
    for (at, stage) in stages.iter().enumerate() {
        let _ = writeln!(text, "FROM base AS part{at}\nRUN <<'EOF'\nset -e");
        for sample in stage.iter().filter(|sample| !sample.setup.is_empty()) {
            let _ = writeln!(text, "(cd /w; {})", sample.setup);
        }
        text.push_str("EOF\n");
        for sample in *stage {
            let _ = writeln!(text, "RUN {}", sample.command);
        }
    }
    Plan { text, stages }
}

/// What the facts say of the last commands of each stage.
fn effects_of(text: &str, sample: &Sample, stage: usize, at: usize) -> Effects {
    let file = parse(text);
    assert!(file.diagnostics.is_empty(), "{:?}", file.diagnostics);
    let facts = Facts::new(&file);
    // The stage of the packages is the first, and the setup the first step of each.
    let steps = facts.steps_of(stage + 1);
    let runs: Vec<_> = steps.iter().filter_map(|step| Some((step, step.run()?))).collect();
    let (step, run) = &runs[at + 1];
    let (list, script) = run.script(step.instruction).unwrap_or_else(|| panic!("{}", sample.command));
    let mut named = false;
    visit(list, &mut |simple| {
        named |= call(simple).is_some_and(|call| match (&call.managed, sample.of.split_once(' ')) {
            (Some(managed), Some((manager, word))) => {
                let verb = managed.verb_at.and_then(|at| simple.words[at].literal());
                managed.manager.name() == manager && verb == Some(word)
            }
            _ => call.program == sample.of,
        }) || simple.name() == Some(&sample.of);
    });
    assert!(named, "`{}` does not call {}", sample.command, sample.of);
    of_script(list, script, &step.state.workdir)
}

/// What a layer changed that a command may not write.
fn beyond(layer: &Layer, effects: &Effects, below: &BTreeMap<String, archive::Entry>) -> Vec<String> {
    let writes = &effects.writes;
    let may_write = |path: &str| {
        let path = resolve(path);
        writes.everything
            || (writes.system && !is_private(&path))
            || writes.paths.iter().any(|folder| within(&path, folder))
    };
    let leads_there = |path: &str| writes.paths.iter().any(|written| within(written, &resolve(path)));
    let mut found = Vec::new();
    for (path, entry) in &layer.entries {
        // A folder comes along with what changed in it.
        let is_same = entry.is_folder() && below.get(path) == Some(entry);
        // `mkdir -p a/b` makes `a`, too.
        let is_way = entry.is_folder() && !below.contains_key(path) && leads_there(path);
        if !is_same && !is_way && !may_write(path) && !is_of_the_engine(path) {
            found.push(path.clone());
        }
    }
    found
}

/// Whether the engine puts a mount there for each RUN.
fn is_of_the_engine(path: &str) -> bool {
    ["/dev", "/proc", "/sys", "/etc/resolv.conf", "/etc/hosts", "/run/secrets"]
        .iter()
        .any(|at| within(path, at))
}

fn docker(arguments: &[&str]) -> std::process::Output {
    Command::new("docker").args(arguments).env("DOCKER_BUILDKIT", "1").output().unwrap()
}

/// Builds a stage and gives its layers.
fn build(text: &str, context: &Path, name: &str, stage: usize) -> Vec<Layer> {
    let dockerfile = context.join(format!("{name}.Dockerfile"));
    std::fs::write(&dockerfile, text).unwrap();
    let tag = format!("dockeropt-effects-{}-{name}:{stage}", std::process::id());
    let target = format!("part{stage}");
    let built = docker(&[
        "build",
        "--network",
        "host",
        "--progress=plain",
        "--target",
        &target,
        "--tag",
        &tag,
        "--file",
        dockerfile.to_str().unwrap(),
        context.to_str().unwrap(),
    ]);
    let said = String::from_utf8_lossy(&built.stderr).into_owned();
    assert!(built.status.success(), "{}", &said[said.len().saturating_sub(6000)..]);
    let mut save =
        Command::new("docker").args(["save", &tag]).stdout(std::process::Stdio::piped()).spawn().unwrap();
    let layers = read(save.stdout.take().unwrap());
    assert!(save.wait().unwrap().success());
    assert!(docker(&["rmi", &tag]).status.success());
    layers
}

#[test]
fn commands_write_what_the_tables_say() {
    if !is_wanted() {
        return;
    }
    let server = server::Server::start();
    let context = tempfile::tempdir().unwrap();
    for name in ["setup.sh", "debian.sh"] {
        let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/effects").join(name);
        std::fs::copy(from, context.path().join(name)).unwrap();
    }
    let mut wrong = Vec::new();
    let mut seen = Seen::default();
    for (base, image) in tables::BASES {
        let samples = tables::samples(base, &server.address);
        let plan = plan(base, image, &samples);
        let mut at = 0;
        for (stage, samples) in plan.stages.iter().enumerate() {
            let layers = build(&plan.text, context.path(), base, stage);
            let own = layers.len() - samples.len();
            let mut below = BTreeMap::new();
            for layer in &layers[..own] {
                seen.installed.extend(layer.entries.keys().filter(|_| at == 0).cloned());
                layer.put_on(&mut below);
            }
            for (at, (sample, layer)) in samples.iter().zip(&layers[own..]).enumerate() {
                let effects = effects_of(&plan.text, sample, stage, at);
                let found = beyond(layer, &effects, &below);
                if !found.is_empty() {
                    wrong.push(format!("{}: `{}` changed {}", sample.of, sample.command, shown(&found)));
                }
                seen.note(sample, layer, &below);
                layer.put_on(&mut below);
            }
            at += samples.len();
        }
        println!("{base}: {at} commands");
    }
    wrong.extend(seen.wrong());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn is_named(name: &str, row: &str) -> bool {
    name.strip_suffix('*').map_or(name == row, |start| row.starts_with(start))
}

fn shown(paths: &[String]) -> String {
    let first = paths.iter().take(5).cloned().collect::<Vec<_>>().join(" ");
    if paths.len() > 5 { format!("{first} and {} more", paths.len() - 5) } else { first }
}

/// What the layers showed besides.
#[derive(Default)]
struct Seen {
    /// The paths that the bases and the packages have.
    installed: BTreeSet<String>,
    /// The caches that a manager filled.
    filled: BTreeSet<String>,
    wrong: Vec<String>,
}

impl Seen {
    fn note(&mut self, sample: &Sample, layer: &Layer, _below: &BTreeMap<String, archive::Entry>) {
        let changed =
            layer.entries.iter().filter(|(path, entry)| !entry.is_folder() && !is_of_the_engine(path));
        let changed: Vec<&String> = changed.map(|(path, _)| path).collect();
        if tables::must_write(&sample.of) && changed.is_empty() {
            let folders = layer.entries.keys().any(|path| !is_of_the_engine(path));
            if !folders {
                self.wrong.push(format!("`{}` changed nothing, so it shows nothing", sample.command));
            }
        }
        for (key, folder) in tables::caches() {
            let folder = folder.replace('~', "/root");
            let inside = changed.iter().filter(|path| within(path, &folder)).count();
            let manager = key.split(' ').next().unwrap();
            let is_managers =
                sample.of.split(' ').next().is_some_and(|of| tables::manager_of(of) == Some(manager));
            if inside > 0 && is_managers {
                let without = ["--no-cache-dir", "--no-cache"]
                    .iter()
                    .find(|option| sample.command.split(' ').any(|word| word == **option));
                match without {
                    Some(option) => {
                        let what = format!("`{}` filled {folder} in spite of {option}", sample.command);
                        self.wrong.push(what);
                    }
                    None => drop(self.filled.insert(key)),
                }
            }
        }
    }

    fn wrong(self) -> Vec<String> {
        let mut wrong = self.wrong;
        let apart = tables::apart();
        for (key, _) in tables::caches() {
            if !self.filled.contains(&key) && !tables::is_apart(&apart, &format!("cache {key}")) {
                wrong.push(format!("nothing filled the cache {key}"));
            }
        }
        for (kind, path, target) in tables::folders() {
            let below = |path: &str| self.installed.iter().filter(|it| within(it, path)).count();
            match kind {
                "private" if below(path) > 0 => wrong.push(format!("a package has {path}")),
                "link" => {
                    let _ = target;
                }
                _ => {}
            }
        }
        wrong
    }
}

/// Every row of the tables has a sample, or a reason why it has none.
#[test]
fn every_row_has_a_sample_or_a_reason() {
    let mut sampled = BTreeSet::new();
    for (base, _) in tables::BASES {
        for sample in tables::samples(base, "http://127.0.0.1") {
            sampled.insert(sample.of.clone());
            sampled.extend(tables::also(&sample));
        }
    }
    let apart = tables::apart();
    let rows = tables::rows_to_show();
    let missing: Vec<&String> =
        rows.iter().filter(|row| !sampled.contains(*row) && !tables::is_apart(&apart, row)).collect();
    assert!(missing.is_empty(), "neither in commands.tsv nor in apart.tsv: {missing:?}");
    let both: Vec<&String> = apart.keys().filter(|row| sampled.contains(*row)).collect();
    assert!(both.is_empty(), "in commands.tsv and in apart.tsv: {both:?}");
    let unknown: Vec<&String> = apart
        .keys()
        .filter(|name| !rows.iter().any(|row| is_named(name, row)) && !name.starts_with("cache "))
        .collect();
    assert!(unknown.is_empty(), "apart.tsv has what no table has: {unknown:?}");
}
