//! Finding the heredocs that a logical line opens.

use crate::lexer::{self, Invalid, Mode};

/// A heredoc that is opened, without the places of its body and end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Opening {
    pub(crate) name: String,
    pub(crate) file_descriptor: u32,
    pub(crate) expand: bool,
    pub(crate) chomp: bool,
    pub(crate) spaced: bool,
}

/// The escape character in heredoc words is always a backslash, whatever the file's is.
fn mode(raw_quotes: bool, raw_escapes: bool) -> Mode<'static> {
    Mode { escape: '\\', raw_quotes, raw_escapes, variables: None }
}

/// The heredocs of a logical line of RUN, COPY or ADD, in order.
///
/// A line that BuildKit can't split into words (an odd quotation mark, say) opens none.
pub(crate) fn openings(line: &str) -> Result<Vec<Opening>, Invalid> {
    if !line.contains("<<") {
        return Ok(Vec::new());
    }
    let words = lexer::split(line, mode(true, true)).unwrap_or_default();
    words.iter().filter_map(|word| opening(word).transpose()).collect()
}

/// Reads a word such as `3<<-"EOF"`; `None` if it opens no heredoc.
pub(crate) fn opening(word: &str) -> Result<Option<Opening>, Invalid> {
    let digits = word.len() - word.trim_start_matches(|character: char| character.is_ascii_digit()).len();
    let (digits, operator) = word.split_at(digits);
    let Some(rest) = operator.strip_prefix("<<") else { return Ok(None) };
    let (chomp, rest) = match rest.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, rest),
    };
    let delimiter = rest.trim_start_matches([' ', '\t', '\n', '\r', '\u{c}']);
    if delimiter.is_empty() || delimiter.contains('<') {
        return Ok(None);
    }
    let names = lexer::split(delimiter, mode(false, false))?;
    let [name] = names.as_slice() else { return Ok(None) };
    let raw = lexer::split(delimiter, mode(true, false))?;
    let [raw] = raw.as_slice() else {
        return Err(Invalid(format!(
            "internal lexing of heredoc produced inconsistent results: {delimiter}"
        )));
    };
    let quotes = |text: &str| text.matches(['\'', '"']).count();
    let file_descriptor = if digits.is_empty() { 0 } else { digits.parse().unwrap_or(u32::MAX) };
    Ok(Some(Opening {
        name: name.clone(),
        file_descriptor,
        expand: quotes(name) == quotes(raw),
        chomp,
        spaced: delimiter.len() < rest.len(),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(line: &str) -> Vec<String> {
        openings(line).unwrap().into_iter().map(|heredoc| heredoc.name).collect()
    }

    #[test]
    fn heredocs_are_found() {
        assert_eq!(names("RUN cat <<A 3<<-'B' <<\"C D\" << E"), ["A", "B", "C D", "E"]);
        assert_eq!(names("RUN cat <<EOF;true"), ["EOF;true"]);
        assert_eq!(names("RUN <<$EOF cat <<${X}"), ["$EOF", "${X}"]);
        assert_eq!(names("RUN cat <<\\EOF"), ["EOF"]);
        assert_eq!(names("RUN x=$(cat <<EOF"), ["EOF"]);
    }

    #[test]
    fn what_is_no_heredoc_is_left() {
        for line in [
            "RUN cat <<<EOF",
            "RUN cat <<< EOF",
            "RUN echo \"<<EOF\"",
            "RUN echo '<<EOF'",
            "RUN a<<EOF",
            "RUN <<",
            "RUN echo $((1<<2))",
            "RUN echo it's <<EOF",
            "RUN echo \\<<EOF",
            "RUN echo ${x^^} <<EOF",
            "RUN <<''",
            "RUN <EOF",
        ] {
            assert_eq!(names(line), [""; 0], "{line}");
        }
    }

    #[test]
    fn details_are_read() {
        let read = |word| opening(word).unwrap().unwrap();
        let plain =
            Opening { name: "E".into(), file_descriptor: 0, expand: true, chomp: false, spaced: false };
        assert_eq!(read("<<E"), plain);
        assert_eq!(read("3<<E"), Opening { file_descriptor: 3, ..plain.clone() });
        assert_eq!(read("99999999999<<E"), Opening { file_descriptor: u32::MAX, ..plain.clone() });
        assert_eq!(read("<<-E"), Opening { chomp: true, ..plain.clone() });
        assert_eq!(read("<<'E'"), Opening { expand: false, ..plain.clone() });
        assert_eq!(read("<< E"), Opening { spaced: true, ..plain.clone() });
        assert_eq!(read("<<- \"E\""), Opening { chomp: true, expand: false, spaced: true, ..plain });
    }
}
