//! Who needs a package manager's index later than the build: triggers, and what a container starts.

use dockeropt_syntax::shell::{self, List};
use dockeropt_syntax::{Keyword, LogicalSpan};

use crate::facts::Step;
use crate::tables::Manager;
use crate::usage::{Usage, Use, usages, usages_of_words};

/// What an ONBUILD RUN does with the index; `None` if that can't be told.
pub fn usages_of_trigger(step: &Step<'_>, manager: Manager) -> Option<Vec<Usage>> {
    let Some(trigger) = &step.instruction.operation.trigger else { return Some(Vec::new()) };
    if trigger.keyword != Keyword::Run {
        return Some(Vec::new());
    }
    if !step.instruction.heredocs.is_empty() || trigger.json.is_some() {
        return None;
    }
    let text = &step.instruction.logical.text;
    let list = shell::parse(text, trigger.arguments).ok()?;
    Some(usages(&list, text, manager))
}

/// Whether a CMD, ENTRYPOINT or HEALTHCHECK shows that it installs from an index that is there.
pub fn installs_when_started(step: &Step<'_>, manager: Manager) -> bool {
    let instruction = step.instruction;
    if !matches!(instruction.keyword(), Keyword::Cmd | Keyword::Entrypoint | Keyword::Healthcheck) {
        return false;
    }
    let text = &instruction.logical.text;
    if !text.contains(manager.name()) {
        return false;
    }
    let operation = &instruction.operation;
    let list: Option<List<'_>>;
    let found = match &operation.json {
        Some(words) => {
            let words: Vec<&str> = words.iter().map(|word| word.value.as_str()).collect();
            Some(usages_of_words(&words, manager, LogicalSpan::empty(0)))
        }
        None => {
            let command = match instruction.keyword() {
                Keyword::Healthcheck => after_cmd(text, operation.arguments),
                _ => operation.arguments,
            };
            list = shell::parse(text, command).ok();
            list.as_ref().map(|list| usages(list, text, manager))
        }
    };
    let Some(found) = found else { return true };
    let decides = |usage: &&Usage| match usage.kind {
        Use::Need => true,
        Use::Update | Use::Delete => !usage.conditional,
        Use::Touch | Use::Unknown(_) => false,
    };
    found.iter().find(decides).is_some_and(|usage| usage.kind == Use::Need)
}

/// What stands behind the `CMD` of a HEALTHCHECK.
fn after_cmd(text: &str, arguments: LogicalSpan) -> LogicalSpan {
    let found = text[arguments.range()].to_ascii_uppercase().find("CMD");
    let start = found.map_or(arguments.start, |at| arguments.start + at + "CMD".len());
    LogicalSpan::new(start, arguments.end)
}
