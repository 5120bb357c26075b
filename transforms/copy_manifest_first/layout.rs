//! The text of a fix: the COPYs of manifests, the first commands of the RUN, and then the project.

use dockeropt_syntax::{Dockerfile, Edits, Instruction, Item, Keyword, Overlap, Span, Trivia, rewriter};

use super::answer::folder_of;
use super::project_copy::ProjectCopy;
use super::script::{Above, Script};
use super::{Refusal, keyword_like};
use dockeropt_facts::Step;

/// What is to be laid out.
pub(super) struct Layout<'l> {
    pub(super) file: &'l Dockerfile<'l>,
    pub(super) copy: &'l ProjectCopy<'l>,
    pub(super) run: &'l Step<'l>,
    pub(super) above: &'l Above,
    pub(super) script: &'l Script<'l>,
}

/// Files by their folder, in the order in which the folders are met.
pub(super) fn folders(files: &[String]) -> Vec<(&str, Vec<String>)> {
    let mut folders: Vec<(&str, Vec<String>)> = Vec::new();
    for file in files {
        let folder = folder_of(file);
        match folders.iter_mut().find(|(known, _)| *known == folder) {
            Some((_, files)) => files.push(file.clone()),
            None => folders.push((folder, vec![file.clone()])),
        }
    }
    folders
}

/// Whether the frontend that a `# syntax=` line names knows `COPY --parents`: 1.20 or later, or one with
/// features to come. What `docker/dockerfile:1` is depends on who builds.
fn knows_parents(syntax: &str) -> bool {
    let Some(tag) = syntax.strip_prefix("docker/dockerfile:") else { return false };
    let tag = tag.split('@').next().unwrap_or(tag);
    let mut numbers = tag.trim_end_matches("-labs").split('.').map(|number| number.parse::<u32>().ok());
    let version = (numbers.next().flatten(), numbers.next().flatten());
    match version {
        (Some(1), Some(minor)) => minor >= 20,
        _ => tag == "labs" || tag == "1-labs",
    }
}

