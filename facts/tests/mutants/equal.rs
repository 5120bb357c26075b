//! Changes after which a file does the same.

use dockeropt_syntax::{Keyword, parse};

use crate::Mutant;

pub(crate) fn mutants(text: &str) -> Vec<Mutant> {
    let mut found = Vec::new();
    let mut add = |kind, text| found.push(Mutant { kind, text });
    let file = parse(text);
    let newline = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let escape = file.escape;
    for instruction in file.instructions() {
        let range = instruction.span.range();
        let own = &text[range.clone()];
        let with = |new: &str| format!("{}{new}{}", &text[..range.start], &text[range.end..]);
        let keyword = instruction.keyword();
        let (word, rest) = own.split_at(keyword.name().len());
        add("keyword in lower case", with(&format!("{}{rest}", word.to_ascii_lowercase())));
        add("an empty line", with(&format!("{newline}{own}")));
        if keyword != Keyword::From {
            add("a comment", with(&format!("# what for{newline}{own}")));
        }
        let one_line = own.trim_end().lines().count() == 1;
        let plain = !own.contains(['"', '\'', '#', '`']) && one_line && instruction.heredocs.is_empty();
        if plain && !matches!(keyword, Keyword::Onbuild | Keyword::Maintainer | Keyword::Healthcheck) {
            let legacy = keyword == Keyword::Env && !own.contains('=');
            for (at, _) in rest.match_indices(' ').filter(|_| !legacy) {
                let space = |by: &str| with(&format!("{word}{}{by}{}", &rest[..at], &rest[at + 1..]));
                add("more white space", space("   "));
                add("continued on the next line", space(&format!(" {escape}{newline}    ")));
            }
        }
        match keyword {
            Keyword::Run if instruction.heredocs.is_empty() => {
                // With another escape character scripts are not read.
                if instruction.trivia.is_empty() && escape == '\\' {
                    let joined = own.replace(&format!("{escape}{newline}"), " ");
                    add("on one line", with(&joined));
                }
                let pip = own.replace("--no-cache-dir ", "");
                add("a cache of pip", with(&pip));
                // An image that may be of jessie may have a pip that does not know the option.
                if !text.contains("miniconda") {
                    add("no cache of pip", with(&pip.replace("pip install ", "pip install --no-cache-dir ")));
                }
                if one_line {
                    let split =
                        own.replacen("apt-get update && ", &format!("apt-get update{newline}RUN "), 1);
                    add("update on its own", with(&split));
                    let clean = own.trim_end().ends_with("/lists/*");
                    if clean {
                        add("no cleanup", with(&own.replace(" && rm -rf /var/lib/apt/lists/*", "")));
                    }
                    let list = instruction.arguments();
                    let grouped =
                        !list.contains([';', '|']) && !list.starts_with("--mount") && list.contains("&&");
                    if grouped && !text.contains("SHELL") {
                        add("in a subshell", with(&format!("RUN ( {list} ){newline}")));
                        add("in a group", with(&format!("RUN {{ {list}; }}{newline}")));
                    }
                    if own.contains("yum ") || own.contains("dnf ") {
                        let manager = ["microdnf", "dnf", "yum"].into_iter().find(|name| own.contains(name));
                        let clean = format!(" && {} clean all", manager.unwrap_or_default());
                        add("no cleanup", with(&own.replace(&clean, "")));
                    }
                    if own.contains("npm ci") {
                        add("a cleanup", with(&own.replace("npm ci", "npm ci && npm cache clean --force")));
                        add("a cleanup", with(&own.replace("npm ci", "npm ci && rm -rf ~/.npm")));
                    }
                }
            }
            Keyword::Env | Keyword::Label if plain && own.contains('=') => {
                for (at, _) in own.match_indices('=') {
                    let end = own[at..].find([' ', '\r', '\n']).map_or(own.len(), |end| at + end);
                    let (before, value, after) = (&own[..at + 1], &own[at + 1..end], &own[end..]);
                    add("a quoted value", with(&format!("{before}\"{value}\"{after}")));
                }
            }
            Keyword::Cmd | Keyword::Entrypoint | Keyword::Stopsignal | Keyword::Expose => {
                // To the start of its stage, and to the end of the file's last stage.
                let without = with("");
                let stage = text[..range.start].rfind("FROM ").unwrap();
                let line = stage + text[stage..].find('\n').unwrap() + 1;
                if !text.contains("SHELL") {
                    add("moved up", format!("{}{own}{}", &without[..line], &without[line..]));
                }
                if !text[range.end..].contains("FROM ") && !text.contains("SHELL") {
                    add("moved down", format!("{without}{own}"));
                }
                if instruction.operation.json.is_some() {
                    add("white space in JSON", with(&own.replace("[", "[ ").replace("\",", "\" ,")));
                }
            }
            _ => {}
        }
    }
    found
}
