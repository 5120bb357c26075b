//! What a container starts, and which of the files that were built it needs for that.

use dockeropt_facts::command::{base_name, call};
use dockeropt_facts::effects::within;
use dockeropt_facts::recommends::mentions;
use dockeropt_facts::shell_state::visit;
use dockeropt_facts::tables::class;
use dockeropt_facts::{Action, Step, Value};
use dockeropt_syntax::shell::{List, parse};
use dockeropt_syntax::{Keyword, LogicalSpan};

use super::super::{Refusal, Subject, absolute, is_start};
use super::steps::{Build, extension, is_plain};
use super::{Language, Last};

/// The instructions that say what a container starts.
pub(super) struct Started<'c> {
    steps: Vec<&'c Step<'c>>,
    /// The calls in them, each with its step.
    calls: Vec<(&'c Step<'c>, Vec<String>)>,
    folder: String,
}

/// What the last stage takes from the builder.
#[derive(Default)]
pub(super) struct Outputs {
    pub(super) paths: Vec<String>,
    /// Whether one of them is called by its name alone, from the folder into which the language installs.
    pub(super) in_path: bool,
}

/// Programs that start the program behind them, with as many words of their own.
const WRAPPERS: [(&str, usize); 6] =
    [("tini", 0), ("dumb-init", 0), ("gosu", 1), ("su-exec", 1), ("exec", 0), ("env", 0)];

const SHELLS: [&str; 4] = ["sh", "bash", "ash", "dash"];

impl<'c> Started<'c> {
    pub(super) fn of(subject: &Subject<'c>, language: &Language) -> Result<Self, Refusal<'c>> {
        let last = |keyword| subject.steps.iter().rev().find(|step| step.instruction.keyword() == keyword);
        let (entrypoint, cmd) = (last(Keyword::Entrypoint), last(Keyword::Cmd));
        let Some(first) = entrypoint.or(cmd) else {
            return Err(Refusal::new("nothing says what the container starts"));
        };
        let health = last(Keyword::Healthcheck);
        let steps: Vec<&Step<'_>> = [entrypoint, cmd, health].into_iter().flatten().collect();
        let mut calls = Vec::new();
        for step in [Some(first), health].into_iter().flatten() {
            let found =
                calls_of(step).ok_or_else(|| Refusal::at(step, "it is not known what line {line} starts"))?;
            calls.extend(found.into_iter().map(|words| (step, words)));
        }
        // Whoever isn't the program itself starts what CMD says.
        if let (Some(entrypoint), Some(cmd)) = (entrypoint, cmd)
            && calls_of(entrypoint)
                .is_some_and(|calls| calls.iter().all(|words| words.is_empty() || is_script(&words[0])))
        {
            let found =
                calls_of(cmd).ok_or_else(|| Refusal::at(cmd, "it is not known what line {line} starts"))?;
            calls.extend(found.into_iter().map(|words| (cmd, words)));
        }
        calls.retain(|(_, words)| !words.is_empty());
        let end = &subject.context.facts.stages[0].end.workdir;
        let of_base = || subject.folder_of_base(language).filter(|_| *end == Value::symbol("WORKDIR"));
        let folder = end.text().map(str::to_owned).or_else(of_base);
        let folder =
            folder.ok_or_else(|| Refusal::new("it is not known in which folder the container starts"))?;
        Ok(Self { steps, calls, folder })
    }

    /// What of the build the container needs.
    pub(super) fn outputs(
        &self,
        subject: &Subject<'c>,
        build: &Build<'c>,
        scripts: &[&'c str],
    ) -> Result<Outputs, Refusal<'c>> {
        let mut outputs = Outputs { paths: build.files.clone(), in_path: false };
        outputs.paths.extend(build.folders.iter().cloned());
        let mut is_started = false;
        for (_, words) in &self.calls {
            for (place, word) in words.iter().enumerate() {
                let Some((path, by_name)) = self.built(build, word, place == 0) else { continue };
                is_started = true;
                outputs.in_path |= by_name;
                outputs.paths.push(path);
            }
        }
        for word in
            scripts.iter().flat_map(|text| text.split(|c: char| c.is_whitespace() || "\"';&|()`".contains(c)))
        {
            // Any word of a script may be a program that is found by its name, or not.
            match self.built(build, word, true) {
                Some((path, false)) => {
                    is_started = true;
                    outputs.paths.push(path);
                }
                Some((path, true)) if build.is_installed(subject, word) => {
                    outputs.in_path = true;
                    outputs.paths.push(path);
                }
                _ => {}
            }
        }
        if !is_started {
            return Err(Refusal::new(
                "it can't be told which of the files that are built the container starts",
            ));
        }
        // What was only copied on is not needed where it was built.
        let named = |path: &String| {
            self.calls.iter().flat_map(|(_, words)| words).any(|word| absolute(&self.folder, word) == *path)
                || scripts.iter().any(|text| text.contains(path.as_str()))
        };
        outputs.paths.retain(|path| !build.copied_on.contains(path) || named(path));
        outputs.paths.sort();
        outputs.paths.dedup();
        let all = outputs.paths.clone();
        outputs.paths.retain(|path| !all.iter().any(|other| other != path && within(path, other)));
        Ok(outputs)
    }

    /// The path of what was built that a word names, and whether it is found by its name alone.
    fn built(&self, build: &Build<'c>, word: &str, is_program: bool) -> Option<(String, bool)> {
        if word.is_empty() || word.starts_with('-') {
            return None;
        }
        let path = absolute(&self.folder, word);
        let is_library = word.ends_with(".jar") || word.ends_with(".dll");
        if !word.contains('/') && !is_program && !is_library {
            return build.files.contains(&path).then_some((path, false));
        }
        if word.contains('/') || is_library {
            // `target/*.jar` names what is in a folder that is taken as a whole.
            let whole = absolute(&self.folder, word.split(['*', '?']).next().unwrap_or(word));
            if let Some(folder) = build.folders.iter().find(|folder| within(&whole, folder)) {
                return Some((folder.clone(), false));
            }
            return build.is_made(&path).then_some((path, false));
        }
        const PATH: [&str; 6] =
            ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];
        let in_path = |path: &&String| {
            path.rsplit_once('/').is_some_and(|(folder, name)| name == word && PATH.contains(&folder))
        };
        if let Some(path) = build.files.iter().find(in_path) {
            return Some((path.clone(), false));
        }
        // A program that every image may have is that one.
        if has_extension(word)
            || class(word).is_some()
            || WRAPPERS.iter().any(|(wrapper, _)| *wrapper == word)
            || is_builtin(word)
        {
            return None;
        }
        let bin = build.programs.iter().find(|folder| Some(folder.as_str()) == build.bin)?;
        Some((format!("{bin}/{word}"), true))
    }

