//! Keeping secrets out of reports.

use std::borrow::Cow;
use std::ops::Range;

/// What stands for a secret value.
pub(crate) const HIDDEN: &str = "***";

/// Parts of names whose values are secret, in capitals.
const SECRET: [&str; 9] =
    ["PASSWORD", "PASSWD", "PASSPHRASE", "SECRET", "TOKEN", "API_KEY", "APIKEY", "PRIVATE_KEY", "CREDENTIAL"];

/// What stands before the secret in the header `Authorization`.
const SCHEMES: [&str; 6] = ["Bearer", "Basic", "Digest", "Token", "ApiKey", "Negotiate"];

/// A text without its secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redacted<'t> {
    /// The text, line for line, with secret values replaced by `***`.
    pub text: Cow<'t, str>,
    /// The values, to be kept out of other texts too.
    values: Vec<&'t str>,
}

impl Redacted<'_> {
    /// A message about the text without its secret values.
    pub fn scrub<'m>(&self, message: &'m str) -> Cow<'m, str> {
        scrub(&self.values, message)
    }

    /// Whether there was a secret.
    pub fn is_redacted(&self) -> bool {
        !self.values.is_empty()
    }
}

/// Replaces the values of names that look secret: in `NAME=value` wherever it stands (ENV, ARG,
/// `RUN NAME=value command`, `--name=value`, `?name=value`), in `ENV NAME value`, `--name value` and
/// `"--name", "value"`, in
/// HTTP headers (`Authorization: Bearer value`), and what stands before the host in a URL. A value that
/// only refers to a variable stays.
///
/// This reads lines, not instructions, so that it also serves for texts that aren't Dockerfiles. It
/// errs on the side of hiding.
pub fn redact(text: &str) -> Redacted<'_> {
    let mut values = Vec::new();
    let mut shown = String::new();
    let mut copied = 0;
    let mut open = Open::None;
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let body = line.trim_end_matches(['\n', '\r']);
        let (body, goes_on) = match body.trim_end().strip_suffix(['\\', '`']) {
            Some(shorter) => (shorter, true),
            None => (body, false),
        };
        let mut hide = |from: usize, to: usize| {
            let to = from + body[from..to].trim_end().len();
            let value = body[from..to].trim_matches(['"', '\'', ' ', '\t']);
            if !value.is_empty() && !is_reference(value) {
                values.push(value);
                shown.push_str(&text[copied..start + from]);
                shown.push_str(HIDDEN);
                copied = start + to;
            }
        };
        open = scan(body, open, &mut hide);
        // A comment between the lines of an instruction changes nothing for it.
        if !goes_on && !body.trim_start().starts_with('#') {
            open = Open::None;
        }
        start += line.len();
    }
    if values.is_empty() {
        return Redacted { text: Cow::Borrowed(text), values };
    }
    shown.push_str(&text[copied..]);
    let shown = scrub(&values, &shown).into_owned();
    Redacted { text: Cow::Owned(shown), values }
}

/// Replaces secret values wherever they stand. A short value, `root` or `true`, is as likely to be
/// some other word, which would then be hard to read and tell what the value is.
fn scrub<'m>(values: &[&str], message: &'m str) -> Cow<'m, str> {
    values.iter().filter(|value| value.len() > 5).fold(Cow::Borrowed(message), |message, value| {
        if message.contains(value) { message.replace(value, HIDDEN).into() } else { message }
    })
}

/// A value that goes on in the next line.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Open {
    None,
    /// The word that comes next.
    Next,
    /// A word, with the quote that is open.
    Word(Option<char>),
    /// All that follows, for `ENV NAME value`.
    Rest,
}

/// Hides the secrets of one line, given without its continuation character.
fn scan(line: &str, open: Open, hide: &mut impl FnMut(usize, usize)) -> Open {
    let mut at = 0;
    match open {
        _ if line.trim_start().starts_with('#') && open != Open::None => return open,
        Open::Rest => {
            hide(0, line.len());
            return Open::Rest;
        }
        Open::Next | Open::Word(_) => {
            let (start, quote) = match open {
                Open::Word(quote) => (0, quote),
                _ => match option_value(line, 0) {
                    Some(start) if start == line.len() => return Open::Next,
                    Some(start) => (start, None),
                    // An option follows, and is looked at below.
                    None => return scan(line, Open::None, hide),
                },
            };
            let (end, quote) = word_end(line, start, quote);
            hide(start, end);
            if end == line.len() {
                return Open::Word(quote);
            }
            at = end;
        }
        Open::None => {
            if let Some(value) = old_env_value(line) {
                hide(value, line.len());
                return Open::Rest;
            }
        }
    }
    while let Some(sign) = line[at..].find(['=', ':', ' ', '\t', '"', '\'']).map(|found| at + found) {
        let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
        let name = &line[line[..sign].trim_end_matches(is_name).len()..sign];
        at = sign + 1;
        let start = match line.as_bytes()[sign] {
            b'=' if is_secret(name) => at,
            b':' => {
                if let Some(value) = header_value(name, line, at).or_else(|| login(name, line, at)) {
                    hide(value.start, value.end);
                    at = value.end;
                }
                continue;
            }
            b'"' | b'\'' if is_secret_option(name) => match quoted_value(line, at) {
                Some(value) if value.start == line.len() => return Open::Next,
                Some(value) => {
                    hide(value.start, value.end);
                    at = value.end;
                    continue;
                }
                None => continue,
            },
            b' ' | b'\t' if is_secret_option(name) => match option_value(line, at) {
                Some(start) if start == line.len() => return Open::Next,
                Some(start) => start,
                None => continue,
            },
            _ => continue,
        };
        let (end, quote) = word_end(line, start, None);
        hide(start, end);
        if end == line.len() {
            return Open::Word(quote);
        }
        at = end;
    }
    Open::None
}

