//! What only development needs: whether an install leaves it, how it is removed, and what of it may be needed when the
//! program runs.

use dockeropt_facts::Step;
use dockeropt_facts::command::{base_name, call};
use dockeropt_facts::node_manifest::{NodeManifest, runs};
use dockeropt_facts::tables::Verb;

use super::super::packages::commands;
use super::{Refusal, Subject, npm, source_of};

/// Removes what only development needs. Up to Node.js 14, npm has no `--omit`.
pub(super) fn prune(tag: &str) -> &'static str {
    const OLD: [&str; 6] = ["argon", "boron", "carbon", "dubnium", "erbium", "fermium"];
    let version = tag.split(['.', '-']).next().unwrap_or(tag);
    let is_old = version.parse().map_or(OLD.contains(&version), |major: u32| major < 15);
    if is_old { "npm prune --production" } else { "npm prune --omit=dev" }
}

/// Whether what only development needs is still there when the steps have run.
pub(super) fn leaves_tools<'c>(steps: &'c [Step<'c>]) -> Result<bool, Refusal<'c>> {
    let unclear = "NODE_ENV decides whether line {line} installs tools of development";
    let mut leaves = false;
    for step in steps {
        for simple in commands(step).into_iter().flatten() {
            let (Some(verb), Some(call)) = (npm(simple), call(simple)) else { continue };
            let words: Vec<&str> = call.arguments().flatten().collect();
            let is_prune = words.contains(&"prune");
            if !is_prune && verb != Verb::Install {
                continue;
            }
            if simple.assignments.iter().any(|it| it.name == "NODE_ENV") {
                return Err(Refusal::at(step, unclear));
            }
            let words = format!(" {} ", words.join(" "));
            let has = |options: &[&str]| {
                let is_there = |option: &&str| {
                    [format!(" {option} "), format!(" {} ", option.replace('=', " "))]
                        .iter()
                        .any(|written| words.contains(written))
                };
                options.iter().any(is_there)
            };
            let omits =
                has(&["--omit=dev", "--only=prod", "--only=production", "--prod", "--production=true"])
                    || has(&["--production"]) && !has(&["--production=false"]);
            if has(&["--include=dev", "--production=false", "--also=dev", "--dev"]) {
                leaves = true;
                continue;
            }
            let is_production = match step.state.variable("NODE_ENV").map(|value| value.text()) {
                None => false,
                Some(Some(value)) => value == "production",
                Some(None) => return Err(Refusal::at(step, unclear)),
            };
            leaves = !(omits || is_production) && (leaves || !is_prune);
        }
    }
    Ok(leaves)
}

/// The first few names of what only development needs.
pub(super) fn names(manifest: &NodeManifest) -> String {
    let mut names: Vec<&str> = manifest.dev_dependencies.keys().map(String::as_str).take(6).collect();
    if manifest.dev_dependencies.len() > names.len() {
        names.push("...");
    }
    names.join(", ")
}

/// Refuses if a file in TypeScript is read when the program starts, by a compiler that only development has.
pub(super) fn refuse_configuration_in_typescript<'c>(
    subject: &Subject<'c>,
    manifest: &NodeManifest,
    (first, cut): (usize, usize),
) -> Result<(), Refusal<'c>> {
    const READ: [(&str, &str); 4] = [
        ("knexfile.ts", "knex"),
        ("next.config.mts", "next"),
        ("next.config.ts", "next"),
        ("ormconfig.ts", "typeorm"),
    ];
    let steps = &subject.steps[first..cut];
    for (file, reader) in READ {
        let last = steps.last().unwrap_or(&steps[0]);
        let is_there =
            manifest.dependencies.contains_key(reader) && source_of(subject.context, last, file).is_some();
        let compilers = ["ts-node", "tsx", "typescript"];
        if is_there && compilers.iter().any(|name| manifest.dev_dependencies.contains_key(*name)) {
            let reason =
                format!("{reader} reads {file} when it starts, with tools that only development has");
            return Err(Refusal::new(reason));
        }
    }
    Ok(())
}

/// Refuses if what the container starts is, or runs, a tool of development.
pub(super) fn refuse_what_starts_by_tools<'c>(
    subject: &Subject<'c>,
    manifest: &NodeManifest,
) -> Result<(), Refusal<'c>> {
    let mut texts: Vec<&str> = subject.texts_of_start().collect();
    let named: Vec<String> = texts.iter().flat_map(|text| runs(text)).collect();
    for name in &named {
        texts.extend(manifest.commands(name));
    }
    // The program of `@scope/tool` is often `tool`; that of `typescript` is `tsc`.
    let is_tool = |word: &str| {
        let package = |name: &String| name == word || base_name(name) == word;
        let programs = manifest.dev_dependencies.keys().filter(|name| !name.starts_with("@types/"));
        programs.into_iter().any(package)
            || (word == "tsc" && manifest.dev_dependencies.contains_key("typescript"))
    };
    for text in texts {
        let words = text.split(|c: char| c.is_whitespace() || ";&|\"'[],=/".contains(c));
        let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
        if let Some(tool) = words.iter().find(|word| is_tool(word)) {
            return Err(Refusal::new(format!(
                "what the container starts runs {tool}, which only development has"
            )));
        }
        if words.contains(&"npx") || words.windows(2).any(|pair| matches!(pair, ["npm", "exec" | "x"])) {
            return Err(Refusal::new("what the container starts calls npx"));
        }
    }
    Ok(())
}
