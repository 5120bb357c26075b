//! The options of a command, as far as they are known.

/// The words behind a program, sorted.
#[derive(Debug, Default)]
pub(super) struct Options<'w> {
    /// The options, each with its value if it has one, in order.
    found: Vec<(&'w str, Option<&'w str>)>,
    /// The other words.
    pub(super) operands: Vec<&'w str>,
}

/// What options a command knows.
pub(super) struct Known {
    /// Those without a value.
    pub(super) flags: &'static [&'static str],
    /// Those with a value: the next word, or behind `=`.
    pub(super) values: &'static [&'static str],
}

impl<'w> Options<'w> {
    /// Reads words; an option that is not known is an error.
    pub(super) fn read(words: &[&'w str], known: &Known) -> Result<Self, String> {
        let mut options = Self::default();
        let mut rest = words.iter().copied();
        while let Some(word) = rest.next() {
            if !word.starts_with('-') || word == "-" {
                options.operands.push(word);
                continue;
            }
            let (name, value) = match word.split_once('=') {
                Some((name, value)) => (name, Some(value)),
                None => (word, None),
            };
            if known.values.contains(&name) {
                options.found.push((name, value.or_else(|| rest.next())));
            } else if known.flags.contains(&name) {
                options.found.push((name, value));
            } else if let Some(short) = attached(word, known) {
                options.found.push(short);
            } else {
                return Err(format!("what the option {name} reads is not known"));
            }
        }
        Ok(options)
    }

    /// Whether one of some options is there, and not switched off.
    pub(super) fn has(&self, names: &[&str]) -> bool {
        self.found.iter().any(|(name, value)| names.contains(name) && *value != Some("false"))
    }

    /// The value of the last of some options.
    pub(super) fn value(&self, names: &[&str]) -> Option<&'w str> {
        self.values(names).last()
    }

    /// The values of all of some options.
    pub(super) fn values<'o>(&'o self, names: &'o [&str]) -> impl Iterator<Item = &'w str> + 'o {
        self.found.iter().filter(|(name, _)| names.contains(name)).filter_map(|(_, value)| *value)
    }
}

/// `-rrequirements.txt`: a short option with its value, or `-qq`, several flags.
fn attached<'w>(word: &'w str, known: &Known) -> Option<(&'w str, Option<&'w str>)> {
    if word.starts_with("--") || !word.is_char_boundary(2) {
        return None;
    }
    let (option, value) = word.split_at(2);
    if known.values.contains(&option) {
        return Some((option, Some(value)));
    }
    let all = word[1..].chars().all(|letter| known.flags.contains(&format!("-{letter}").as_str()));
    all.then_some((option, None))
}