/// The value of an HTTP header with a secret, `Authorization: Bearer value` or `X-Auth-Token: value`,
/// whose colon is before `at`.
fn header_value(name: &str, line: &str, at: usize) -> Option<Range<usize>> {
    // `FROM token-service:1.2` is none.
    let is_secret_header = || name.contains('-') && is_secret(name) && line[at..].starts_with(' ');
    if !ends_with(name, "authorization") && !is_secret_header() {
        return None;
    }
    let word = |at: usize| {
        let start = line.len() - line[at..].trim_start().len();
        let end = line[start..].find([' ', '\t', '"', '\'', '\\', ')']).map_or(line.len(), |end| start + end);
        start..end
    };
    let first = word(at);
    let is_scheme = SCHEMES.iter().any(|scheme| line[first.clone()].eq_ignore_ascii_case(scheme));
    Some(if is_scheme { word(first.end) } else { first })
}

/// The secret in a URL whose colon is before `at`: the password of `https://user:password@host`, or the
/// token of `https://token@host`.
fn login(scheme: &str, line: &str, at: usize) -> Option<Range<usize>> {
    let start = at + "//".len();
    let authority = line[at..].strip_prefix("//")?;
    let end =
        authority.find(['/', '?', '#', ' ', '\t', '"', '\'', '\\', ')', '>']).unwrap_or(authority.len());
    let login = &authority[..authority[..end].rfind('@')?];
    match login.find(':') {
        Some(colon) => Some(start + colon + 1..start + login.len()),
        // `ssh://git@host` names a user.
        None if ends_with(scheme, "http") || ends_with(scheme, "https") => Some(start..start + login.len()),
        None => None,
    }
}

/// Where the word starts that follows an option, at or after `at`; `None` if an option, or the end of
/// the command, follows.
fn option_value(line: &str, at: usize) -> Option<usize> {
    let rest = line[at..].trim_start();
    (!rest.starts_with(['-', '&', '|', ';', '>', '<'])).then(|| line.len() - rest.len())
}

/// The value behind an option in quotes, whose last one is before `at`: the next string of an exec form,
/// `"--password", "value"`, or the next word of a script. Empty if it is in the next line.
fn quoted_value(line: &str, at: usize) -> Option<Range<usize>> {
    let rest = line[at..].trim_start();
    let Some(rest) = rest.strip_prefix(',') else {
        let start = option_value(line, at).filter(|&start| start > at)?;
        return Some(start..word_end(line, start, None).0);
    };
    let start = line.len() - rest.trim_start().len();
    if start == line.len() {
        return Some(start..start);
    }
    let mut escaped = false;
    let end = line[start..].strip_prefix('"')?.char_indices().find(|&(_, character)| {
        let ends = character == '"' && !escaped;
        escaped = character == '\\' && !escaped;
        ends
    });
    // An option is no value.
    (!line[start..].starts_with("\"--"))
        .then(|| start + 1..end.map_or(line.len(), |(end, _)| start + 1 + end))
}

/// Whether the word behind `--name` is a secret. `adduser --disabled-password` takes none, and
/// `docker login --password-stdin` reads it.
pub(crate) fn is_secret_option(name: &str) -> bool {
    let Some(name) = name.strip_prefix("--") else { return false };
    let without = ["no-", "disable", "without-", "skip-", "empty-", "allow-"];
    let name = name.to_ascii_lowercase();
    let upper = name.to_ascii_uppercase().replace('-', "_");
    !without.iter().any(|start| name.starts_with(start)) && SECRET.iter().any(|part| upper.ends_with(part))
}

fn ends_with(name: &str, end: &str) -> bool {
    name.len() >= end.len() && name.as_bytes()[name.len() - end.len()..].eq_ignore_ascii_case(end.as_bytes())
}

/// Where the value starts in `ENV NAME value` with a secret name.
fn old_env_value(line: &str) -> Option<usize> {
    let (keyword, rest) = line.trim_start().split_once([' ', '\t'])?;
    let (name, value) = rest.trim_start().split_once([' ', '\t'])?;
    let is_old = keyword.eq_ignore_ascii_case("ENV") && !name.contains('=') && is_secret(name);
    is_old.then(|| line.len() - value.trim_start().len())
}

