//! What speaks against ignoring a file: whoever names it, reads it, or doesn't make it anew.

use dockeropt_facts::command::{Call, call};
use dockeropt_facts::effects::within;
use dockeropt_facts::junk::{HistoryReader, Kind, Made, Row, history_readers};
use dockeropt_facts::shell_state::visit;
use dockeropt_facts::tables::{Class, Manager};
use dockeropt_facts::{Action, Base, Body, Facts, Project, Step, clean};
use dockeropt_syntax::Keyword;
use dockeropt_syntax::shell::Simple;

use super::{ContextCopy, below};

/// Files that name packages and what is in them; they name no file of the project.
const LOCKS: [&str; 14] = [
    "package-lock.json",
    "npm-shrinkwrap.json",
    "yarn.lock",
    "pnpm-lock.yaml",
    "bun.lock",
    "poetry.lock",
    "uv.lock",
    "Pipfile.lock",
    "pdm.lock",
    "go.sum",
    "Cargo.lock",
    "packages.lock.json",
    "Gemfile.lock",
    "composer.lock",
];

/// What a Dockerfile is called that is not the one that is worked on.
const OTHER: &str = "another Dockerfile of the context";

/// What is known of a context and of the Dockerfiles in it.
pub(super) struct Evidence<'e, 'f> {
    project: &'e Project,
    files: &'e [(&'e Facts<'f>, Vec<ContextCopy<'e>>)],
    /// The commands of each file.
    commands: Vec<Vec<Command<'e>>>,
    /// The manifests and scripts that may name files.
    texts: Vec<(&'e str, &'e str)>,
}

/// A command of a RUN.
struct Command<'e> {
    step: &'e Step<'e>,
    what: What<'e>,
}

enum What<'e> {
    /// A simple command, and its text.
    Simple(&'e Simple<'e>, &'e str),
    /// A script that was not read, or a heredoc.
    Script(String),
    /// What runs nothing now: CMD, ENV, the flags of a RUN.
    Words(String),
}

