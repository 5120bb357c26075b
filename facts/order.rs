//! Which of the events of a stage may change places.

use dockeropt_syntax::LogicalSpan;
use dockeropt_syntax::shell::{Entry, JoinerKind, List};

use crate::effects::{
    Effects, Reach, may_name_relative_file, names_files_relatively, of_script, within, written_by_copy,
};
use crate::facts::{Copy, Facts, Step};
use crate::naming::names_path;
use crate::shell_state::has_only_simple_commands;
use crate::trace::{Atom, Code, Event, events_of_step};

/// Whether the commands of a step neither notice nor change what a COPY above it brings, as far as they
/// show it themselves: a step before may name the destination, too.
pub fn may_run_before(facts: &Facts<'_>, step: &Step<'_>, copy: &Copy) -> bool {
    let Some(destination) = copy.destination.text() else { return false };
    let effects = effects_of_copy(copy);
    events_of_step(facts, step).iter().all(|event| match event {
        Event::Atom(atom) => !may_look_at(atom, destination) && effects_of_atom(atom).independent(&effects),
        _ => true,
    })
}

/// Whether a variable of an atom names a path, or it may name it relatively.
pub(crate) fn may_look_at(atom: &Atom<'_>, path: &str) -> bool {
    atom.env.iter().any(|(_, value)| names_path(value, path)) || may_read_relatively(atom, path)
}

/// Whether an atom may read a file at a path by a name that is relative to its folder.
fn may_read_relatively(atom: &Atom<'_>, path: &str) -> bool {
    let folder = atom.folder.as_ref().and_then(|folder| folder.text());
    let meets = folder.is_none_or(|folder| within(folder, path) || within(path, folder));
    let by_variable = || atom.env.iter().any(|(name, value)| may_name_relative_file(name, value.raw()));
    let by_words = || {
        let entries = match &atom.code {
            Code::Pipeline(pipeline) => vec![Entry { pipeline: (*pipeline).clone(), joiner: None }],
            Code::Script(entries) => entries.to_vec(),
            // These may do anything.
            Code::Exec(_) | Code::Raw(..) => return true,
        };
        let span = entries.first().map_or(LogicalSpan::empty(0), |entry| entry.pipeline.span);
        names_files_relatively(&List { entries, span, comment: None })
    };
    meets && (by_variable() || by_words())
}

/// What a COPY reads and writes in the image.
pub(crate) fn effects_of_copy(copy: &Copy) -> Effects {
    let mut effects = Effects { writes: written_by_copy(copy), ..Effects::default() };
    // Names of users are looked up in the image.
    let by_name = |flag: &str| {
        flag.strip_prefix("--chown=")
            .is_some_and(|owner| owner.contains(|c: char| c != ':' && !c.is_ascii_digit()))
    };
    if copy.flags.iter().any(|flag| flag.text().is_none_or(by_name)) {
        effects.reads = Reach::path("/etc");
    }
    effects
}

/// What an atom may read and write.
pub(crate) fn effects_of_atom(atom: &Atom<'_>) -> Effects {
    let (Some(folder), true, true) = (&atom.folder, atom.flags.is_empty(), atom.state.shell.is_posix())
    else {
        return Effects::unknown();
    };
    // Its folders, and those above them, get another mode.
    if atom.under_umask {
        return Effects::unknown();
    }
    let entries: Vec<Entry<'_>> = match &atom.code {
        Code::Pipeline(pipeline) => vec![Entry { pipeline: (*pipeline).clone(), joiner: None }],
        Code::Script(entries) => entries.to_vec(),
        Code::Exec(_) | Code::Raw(..) => return Effects::unknown(),
    };
    let in_background =
        |entry: &Entry<'_>| entry.joiner.is_some_and(|joiner| joiner.kind == JoinerKind::Background);
    let modelled = |entry: &Entry<'_>| has_only_simple_commands(&entry.pipeline) && !in_background(entry);
    let [first, ..] = &entries[..] else { return Effects::default() };
    let span = first.pipeline.span;
    if !entries.iter().all(modelled) {
        return Effects::unknown();
    }
    of_script(&List { entries, span, comment: None }, atom.text, folder)
}
