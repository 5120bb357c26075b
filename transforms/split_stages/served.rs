//! Front-ends: the builder makes files, and the image has nothing but these and the server that the file starts.

use dockeropt_facts::Step;
use dockeropt_facts::command::{bare_words, call};
use dockeropt_facts::effects::within;
use dockeropt_facts::tables::{Manager, Verb};
use dockeropt_syntax::Keyword;
use dockeropt_syntax::shell::Simple;

use super::packages::commands;
use super::program::started::calls_of;
use super::{Subject, absolute};

/// Servers of files that npm installs, with the options that take no value, and those that do.
const SERVERS: [(&str, &[&str], &[&str]); 2] = [
    (
        "serve",
        &[
            "--cors",
            "--debug",
            "--no-clipboard",
            "--no-compression",
            "--no-etag",
            "--no-port-switching",
            "--no-request-logging",
            "--single",
            "-C",
            "-L",
            "-d",
            "-n",
            "-s",
            "-u",
        ],
        &["--listen", "--port", "-l", "-p"],
    ),
    (
        "http-server",
        &["--brotli", "--cors", "--gzip", "--silent", "-b", "-g", "-i", "-s", "-c-1"],
        &["--port", "-a", "-c", "-d", "-e", "-p"],
    ),
];

/// A server of files that the container starts.
pub(super) struct Served {
    /// The folder that it serves.
    pub(super) folder: String,
    /// The step that installs it.
    pub(super) install: usize,
    /// Its commands.
    pub(super) commands: Vec<String>,
}

/// The server that a container starts, if it serves a folder of the project, and nothing behind the build does more
/// than to install it.
pub(super) fn find(subject: &Subject<'_>, project: &str, cut: usize) -> Option<Served> {
    let steps = subject.steps;
    let all = |keyword| steps.iter().filter(move |step| step.instruction.keyword() == keyword);
    let start = match (all(Keyword::Entrypoint).next_back(), all(Keyword::Cmd).next_back()) {
        (Some(start), None) | (None, Some(start)) => start,
        _ => return None,
    };
    let asks =
        |words: &Vec<String>| words.first().is_none_or(|it| matches!(&it[..], "curl" | "wget" | "exit"));
    if !all(Keyword::Healthcheck).all(|step| calls_of(step).is_some_and(|calls| calls.iter().all(asks))) {
        return None;
    }
    let [words] = &calls_of(start)?[..] else { return None };
    let (program, arguments) = words.split_first()?;
    let (name, flags, values) = SERVERS.into_iter().find(|(name, ..)| name == program)?;
    let mut folder = None;
    let mut arguments = arguments.iter();
    while let Some(word) = arguments.next() {
        let option = word.split('=').next().unwrap_or(word);
        if !word.starts_with('-') && folder.is_none() {
            folder = Some(word);
        } else if values.contains(&option) {
            if option == word {
                arguments.next();
            }
        } else if !flags.contains(&word.as_str()) {
            return None;
        }
    }
    let served = absolute(subject.context.facts.stages[0].end.workdir.text()?, folder?);
    if served.contains('$') || served == project || !within(&served, project) {
        return None;
    }
    let install = steps.iter().position(|step| installs(step, name).is_some())?;
    let is_other = |at: usize| at != install && steps[at].run().is_some();
    if (cut..steps.len()).any(is_other) {
        return None;
    }
    Some(Served { folder: served, install, commands: installs(&steps[install], name)? })
}

/// The commands of a step that does nothing but to install one package of npm for all, and to clean npm's cache.
fn installs(step: &Step<'_>, name: &str) -> Option<Vec<String>> {
    let all = commands(step)?;
    let (install, cleanups) = all.split_first()?;
    let npm = |simple: &Simple<'_>, verb| {
        let call = call(simple).filter(|call| !call.sudo && !call.by_path)?;
        call.managed.filter(|it| it.manager == Manager::Npm && it.verb == verb)
    };
    let words = bare_words(install)?;
    let managed = npm(install, Verb::Install)?;
    let [package] = managed.operands[..] else { return None };
    let rest = words[package].strip_prefix(name)?;
    let known = ["-g", "--global", "--no-audit", "--no-fund", "--silent", "--quiet", "--no-progress"];
    let usual = managed.options.iter().all(|&(at, _)| known.contains(&words[at]));
    let is_it = rest.is_empty() || rest.starts_with('@');
    let is_global = managed.has_option(install, &known[..2]);
    let cleans = cleanups.iter().all(|simple| npm(simple, Verb::Clean).is_some());
    let joined = |simple: &&Simple<'_>| Some(bare_words(simple)?.join(" "));
    (is_it && usual && is_global && cleans).then(|| all.iter().map(joined).collect())?
}
