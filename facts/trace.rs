//! What a stage does, as a list of events that can be compared with another's.

use std::rc::Rc;

use dockeropt_syntax::shell::{Command, CompoundKind, Entry, JoinerKind, List, Pipeline};

use crate::effects::{EnvironmentReads, environment_of_pipelines, is_commonly_read};
use crate::facts::{Action, Body, Copy, Facts, Mount, Run, Step};
use crate::remembered::Remembered;
use crate::shell_state::{
    Leak, asks_for_last_command, is_plain, leaks_beyond_the_shell, leaks_in_the_shell, matters,
};
use crate::state::{Argument, State};
use crate::value::Value;
use crate::variables::Variables;

/// Something that a stage does to its file system.
#[derive(Debug)]
pub(crate) enum Event<'f> {
    /// A command.
    Atom(Box<Atom<'f>>),
    /// Files come in.
    Copy(CopyEvent),
    /// A WORKDIR makes its folder.
    Mkdir { path: Value, user: Value, root: bool },
}

/// COPY or ADD.
#[derive(Debug)]
pub(crate) struct CopyEvent {
    pub(crate) copy: Copy,
    /// What the heredocs hold.
    pub(crate) bodies: String,
    /// What is in force.
    pub(crate) state: Rc<State>,
    pub(crate) line: usize,
}

/// A command, or a script that can't be taken apart.
#[derive(Debug)]
pub(crate) struct Atom<'f> {
    /// What is run, for reading it further.
    pub(crate) code: Code<'f>,
    /// The text that the spans of `code` are places in.
    pub(crate) text: &'f str,
    /// What is in force.
    pub(crate) state: Rc<State>,
    /// The variables that it may read.
    pub(crate) env: Environment<'f>,
    /// The flags of its RUN.
    pub(crate) flags: Vec<&'f str>,
    /// The mounts of its RUN.
    pub(crate) mounts: &'f [Mount],
    /// What earlier commands in the same shell leave behind that matters to it.
    pub(crate) inherits: Vec<Inherited>,
    /// Whether an earlier command set the modes that new files get.
    pub(crate) under_umask: bool,
    /// The working folder, as far as it is known after `cd`.
    pub(crate) folder: Option<Value>,
    pub(crate) line: usize,
}

/// What an earlier command left behind that matters to an atom.
#[derive(Clone, Debug)]
pub(crate) enum Inherited {
    /// What the event at this place among those of its stage leaves.
    Of(usize),
    /// Something else.
    Other(String),
}

/// Variables and build arguments that an atom may read.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Environment<'f> {
    /// All of them.
    All(&'f Variables<Value>, &'f Variables<Argument>),
    /// Some of them, sorted.
    Some(Vec<(&'f str, &'f Value)>),
}

impl<'f> Environment<'f> {
    fn new(state: &'f State, reads: &EnvironmentReads) -> Self {
        let EnvironmentReads::Some(names) = reads else { return Self::All(&state.env, &state.args) };
        let mut found: Vec<_> = state.env.commonly_read().collect();
        found.extend(state.args.commonly_read().map(|(name, argument)| (name, &argument.value)));
        for name in names {
            found.extend(state.env.get_key_value(name));
            found.extend(state.args.get_key_value(name).map(|(name, argument)| (name, &argument.value)));
        }
        found.sort_unstable();
        found.dedup();
        Self::Some(found)
    }

    /// Whether two environments are equal but for a variable.
    pub(crate) fn equals_but(&self, other: &Self, name: &str) -> bool {
        let same_kind =
            matches!((self, other), (Self::All(..), Self::All(..)) | (Self::Some(_), Self::Some(_)));
        let others = |it: &(&str, &Value)| it.0 != name;
        same_kind && self.iter().filter(others).eq(other.iter().filter(others))
    }

    /// Their names with what they hold.
    pub(crate) fn iter(&self) -> Box<dyn Iterator<Item = (&'f str, &'f Value)> + '_> {
        match self {
            Self::All(variables, arguments) => {
                let arguments = arguments.iter().map(|(name, argument)| (name, &argument.value));
                Box::new(variables.iter().chain(arguments))
            }
            Self::Some(found) => Box::new(found.iter().copied()),
        }
    }
}

