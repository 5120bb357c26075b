//! All that is derived from a file: its stages, its steps and the state in force at each.

use std::cell::OnceCell;
use std::rc::Rc;

use dockeropt_syntax::shell::{self, List, Opaque};
use dockeropt_syntax::{Dockerfile, Instruction, Item, Keyword, LogicalSpan, Operation};

use rustc_hash::FxHashMap as HashMap;

use crate::effects::within;
use crate::naming::Named;
use crate::stage::{Base, Stage};
use crate::state::{Shell, State};
use crate::value::{Value, absolute};

/// All that is derived from a file.
#[derive(Debug)]
pub struct Facts<'f> {
    /// The file.
    pub file: &'f Dockerfile<'f>,
    /// The stages in order.
    pub stages: Vec<Stage>,
    /// The steps in order, those before the first FROM included.
    pub steps: Vec<Step<'f>>,
    /// The stages of each name, in order; names are in lower case.
    named: HashMap<String, Vec<usize>>,
    /// The paths that the steps of each stage name, filled as they are asked for.
    paths: Vec<OnceCell<Named>>,
}

/// An instruction together with the state in force before it.
#[derive(Debug)]
pub struct Step<'f> {
    /// Its place among the file's items.
    pub item: usize,
    /// The instruction.
    pub instruction: &'f Instruction<'f>,
    /// The stage, `None` before the first FROM. A FROM belongs to the stage that it opens.
    pub stage: Option<usize>,
    /// What is in force before it.
    pub state: Rc<State>,
    /// What it does.
    pub action: Action<'f>,
}

/// What a step does.
#[derive(Debug)]
pub enum Action<'f> {
    /// RUN
    Run(Run<'f>),
    /// COPY or ADD
    Copy(Copy),
    /// WORKDIR: makes a folder and enters it.
    Workdir(Value),
    /// Any other instruction: it changes the state or the configuration, but no file.
    Other,
}

/// A RUN.
#[derive(Debug)]
pub struct Run<'f> {
    /// What it runs.
    pub body: Body<'f>,
    /// Its mounts.
    pub mounts: Vec<Mount>,
    /// The flags as written, in order.
    pub flags: Vec<&'f str>,
}

/// What a RUN runs.
#[derive(Debug)]
pub enum Body<'f> {
    /// A script in shell form that was read; its spans are places in the logical line.
    Script(List<'f>),
    /// A script in the body of a heredoc; its spans are places in `text`.
    Heredoc {
        /// The lines of the body.
        text: &'f str,
        /// The script.
        script: List<'f>,
    },
    /// Exec form.
    Exec(Vec<&'f str>),
    /// A script that was not read.
    Opaque(Opaque),
    /// A script for a shell that is not a POSIX shell, or commands with heredocs; what it is.
    Foreign(&'static str),
}

/// `RUN --mount=...`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mount {
    /// `bind`, `cache`, `tmpfs`, `secret` or `ssh`.
    pub kind: String,
    /// Where it is mounted, if that is known.
    pub target: Option<Value>,
    /// The stage or image that it comes from.
    pub from: Option<String>,
}

/// A COPY or ADD.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Copy {
    /// Whether it is ADD.
    pub add: bool,
    /// `--from`: a stage's name or number, or an image.
    pub from: Option<String>,
    /// The sources, expanded.
    pub sources: Vec<Value>,
    /// The destination as written, expanded.
    pub written: Value,
    /// The destination made absolute.
    pub destination: Value,
    /// The flags but `--from`, expanded.
    pub flags: Vec<Value>,
    /// Whether a source is a heredoc.
    pub heredoc: bool,
}

impl<'f> Facts<'f> {
    /// Derives the facts of a file that was read without diagnostics.
    pub fn new(file: &'f Dockerfile<'f>) -> Self {
        let mut facts = Self {
            file,
            stages: Vec::new(),
            steps: Vec::new(),
            named: HashMap::default(),
            paths: Vec::new(),
        };
        let mut globals = State::before_first_stage(file.escape);
        let mut ends: Vec<Rc<State>> = Vec::new();
        let mut state = Rc::new(globals.clone());
        for (item, instruction) in file.items.iter().enumerate().filter_map(instruction_at) {
            let operation = &instruction.operation;
            if operation.keyword == Keyword::From {
                if !facts.stages.is_empty() {
                    ends.push(Rc::clone(&state));
                }
                let stage = Stage::open(instruction, item, &globals, &facts);
                state = match stage.base {
                    Base::Stage(parent) => Rc::new(ends[parent].for_child()),
                    _ => Rc::new(State::of_image(&stage.base, &globals)),
                };
                if let Some(name) = &stage.name {
                    facts.named.entry(name.to_ascii_lowercase()).or_default().push(facts.stages.len());
                }
                facts.stages.push(stage);
            }
            let action = action(file.text, instruction, &state);
            let stage = facts.stages.len().checked_sub(1);
            let step = Step { item, instruction, stage, state: Rc::clone(&state), action };
            if let Some(stage) = stage {
                let at = facts.steps.len();
                facts.stages[stage].steps.end = at + 1;
                if operation.keyword == Keyword::From {
                    facts.stages[stage].steps.start = at;
                }
            } else {
                globals.apply(instruction, None);
            }
            if stage.is_some() && changes_state(operation.keyword) {
                let workdir =
                    if let Action::Workdir(path) = &step.action { Some(path.clone()) } else { None };
                let mut next = State::clone(&state);
                next.apply_in_stage(instruction, workdir, &globals);
                state = Rc::new(next);
            }
            facts.steps.push(step);
        }
        ends.push(Rc::clone(&state));
        for (stage, end) in facts.stages.iter_mut().zip(ends) {
            stage.end = end;
        }
        facts.link_stages();
        facts.paths.resize_with(facts.stages.len(), OnceCell::new);
        facts
    }