impl<'e, 'f> Evidence<'e, 'f> {
    /// What is known, given the Dockerfiles of the context, the one that is worked on first, and the texts
    /// of those that can't be read: templates, mostly.
    pub(super) fn new(
        project: &'e Project,
        files: &'e [(&'e Facts<'f>, Vec<ContextCopy<'e>>)],
        unreadable: Vec<&'e str>,
    ) -> Self {
        let commands: Vec<Vec<Command<'e>>> = files.iter().map(|(facts, _)| commands(facts)).collect();
        let makes = commands.iter().flatten().any(|command| match &command.what {
            What::Simple(simple, _) => call(simple).is_none_or(|call| call.program == "make"),
            What::Script(text) | What::Words(text) => has_word(text, "make"),
        });
        let name = |path: &str| path.rsplit('/').next().unwrap_or_default().to_owned();
        let may_name = |path: &str| {
            let name = name(path);
            !LOCKS.contains(&name.as_str())
                && !name.ends_with(".dockerignore")
                && (makes || name != "Makefile")
        };
        let texts = project.texts().filter(|(path, _)| may_name(path));
        let texts = texts.chain(unreadable.into_iter().map(|text| (OTHER, text))).collect();
        Self { project, files, commands, texts }
    }

    /// Why what lies at a path has to stay; `None` if nothing speaks against leaving it out.
    pub(super) fn against(&self, kind: &Kind, row: &Row, path: &str) -> Option<String> {
        if self.project.is_brought_back(path) {
            return Some("a line with `!` in the ignore file brings it back".to_owned());
        }
        self.copied_by_name(path)
            .or_else(|| match kind.name {
                "version-control" => self.reads_history(),
                "secret" => self.may_read_secret(path),
                "temporary" => self.is_kept(path),
                _ => None,
            })
            .or_else(|| match (kind.made, self.not_made(row, path)) {
                (Made::Required, Some(reason)) => Some(reason),
                (Made::Required | Made::Optional, None) => None,
                (Made::Optional | Made::No, _) => self.named(row, path),
            })
    }

    /// What is taken for granted if files of a kind are left out.
    pub(super) fn assumption(&self, kind: &Kind, paths: &[String]) -> Option<String> {
        let runs_code = || self.commands.iter().flatten().any(|command| !is_harmless(command));
        let needed = !kind.is_safe || (kind.assumption.contains("{}") && runs_code());
        needed.then(|| kind.assumption.replace("{}", &dockeropt_facts::claim::some_of(paths)))
    }

    /// The name of a file in a reason: nothing for the one that is worked on.
    fn whose(&self, file: usize, line: usize) -> String {
        match file {
            0 => format!("line {line}"),
            _ => OTHER.to_owned(),
        }
    }

    fn copied_by_name(&self, path: &str) -> Option<String> {
        for (at, (_, copies)) in self.files.iter().enumerate() {
            if let Some(copy) = copies.iter().find(|copy| copy.names(path)) {
                return Some(format!("{} copies it by name", self.whose(at, copy.step.line())));
            }
            if let Some(copy) = copies.iter().find(|copy| copy.is_partly_unknown) {
                let whose = self.whose(at, copy.step.line());
                return Some(format!("what {whose} copies is decided when the image is built"));
            }
        }
        None
    }

    /// Whether every stage that copies a path makes it anew, and if not, why it stays.
    fn not_made(&self, row: &Row, path: &str) -> Option<String> {
        for (at, (facts, copies)) in self.files.iter().enumerate() {
            for copy in copies {
                let Some(source) = copy.source_of(path) else { continue };
                // What lies around it: `web` for `web/node_modules`.
                let own = row.name.split('/').count();
                let folder = below(path, source).rsplitn(own + 1, '/').nth(own).unwrap_or_default();
                let Some(stage) = copy.step.stage else { continue };
                if !self.is_made_in(facts, at, stage, row, folder) {
                    return Some(format!("{} doesn't make it anew", self.whose_file(at)));
                }
            }
        }
        None
    }

    fn whose_file(&self, file: usize) -> &'static str {
        if file == 0 {
            "the stage that copies it"
        } else {
            "another Dockerfile of the context that copies it"
        }
    }

    /// Whether a stage, or one that it starts from, makes what a row is about in a folder of the context.
    fn is_made_in(&self, facts: &Facts<'_>, file: usize, stage: usize, row: &Row, folder: &str) -> bool {
        let mut at = Some(stage);
        while let Some(stage) = at {
            let own = self.commands[file].iter().filter(|command| command.step.stage == Some(stage));
            if own.into_iter().any(|command| self.makes(command, row, folder)) || brings(facts, stage, row) {
                return true;
            }
            at = match facts.stages[stage].base {
                Base::Stage(parent) => Some(parent),
                _ => None,
            };
        }
        false
    }

    fn makes(&self, command: &Command<'_>, row: &Row, folder: &str) -> bool {
        let What::Simple(simple, _) = &command.what else { return false };
        let Some(call) = call(simple) else { return false };
        let is_one = row.made_by.iter().any(|(program, words)| is_call(&call, program, *words));
        is_one && self.is_in_folder(command, folder)
    }

    /// Whether a command works in a folder of the context: it is told so, or works in all of them.
    fn is_in_folder(&self, command: &Command<'_>, folder: &str) -> bool {
        let Some(name) = folder.rsplit('/').next().filter(|name| !name.is_empty()) else { return true };
        let workdir = command.step.state.workdir.text().unwrap_or_default();
        let text = &command.step.instruction.logical.text;
        let workspaces =
            |path: &str, word: &str| self.project.text(path).is_some_and(|text| text.contains(word));
        workdir.ends_with(&format!("/{folder}"))
            || has_word(text, name)
            || text.split(|c: char| c.is_whitespace() || c == '/').any(|part| part == name)
            || workspaces("package.json", "\"workspaces\"")
            || workspaces("pnpm-workspace.yaml", "packages")
            || workspaces("lerna.json", "packages")
            || workspaces("Cargo.toml", "[workspace]")
            || workspaces("pom.xml", "<modules>")
            || workspaces("settings.gradle", "include")
            || workspaces("settings.gradle.kts", "include")
            || command.step.instruction.logical.text.contains(".sln")
            || self.project.entries().any(|(path, _)| !path.contains('/') && path.ends_with(".sln"))
    }

    /// Who names what lies at a path.
    fn named(&self, row: &Row, path: &str) -> Option<String> {
        let own = path.rsplit('/').next().unwrap_or(path);
        for (at, (_, copies)) in self.files.iter().enumerate() {
            let mention = Mention { copies };
            for command in &self.commands[at] {
                if command.names(&mention, own)
                    || (row.name.contains('*') && command.names(&mention, row.name))
                {
                    return Some(format!("{} names {own}", self.whose(at, command.step.line())));
                }
            }
        }
        let mention = Mention { copies: &self.files[0].1 };
        let (file, _) = self.texts.iter().find(|(file, text)| *file != path && mention.is_in(text, own))?;
        Some(format!("{file} names {own}"))
    }

    fn is_kept(&self, path: &str) -> Option<String> {
        let is_mark = |name: &str| matches!(name, ".keep" | ".gitkeep" | ".gitignore");
        let mut below = self.project.below(path).map(|(path, _)| path);
        let mark = below.find(|path| is_mark(path.rsplit('/').next().unwrap_or(path)))?;
        Some(format!("{mark} says that the folder is to be there"))
    }

    /// Who may need the history of the project.
    fn reads_history(&self) -> Option<String> {
        for (at, commands) in self.commands.iter().enumerate() {
            for command in commands {
                if let Some(program) = command.reads_history() {
                    return Some(match at {
                        0 => format!("{program} at line {} may read it", command.step.line()),
                        _ => format!("{program} in {OTHER} may read it"),
                    });
                }
            }
        }
        let of_text = |text: &'e str| {
            let verbs = || {
                text.split(['\n', ';', '|', '&']).any(|line| {
                    let mut words = line.split(|c: char| !(c.is_alphanumeric() || "-_.".contains(c)));
                    let is_verb = |word: &str| {
                        history_readers()
                            .iter()
                            .any(|it| matches!(it, HistoryReader::Verb(verb) if *verb == word))
                    };
                    words.any(|word| word == "git") && words.any(is_verb)
                })
            };
            let word = history_readers().iter().find_map(|reader| match reader {
                HistoryReader::Word(word) => Some(*word).filter(|word| has_word(text, word)),
                _ => None,
            });
            word.or_else(|| verbs().then_some("git"))
        };
        let (file, word) = self.texts.iter().find_map(|(file, text)| Some((file, of_text(text)?)))?;
        Some(format!("{file} names {word}, which reads it"))
    }

    /// Who may read settings when the image is built.
    fn may_read_secret(&self, path: &str) -> Option<String> {
        for (at, (facts, copies)) in self.files.iter().enumerate() {
            for copy in copies.iter().filter(|copy| copy.source_of(path).is_some()) {
                let Some(stage) = copy.step.stage else { continue };
                let mut reached = vec![false; facts.stages.len()];
                reached[stage] = true;
                for later in stage + 1..facts.stages.len() {
                    reached[later] = matches!(facts.stages[later].base, Base::Stage(parent) if reached[parent])
                        || (stage..later).any(|it| reached[it] && facts.stages[it].readers.contains(&later));
                }
                let later = |command: &&Command<'_>| {
                    command.step.stage.is_some_and(|stage| reached[stage])
                        && command.step.item > copy.step.item
                };
                let may_read = |command: &&Command<'_>| !is_harmless(command) || self.runs_scripts(command);
                if let Some(reader) = self.commands[at].iter().filter(later).find(may_read) {
                    return Some(format!(
                        "{} runs a program that may read it",
                        self.whose(at, reader.step.line())
                    ));
                }
            }
        }
        None
    }
}