    /// Refuses if something that is started is neither built, nor a script that was read, nor in the image.
    pub(super) fn refuse_missing(
        &self,
        subject: &Subject<'c>,
        language: &Language,
        build: &Build<'c>,
        last: &Last,
        packages: &[String],
        scripts: &[&'c str],
    ) -> Result<(), Refusal<'c>> {
        let knowledge = subject.context.knowledge;
        let contents = last.compared(knowledge).and_then(|(base, release)| knowledge.contents(base, release));
        let has = |name: &str| {
            let installed =
                knowledge.owners(name).any(|owner| packages.iter().any(|package| package == owner));
            SHELLS[..1].contains(&name)
                || language.stays.contains(&name)
                || last.base.starts_with("alpine") && BUSYBOX.contains(&name)
                || packages.iter().any(|package| package == name)
                || installed
                || contents.as_ref().is_some_and(|contents| contents.program(name).is_some())
        };
        for (step, words) in &self.calls {
            let program = &words[0];
            let name = base_name(program);
            if is_builtin(program) {
                continue;
            }
            if let Some((_, by_name)) = self.built(build, program, true)
                && !(by_name && has(name))
            {
                continue;
            }
            let is_read = is_script(program) && script_of(subject, name).is_some();
            let is_system = ["/bin/", "/usr/bin/", "/sbin/", "/usr/sbin/"]
                .iter()
                .any(|folder| program.strip_prefix(folder).is_some_and(|rest| rest == name));
            if !(is_read || (!program.contains('/') || is_system) && has(name)) {
                if CALLED.contains(&name) {
                    let base = &last.base;
                    let reason =
                        format!("line {{line}} calls {name}, and it is not known whether {base} has it");
                    return Err(Refusal::at(step, reason));
                }
                return Err(Refusal::at(
                    step,
                    format!("it is not known what {program} is, which line {{line}} starts"),
                ));
            }
        }
        // Where nothing is known of what the images hold, only what every image has may be called.
        if contents.is_none() {
            for step in &subject.steps[build.cut..] {
                refuse_unknown_programs(step)?;
            }
            if let Some(name) =
                CALLED.iter().find(|name| scripts.iter().any(|text| mentions(text, "", name)) && !has(name))
            {
                return Err(Refusal::new(format!(
                    "a script calls {name}, and it is not known whether {} has it",
                    last.base
                )));
            }
        }
        Ok(())
    }

    /// Whether something that runs in the last stage names a variable.
    pub(super) fn mentions(&self, subject: &Subject<'c>, cut: usize, name: &str) -> bool {
        let late = subject.steps[cut..].iter().chain(self.steps.iter().copied());
        late.map(|step| &step.instruction.logical.text).any(|text| text.contains(name))
    }
}