/// Where the shell word ends that starts at `start`, and the quote that is still open there.
fn word_end(line: &str, start: usize, mut quote: Option<char>) -> (usize, Option<char>) {
    let mut escaped = false;
    for (at, character) in line[start..].char_indices() {
        match (quote, character) {
            _ if escaped => escaped = false,
            (_, '\\') if quote != Some('\'') => escaped = true,
            (None, '"' | '\'') => quote = Some(character),
            (Some(open), _) if open == character => quote = None,
            (None, ' ' | '\t' | ';' | '&' | '|' | ')') => return (start + at, None),
            _ => {}
        }
    }
    (line.len(), quote)
}

/// Whether the value of a variable or option of that name is to be hidden.
pub(crate) fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_uppercase().replace('-', "_");
    SECRET.iter().any(|part| name.contains(part))
}

/// Whether a value is nothing but `$NAME`, `${NAME}` or `$(command)`.
pub(crate) fn is_reference(value: &str) -> bool {
    let Some(name) = value.strip_prefix('$') else { return false };
    let name = name.strip_prefix('{').and_then(|name| name.strip_suffix('}')).unwrap_or(name);
    name.starts_with('(') || name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_hidden() {
        for (text, expected) in [
            ("ENV DB_PASSWORD=hunter2 A=b\n", "ENV DB_PASSWORD=*** A=b\n"),
            ("ENV A=b \\\r\n    TOKEN=\"x y\" C=d", "ENV A=b \\\r\n    TOKEN=*** C=d"),
            ("env password hunter 2\nRUN a\n", "env password ***\nRUN a\n"),
            ("ENV TOKEN a \\\n# note\n  b\nRUN c=d\n", "ENV TOKEN *** \\\n# note\n***\nRUN c=d\n"),
            ("ENV TOKEN=\"a\\\nb c\" D=e\n", "ENV TOKEN=***\\\n*** D=e\n"),
            ("ARG npm_token='a b'\n", "ARG npm_token=***\n"),
            ("ENV TOKEN=abcdef\nRUN curl abcdef@x\n", "ENV TOKEN=***\nRUN curl ***@x\n"),
            ("RUN API_KEY=k x && y --password=z;w\n", "RUN API_KEY=*** x && y --password=***;w\n"),
            (
                "RUN curl -H \"Authorization: Bearer xyz\" -H 'authorization:Basic a==' b\n",
                "RUN curl -H \"Authorization: Bearer ***\" -H 'authorization:Basic ***' b\n",
            ),
            ("RUN curl -H 'PRIVATE-TOKEN: xyz' -H Authorization:xyz\n", {
                "RUN curl -H 'PRIVATE-TOKEN: ***' -H Authorization:***\n"
            }),
            ("RUN x --password xyz --api-key 'a b' c\n", "RUN x --password *** --api-key *** c\n"),
            ("RUN x --password \\\n  xyz y\n", "RUN x --password \\\n  *** y\n"),
            (
                "RUN git clone https://user:p@ss@host/a?token=xyz&b=c && pip -i http://xyz@host/x\n",
                "RUN git clone https://user:***@host/a?token=***&b=c && pip -i http://***@host/x\n",
            ),
            (
                "CMD [\"x\",\"--password\",\"hunter2\", \"y\"]\n",
                "CMD [\"x\",\"--password\",\"***\", \"y\"]\n",
            ),
            ("CMD [\"--token\" , \"a\\\"b\"]\nRUN c\n", "CMD [\"--token\" , \"***\"]\nRUN c\n"),
            ("CMD [\"x\", \"--token\", \\\n  \"abc\"]\n", "CMD [\"x\", \"--token\", \\\n  ***\n"),
            ("RUN x '--password' \"a b\" && y\n", "RUN x '--password' *** && y\n"),
            ("ENV U=postgres://u:p@h A=b\n", "ENV U=postgres://u:***@h A=b\n"),
        ] {
            assert_eq!(redact(text).text, expected);
        }
    }

    #[test]
    fn the_rest_stays() {
        for text in [
            "FROM a\nENV A=b\nARG TOKEN\nARG TOKEN=\n",
            "RUN PASSWORD=$PASSWORD x\n",
            "RUN --mount=type=secret,id=token cat\n",
            "# API_KEY of é\n",
            "RUN adduser --disabled-password user && docker login --password-stdin -u x\n",
            "RUN x --password \"$PASSWORD\" --token --verbose -p 80 --secret\n",
            "RUN x --password \\\n  --verbose\n",
            "CMD [\"x\", \"--password\", \"--verbose\", \"--token\"]\n",
            "CMD [\"x\", \"--password\", \"$PASSWORD\"]\n",
            "RUN echo \"--password\"&& x 'a --token' | y\n",
            "RUN curl -H \"Authorization: Bearer ${T}\" https://$U:$P@host https://host/a@b:c ssh://git@host\n",
            "FROM token-service:1.2\n",
            "RUN curl http://é -o a:b && echo token: x\n",
        ] {
            assert!(!redact(text).is_redacted(), "{text}");
        }
    }

    #[test]
    fn messages_are_scrubbed() {
        let redacted = redact("ENV PASSWORD=hunter2\n");
        assert_eq!(redacted.scrub("join `ENV PASSWORD hunter2`"), "join `ENV PASSWORD ***`");
    }
}