    /// The steps of a stage, its FROM first.
    pub fn steps_of(&self, stage: usize) -> &[Step<'f>] {
        &self.steps[self.stages[stage].steps.clone()]
    }

    /// The paths that the steps of a stage name.
    pub(crate) fn named_in(&self, stage: usize) -> &Named {
        self.paths[stage].get_or_init(|| Named::of(self, stage))
    }

    /// The stage that a name or number in `--from` means, at a step of stage `at`.
    pub fn stage_named(&self, name: &str, at: usize) -> Option<usize> {
        self.last_named(name, at).or_else(|| name.parse::<usize>().ok().filter(|&number| number < at))
    }

    /// The last stage of a name among the first `before`.
    pub(crate) fn last_named(&self, name: &str, before: usize) -> Option<usize> {
        let stages = self.named.get(&name.to_ascii_lowercase())?;
        stages[..stages.partition_point(|&stage| stage < before)].last().copied()
    }

    fn link_stages(&mut self) {
        let mut read_by: Vec<(usize, usize)> = Vec::new();
        for step in &self.steps {
            let Some(at) = step.stage else { continue };
            let names: Vec<&str> = match &step.action {
                Action::Copy(copy) => copy.from.as_deref().into_iter().collect(),
                Action::Run(run) => run.mounts.iter().filter_map(|mount| mount.from.as_deref()).collect(),
                _ => Vec::new(),
            };
            read_by.extend(names.iter().filter_map(|name| Some((self.stage_named(name, at)?, at))));
        }
        for (source, reader) in read_by {
            self.stages[source].readers.push(reader);
        }
        for child in 0..self.stages.len() {
            if let Base::Stage(parent) = self.stages[child].base {
                self.stages[parent].children.push(child);
            }
        }
        // The last stage is the image; so are the stages that it starts from.
        let mut kept = self.stages.len().checked_sub(1);
        while let Some(stage) = kept {
            self.stages[stage].in_image = true;
            kept = match self.stages[stage].base {
                Base::Stage(parent) => Some(parent),
                _ => None,
            };
        }
    }
}

fn instruction_at<'f>((at, item): (usize, &'f Item<'f>)) -> Option<(usize, &'f Instruction<'f>)> {
    item.instruction().map(|instruction| (at, instruction))
}

fn changes_state(keyword: Keyword) -> bool {
    matches!(
        keyword,
        Keyword::Env | Keyword::Arg | Keyword::User | Keyword::Workdir | Keyword::Shell | Keyword::Volume
    )
}

fn action<'f>(file: &'f str, instruction: &'f Instruction<'f>, state: &State) -> Action<'f> {
    let operation = &instruction.operation;
    match operation.keyword {
        Keyword::Run => Action::Run(run(file, instruction, operation, state)),
        Keyword::Copy | Keyword::Add => Action::Copy(copy(instruction, operation, state)),
        Keyword::Workdir => {
            let path = state.expand(instruction.arguments());
            Action::Workdir(absolute(&state.workdir, &path))
        }
        _ => Action::Other,
    }
}

fn run<'f>(
    file: &'f str,
    instruction: &'f Instruction<'f>,
    operation: &'f Operation,
    state: &State,
) -> Run<'f> {
    let mounts = operation.flags.iter().filter(|flag| flag.name() == "mount");
    Run {
        body: body(file, instruction, operation, state),
        mounts: mounts.map(|flag| mount(flag.value().unwrap_or_default(), state)).collect(),
        flags: operation.flags.iter().map(|flag| flag.text.as_str()).collect(),
    }
}