impl Evidence<'_, '_> {
    /// Whether a command installs what a `package.json` names, which has scripts of its own for that.
    fn runs_scripts(&self, command: &Command<'_>) -> bool {
        let What::Simple(simple, text) = &command.what else { return false };
        let installs =
            call(simple).is_some_and(|call| matches!(call.program, "npm" | "yarn" | "pnpm" | "bun"));
        let has_scripts = |(path, text): &(&str, &str)| {
            path.ends_with("package.json")
                && ["preinstall", "\"install", "postinstall", "prepare", "prebuild"]
                    .iter()
                    .any(|name| text.contains(&format!("{name}\"")))
        };
        installs && !text.contains("--ignore-scripts") && self.texts.iter().any(has_scripts)
    }
}

/// The commands of a file, and whatever else in it may name files.
fn commands<'e>(facts: &'e Facts<'e>) -> Vec<Command<'e>> {
    let mut commands = Vec::new();
    for step in &facts.steps {
        let instruction = step.instruction;
        let whole = || facts.file.text[instruction.span.range()].to_owned();
        match (&step.action, instruction.keyword()) {
            (Action::Run(run), _) => match (&run.body, run.script(instruction)) {
                (Body::Script(_) | Body::Heredoc { .. }, Some((list, text))) => {
                    visit(list, &mut |simple| {
                        commands
                            .push(Command { step, what: What::Simple(simple, &text[simple.span.range()]) });
                    });
                    commands.push(Command { step, what: What::Words(run.flags.join(" ")) });
                }
                _ => commands.push(Command { step, what: What::Script(whole()) }),
            },
            (Action::Copy(copy), _) if copy.heredoc => {
                commands.push(Command { step, what: What::Words(whole()) })
            }
            (_, Keyword::Onbuild) => commands.push(Command { step, what: What::Script(whole()) }),
            (
                _,
                Keyword::Cmd | Keyword::Entrypoint | Keyword::Healthcheck | Keyword::Env | Keyword::Volume,
            ) => commands.push(Command { step, what: What::Words(whole()) }),
            _ => {}
        }
    }
    commands
}

