//! Changes after which a file does something else.

use std::ops::Range;

use dockeropt_syntax::{Keyword, parse};

use crate::Mutant;

/// Options that only keep a cache from being written: without them a file does the same.
const ERASED: [&str; 2] = ["--no-cache-dir", "--no-cache"];

pub(crate) fn mutants(text: &str) -> Vec<Mutant> {
    let mut found = Vec::new();
    let mut add = |kind, text| found.push(Mutant { kind, text });
    words_change(text, &mut add);
    lines_change(text, &mut add);
    instructions_change(text, &mut add);
    let bare = text.replace("\r\n", "\n");
    add("other line ends", if bare == text { text.replace('\n', "\r\n") } else { bare });
    add("no final newline", text.trim_end().to_owned());
    found
}

fn replaced(text: &str, range: Range<usize>, by: &str) -> String {
    format!("{}{by}{}", &text[..range.start], &text[range.end..])
}

/// The places of the words between white space.
fn words(text: &str) -> Vec<Range<usize>> {
    let start = text.as_ptr() as usize;
    let place = |word: &str| word.as_ptr() as usize - start;
    text.split_whitespace().map(|word| place(word)..place(word) + word.len()).collect()
}

fn words_change(text: &str, add: &mut dyn FnMut(&'static str, String)) {
    for range in words(text) {
        let word = &text[range.clone()];
        if !ERASED.contains(&word) {
            add("a word lost", replaced(text, range.clone(), ""));
            add("a word more", replaced(text, range.clone(), &format!("{word} other")));
            add("another word", replaced(text, range.clone(), &format!("x{word}")));
        }
        for (joiner, others) in [("&&", ["||", ";", "|"]), ("||", ["&&", ";", "|"]), ("|", ["&&", "||", ";"])]
        {
            if word == joiner {
                others.iter().for_each(|other| add("another joiner", replaced(text, range.clone(), other)));
            }
        }
        if let Some(bare) = word.strip_suffix(';') {
            add("another joiner", replaced(text, range.clone(), &format!("{bare} &&")));
            add("another joiner", replaced(text, range.clone(), &format!("{bare} ||")));
        }
    }
    for (at, digit) in text.char_indices().filter(|(_, character)| character.is_ascii_digit()) {
        let other = if digit == '9' { "8".to_owned() } else { ((digit as u8 + 1) as char).to_string() };
        add("another digit", replaced(text, at..at + 1, &other));
    }
}

fn lines_change(text: &str, add: &mut dyn FnMut(&'static str, String)) {
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let range = at..at + line.len();
        at = range.end;
        if !line.trim().is_empty() {
            add("a line lost", replaced(text, range.clone(), ""));
            add("a line made a comment", replaced(text, range, &format!("# {line}")));
        }
    }
}

fn instructions_change(text: &str, add: &mut dyn FnMut(&'static str, String)) {
    let file = parse(text);
    let instructions: Vec<_> = file.instructions().collect();
    for (at, instruction) in instructions.iter().enumerate() {
        let range = instruction.span.range();
        let own = &text[range.clone()];
        add("an instruction lost", replaced(text, range.clone(), ""));
        let keyword = instruction.keyword();
        if matches!(keyword, Keyword::Run | Keyword::Onbuild | Keyword::Copy | Keyword::Add) {
            add("an instruction twice", replaced(text, range.clone(), &format!("{own}{own}")));
        }
        if matches!(keyword, Keyword::Copy | Keyword::Add) {
            let end = if text.contains("\r\n") { "\r\n" } else { "\n" };
            let manifest = format!("COPY requirements.txt ./{end}");
            add("a manifest copied before", replaced(text, range.clone(), &format!("{manifest}{own}")));
        }
        if keyword == Keyword::Run {
            let end = if text.contains("\r\n") { "\r\n" } else { "\n" };
            let with =
                |before: &str, after: &str| replaced(text, range.clone(), &format!("{before}{own}{after}"));
            add("a new RUN", with(&format!("RUN other{end}"), ""));
            add("a new RUN", with("", &format!("RUN other{end}")));
            add("a new user", with(&format!("USER other{end}"), ""));
            add("a new folder", with(&format!("WORKDIR /other{end}"), ""));
            add("a new shell", with(&format!("SHELL [\"/bin/ash\", \"-c\"]{end}"), ""));
            add("a new variable", with(&format!("ENV PATH=/other{end}"), ""));
        }
        let Some(next) = instructions.get(at + 1) else { continue };
        let reads_project =
            ["make", "go ", "npm", "bundle", "mvn", "cargo", "dotnet", "python3", "-r req", "chown"];
        let ordered = match (keyword, next.keyword()) {
            (Keyword::Run, Keyword::Run) | (Keyword::From, _) | (_, Keyword::From) => true,
            (Keyword::User | Keyword::Workdir | Keyword::Shell, Keyword::Run) => true,
            (Keyword::Run, Keyword::User | Keyword::Workdir | Keyword::Volume) => true,
            (Keyword::Onbuild, Keyword::Onbuild) => true,
            (Keyword::Copy, Keyword::Run) => reads_project.iter().any(|word| next.arguments().contains(word)),
            _ => false,
        };
        if ordered {
            let swapped = format!("{}{own}", &text[next.span.range()]);
            add("neighbours swapped", replaced(text, range.start..next.span.range().end, &swapped));
        }
    }
}
