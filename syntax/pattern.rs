//! The patterns of `${x#pattern}`, `${x%pattern}` and `${x/pattern/replacement}`.
//!
//! BuildKit turns them into regular expressions, so `*` and `?` don't match a line feed.

use crate::lexer::{Invalid, Value};

/// More steps of matching than this are not taken; the value is unknown then.
const MOST_STEPS: usize = 10_000_000;

/// The end of a value that a pattern is held against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Anchor {
    Start,
    End,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token {
    Star,
    Any,
    Literal(char),
}

/// Takes the shortest or longest match off one end of `value`.
pub(crate) fn trim(value: &str, pattern: &str, anchor: Anchor, longest: bool) -> Result<Value, Invalid> {
    let mut tokens = tokens(pattern)?;
    let mut characters: Vec<char> = value.chars().collect();
    if tokens.len().saturating_mul(characters.len()) > MOST_STEPS {
        return Ok(None);
    }
    if anchor == Anchor::End {
        tokens.reverse();
        characters.reverse();
    }
    let matched = match_at_start(&tokens, &characters, longest).unwrap_or(0);
    let mut rest = characters.split_off(matched);
    if anchor == Anchor::End {
        rest.reverse();
    }
    Ok(Some(rest.into_iter().collect()))
}

/// Replaces the first match, or all, each as long as can be.
pub(crate) fn replace(value: &str, pattern: &str, replacement: &str, all: bool) -> Result<Value, Invalid> {
    let tokens = tokens(pattern)?;
    let characters: Vec<char> = value.chars().collect();
    let steps = tokens.len().saturating_mul(characters.len()).saturating_mul(characters.len());
    if steps > MOST_STEPS {
        return Ok(None);
    }
    let mut result = String::new();
    let mut at = 0;
    let mut last_end = None;
    while at <= characters.len() {
        let matched = match_at_start(&tokens, &characters[at..], true);
        // An empty match right after another match doesn't count.
        if let Some(length) = matched.filter(|&length| length > 0 || last_end != Some(at)) {
            result.push_str(replacement);
            at += length;
            last_end = Some(at);
            if !all {
                break;
            }
            if length > 0 {
                continue;
            }
        }
        result.extend(characters.get(at));
        at += 1;
    }
    result.extend(characters.iter().skip(at));
    Ok(Some(result))
}

fn tokens(pattern: &str) -> Result<Vec<Token>, Invalid> {
    let mut tokens = Vec::new();
    let mut characters = pattern.chars().peekable();
    while let Some(character) = characters.next() {
        tokens.push(match character {
            '*' => Token::Star,
            '?' => Token::Any,
            // A brace or slash is escaped for the sake of the `${}` around the pattern.
            '\\' if matches!(characters.peek(), Some('}' | '/')) => continue,
            '\\' => match characters.next() {
                Some(literal @ ('*' | '?' | '\\')) => Token::Literal(literal),
                other => {
                    let other = other.map(String::from).unwrap_or_default();
                    return Err(Invalid(format!(
                        "invalid pattern ({pattern}) in substitution: invalid escape '\\{other}'"
                    )));
                }
            },
            literal => Token::Literal(literal),
        });
    }
    Ok(tokens)
}

/// How many characters from the start the pattern matches, at least or at most.
fn match_at_start(tokens: &[Token], characters: &[char], longest: bool) -> Option<usize> {
    // Which numbers of characters the tokens so far can match.
    let mut ends = vec![false; characters.len() + 1];
    ends[0] = true;
    for token in tokens {
        let mut next = vec![false; characters.len() + 1];
        for at in 0..=characters.len() {
            let follows = at > 0
                && match token {
                    Token::Star => characters[at - 1] != '\n' && next[at - 1],
                    Token::Any => characters[at - 1] != '\n' && ends[at - 1],
                    Token::Literal(literal) => characters[at - 1] == *literal && ends[at - 1],
                };
            next[at] = follows || (*token == Token::Star && ends[at]);
        }
        ends = next;
    }
    if longest { ends.iter().rposition(|&end| end) } else { ends.iter().position(|&end| end) }
}
