//! What a stage's image is configured to do.

use std::collections::BTreeMap;

use dockeropt_syntax::Keyword;

use crate::facts::{Facts, Step};
use crate::trace::heredocs;

/// The configuration, by name, as text that can be compared. Names that a later instruction sets
/// again have its value; ports and volumes are sets; triggers keep their order.
pub(crate) fn configuration(facts: &Facts<'_>, stage: usize) -> BTreeMap<String, String> {
    let end = &facts.stages[stage].end;
    let mut entries = BTreeMap::from([
        ("USER".to_owned(), end.user.raw().to_owned()),
        ("WORKDIR".to_owned(), end.workdir.raw().to_owned()),
        ("SHELL".to_owned(), end.shell_words.join("\u{0}")),
    ]);
    let variables = end.env.iter().map(|(name, value)| (format!("ENV {name}"), value.raw().to_owned()));
    let arguments =
        end.args.iter().map(|(name, argument)| (format!("ARG {name}"), argument.value.raw().to_owned()));
    entries.extend(variables.chain(arguments));
    for (number, step) in facts.steps_of(stage).iter().enumerate() {
        let operation = &step.instruction.operation;
        let keyword = operation.keyword;
        let words = || operation.words(&step.instruction.logical, step.state.escape);
        let expand = |text: &str| step.state.expand(text).raw().to_owned();
        match keyword {
            Keyword::Cmd | Keyword::Entrypoint | Keyword::Healthcheck => {
                entries.insert(format!("{keyword:?}"), command(step));
            }
            Keyword::Stopsignal | Keyword::Maintainer => {
                entries.insert(format!("{keyword:?}"), expand(step.instruction.arguments()));
            }
            Keyword::Expose | Keyword::Volume => {
                let names = words().into_iter().map(|word| format!("{keyword:?} {}", expand(&word.text)));
                entries.extend(names.map(|name| (name, String::new())));
            }
            Keyword::Label => {
                let pairs = operation.name_values(&step.instruction.logical, step.state.escape);
                let pairs = pairs.iter().map(|pair| (expand(&pair.name.text), expand(&pair.value.text)));
                entries.extend(pairs.map(|(name, value)| (format!("LABEL {name}"), value)));
            }
            Keyword::Onbuild => {
                let trigger = step.instruction.arguments().to_owned() + &heredocs(facts, step.instruction);
                entries.insert(format!("ONBUILD {number:09}"), trigger);
            }
            _ => {}
        }
    }
    renumber(entries)
}

/// What counts is the order of the triggers, not which steps they are.
fn renumber(entries: BTreeMap<String, String>) -> BTreeMap<String, String> {
    let rename = |(place, (name, value)): (usize, (String, String))| match name.starts_with("ONBUILD ") {
        true => (format!("ONBUILD {place:09}"), value),
        false => (name, value),
    };
    let (triggers, others): (Vec<_>, Vec<_>) =
        entries.into_iter().partition(|(name, _)| name.starts_with("ONBUILD "));
    triggers.into_iter().enumerate().chain(others.into_iter().enumerate()).map(rename).collect()
}

/// A CMD, ENTRYPOINT or HEALTHCHECK: its flags, and its words or its script with the shell that reads it.
fn command(step: &Step<'_>) -> String {
    let operation = &step.instruction.operation;
    let flags = operation.flags.iter().map(|flag| flag.text.as_str());
    let mut parts: Vec<&str> = flags.collect();
    parts.sort_unstable();
    let words = operation.words(&step.instruction.logical, step.state.escape);
    if operation.json.is_some() {
        parts.push("[exec]");
        parts.extend(words.iter().map(|word| word.text.as_str()));
        return parts.join("\u{0}");
    }
    parts.extend(step.state.shell_words.iter().map(String::as_str));
    let script = step.instruction.arguments();
    if script.contains(['\'', '"', '\\', '`', '#', '\n']) {
        parts.push(script);
    } else {
        parts.extend(script.split_whitespace());
    }
    parts.join("\u{0}")
}
