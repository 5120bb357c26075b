//! Which paths the scripts of a file name: what names a path may make a program read it later.

use std::collections::BTreeMap;

use crate::command::call;
use crate::effects::{is_private, within};
use crate::facts::{Action, Body, Facts, Step};
use crate::shell_state::{has_only_simple_commands, visit};
use crate::stage::Base;
use crate::tables::Class;
use crate::value::{Value, clean};

/// What the steps of a stage name.
#[derive(Debug, Default)]
pub(crate) struct Named {
    /// The absolute paths, each with the first line that names it.
    paths: BTreeMap<String, usize>,
    /// The first line that copies settings of a package manager, which may name any path.
    settings: Option<usize>,
}

/// Where package managers look for settings.
const SETTINGS: [&str; 16] = [
    "/etc/apt",
    "/etc/apk",
    "/etc/yum.conf",
    "/etc/yum.repos.d",
    "/etc/dnf",
    "/etc/zypp",
    "/etc/pacman.conf",
    "/etc/pip.conf",
    "/etc/pip",
    "/root/.pip",
    "/root/.config/pip",
    "/root/.npmrc",
    "/usr/local/etc/npmrc",
    "/etc/npmrc",
    "/etc/ld.so.conf.d",
    "/root/.condarc",
];

impl Named {
    /// What the steps of one stage name.
    pub(crate) fn of(facts: &Facts<'_>, stage: usize) -> Self {
        let mut named = Self::default();
        for step in facts.steps_of(stage) {
            named.add_step(facts.file.text, step);
        }
        named
    }

    /// A step names what stands in its words, unless it only makes a folder, says whose it is, goes
    /// there, or removes it. An ENV is noticed by those who read it.
    fn add_step(&mut self, file: &str, step: &Step<'_>) {
        let line = step.line();
        let whole = &file[step.instruction.span.range()];
        match &step.action {
            Action::Run(run) => match &run.body {
                Body::Script(list)
                    if list.entries.iter().all(|entry| has_only_simple_commands(&entry.pipeline)) =>
                {
                    let text = &step.instruction.logical.text;
                    visit(list, &mut |simple| {
                        let harmless = call(simple).is_some_and(|call| {
                            matches!(call.program, "mkdir" | "rmdir" | "rm" | "chown" | "chmod" | "cd")
                                || call.class() == Some(Class::Account)
                        });
                        if !harmless {
                            self.add_text(&text[simple.span.range()], line);
                        }
                    });
                }
                _ => self.add_text(whole, line),
            },
            Action::Copy(copy) => {
                let destination = copy.destination.text();
                let meets = |settings: &&str| {
                    destination.is_some_and(|path| within(path, settings) || within(settings, path))
                };
                // A folder such as `/` gets all sorts of things.
                let precise = destination.is_some_and(|path| path.len() > "/root".len());
                if precise && SETTINGS.iter().any(meets) {
                    self.settings.get_or_insert(line);
                }
                if copy.heredoc {
                    self.add_text(whole, line);
                }
            }
            Action::Other if step.instruction.keyword() == dockeropt_syntax::Keyword::Shell => {
                self.add_text(whole, line);
            }
            _ => {}
        }
    }

    fn add_text(&mut self, text: &str, line: usize) {
        let part =
            |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '_' | '.' | '-' | '+' | '~' | '%');
        for word in text.split(|c| !part(c)) {
            let path = match word.find('/') {
                Some(0) => word,
                // `-I/app/include`
                Some(at) if word.starts_with('-') => &word[at..],
                _ => continue,
            };
            self.paths.entry(clean(path)).or_insert(line);
        }
    }

    /// The first line that names a path, something below it, or a folder above it that is the
    /// project's as well.
    fn first(&self, path: &str) -> Option<usize> {
        let inside = format!("{path}/");
        let below = self.paths.range(inside.clone()..).take_while(|(named, _)| named.starts_with(&inside));
        let above = path.match_indices('/').map(|(at, _)| &path[..at]).filter(|above| is_private(above));
        let exact = std::iter::once(path).chain(above).filter_map(|path| self.paths.get(path));
        below.map(|(_, line)| line).chain(exact).chain(&self.settings).min().copied()
    }
}

/// Whether a variable names a path that meets `path`, also as one of several: `/a/bin:/usr/bin`.
pub fn names_path(value: &Value, path: &str) -> bool {
    let mut parts = value.raw().split([':', '|', '=', ',', ' ', '\u{0}', '\u{1}']);
    let meets = |part: &str| part.len() > 1 && (within(part, path) || within(path, part));
    parts.any(|part| part.starts_with('/') && meets(&clean(part)))
}

impl Facts<'_> {
    /// The first line in a stage, or in the stages that it starts from, of which a script, a heredoc or
    /// a SHELL names an absolute path, or that copies settings of a package manager, so that who runs
    /// later may look there.
    pub fn first_naming(&self, stage: usize, path: &str) -> Option<usize> {
        let mut first = None;
        let mut at = Some(stage);
        while let Some(stage) = at {
            let line = self.named_in(stage).first(path);
            first = [first, line].into_iter().flatten().min();
            at = match self.stages[stage].base {
                Base::Stage(parent) => Some(parent),
                _ => None,
            };
        }
        first
    }
}
