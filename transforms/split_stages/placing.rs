//! Which of the two stages has which step of those above the cut.

use dockeropt_facts::command::{Call, bare_words, base_name, call};
use dockeropt_facts::effects::within;
use dockeropt_facts::{Action, Copy, Step, clean};
use dockeropt_syntax::Keyword;
use dockeropt_syntax::shell::Simple;

use super::layout::Opening;
use super::packages::{apt_packages, commands, words};
use super::{Refusal, Subject, is_copy, is_variable};

/// Which of the two stages has a step of the builder.
pub(super) enum Place {
    Builder,
    Both,
    /// Only the last stage.
    Last,
}

/// What the last stage begins with.
#[derive(Default)]
pub(super) struct Placing {
    pub(super) opening: Vec<Opening>,
    /// The steps that the builder no longer has.
    pub(super) moved: Vec<usize>,
    /// The commands of RUNs that both stages have.
    pub(super) repeated: Vec<String>,
}

impl Placing {
    /// Asks of each step above the cut where it belongs.
    pub(super) fn of<'c>(
        subject: &Subject<'c>,
        cut: usize,
        mut place: impl FnMut(usize, &'c Step<'c>) -> Result<Place, Refusal<'c>>,
    ) -> Result<Self, Refusal<'c>> {
        let mut placing = Self::default();
        for (at, step) in subject.steps.iter().enumerate().take(cut).skip(1) {
            match place(at, step)? {
                Place::Builder => {}
                Place::Both => {
                    placing.repeated.extend(accounts(step).into_iter().flatten());
                    placing.opening.push(Opening::Step(at));
                }
                Place::Last => {
                    placing.moved.push(at);
                    placing.opening.push(Opening::Moved(at));
                }
            }
        }
        Ok(placing)
    }

    /// Adds an install of packages above all but the variables that it may read.
    pub(super) fn behind_variables(&mut self, steps: &[Step<'_>], install: Opening) {
        let other = |it: &Opening| !matches!(it, Opening::Step(at) if is_variable(&steps[*at]));
        let first = self.opening.iter().position(other).unwrap_or(self.opening.len());
        self.opening.insert(first, install);
    }

    /// Adds instructions above the first COPY.
    pub(super) fn above_copies(&mut self, steps: &[Step<'_>], new: impl IntoIterator<Item = Opening>) {
        let first =
            self.opening.iter().position(|it| matches!(it, Opening::Step(at) if is_copy(&steps[*at])));
        let first = first.unwrap_or(self.opening.len());
        self.opening.splice(first..first, new);
    }

    /// Adds an install of packages above all that changes more often, behind what it may read and what stands at the
    /// top of the file.
    pub(super) fn packages(&mut self, steps: &[Step<'_>], packages: &[String]) {
        if packages.is_empty() {
            return;
        }
        let first_run = steps.iter().position(|step| step.run().is_some()).unwrap_or_default();
        let other = |it: &Opening| match it {
            Opening::Step(at) => !is_variable(&steps[*at]),
            Opening::Moved(at) => *at > first_run,
            Opening::New(_) | Opening::Packages(_) => true,
        };
        let first = self.opening.iter().position(other).unwrap_or(self.opening.len());
        self.opening.insert(first, Opening::Packages(packages.to_vec()));
    }
}

/// A command of the builder with its words; `None` if it installs packages or makes the working folder. An error,
/// `other` most of the time, if it is called in an unusual way or a word of it is not `is_plain`.
pub(super) fn build_call<'c>(
    subject: &Subject<'c>,
    step: &'c Step<'c>,
    simple: &'c Simple<'c>,
    is_plain: fn(&str) -> bool,
    other: &dyn Fn() -> Refusal<'c>,
) -> Result<Option<(Call<'c, 'c>, Vec<&'c str>)>, Refusal<'c>> {
    if !simple.redirections.is_empty() {
        return Err(other());
    }
    if apt_packages(step, simple).is_some() || makes_working_folder(subject, step, simple) {
        return Ok(None);
    }
    let call = call(simple).filter(|call| !call.sudo && !call.by_path).ok_or_else(other)?;
    let words = words(step, &call);
    match words.iter().find(|word| !is_plain(word)) {
        Some(word) => Err(Refusal::at(step, format!("line {{line}} computes {word}"))),
        None => Ok(Some((call, words))),
    }
}

/// Where a step belongs that is no RUN. `is_behind` says whether it stands behind the first install.
pub(super) fn place<'c>(
    subject: &Subject<'c>,
    step: &'c Step<'c>,
    is_behind: bool,
    cut: usize,
) -> Result<Place, Refusal<'c>> {
    match (&step.action, step.instruction.keyword()) {
        (Action::Copy(copy), _) => {
            if copy.from.is_some() {
                return Err(Refusal::at(step, "line {line} copies from another image"));
            }
            let covered = subject.steps[cut..].iter().any(|later| covers(later, copy));
            Ok(if covered { Place::Builder } else { Place::Both })
        }
        (Action::Workdir(_), _) => Ok(Place::Both),
        (_, Keyword::Env | Keyword::Arg | Keyword::Shell) => Ok(Place::Both),
        (_, Keyword::User) if is_behind => Ok(Place::Both),
        (_, Keyword::User | Keyword::Volume | Keyword::Onbuild) => Err(Refusal::at(
            step,
            format!("the {} of line {{line}} stands before the install", step.instruction.keyword().name()),
        )),
        _ => Ok(Place::Last),
    }
}

