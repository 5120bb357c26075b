//! `.dockerignore`: what of a build context the builder doesn't see.
//!
//! The rules are Docker's (moby/patternmatcher), not git's: a pattern is held against the whole path, the
//! last one that matches wins, and `!` brings back what lies in an excluded folder.

/// The patterns of an ignore file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ignore {
    patterns: Vec<Pattern>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Pattern {
    /// Whether it brings back what others exclude.
    negated: bool,
    tokens: Vec<Token>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Literal(char),
    /// `?`
    Any,
    /// `*`
    Star,
    /// `**` or `**/` before something else: any number of folders.
    Folders,
    /// `**` at the end.
    Rest,
    /// `[a-z]`, `[^a-z]`
    Class {
        negated: bool,
        ranges: Vec<(char, char)>,
    },
}

impl Ignore {
    /// Reads the text of an ignore file.
    pub fn parse(text: &str) -> Self {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let patterns = text.lines().filter(|line| !line.starts_with('#')).filter_map(|line| {
            let line = line.trim();
            let (negated, pattern) = match line.strip_prefix('!') {
                Some(rest) => (true, rest.trim()),
                None => (false, line),
            };
            let pattern = clean(pattern);
            (!pattern.is_empty()).then(|| Pattern { negated, tokens: tokens(&pattern) })
        });
        Self { patterns: patterns.collect() }
    }

    /// Whether a pattern with `!` brings a file or folder back that others exclude, or would if they did.
    pub fn brings_back(&self, path: &str) -> bool {
        self.patterns.iter().any(|pattern| pattern.negated && matches(&pattern.tokens, path))
    }

    /// Whether a file or folder is excluded, by its path in the context.
    pub fn excludes(&self, path: &str) -> bool {
        let mut excluded = false;
        for pattern in &self.patterns {
            if pattern.negated != excluded {
                continue;
            }
            if matches(&pattern.tokens, path) {
                excluded = !pattern.negated;
            }
        }
        excluded
    }
}

/// A pattern without `.`, `..`, double slashes, and slashes at its ends.
fn clean(pattern: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in pattern.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => drop(parts.pop()),
            // There is nothing above the root.
            ".." if pattern.starts_with('/') => {}
            part => parts.push(part),
        }
    }
    if parts.is_empty() && !pattern.is_empty() { ".".to_owned() } else { parts.join("/") }
}

fn tokens(pattern: &str) -> Vec<Token> {
    let characters: Vec<char> = pattern.chars().collect();
    let mut tokens = Vec::new();
    let mut at = 0;
    while at < characters.len() {
        let character = characters[at];
        at += 1;
        match character {
            '*' if characters.get(at) == Some(&'*') => {
                at += 1;
                if characters.get(at) == Some(&'/') {
                    at += 1;
                }
                tokens.push(if at == characters.len() { Token::Rest } else { Token::Folders });
            }
            '*' => tokens.push(Token::Star),
            '?' => tokens.push(Token::Any),
            '\\' if at < characters.len() => {
                tokens.push(Token::Literal(characters[at]));
                at += 1;
            }
            '[' => match class(&characters[at..]) {
                Some((class, length)) => {
                    tokens.push(class);
                    at += length;
                }
                None => tokens.push(Token::Literal('[')),
            },
            other => tokens.push(Token::Literal(other)),
        }
    }
    tokens
}

/// A class of characters behind its `[`, and how long it is with its `]`.
fn class(characters: &[char]) -> Option<(Token, usize)> {
    let negated = characters.first() == Some(&'^');
    let start = usize::from(negated);
    let end = start + characters.get(start..)?.iter().skip(1).position(|&it| it == ']')? + 1;
    let mut ranges = Vec::new();
    let mut at = start;
    while at < end {
        let (low, next) = match characters[at] {
            '\\' if at + 1 < end => (characters[at + 1], at + 2),
            low => (low, at + 1),
        };
        if characters.get(next) == Some(&'-') && next + 1 < end {
            ranges.push((low, characters[next + 1]));
            at = next + 2;
        } else {
            ranges.push((low, low));
            at = next;
        }
    }
    Some((Token::Class { negated, ranges }, end + 1))
}