impl Layout<'_> {
    /// The edits. `adjacent` tells whether no instruction stands between the COPY and the RUN.
    pub(super) fn edits<'c>(&self, adjacent: bool) -> Result<Edits, Refusal<'c>> {
        let lines = self.copies()?;
        let edits = match (self.above.count, self.script.list.entries.len()) {
            (0, _) => self.put_above(&lines, adjacent),
            (count, all) if count == all => self.move_below(&lines, adjacent),
            _ => {
                self.check_comments()?;
                self.split(&lines, adjacent)
            }
        };
        edits.map_err(|_| "its edits overlap".into())
    }

    fn instruction(&self) -> &Instruction<'_> {
        self.copy.step.instruction
    }

    /// Whether one COPY brings files of several folders, as the builder that the file names knows how to.
    pub(super) fn keeps_folders(&self) -> bool {
        let syntax = self.file.items.iter().find_map(|item| match item {
            Item::Directive(directive) if directive.name.eq_ignore_ascii_case("syntax") => {
                Some(directive.value)
            }
            _ => None,
        });
        self.copy.source.is_empty()
            && folders(&self.above.needs.files).len() > 1
            && syntax.is_some_and(knows_parents)
    }

    /// The COPYs of the manifests, a line each.
    fn copies(&self) -> Result<String, String> {
        let instruction = self.instruction();
        let operation = &instruction.operation;
        let text = &instruction.logical;
        let keyword = keyword_like(text.get(operation.keyword_span), Keyword::Copy);
        let flags: String = operation.flags.iter().map(|flag| format!("{} ", text.get(flag.span))).collect();
        let words = operation.words(text, self.file.escape);
        let written = words.last().map_or("", |word| &word.text);
        let base = match written {
            "" | "." => "./".to_owned(),
            folder if folder.ends_with('/') => folder.to_owned(),
            folder => format!("{folder}/"),
        };
        let mut lines = String::new();
        let keeps_folders = self.keeps_folders();
        let flags = if keeps_folders { format!("--parents {flags}") } else { flags };
        let all = &self.above.needs.files;
        let parts = if keeps_folders { vec![("", all.clone())] } else { folders(all) };
        for (folder, files) in parts {
            let plain = |c: char| c.is_ascii_alphanumeric() || "._-/@+~".contains(c);
            if let Some(file) = files.iter().find(|file| !file.chars().all(plain)) {
                return Err(format!("the name {file} may mean something else in a COPY"));
            }
            let below = self.copy.below(folder);
            let destination = if below.is_empty() { base.clone() } else { format!("{base}{below}/") };
            let arguments: Vec<&str> =
                files.iter().map(String::as_str).chain([destination.as_str()]).collect();
            let arguments = match operation.json {
                Some(_) => format!("[\"{}\"]", arguments.join("\", \"")),
                None => arguments.join(" "),
            };
            lines += &format!("{keyword} {flags}{arguments}{}", self.file.newline());
        }
        Ok(lines)
    }

    /// The COPY of the project with the comments directly above it and its line end, and the empty lines
    /// below it.
    fn block(&self) -> (Span, Span) {
        let items = &self.file.items;
        let at = self.copy.step.item;
        let start = items[rewriter::first_attached(self.file, at)].span().start;
        let end = items[at].span().end;
        let blanks = items[at + 1..].iter().take_while(|item| matches!(item, Item::Blank(_))).count();
        (Span::new(start, end), Span::new(end, items[at + blanks].span().end))
    }

    /// Puts COPYs and other lines where they belong: in the place of the COPY if the RUN follows it, else
    /// right above the RUN.
    fn put_first(&self, edits: &mut Edits, lines: &str, adjacent: bool) -> Result<(), Overlap> {
        let (block, gap) = self.block();
        if adjacent {
            return edits.replace(block, lines);
        }
        edits.remove(block.to(gap))?;
        let items = &self.file.items;
        let start = items[rewriter::first_attached(self.file, self.run.item)].span().start;
        edits.insert(start, lines)
    }

    /// The RUN as a whole stands above the project.
    fn move_below(&self, lines: &str, adjacent: bool) -> Result<Edits, Overlap> {
        let mut edits = Edits::new();
        self.put_first(&mut edits, lines, adjacent)?;
        let (block, gap) = self.block();
        let newline = self.file.newline();
        let (block, gap) = (&self.file.text[block.range()], &self.file.text[gap.range()]);
        let end = self.run.instruction.span.end;
        if self.file.text[..end].ends_with('\n') {
            edits.insert(end, format!("{gap}{block}"))?;
        } else {
            edits.insert(end, format!("{newline}{gap}{}", block.trim_end_matches(['\r', '\n'])))?;
        }
        Ok(edits)
    }

    /// What is new above the project, as one script.
    fn added(&self) -> String {
        let commands: Vec<&str> = self.above.added.iter().map(|it| it.command.as_str()).collect();
        commands.join(" && ")
    }

    fn run_keyword(&self) -> &str {
        let instruction = self.run.instruction;
        instruction.logical.get(instruction.operation.keyword_span)
    }

    /// A RUN of its own stands above the project.
    fn put_above(&self, lines: &str, adjacent: bool) -> Result<Edits, Overlap> {
        let newline = self.file.newline();
        let flags: String = {
            let instruction = self.run.instruction;
            let flags = instruction.operation.flags.iter();
            flags.map(|flag| format!("{} ", instruction.logical.get(flag.span))).collect()
        };
        let run = format!("{} {flags}{}{newline}", self.run_keyword(), self.added());
        let (block, gap) = self.block();
        let mut edits = Edits::new();
        if adjacent {
            edits.insert(block.start, format!("{lines}{run}"))?;
            return Ok(edits);
        }
        let moved = &self.file.text[block.range()];
        let gap = &self.file.text[gap.range()];
        self.put_first(&mut edits, &format!("{lines}{run}{gap}{moved}{gap}"), adjacent)?;
        Ok(edits)
    }

    /// A comment between the commands where the RUN is split would be lost.
    fn check_comments(&self) -> Result<(), String> {
        let gap = self.gap();
        let within = |trivia: &Trivia| matches!(trivia, Trivia::Comment(comment) if gap.start < comment.end && comment.start < gap.end);
        match self.run.instruction.trivia.iter().any(within) {
            true => Err("a comment stands where the RUN would be split".to_owned()),
            false => Ok(()),
        }
    }

    /// What stands between the first commands and the rest.
    fn gap(&self) -> Span {
        let logical = &self.run.instruction.logical;
        let (last, next) = (self.script.span(self.above.count - 1), self.script.span(self.above.count));
        Span::new(logical.source_span(last).end, logical.source(next.start))
    }

    /// The first commands of the RUN stand above the project, the rest below.
    fn split(&self, lines: &str, adjacent: bool) -> Result<Edits, Overlap> {
        let mut edits = Edits::new();
        self.put_first(&mut edits, lines, adjacent)?;
        let newline = self.file.newline();
        let (block, gap) = self.block();
        let (block, gap) = (&self.file.text[block.range()], &self.file.text[gap.range()]);
        let more =
            [self.added()].into_iter().filter(|added| !added.is_empty()).chain(self.above.cleanup.clone());
        let more: String = more.map(|command| format!(" && {command}")).collect();
        let text = format!("{more}{newline}{gap}{block}{gap}{} ", self.run_keyword());
        edits.replace(self.gap(), text)?;
        Ok(edits)
    }
}