fn is_builtin(word: &str) -> bool {
    matches!(
        word,
        "." | ":"
            | "["
            | "cd"
            | "echo"
            | "eval"
            | "exit"
            | "export"
            | "read"
            | "set"
            | "source"
            | "test"
            | "trap"
            | "ulimit"
            | "umask"
            | "wait"
    )
}

/// The words of an instruction, whatever stands around them.
fn words_of(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| c.is_whitespace() || "\"',[];&|".contains(c))
}

/// Managers that need what a build has left behind.
const MANAGERS: [&str; 4] = ["apk", "apt", "apt-get", "aptitude"];

/// Programs of Alpine's that are often called.
const BUSYBOX: [&str; 12] =
    ["cat", "echo", "false", "grep", "kill", "nc", "pgrep", "pidof", "ps", "sleep", "true", "wget"];

/// Programs that scripts often call and that small images lack.
const CALLED: [&str; 14] = [
    "bash", "curl", "gcc", "git", "hg", "jq", "make", "node", "npm", "openssl", "perl", "python", "python3",
    "wget",
];

fn refuse_unknown_programs<'c>(step: &'c Step<'c>) -> Result<(), Refusal<'c>> {
    let Some(run) = step.run() else { return Ok(()) };
    let unknown = || Refusal::at(step, "it is not known what the RUN at line {line} needs");
    let (list, _) = run.script(step.instruction).ok_or_else(unknown)?;
    let mut is_known = true;
    visit(list, &mut |simple| {
        is_known &= call(simple).is_some_and(|call| {
            call.managed.as_ref().is_some_and(|managed| managed.manager.is_system())
                || !call.by_path && is_plain(&call)
        });
    });
    if is_known { Ok(()) } else { Err(unknown()) }
}

/// The calls of an instruction that starts something, as words; `None` if it can't be read.
pub(in crate::split_stages) fn calls_of(step: &Step<'_>) -> Option<Vec<Vec<String>>> {
    let operation = &step.instruction.operation;
    let mut text = step.instruction.arguments().to_owned();
    if step.instruction.keyword() == Keyword::Healthcheck {
        if text.trim().eq_ignore_ascii_case("none") {
            return Some(Vec::new());
        }
        let at = text.to_ascii_uppercase().find("CMD")?;
        text = text[at + 3..].trim_start().to_owned();
    }
    let is_health = step.instruction.keyword() == Keyword::Healthcheck;
    let json = match &operation.json {
        Some(_) if !is_health => Some(
            operation
                .words(&step.instruction.logical, step.state.escape)
                .into_iter()
                .map(|word| word.text)
                .collect(),
        ),
        _ => dockeropt_syntax::json_words(text.trim()),
    };
    match json {
        Some(words) => calls_of_words(words),
        None => calls_of_script(&text),
    }
}

pub(in crate::split_stages) fn calls_of_words(words: Vec<String>) -> Option<Vec<Vec<String>>> {
    let mut words = &words[..];
    loop {
        let Some(first) = words.first() else { return Some(vec![Vec::new()]) };
        let name = base_name(first);
        if SHELLS.contains(&name) && words.get(1).is_some_and(|it| it.starts_with('-') && it.ends_with('c')) {
            return calls_of_script(words.get(2)?);
        }
        let Some((_, own)) = WRAPPERS.iter().find(|(wrapper, _)| *wrapper == name) else { break };
        let options = words[1..].iter().take_while(|word| word.starts_with('-')).count();
        words = words.get(1 + options + own..).unwrap_or_default();
    }
    // `sh start.sh`
    let name = base_name(&words[0]);
    let words = if SHELLS.contains(&name) && words.len() > 1 && !words[1].starts_with('-') {
        &words[1..]
    } else {
        words
    };
    Some(vec![words.to_vec()])
}

pub(in crate::split_stages) fn calls_of_script(text: &str) -> Option<Vec<Vec<String>>> {
    let list = parse(text, LogicalSpan::new(0, text.len())).ok()?;
    let mut calls = Some(Vec::new());
    visit(&list, &mut |simple| {
        let words: Vec<String> = simple.words.iter().map(|word| text[word.span.range()].to_owned()).collect();
        let is_known = simple.words.first().is_some_and(|word| word.literal().is_some());
        match (calls.take(), calls_of_words(words)) {
            (Some(mut all), Some(found)) if is_known => {
                all.extend(found);
                calls = Some(all);
            }
            _ => {}
        }
    });
    calls
}

fn is_script(program: &str) -> bool {
    let name = base_name(program);
    has_extension(name) || ["entrypoint", "start", "run", "init"].iter().any(|part| name.contains(part))
}

/// Whether a name is that of a script.
fn has_extension(name: &str) -> bool {
    matches!(extension(name), Some("sh" | "bash" | "py" | "pl" | "rb"))
}