impl Command<'_> {
    /// Whether it names a file, other than to delete it if it is there, or to make its folder.
    fn names(&self, mention: &Mention<'_>, name: &str) -> bool {
        match &self.what {
            What::Script(text) | What::Words(text) => mention.is_in(text, name),
            What::Simple(simple, text) => {
                let forgiving = call(simple).is_some_and(|call| match call.program {
                    "rm" => has_flag(&call, 'f'),
                    "mkdir" => has_flag(&call, 'p'),
                    _ => false,
                });
                !forgiving && mention.is_in(text, name)
            }
        }
    }

    /// The program that reads the history of the project, if it runs one.
    fn reads_history(&self) -> Option<String> {
        let found = |program: &str, words: &[&str], has_git_verb: bool| {
            history_readers().iter().any(|reader| match reader {
                HistoryReader::Program(name, unless) => {
                    let runs = *name == program || (program == "npx" && words.contains(name));
                    runs && !unless.is_some_and(|option| words.contains(&option))
                }
                HistoryReader::Verb(verb) => has_git_verb && words.contains(verb),
                HistoryReader::Word(word) => words.contains(word),
            })
        };
        let (text, program) = match &self.what {
            What::Simple(simple, text) => (*text, call(simple).map(|call| call.program)),
            What::Script(text) | What::Words(text) => (text.as_str(), None),
        };
        let words: Vec<&str> =
            text.split(|c: char| c.is_whitespace() || "\"'=;()`[],$".contains(c)).collect();
        // `git` may also stand in a substitution or in what `sh -c` runs.
        let git = words.contains(&"git");
        let elsewhere =
            program == Some("git") && words.iter().any(|word| matches!(*word, "clone" | "config" | "init"));
        let reads = match (&self.what, program) {
            (_, Some(program)) => found(program, &words, git && !elsewhere).then(|| program.to_owned()),
            (What::Words(_), None) => found("", &words, git).then(|| "what runs".to_owned()),
            (_, None) => words.iter().any(|word| found(word, &words, git)).then(|| "a script".to_owned()),
        };
        reads.map(|program| if git { "git".to_owned() } else { program })
    }
}

fn has_flag(call: &Call<'_, '_>, flag: char) -> bool {
    let is_short = |word: &str| word.starts_with('-') && !word.starts_with("--") && word.contains(flag);
    call.arguments()
        .flatten()
        .any(|word| is_short(word) || matches!((flag, word), ('f', "--force") | ('p', "--parents")))
}

