//! When it pays to join RUNs.

use dockeropt_facts::Step;
use dockeropt_facts::apk_index::apk;
use dockeropt_facts::command::{Managed, call};
use dockeropt_facts::shell_state::visit;
use dockeropt_facts::tables::{Manager, Verb};
use dockeropt_facts::usage::{Use, pattern, usages};
use dockeropt_syntax::shell::{List, Simple};

use super::script;
use crate::Context;
use crate::later_use::deleted_managers;

/// Why it is worth to join a step to those before it, the first of which is at `at`.
pub(super) fn pays(
    context: &Context<'_>,
    (at, left): (usize, &[Step<'_>]),
    next: &Step<'_>,
    in_image: bool,
) -> Option<&'static str> {
    let next_script = script(next)?;
    let called = context.memo.called(at + left.len());
    for manager in [Manager::Apt, Manager::Apk, Manager::Zypper, Manager::Pacman] {
        let before = (at..at + left.len()).any(|at| context.memo.called(at).has(manager));
        // An `apk add --no-cache` fetches the index itself; only the update is not left alone.
        let served = manager == Manager::Apk
            && left.iter().filter_map(script).any(|(list, _)| installs(list, manager));
        if before
            && !served
            && called.has(manager)
            && has_index(left, manager)
            && needs_index(next_script, manager)
        {
            return Some("an install that is cached apart from its update goes stale");
        }
    }
    if !in_image {
        return None;
    }
    let made = |step: &Step<'_>| deletes_what_was_made(step, next);
    left.iter().any(made).then_some("what a later RUN deletes stays in the layer that made it")
}

/// Whether the steps leave an index of the manager that they fetched.
fn has_index(steps: &[Step<'_>], manager: Manager) -> bool {
    let mut has_index = false;
    for (list, text) in steps.iter().filter_map(script) {
        for usage in usages(list, text, manager) {
            match usage.kind {
                Use::Update => has_index = true,
                Use::Delete => has_index = false,
                Use::Need | Use::Touch | Use::Unknown(_) => {}
            }
        }
    }
    has_index
}

/// Whether a script installs from an index that it does not fetch itself, like
/// `curl https://packages.example.net/setup_20.x | bash - && apt-get install nodejs`.
fn needs_index((list, text): (&List<'_>, &str), manager: Manager) -> bool {
    let first = usages(list, text, manager).into_iter().find(|usage| usage.kind != Use::Touch);
    first.is_some_and(|usage| usage.kind == Use::Need)
}

/// Whether `next` deletes something that `step` made.
fn deletes_what_was_made(step: &Step<'_>, next: &Step<'_>) -> bool {
    let (Some((list, text)), Some((next_list, next_text))) = (script(step), script(next)) else {
        return false;
    };
    let installs = |manager: Manager| installs(next_list, manager);
    next_list.entries.iter().filter_map(|entry| entry.pipeline.simple()).any(|simple| {
        let Some(call) = call(simple) else { return false };
        if let Some(managed) = &call.managed {
            // A RUN that installs more would rather be cleaned up after on its own.
            return !installs(managed.manager) && cleans_after(managed, simple, list);
        }
        call.program == "rm"
            && (deleted_managers(&call, next_text)
                .into_iter()
                .any(|manager| !installs(manager) && leaves_cache(list, text, manager))
                || simple.words[call.at + 1..]
                    .iter()
                    .any(|word| pattern(word, next_text).is_some_and(|path| names(list, text, &path))))
    })
}

fn installs(list: &List<'_>, manager: Manager) -> bool {
    let mut installs = false;
    visit(list, &mut |simple| {
        installs |= call(simple).and_then(|call| call.managed).is_some_and(|managed| {
            managed.manager == manager && matches!(managed.verb, Verb::Install | Verb::Upgrade)
        });
    });
    installs
}

/// Whether a script leaves what a manager keeps behind.
fn leaves_cache(list: &List<'_>, text: &str, manager: Manager) -> bool {
    // An `apk add -U` would rather not keep its index: `clean-package-cache` sees to that.
    let mut own_index = Vec::new();
    visit(list, &mut |simple| {
        own_index.extend(apk(simple).filter(|it| it.verb != Verb::Update).map(|_| simple.span));
    });
    let last = usages(list, text, manager).into_iter().rev().find(|usage| match manager {
        Manager::Apt => matches!(usage.kind, Use::Update | Use::Delete),
        Manager::Apk if usage.kind == Use::Update => !own_index.contains(&usage.span),
        _ => matches!(usage.kind, Use::Update | Use::Need | Use::Delete),
    });
    last.is_some_and(|usage| usage.kind != Use::Delete)
}

/// Whether a call cleans up what the manager did in an earlier script, or removes what it installed.
fn cleans_after(managed: &Managed, simple: &Simple<'_>, earlier: &List<'_>) -> bool {
    let words = |simple: &Simple<'_>, managed: &Managed| -> Vec<String> {
        managed.operands.iter().filter_map(|&at| simple.words[at].literal()).map(str::to_owned).collect()
    };
    let mut cleans = false;
    visit(earlier, &mut |other| {
        let Some(before) = call(other).and_then(|call| call.managed) else { return };
        if before.manager != managed.manager {
            return;
        }
        match (managed.verb, before.verb) {
            // apt's archives are deleted by the image's own hook, mostly.
            (Verb::Clean, Verb::Install | Verb::Upgrade) => cleans = managed.manager != Manager::Apt,
            (Verb::Clean, Verb::Clean) => cleans = false,
            (Verb::Remove, Verb::Install | Verb::Upgrade) => {
                cleans |=
                    words(simple, managed).iter().any(|package| words(other, &before).contains(package));
            }
            _ => {}
        }
    });
    cleans
}

/// Programs that make the files that they are given the names of.
const MAKERS: [&str; 12] =
    ["wget", "curl", "tar", "unzip", "git", "cp", "mv", "touch", "mkdir", "svn", "hg", "bsdtar"];

/// Whether a script that makes files names the path that is deleted.
fn names(list: &List<'_>, text: &str, path: &str) -> bool {
    let bare = path.trim_end_matches('*').trim_end_matches('/');
    if bare.len() < 3
        || path.starts_with('-')
        || matches!(bare, "/tmp" | "/var/tmp" | "/root" | "/usr" | "/opt")
    {
        return false;
    }
    let mut found = false;
    visit(list, &mut |simple| {
        let makes = call(simple).is_some_and(|call| MAKERS.contains(&call.program));
        let words = simple.words.iter().skip(1).filter_map(|word| pattern(word, text));
        found |= makes
            && words.into_iter().any(|word| {
                let word = word.trim_end_matches('/');
                word == bare || word.rsplit('/').next() == Some(bare)
            });
        found |= simple.redirections.iter().any(|it| it.target.literal() == Some(bare));
    });
    found
}