/// Whether a path matches as a whole, or a folder that it lies in. All states that the path so far can lead to are followed at once, so
/// the time is at most that of the pattern's length times the path's.
fn matches(tokens: &[Token], path: &str) -> bool {
    let mut states = vec![false; tokens.len() + 1];
    enter(tokens, &mut states, 0);
    for character in path.chars() {
        if character == '/' && states[tokens.len()] {
            return true;
        }
        let mut next = vec![false; tokens.len() + 1];
        for (at, token) in tokens.iter().enumerate().filter(|(at, _)| states[*at]) {
            match token {
                Token::Literal(literal) if *literal == character => enter(tokens, &mut next, at + 1),
                Token::Any if character != '/' => enter(tokens, &mut next, at + 1),
                Token::Star if character != '/' => enter(tokens, &mut next, at),
                Token::Rest => enter(tokens, &mut next, at),
                Token::Folders => {
                    // Folders that have begun end at a slash.
                    next[at] = true;
                    if character == '/' {
                        enter(tokens, &mut next, at + 1);
                    }
                }
                Token::Class { negated, ranges } => {
                    let within = ranges.iter().any(|(low, high)| (*low..=*high).contains(&character));
                    if within != *negated {
                        enter(tokens, &mut next, at + 1);
                    }
                }
                Token::Literal(_) | Token::Any | Token::Star => {}
            }
        }
        states = next;
    }
    states[tokens.len()]
}

/// Reaches a token, and those behind it if it may stand for nothing.
fn enter(tokens: &[Token], states: &mut [bool], at: usize) {
    for (at, token) in tokens.iter().enumerate().skip(at) {
        states[at] = true;
        if !matches!(token, Token::Star | Token::Rest | Token::Folders) {
            return;
        }
    }
    states[tokens.len()] = true;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn excluded(text: &str, excluded: &[&str], sent: &[&str]) {
        let ignore = Ignore::parse(text);
        excluded.iter().for_each(|path| assert!(ignore.excludes(path), "{path} is sent"));
        sent.iter().for_each(|path| assert!(!ignore.excludes(path), "{path} is excluded"));
    }

    #[test]
    fn patterns_are_about_the_whole_path() {
        excluded(
            "node_modules\n*.log\n",
            &["node_modules", "node_modules/a/b", "x.log"],
            &["a/node_modules", "a/x.log"],
        );
        excluded(
            "**/node_modules\n**/*.log\n",
            &["node_modules", "a/b/node_modules/c", "x.log", "a/x.log"],
            &["a.logs"],
        );
        excluded("/tmp/\n", &["tmp", "tmp/x"], &["a/tmp"]);
        excluded("a/**\n", &["a/b", "a/b/c"], &["ab"]);
        excluded("**/b/**/c", &["b/c", "a/b/x/y/c"], &["bc", "b/xc"]);
        excluded("foo/*/bar", &["foo/x/bar", "foo/x/bar/y"], &["foo/bar", "foo/x/y/bar"]);
    }

    #[test]
    fn the_last_match_wins_also_below_an_excluded_folder() {
        excluded("*\n!src\n!package.json\n", &["README.md", "tests/x"], &["src", "src/a/b", "package.json"]);
        excluded("docs\n!docs/keep.md\ndocs/*.md", &["docs/keep.md", "docs/a"], &[]);
        excluded("docs\n!docs/keep.md\n", &["docs/a"], &["docs/keep.md"]);
    }

    #[test]
    fn lines() {
        excluded("\u{feff}# a comment\n\n  tmp  \n #x\n./build/\n", &["tmp", "build/x", "#x"], &["a"]);
        excluded("a\\*b\n[ab]?.txt\n[^x]y\n", &["a*b", "a1.txt", "zy"], &["aab", "c1.txt", "xy"]);
        excluded("../x/../y\na//b/.\n", &["a/b", "../y"], &["x", "y"]);
        excluded("", &[], &["a"]);
        excluded(".", &["."], &["a"]);
    }

    #[test]
    fn hostile_patterns_take_little_time() {
        let ignore = Ignore::parse(&format!("{}b", "**/*a".repeat(500)));
        assert!(!ignore.excludes(&"a/".repeat(2000)));
    }
}