/// What an atom runs.
#[derive(Debug)]
pub(crate) enum Code<'f> {
    /// One pipeline of an `&&` list.
    Pipeline(&'f Pipeline<'f>),
    /// A script that is not an `&&` list.
    Script(&'f [Entry<'f>]),
    /// Exec form.
    Exec(&'f [&'f str]),
    /// What was not read, or can't be taken apart, with the script in it where it was read.
    Raw(String, Option<(&'f List<'f>, &'f str)>),
}

/// The events of a stage, in order.
pub(crate) fn events<'f>(facts: &'f Facts<'f>, stage: usize) -> Vec<Event<'f>> {
    let mut events = Vec::new();
    facts.steps_of(stage).iter().for_each(|step| add_events(facts, step, &mut events));
    events
}

/// The events of one step.
pub(crate) fn events_of_step<'f>(facts: &'f Facts<'f>, step: &'f Step<'f>) -> Vec<Event<'f>> {
    let mut events = Vec::new();
    add_events(facts, step, &mut events);
    events
}

fn add_events<'f>(facts: &'f Facts<'f>, step: &'f Step<'f>, events: &mut Vec<Event<'f>>) {
    match &step.action {
        Action::Run(run) => atoms(facts, step, run, events),
        Action::Copy(copy) => {
            let mut bodies = heredocs(facts, step.instruction);
            let expands = |heredoc: &dockeropt_syntax::Heredoc| {
                heredoc.expand && facts.file.text[heredoc.body.range()].contains('$')
            };
            if step.instruction.heredocs.iter().any(expands) {
                bodies += &format!("{:?}{:?}", step.state.env, step.state.args);
            }
            let state = Rc::clone(&step.state);
            events.push(Event::Copy(CopyEvent { copy: copy.clone(), bodies, state, line: step.line() }));
        }
        Action::Workdir(path) => {
            let user = step.state.user.clone();
            events.push(Event::Mkdir { path: path.clone(), user, root: step.state.is_root() });
        }
        Action::Other => {}
    }
}

/// The heredocs of an instruction: what they hold and how they are read.
pub(crate) fn heredocs(facts: &Facts<'_>, instruction: &dockeropt_syntax::Instruction<'_>) -> String {
    let heredocs = instruction.heredocs.iter().map(|heredoc| {
        let head = (&heredoc.name, heredoc.file_descriptor, heredoc.expand, heredoc.chomp);
        format!("{head:?}\n{}", &facts.file.text[heredoc.body.range()])
    });
    heredocs.collect()
}

fn atoms<'f>(facts: &'f Facts<'f>, step: &'f Step<'f>, run: &'f Run<'f>, events: &mut Vec<Event<'f>>) {
    let instruction = step.instruction;
    let mut shell = Running {
        step,
        run,
        text: &instruction.logical.text,
        left: Vec::new(),
        remembered: Remembered::default(),
        folder: Some(step.state.workdir.clone()),
        events,
    };
    match &run.body {
        Body::Script(list) => shell.list(list),
        Body::Exec(words) => shell.add(Code::Exec(words), EnvironmentReads::All),
        Body::Heredoc { .. } | Body::Opaque(_) | Body::Foreign(_) => {
            let raw = format!("{}\n{}", instruction.arguments(), heredocs(facts, instruction));
            shell.add(Code::Raw(raw, run.script(instruction)), EnvironmentReads::All);
        }
    }
}

/// A shell that runs the body of a RUN.
struct Running<'e, 'f> {
    step: &'f Step<'f>,
    run: &'f Run<'f>,
    text: &'f str,
    /// The commands before that leave something behind.
    left: Vec<Left>,
    /// Where the programs called before were found.
    remembered: Remembered<'f>,
    folder: Option<Value>,
    events: &'e mut Vec<Event<'f>>,
}

/// What a command left behind in its shell.
struct Left {
    /// Its place among the events of the stage.
    event: usize,
    leaks: Vec<Leak>,
    /// Whether it outlives the shell, and lasts until the RUN ends.
    beyond_the_shell: bool,
}

/// So many commands that leave something behind are followed in one RUN; the rest is one atom.
const FOLLOWED: usize = 100;