/// `mkdir /app` where a WORKDIR makes the same folder, which the last stage has, too.
pub(super) fn makes_working_folder(subject: &Subject<'_>, step: &Step<'_>, simple: &Simple<'_>) -> bool {
    let Some(call) = call(simple).filter(|call| call.program == "mkdir" && !call.sudo) else { return false };
    let is_made = |path: &str| {
        let path = step.state.expand(path.trim_matches('"'));
        let Some(path) = path.text().filter(|path| path.starts_with('/')).map(clean) else { return false };
        subject.steps.iter().any(|step| match &step.action {
            Action::Workdir(folder) => {
                step.state.is_root() && folder.text().is_some_and(|folder| within(folder, &path))
            }
            _ => false,
        })
    };
    let words = words(step, &call);
    simple.redirections.is_empty()
        && words
            .iter()
            .all(|word| matches!(*word, "-p" | "--parents") || !word.starts_with('-') && is_made(word))
}

/// The commands of a RUN that does nothing but to make users and groups, which both stages then have.
pub(super) fn accounts(step: &Step<'_>) -> Option<Vec<String>> {
    let all = commands(step).filter(|all| !all.is_empty())?;
    let joined = |simple: &&Simple<'_>| {
        let words = bare_words(simple)?;
        let makes = matches!(words.first(), Some(&("useradd" | "groupadd" | "adduser" | "addgroup")));
        // Passwords that are computed, and folders of others, are not looked into.
        let is_usual =
            !words.iter().any(|word| word.starts_with("--password") || *word == "-k" || *word == "--skel");
        (makes && is_usual).then(|| words.join(" "))
    };
    all.iter().map(joined).collect()
}

/// Whether a later COPY brings all files of a COPY to the same place again.
pub(super) fn covers(later: &Step<'_>, copy: &Copy) -> bool {
    let Action::Copy(later) = &later.action else { return false };
    let whole =
        later.sources.len() == 1 && later.sources[0].text().is_some_and(|it| matches!(it, "." | "./"));
    let same =
        later.from.is_none() && !later.heredoc && !copy.heredoc && later.flags == copy.flags && !copy.add;
    let (Some(from), Some(to)) = (later.destination.text(), copy.destination.text()) else { return false };
    let is_folder = copy.sources.len() > 1
        || copy.written.text().is_some_and(|it| it.ends_with('/') || matches!(it, "." | "./"))
        || to == from;
    let lands = |source: &str| {
        let name = source.trim_start_matches("./").trim_start_matches('/');
        let base = base_name(name);
        let to = to.trim_end_matches('/');
        let here = if is_folder { format!("{to}/{base}") } else { to.to_owned() };
        here == format!("{}/{name}", from.trim_end_matches('/'))
    };
    whole && same && copy.sources.iter().all(|source| source.text().is_some_and(lands))
}
