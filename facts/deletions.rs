//! Commands that do nothing but delete caches.

use dockeropt_syntax::shell::Simple;

use crate::command::{Call, Managed, call};
use crate::effects::within;
use crate::tables::{Kept, Manager, Verb, all_kept, kept};
use crate::trace::{Atom, Code};
use crate::usage::{alternatives, home, pattern};

/// A folder of which an atom deletes what is in it.
pub(crate) type Deletion = (Manager, Kept, &'static str);

/// The caches that an atom deletes, if it does nothing else and can't fail.
pub(crate) fn deletions(atom: &Atom<'_>) -> Option<Vec<Deletion>> {
    let Code::Pipeline(pipeline) = &atom.code else { return None };
    let simple = pipeline.simple()?;
    let quiet = simple.redirections.iter().all(|redirection| match redirection.operator {
        ">&" => matches!(redirection.target.literal(), Some("1" | "2")),
        _ => redirection.target.literal() == Some("/dev/null"),
    });
    let call = call(simple).filter(|_| quiet && simple.assignments.is_empty())?;
    let found = match &call.managed {
        Some(managed) => cleaned(simple, managed)?,
        None => removed(&call, atom.text)?,
    };
    let runs_as_is = call.at == 0 || (call.sudo && call.at == 1);
    let of_home = found.iter().all(|(.., folder)| folder.starts_with('~'));
    // Who can fill a manager's cache can have the manager clean it; `rm` needs the right to.
    let may = of_home || call.managed.is_some() || call.sudo || atom.state.is_root();
    (runs_as_is && !found.is_empty() && may).then_some(found)
}

/// What `apt-get clean` and the like delete.
fn cleaned(simple: &Simple<'_>, managed: &Managed) -> Option<Vec<Deletion>> {
    let literal = |at: usize| simple.words[at].literal();
    let first = managed.operands.first().and_then(|&at| literal(at));
    let verb = managed.verb_at.and_then(literal);
    let has = |names: &[&str]| managed.has_option(simple, names);
    // With an option or a word that is not known it may fail.
    const OPTIONS: [&str; 13] = [
        "-y",
        "--yes",
        "--assumeyes",
        "--force",
        "-f",
        "-a",
        "--all",
        "-q",
        "-qq",
        "--quiet",
        "--noconfirm",
        "-n",
        "--non-interactive",
    ];
    let known = managed.options.iter().all(|&(at, value)| {
        value.is_none()
            && literal(at).is_some_and(|word| {
                OPTIONS.contains(&word)
                    || (managed.manager == Manager::Conda
                        && word
                            .strip_prefix('-')
                            .is_some_and(|letters| letters.chars().all(|letter| "ltipsay".contains(letter))))
            })
    });
    let words = match managed.manager {
        Manager::Npm | Manager::Yarn | Manager::Yum | Manager::Dnf | Manager::Microdnf => 1,
        _ => 0,
    };
    let deletes = known
        && managed.operands.len() == words
        && managed.verb == Verb::Clean
        && match managed.manager {
            // Without --force it fails.
            Manager::Npm => matches!(first, Some("clean" | "clear" | "rm")) && has(&["--force", "-f"]),
            Manager::Yarn => first == Some("clean"),
            // These fail where there is no cache, or remove what is installed, too.
            Manager::Pip | Manager::Apk | Manager::Gem => false,
            Manager::Conda => {
                let asks_nothing = managed.options.iter().any(|&(at, _)| {
                    literal(at).is_some_and(|word| {
                        word == "--yes" || (!word.starts_with("--") && word.contains('y'))
                    })
                });
                // Soft-linked packages live in the cache that -f deletes.
                let forces = managed.options.iter().any(|&(at, _)| {
                    literal(at).is_none_or(|word| {
                        word.starts_with("--force") || (!word.starts_with("--") && word.contains('f'))
                    })
                });
                asks_nothing && !forces
            }
            Manager::Yum | Manager::Dnf | Manager::Microdnf => {
                matches!(first, Some("all" | "packages" | "metadata"))
            }
            _ => true,
        };
    let all = managed.manager != Manager::Apt || matches!(verb, Some("dist-clean" | "distclean"));
    let folders = kept(managed.manager).filter(|(kind, _)| all || *kind == Kept::Cache);
    deletes.then(|| folders.map(|(kind, path)| (managed.manager, kind, path)).collect())
}

/// What `rm -rf` deletes. Without `-r` it fails at a folder, without `-f` where there is nothing.
fn removed(call: &Call<'_, '_>, text: &str) -> Option<Vec<Deletion>> {
    if call.program != "rm" || call.by_path {
        return None;
    }
    let (options, paths): (Vec<_>, Vec<_>) = call.simple.words[call.at + 1..]
        .iter()
        .partition(|word| word.literal().is_some_and(|word| word.starts_with('-')));
    let options: Vec<&str> = options.iter().filter_map(|word| word.literal()).collect();
    let has = |letters: [char; 2], long: &str| {
        options
            .iter()
            .any(|option| *option == long || (!option.starts_with("--") && option.contains(letters)))
    };
    let known = |option: &&str| {
        matches!(*option, "--recursive" | "--force" | "--verbose")
            || option.strip_prefix('-').is_some_and(|letters| letters.chars().all(|it| "rRfv".contains(it)))
    };
    if !options.iter().all(known) || !has(['r', 'R'], "--recursive") || !has(['f', 'f'], "--force") {
        return None;
    }
    let mut found = Vec::new();
    for word in paths {
        for path in alternatives(&pattern(word, text)?) {
            let bare = home(path.trim_end_matches('*').trim_end_matches('/'));
            let folders: Vec<_> = all_kept()
                .iter()
                // Soft-linked packages of conda live in its cache.
                .filter(|(manager, _, folder)| within(&bare, folder) && *manager != Manager::Conda)
                .copied()
                .collect();
            if folders.is_empty() || bare.contains("..") {
                return None;
            }
            found.extend(folders);
        }
    }
    Some(found)
}

/// Whether a command is an `rm -rf`, which does not care whether there is anything to remove.
pub(crate) fn forces_removal(simple: &Simple<'_>) -> bool {
    let Some(call) = call(simple).filter(|call| call.program == "rm") else { return false };
    let options = call.arguments().flatten().filter(|word| word.starts_with('-') && !word.starts_with("--"));
    let letters: String = options.collect();
    letters.contains('f') && letters.contains(['r', 'R'])
}
