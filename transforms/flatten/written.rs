//! Writing a configuration as instructions.

use dockeropt_facts::image_configuration::ImageConfiguration;

/// The instructions that give an image this configuration, if it starts from nothing; `None` if a value
/// can't be written on one line so that the builder reads it back.
pub(super) fn instructions(configuration: &ImageConfiguration) -> Option<Vec<String>> {
    let mut lines = Vec::new();
    if !configuration.shell.is_empty() {
        lines.push(format!("SHELL {}", array(&configuration.shell)?));
    }
    for (name, value) in &configuration.env {
        lines.push(format!("ENV {}={}", key(name)?, quoted(value)?));
    }
    for (name, value) in &configuration.labels {
        lines.push(format!("LABEL {}={}", key(name)?, quoted(value)?));
    }
    for port in &configuration.ports {
        lines.push(format!("EXPOSE {}", plain(port)?));
    }
    if !configuration.volumes.is_empty() {
        let volumes: Vec<String> = configuration.volumes.iter().cloned().collect();
        let is_literal = volumes.iter().all(|volume| !volume.contains('$'));
        lines.push(format!("VOLUME {}", array(&volumes).filter(|_| is_literal)?));
    }
    let single = [
        ("MAINTAINER", &configuration.maintainer, true),
        ("WORKDIR", &configuration.workdir, false),
        ("USER", &configuration.user, false),
        ("STOPSIGNAL", &configuration.stopsignal, false),
    ];
    for (keyword, value, may_have_spaces) in single.into_iter().filter(|(_, value, _)| !value.is_empty()) {
        let value = if may_have_spaces { on_one_line(value)? } else { plain(value)? };
        lines.push(format!("{keyword} {value}"));
    }
    if !configuration.healthcheck.is_empty() {
        lines.push(format!("HEALTHCHECK {}", on_one_line(&configuration.healthcheck)?));
    }
    for trigger in &configuration.triggers {
        lines.push(format!("ONBUILD {}", on_one_line(trigger)?));
    }
    for (keyword, words) in [("ENTRYPOINT", &configuration.entrypoint), ("CMD", &configuration.cmd)] {
        if !words.is_empty() {
            lines.push(format!("{keyword} {}", array(words)?));
        }
    }
    Some(lines)
}

/// A name of a variable or label.
fn key(name: &str) -> Option<&str> {
    let part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '/');
    (!name.is_empty() && name.chars().all(part)).then_some(name)
}

/// A value that needs no quotes.
fn plain(value: &str) -> Option<&str> {
    let part = |c: char| c.is_alphanumeric() || "_-./:@%+,=~".contains(c);
    (!value.is_empty() && value.chars().all(part)).then_some(value)
}

/// A value of a pair.
fn quoted(value: &str) -> Option<String> {
    if let Some(value) = plain(value) {
        return Some(value.to_owned());
    }
    let mut text = "\"".to_owned();
    for character in on_one_line_or_empty(value)?.chars() {
        if matches!(character, '"' | '\\' | '$') {
            text.push('\\');
        }
        text.push(character);
    }
    text.push('"');
    Some(text)
}

fn on_one_line_or_empty(text: &str) -> Option<&str> {
    (!text.contains(|c: char| c.is_control())).then_some(text)
}

/// A text that stays what it is at the end of a line.
fn on_one_line(text: &str) -> Option<&str> {
    let is_kept = text.trim() == text && !text.ends_with('\\') && !text.contains("<<");
    on_one_line_or_empty(text).filter(|_| is_kept)
}

/// Words as a JSON array.
fn array(words: &[String]) -> Option<String> {
    let string = |word: &String| {
        let mut text = "\"".to_owned();
        for character in on_one_line_or_empty(word)?.chars() {
            if matches!(character, '"' | '\\') {
                text.push('\\');
            }
            text.push(character);
        }
        text.push('"');
        Some(text)
    };
    let strings: Vec<String> = words.iter().map(string).collect::<Option<_>>()?;
    Some(format!("[{}]", strings.join(", ")))
}