impl<'f> Running<'_, 'f> {
    /// Takes a list apart: the `&&`s at its end join atoms, as `a; b || c && d` is `(a; b || c) && d`.
    fn list(&mut self, list: &'f List<'f>) {
        let entries = &list.entries[..];
        let Some(last) = entries.len().checked_sub(1) else { return };
        // In an `&&` list the shell does not stop at an error within a control structure.
        let depends_on_place = self.step.state.shell.errexit() && !entries.iter().all(is_plain);
        if depends_on_place
            || entries[last].joiner.is_some_and(|joiner| joiner.kind == JoinerKind::Background)
        {
            return self.script(entries);
        }
        let is_and = |entry: &Entry<'_>| entry.joiner.is_some_and(|joiner| joiner.kind == JoinerKind::And);
        let chained = entries[..last].iter().rev().take_while(|entry| is_and(entry)).count();
        let first = last - chained;
        if first == 0 {
            self.pipeline(&entries[0].pipeline);
        } else {
            self.script(&entries[..=first]);
        }
        for (at, entry) in entries.iter().enumerate().skip(first + 1) {
            if self.left.len() > FOLLOWED || self.remembered.is_crowded() {
                return self.script(&entries[at..]);
            }
            self.pipeline(&entry.pipeline);
        }
    }

    fn pipeline(&mut self, pipeline: &'f Pipeline<'f>) {
        if let [Command::Compound(compound)] = &pipeline.commands[..]
            && !pipeline.negated
            && compound.redirections.is_empty()
            && !self.step.state.shell.errexit()
        {
            match &compound.kind {
                CompoundKind::Group(list) => return self.list(list),
                CompoundKind::Subshell(list) => return self.subshell(list),
                _ => {}
            }
        }
        self.add(Code::Pipeline(pipeline), environment_of_pipelines(std::iter::once(pipeline)));
        self.follow(pipeline, None);
    }

    fn subshell(&mut self, list: &'f List<'f>) {
        let (before, folder) = (self.left.len(), self.folder.clone());
        let remembered = self.remembered.clone();
        self.list(list);
        let below = self.left.split_off(before);
        self.left.extend(below.into_iter().filter(|left| left.beyond_the_shell));
        self.remembered = remembered.after_subshell(&self.remembered);
        self.folder = folder;
    }

    fn script(&mut self, entries: &'f [Entry<'f>]) {
        self.add(
            Code::Script(entries),
            environment_of_pipelines(entries.iter().map(|entry| &entry.pipeline)),
        );
        let mut moves = false;
        for entry in entries {
            moves |= self.follow(&entry.pipeline, entry.joiner.map(|joiner| joiner.kind));
        }
        if moves && entries.iter().any(|entry| entry.joiner.is_some_and(|it| it.kind != JoinerKind::And)) {
            self.folder = None;
        }
    }

    /// Notes what a command leaves behind for those after it; whether it changes the folder.
    fn follow(&mut self, pipeline: &'f Pipeline<'f>, joiner: Option<JoinerKind>) -> bool {
        let mut beyond = Vec::new();
        leaks_beyond_the_shell(pipeline, &mut beyond);
        if joiner == Some(JoinerKind::Background) {
            beyond.push(Leak::Other("&".to_owned()));
        }
        let mut leaks = Vec::new();
        leaks_in_the_shell(pipeline, &mut leaks);
        let moves = leaks.iter().any(changes_folder);
        if moves {
            self.enter(pipeline);
        }
        let has_mounts = !self.run.flags.is_empty();
        let beyond_the_shell = has_mounts || !beyond.is_empty();
        leaks.extend(beyond);
        if beyond_the_shell || !leaks.is_empty() {
            self.left.push(Left { event: self.events.len() - 1, leaks, beyond_the_shell });
        }
        moves
    }

    /// Follows a `cd`.
    fn enter(&mut self, pipeline: &Pipeline<'_>) {
        let target = pipeline
            .simple()
            .filter(|simple| simple.words.len() == 2)
            .and_then(|simple| simple.words[1].literal());
        self.folder = match target {
            Some(target) if target.starts_with('/') => Some(Value::known(crate::value::clean(target))),
            Some(target) if !target.starts_with('-') => {
                self.folder.as_ref().map(|folder| crate::value::absolute(folder, &Value::known(target)))
            }
            _ => None,
        };
    }

    fn add(&mut self, code: Code<'f>, environment: EnvironmentReads) {
        let state = &self.step.state;
        let env = Environment::new(state, &environment);
        let inherits = self.inherits(&code);
        self.events.push(Event::Atom(Box::new(Atom {
            code,
            text: self.text,
            state: Rc::clone(state),
            env,
            flags: self.run.flags.clone(),
            mounts: &self.run.mounts,
            inherits,
            under_umask: self.left.iter().any(|left| left.leaks.iter().any(is_umask)),
            folder: self.folder.clone(),
            line: self.step.line(),
        })));
    }

    /// What earlier commands in this shell leave behind that matters to `code`, which runs now.
    fn inherits(&mut self, code: &Code<'f>) -> Vec<Inherited> {
        let pipelines: Vec<&'f Pipeline<'f>> = match *code {
            Code::Pipeline(pipeline) => vec![pipeline],
            Code::Script(entries) => entries.iter().map(|entry| &entry.pipeline).collect(),
            Code::Exec(_) | Code::Raw(..) => return Vec::new(),
        };
        let span = pipelines[0].span.to(pipelines[pipelines.len() - 1].span);
        let words = &self.text[span.range()];
        let matter = |left: &&Left| {
            !self.run.flags.is_empty() || left.leaks.iter().any(|leak| matters(leak, words, &self.step.state))
        };
        let mut events: Vec<usize> = self.left.iter().filter(matter).map(|left| left.event).collect();
        events.dedup();
        let mut inherits: Vec<Inherited> = events.into_iter().map(Inherited::Of).collect();
        let stale = self.remembered.follow(&pipelines);
        inherits.extend(stale.into_iter().map(|program| Inherited::Other(format!("where {program} was"))));
        let starts_shell = span.start == self.step.instruction.operation.arguments.start;
        if !starts_shell && asks_for_last_command(words) {
            inherits.extend(self.events.len().checked_sub(1).map(Inherited::Of));
            inherits.push(Inherited::Other("the command before".to_owned()));
        }
        inherits
    }
}

fn is_umask(leak: &Leak) -> bool {
    matches!(leak, Leak::Other(name) if name == "umask")
}

fn changes_folder(leak: &Leak) -> bool {
    matches!(leak, Leak::Folder) || matches!(leak, Leak::Other(name) if name == "pushd" || name == "popd")
}

/// Whether a variable may be read by programs that a file does not show.
pub(crate) fn may_be_exported(name: &str, state: &State) -> bool {
    state.variable(name).is_some()
        || state.argument(name).is_some()
        || is_commonly_read(name)
        || !name.chars().any(|character| character.is_ascii_lowercase())
}