/// The text of a script of the project, by its name.
fn script_of<'c>(subject: &Subject<'c>, name: &str) -> Option<&'c str> {
    let mut scripts = subject.context.project()?.scripts();
    scripts.find(|(path, _)| base_name(path) == name).map(|(_, text)| text)
}

/// The scripts that what runs in the last stage names, and those that these name.
pub(super) fn reachable_scripts<'c>(
    subject: &Subject<'c>,
    cut: usize,
    started: &Started<'c>,
) -> Vec<&'c str> {
    let Some(project) = subject.context.project() else { return Vec::new() };
    let all: Vec<(&str, &str)> = project.scripts().map(|(path, text)| (base_name(path), text)).collect();
    let late = subject.steps[cut..].iter().filter(|step| !matches!(step.action, Action::Copy(_)));
    let mut texts: Vec<&str> =
        late.chain(started.steps.iter().copied()).map(|step| &step.instruction.logical.text[..]).collect();
    let mut found: Vec<&str> = Vec::new();
    while let Some(text) = texts.pop() {
        for (name, script) in &all {
            if text.contains(name) && !found.contains(script) {
                found.push(script);
                texts.push(script);
            }
        }
    }
    found
}

/// Whether what runs in the last stage calls a program of a package.
pub(super) fn is_called(subject: &Subject<'_>, package: &str, cut: usize, scripts: &[&str]) -> bool {
    let late = subject.steps[cut..].iter().filter(|step| step.run().is_some());
    let own = late
        .chain(subject.steps.iter().filter(|step| is_start(step)))
        .map(|step| &step.instruction.logical.text[..]);
    let owns = |word: &str| {
        let name = base_name(word);
        name == package
            || !name.is_empty() && subject.context.knowledge.owners(name).any(|owner| owner == package)
    };
    let is_part = |c: char| c.is_alphanumeric() || "_+-./".contains(c);
    own.chain(scripts.iter().copied()).any(|text| text.split(|c| !is_part(c)).any(owns))
}

/// Refuses if what runs in the last stage calls a tool that only the builder has.
pub(super) fn refuse_tools<'c>(
    subject: &Subject<'c>,
    language: &Language,
    cut: usize,
    started: &Started<'c>,
    scripts: &[&'c str],
) -> Result<(), Refusal<'c>> {
    let tools =
        || language.tools.iter().chain(language.watchers).filter(|tool| !language.stays.contains(tool));
    let is_tool = |word: &str| {
        let name = base_name(word);
        tools().any(|tool| *tool == name)
    };
    // `dotnet x.dll` needs the runtime alone.
    let is_sdk = |words: &[&str]| {
        words.first() == Some(&"dotnet") && !words.get(1).is_some_and(|word| word.ends_with(".dll"))
    };
    for (step, words) in &started.calls {
        if is_sdk(&words.iter().map(String::as_str).collect::<Vec<_>>()) {
            return Err(Refusal::at(step, "line {line} starts something of the SDK"));
        }
        if let Some(tool) = words.iter().find(|word| is_tool(word)) {
            return Err(Refusal::at(
                step,
                format!("line {{line}} starts {tool}, which only the builder has"),
            ));
        }
    }
    // Also where a later line takes its place: what is left behind for it is looked for all the same.
    for step in subject.steps.iter().filter(|step| is_start(step)) {
        if let Some(manager) = words_of(&step.instruction.logical.text).find(|word| MANAGERS.contains(word)) {
            return Err(Refusal::at(
                step,
                format!("line {{line}} calls {manager} when the container starts"),
            ));
        }
    }
    for step in &started.steps {
        if let Some(tool) = words_of(&step.instruction.logical.text).find(|word| is_tool(word)) {
            return Err(Refusal::at(
                step,
                format!("line {{line}} starts {tool}, which only the builder has"),
            ));
        }
    }
    let called = |list: &List<'_>| {
        let mut found = None;
        visit(list, &mut |simple| {
            let Some(call) = call(simple) else { return };
            let words: Vec<&str> = simple.words[call.at..].iter().filter_map(|word| word.literal()).collect();
            if is_tool(call.program) || is_sdk(&words) {
                found = Some(call.program.to_owned());
            }
        });
        found
    };
    for step in &subject.steps[cut..] {
        let Some((list, _)) = step.run().and_then(|run| run.script(step.instruction)) else { continue };
        if let Some(tool) = called(list) {
            return Err(Refusal::at(step, format!("line {{line}} calls {tool}, which only the builder has")));
        }
    }
    for text in scripts {
        let Ok(list) = parse(text, LogicalSpan::new(0, text.len())) else {
            return Err(Refusal::new("a script that the container runs can't be read"));
        };
        if let Some(tool) = called(&list) {
            return Err(Refusal::new(format!(
                "a script that the container runs calls {tool}, which only the builder has"
            )));
        }
    }
    Ok(())
}