/// Whether a command runs no code of the project: programs of the system, and package managers.
fn is_harmless(command: &Command<'_>) -> bool {
    let simple = match &command.what {
        What::Simple(simple, _) => simple,
        What::Script(_) => return false,
        What::Words(_) => return true,
    };
    let Some(call) = call(simple) else { return simple.words.is_empty() };
    if let Some(managed) = &call.managed {
        let local =
            |word: Option<&str>| word.is_none_or(|word| word.starts_with('.') || word.starts_with('/'));
        let operands = || managed.operands.iter().map(|&at| simple.words[at].literal());
        return match managed.manager {
            Manager::Pip => !operands().any(local) && !managed.has_option(simple, &["-e", "--editable"]),
            Manager::Npm | Manager::Yarn => {
                let word = managed.verb_at.and_then(|at| simple.words[at].literal());
                matches!(
                    word,
                    None | Some(
                        "ci" | "install"
                            | "i"
                            | "cache"
                            | "config"
                            | "prune"
                            | "add"
                            | "set"
                            | "clean-install"
                    )
                )
            }
            // Its scripts are those of the project.
            Manager::Composer => managed.has_option(simple, &["--no-scripts"]),
            _ => true,
        };
    }
    match call.class() {
        Some(
            Class::Quiet
            | Class::Paths
            | Class::Fetch
            | Class::Account
            | Class::System
            | Class::AptIndex
            | Class::OwnUpdate,
        ) => true,
        Some(_) => matches!(
            (call.program, call.arguments().next().flatten()),
            ("bundle" | "pnpm" | "bun" | "poetry" | "pipenv", Some("install" | "config" | "sync"))
        ),
        None => matches!(call.program, "cd" | "export" | "set" | "exit" | "umask" | "ulimit" | "corepack"),
    }
}

/// Whether a call is of a program with a verb and more words, as `made by` in the table has them.
fn is_call(call: &Call<'_, '_>, program: &str, words: Option<&str>) -> bool {
    if call.program != program {
        return false;
    }
    let Some(words) = words else { return true };
    let verb = match &call.managed {
        Some(managed) => managed.verb_at.and_then(|at| call.simple.words[at].literal()),
        None => call
            .arguments()
            .flatten()
            .find(|word| !word.starts_with('-') || words.starts_with('-') && words != "-"),
    };
    let mut words = words.split(' ');
    match words.next() {
        Some("-") => verb.is_none(),
        first => verb == first && words.all(|word| call.arguments().flatten().any(|it| it == word)),
    }
}

/// Whether a stage copies what a row is about from another stage or image.
fn brings(facts: &Facts<'_>, stage: usize, row: &Row) -> bool {
    facts.steps_of(stage).iter().any(|step| match &step.action {
        Action::Copy(copy) if copy.from.is_some() => {
            let ends = |path: &str| path.trim_end_matches('/').ends_with(row.name.trim_start_matches('*'));
            copy.sources.iter().filter_map(|source| source.text()).any(ends)
        }
        _ => false,
    })
}

/// Whether a word stands in a text between characters that are none of a name.
fn has_word(text: &str, word: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-');
    text.match_indices(word)
        .any(|(at, _)| !text[..at].ends_with(part) && !text[at + word.len()..].starts_with(part))
}

/// Looks for names of files of the context.
struct Mention<'m> {
    /// They lie where these put them.
    copies: &'m [ContextCopy<'m>],
}

impl Mention<'_> {
    /// Whether a text names a file or folder of the context, by the last part of its path. An absolute
    /// path outside the folders that are copied to is another file.
    fn is_in(&self, text: &str, name: &str) -> bool {
        let part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.');
        let path = |c: char| part(c) || matches!(c, '/' | '+' | '~' | '%' | '@' | '*');
        text.match_indices(name).any(|(at, _)| {
            let end = at + name.len();
            // `.git` of `x.git` and `.gitignore` are others.
            if text[..at].ends_with(part) || text[end..].starts_with(part) {
                return false;
            }
            let start =
                text[..at].char_indices().rev().take_while(|(_, c)| path(*c)).last().map_or(at, |(at, _)| at);
            if !text[start..].starts_with('/') {
                return true;
            }
            // `${APP}/tmp`, `$(pwd)/tmp`, `"$APP"/tmp`
            let joined = |before: &str| before.ends_with(['}', ')']) || before.ends_with(part);
            let before = &text[..start];
            let quoted = before.strip_suffix(['"', '\'']);
            if joined(before) || quoted.is_some_and(joined) {
                return true;
            }
            let named = clean(&text[start..end]);
            self.copies.iter().any(|copy| copy.destination.is_none_or(|folder| within(&named, folder)))
        })
    }
}
