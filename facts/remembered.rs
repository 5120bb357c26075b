//! Where a shell found the programs that it called: it looks for each of them once.

use std::collections::{BTreeMap, BTreeSet};

use dockeropt_syntax::shell::{Command, Pipeline, Simple};

use crate::command::{Call, base_name, call};
use crate::shell_state::{acts_on_shell, visit_pipeline};
use crate::tables::{Class, Verb, class};

/// A program that commands call by its name and that others after them, `right`, call in the same shell
/// when it may have moved: the shell runs it where it was.
pub fn stale_program(left: &[&Pipeline<'_>], right: &[&Pipeline<'_>]) -> Option<String> {
    let mut remembered = Remembered::default();
    remembered.follow(left);
    remembered.follow(right).into_iter().next().map(str::to_owned)
}

/// What a shell remembers of the programs that it called, each with the turn in which it was first
/// called.
#[derive(Clone, Debug, Default)]
pub(crate) struct Remembered<'s> {
    turn: usize,
    /// Those that only move when a command names them: no build is taken to bring another rm, tar or
    /// apt-get.
    basic: BTreeMap<&'s str, usize>,
    /// The others that lie where they did.
    fresh: BTreeMap<&'s str, usize>,
    /// Those that may have moved.
    moved: BTreeMap<&'s str, usize>,
}

impl<'s> Remembered<'s> {
    /// Follows what runs next; the programs that it calls when they may have moved since an earlier
    /// turn.
    pub(crate) fn follow(&mut self, pipelines: &[&'s Pipeline<'_>]) -> BTreeSet<&'s str> {
        self.turn += 1;
        let mut stale = BTreeSet::new();
        for pipeline in pipelines {
            // What stands later in a loop runs before what stands earlier, too.
            let has_loop = pipeline.commands.iter().any(|it| matches!(it, Command::Compound(_)));
            for _ in 0..=usize::from(has_loop) {
                visit_pipeline(pipeline, &mut |simple| self.simple(simple, &mut stale));
            }
        }
        stale
    }

    /// Goes on after a shell below this one, which knew the same and ended as `below`.
    pub(crate) fn after_subshell(mut self, below: &Self) -> Self {
        self.turn = below.turn;
        below.moved.keys().for_each(|name| self.move_program(name));
        self
    }

    /// Whether so many programs were called that they are no longer worth following.
    pub(crate) fn is_crowded(&self) -> bool {
        self.basic.len() + self.fresh.len() + self.moved.len() > 500
    }

    fn simple(&mut self, simple: &'s Simple<'_>, stale: &mut BTreeSet<&'s str>) {
        match call(simple) {
            Some(call) => {
                self.remember(&call, stale);
                self.note_moves(&call);
            }
            None if !simple.words.is_empty() => self.move_fresh(),
            None => {}
        }
        for redirection in &simple.redirections {
            redirection.target.literal().into_iter().for_each(|path| self.move_program(base_name(path)));
        }
    }

    fn remember(&mut self, call: &Call<'s, '_>, stale: &mut BTreeSet<&'s str>) {
        let name = call.program;
        if call.by_path || is_builtin(name) {
            return;
        }
        if let Some(&turn) = self.moved.get(name) {
            if turn < self.turn {
                stale.insert(name);
            }
            return;
        }
        let known = if is_basic(call) { &mut self.basic } else { &mut self.fresh };
        known.entry(name).or_insert(self.turn);
    }

    fn note_moves(&mut self, call: &Call<'s, '_>) {
        if let Some(managed) = &call.managed {
            // A distribution's packages bring their programs where they were.
            let installs = matches!(managed.verb, Verb::Install | Verb::Upgrade | Verb::Other);
            if installs && !managed.manager.is_system() {
                self.move_fresh();
            }
            return;
        }
        match call.class() {
            Some(
                Class::Quiet
                | Class::Account
                | Class::System
                | Class::Service
                | Class::AptIndex
                | Class::OwnUpdate,
            ) => {}
            Some(class @ (Class::Paths | Class::Beside | Class::SystemBeside | Class::Fetch)) => {
                // What a glob removes leaves the others where they were.
                let brings = !matches!(call.program, "rm" | "rmdir" | "mkdir" | "chmod" | "chown");
                let mut unnamed = class == Class::Fetch;
                for word in &call.simple.words[call.at + 1..] {
                    match word.literal() {
                        Some(word) => self.move_program(base_name(word)),
                        None => unnamed |= brings,
                    }
                }
                if unnamed {
                    self.move_fresh();
                }
            }
            Some(Class::Build | Class::Provision | Class::Shell) | None => {
                if !matches!(call.program, "cd" | "export" | "set" | "unset" | "wait" | "exit") {
                    self.move_fresh();
                }
            }
        }
    }

    /// A file of this name has come or gone.
    fn move_program(&mut self, name: &str) {
        let known = self.basic.remove_entry(name).or_else(|| self.fresh.remove_entry(name));
        self.moved.extend(known);
    }

    /// Files of any name have come.
    fn move_fresh(&mut self) {
        self.moved.append(&mut self.fresh);
    }
}

/// Whether the shell runs a program itself.
pub fn is_builtin(program: &str) -> bool {
    acts_on_shell(program)
        || matches!(
            program,
            "cd" | "echo" | "printf" | "true" | "false" | ":" | "[" | "test" | "pwd" | "type"
        )
}

fn is_basic(call: &Call<'_, '_>) -> bool {
    match class(call.program) {
        Some(Class::Build | Class::Provision | Class::Shell) => false,
        Some(_) => true,
        None => call.managed.as_ref().is_some_and(|managed| managed.manager.is_system()),
    }
}