fn body<'f>(
    file: &'f str,
    instruction: &'f Instruction<'f>,
    operation: &'f Operation,
    state: &State,
) -> Body<'f> {
    if let Some(words) = &operation.json {
        return Body::Exec(words.iter().map(|word| word.value.as_str()).collect());
    }
    if !state.shell.is_posix() {
        return Body::Foreign("a script for another shell than sh");
    }
    let text: &'f str = &instruction.logical.text;
    match &instruction.heredocs[..] {
        [] => match shell::parse(text, operation.arguments) {
            Ok(list) => Body::Script(list),
            Err(opaque) => Body::Opaque(opaque),
        },
        _ => heredoc_body(file, instruction).unwrap_or(Body::Foreign("a heredoc")),
    }
}

/// The script of a RUN whose body is just one heredoc, given the file's text.
fn heredoc_body<'f>(file: &'f str, instruction: &'f Instruction<'f>) -> Option<Body<'f>> {
    let [heredoc] = &instruction.heredocs[..] else { return None };
    let opener = instruction.arguments();
    let alone = opener.starts_with("<<") && !opener.contains([' ', '\t', ';', '|', '>', '&']);
    let text = &file[heredoc.body.range()];
    if !alone || text.starts_with("#!") || heredoc.chomp || heredoc.spaced {
        return None;
    }
    let script = shell::parse(text, LogicalSpan::new(0, text.len())).ok()?;
    Some(Body::Heredoc { text, script })
}

fn mount(value: &str, state: &State) -> Mount {
    let mut mount = Mount { kind: "bind".to_owned(), target: None, from: None };
    for part in value.split(',') {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        match name.to_ascii_lowercase().as_str() {
            "type" => mount.kind = value.to_owned(),
            "target" | "dst" | "destination" => {
                mount.target = Some(absolute(&state.workdir, &state.expand(value)));
            }
            "from" => mount.from = Some(value.to_owned()),
            _ => {}
        }
    }
    mount
}

fn copy(instruction: &Instruction<'_>, operation: &Operation, state: &State) -> Copy {
    let words = operation.words(&instruction.logical, state.escape);
    let expand =
        |text: &str| if operation.json.is_some() { state.expand_json(text) } else { state.expand(text) };
    let mut values: Vec<Value> = words.iter().map(|word| expand(&word.text)).collect();
    let written = values.pop().unwrap_or_else(|| Value::known(""));
    let flags = operation.flags.iter().filter(|flag| flag.name() != "from");
    Copy {
        add: operation.keyword == Keyword::Add,
        from: operation.flag("from").map(str::to_owned),
        destination: absolute(&state.workdir, &written),
        sources: values,
        written,
        flags: flags.map(|flag| state.expand(&flag.text)).collect(),
        heredoc: !instruction.heredocs.is_empty(),
    }
}

impl<'f> Run<'f> {
    /// The script and the text that its spans are places in, for reading: shell form or heredoc.
    pub fn script<'s>(&'s self, instruction: &'s Instruction<'s>) -> Option<(&'s List<'s>, &'s str)> {
        match &self.body {
            Body::Script(list) => Some((list, &instruction.logical.text)),
            Body::Heredoc { text, script } => Some((script, text)),
            _ => None,
        }
    }

    /// The script, if it can be edited: shell form.
    pub fn editable(&self) -> Option<&List<'f>> {
        match &self.body {
            Body::Script(list) => Some(list),
            _ => None,
        }
    }
}

impl Mount {
    /// Whether the mount may lie over a folder, within it, or above it. `~` stands for any home.
    pub fn may_hold(&self, folder: &str) -> bool {
        let Some(target) = self.target.as_ref() else {
            return matches!(self.kind.as_str(), "bind" | "cache" | "tmpfs");
        };
        let Some(target) = target.text() else { return true };
        match folder.strip_prefix("~/") {
            Some(below) => {
                target.ends_with(below)
                    || target.contains(below)
                    || within(below, target.rsplit('/').next().unwrap_or(target))
            }
            None => within(target, folder) || within(folder, target),
        }
    }
}

impl Step<'_> {
    /// The first line, from 1.
    pub fn line(&self) -> usize {
        self.instruction.start_line
    }

    /// The RUN, if it is one.
    pub fn run(&self) -> Option<&Run<'_>> {
        match &self.action {
            Action::Run(run) => Some(run),
            _ => None,
        }
    }

    /// Whether it copies from a stage or an image of a name, or mounts it.
    pub fn takes_from(&self, name: &str) -> bool {
        let is = |from: &Option<String>| from.as_deref().is_some_and(|from| from.eq_ignore_ascii_case(name));
        match &self.action {
            Action::Copy(copy) => is(&copy.from),
            Action::Run(run) => run.mounts.iter().any(|mount| is(&mount.from)),
            Action::Workdir(_) | Action::Other => false,
        }
    }
}

impl Shell {
    /// Whether scripts in shell form are read by a POSIX shell.
    pub fn is_posix(&self) -> bool {
        !matches!(self, Self::Other)
    }
}
