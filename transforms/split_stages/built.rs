//! What the RUNs that compile make, and where.

use dockeropt_facts::command::base_name;
use dockeropt_facts::effects::within;
use dockeropt_facts::{Action, Copy, Step};
use dockeropt_syntax::Keyword;

use super::makefile;
use super::packages::commands;
use super::placing::build_call;
use super::{Refusal, Subject};
use crate::sources::source_of;

/// What the RUNs of the builder make.
#[derive(Default)]
pub(super) struct Built {
    /// Files that a compiler is told to write.
    files: Vec<String>,
    /// Folders of projects, with all that is built in them.
    folders: Vec<String>,
    /// Folders that mkdir makes, and files that strip changes: they must lie in one of the others.
    touched: Vec<String>,
    /// Where cmake has written its files.
    configured: Vec<String>,
}

impl Built {
    /// Adds what a RUN makes. An error if it does more than to install packages and to compile, or if where it
    /// compiles to can't be told.
    pub(super) fn add<'c>(&mut self, subject: &Subject<'c>, step: &'c Step<'c>) -> Result<(), Refusal<'c>> {
        let other =
            || Refusal::at(step, "the RUN at line {line} does more than to install packages and to compile");
        let mut folder = working_folder(subject, step);
        for simple in commands(step).ok_or_else(other)? {
            let Some((call, words)) = build_call(subject, step, simple, is_plain, &other)? else { continue };
            let here = folder.clone().ok_or_else(other)?;
            let paths =
                || words.iter().filter(|word| !word.starts_with('-')).map(|path| absolute(&here, path));
            match call.program {
                "cd" => folder = Some(absolute(&here, words.first().ok_or_else(other)?)),
                "mkdir" | "strip" => self.touched.extend(paths()),
                "make" | "gmake" => self.make(subject, step, &here, &words)?,
                "ninja" => self.ninja(step, &here, &words)?,
                "cmake" => self.cmake(subject, step, &here, &words)?,
                program if is_compiler(program) => self.compiler(step, &here, &words)?,
                _ => return Err(other()),
            }
        }
        Ok(())
    }

    fn compiler<'c>(&mut self, step: &'c Step<'c>, here: &str, words: &[&'c str]) -> Result<(), Refusal<'c>> {
        let is_part = words.iter().any(|word| matches!(*word, "-c" | "-E" | "-M" | "-MM" | "-S"));
        if let Some(word) = words.iter().find(|word| needs_compilers_library(word)) {
            return Err(Refusal::at(
                step,
                format!("{word} at line {{line}} needs a library of the compiler"),
            ));
        }
        let at = words.iter().position(|word| word.starts_with("-o") && !word.starts_with("-objc"));
        let output = at.and_then(|at| match words[at].strip_prefix("-o") {
            Some("") => words.get(at + 1).copied(),
            output => output,
        });
        match output.map(|output| absolute(here, output)) {
            Some(output) if is_part => self.touched.push(output),
            Some(output) if output.contains(['*', '?', '$', '"', '\'']) => {
                return Err(Refusal::at(step, "what line {line} compiles has no plain name"));
            }
            Some(output) => self.files.push(output),
            None if is_part => {}
            None => return Err(Refusal::at(step, "line {line} does not say what it compiles to")),
        }
        Ok(())
    }

    fn make<'c>(
        &mut self,
        subject: &Subject<'c>,
        step: &'c Step<'c>,
        here: &str,
        words: &[&'c str],
    ) -> Result<(), Refusal<'c>> {
        let mut folder = here.to_owned();
        let mut goals = Vec::new();
        let mut words = words.iter();
        while let Some(word) = words.next() {
            match *word {
                "-C" | "--directory" => folder = absolute(here, words.next().copied().unwrap_or_default()),
                "-j" | "-s" | "-k" | "-B" | "--silent" | "--jobs" | "-l" => {}
                word if is_jobs(word) => {}
                word if word.starts_with('-') => {
                    return Err(Refusal::at(step, format!("{word} at line {{line}} is not known of make")));
                }
                word if word.contains('=') => {
                    if word.contains("=/") || word.contains("=\"/") {
                        return Err(Refusal::at(
                            step,
                            format!("{word} at line {{line}} may name a place to build in"),
                        ));
                    }
                    if let Some(word) = word.split(['=', ' ', '"']).find(|word| needs_compilers_library(word))
                    {
                        return Err(Refusal::at(
                            step,
                            format!("{word} at line {{line}} needs a library of the compiler"),
                        ));
                    }
                }
                goal => goals.push(goal),
            }
        }
        if let Some(goal) = goals.iter().find(|goal| goal.contains("install")) {
            return Err(Refusal::at(
                step,
                format!("where `make {goal}` at line {{line}} puts files is not known"),
            ));
        }
        if !self.configured.iter().any(|it| within(&folder, it)) {
            let read = |name: &str| {
                let path = source_of(subject.context, step, &format!("{folder}/{name}"))?;
                subject.context.project()?.text(&path)
            };
            let hidden = ["GNUmakefile", "makefile"];
            let is_hidden = hidden
                .iter()
                .any(|name| source_of(subject.context, step, &format!("{folder}/{name}")).is_some());
            let Some(text) = read("Makefile").filter(|_| !is_hidden) else {
                return Err(Refusal::at(step, "the Makefile of line {line} can't be read"));
            };
            let others = subject.context.project().into_iter().flat_map(|project| project.texts());
            let others =
                others.filter(|(path, _)| makefile::is_recursive(text) && path.ends_with("Makefile"));
            let mut all = others.map(|(_, text)| text).chain([text]);
            if let Some(reason) = all.find_map(makefile::elsewhere) {
                return Err(Refusal::at(step, format!("the Makefile of line {{line}} {reason}")));
            }
        }
        self.project(subject, step, &folder)
    }

    fn ninja<'c>(&mut self, step: &'c Step<'c>, here: &str, words: &[&'c str]) -> Result<(), Refusal<'c>> {
        let folder = match words {
            ["-C", folder, ..] => absolute(here, folder),
            _ => here.to_owned(),
        };
        let installs = words.iter().any(|word| word.contains("install"));
        if installs || !self.configured.iter().any(|it| within(&folder, it)) {
            return Err(Refusal::at(step, "what ninja builds at line {line} is not known"));
        }
        Ok(())
    }

    fn cmake<'c>(
        &mut self,
        subject: &Subject<'c>,
        step: &'c Step<'c>,
        here: &str,
        words: &[&'c str],
    ) -> Result<(), Refusal<'c>> {
        if let ["--build", folder, options @ ..] = words {
            let folder = absolute(here, folder);
            let installs = options.iter().any(|word| word.contains("install"));
            if installs || !self.configured.contains(&folder) {
                return Err(Refusal::at(step, "what cmake builds at line {line} is not known"));
            }
            return Ok(());
        }
        let (mut source, mut build) = (None, None);
        let mut words = words.iter();
        while let Some(word) = words.next() {
            match *word {
                "-S" => source = words.next().copied(),
                "-B" => build = words.next().copied(),
                "-G" => drop(words.next()),
                word if word.starts_with("-D") => {
                    let elsewhere = word.contains("=/") || word.contains("=\"/");
                    if elsewhere && !word.starts_with("-DCMAKE_INSTALL_PREFIX") || word == "-D" {
                        return Err(Refusal::at(
                            step,
                            format!("{word} at line {{line}} may name a place to build in"),
                        ));
                    }
                    if word.contains("OPENMP") || word.contains("SANITIZE") || word.contains("-fopenmp") {
                        return Err(Refusal::at(
                            step,
                            format!("{word} at line {{line}} needs a library of the compiler"),
                        ));
                    }
                }
                word if word.starts_with("-H") => source = Some(&word[2..]),
                word if word.starts_with("-S") => source = Some(&word[2..]),
                word if word.starts_with("-B") => build = Some(&word[2..]),
                word if word.starts_with('-') => {
                    return Err(Refusal::at(step, format!("{word} at line {{line}} is not known of cmake")));
                }
                word => source = Some(word),
            }
        }
        let source = absolute(here, source.unwrap_or("."));
        let path = source_of(subject.context, step, &format!("{source}/CMakeLists.txt"));
        let project = subject.context.project();
        if path.and_then(|path| project?.text(&path)).is_none() {
            return Err(Refusal::at(step, "the CMakeLists.txt of line {line} can't be read"));
        }
        let all = project.into_iter().flat_map(|project| project.texts());
        for (path, text) in all.filter(|(path, _)| path.ends_with("CMakeLists.txt")) {
            if let Some(reason) = makefile::elsewhere_by_cmake(text) {
                return Err(Refusal::new(format!("{path} {reason}")));
            }
        }
        let build = build.map_or_else(|| here.to_owned(), |build| absolute(here, build));
        self.project(subject, step, &source)?;
        self.project(subject, step, &build)?;
        self.configured.push(build);
        Ok(())
    }

    /// Notes that something is built in a folder: what was copied above or around it belongs to it.
    fn project<'c>(
        &mut self,
        subject: &Subject<'c>,
        step: &'c Step<'c>,
        here: &str,
    ) -> Result<(), Refusal<'c>> {
        let above = subject.steps.iter().take_while(|it| it.line() < step.line());
        let copied = above.filter_map(|step| match &step.action {
            Action::Copy(copy) if copy.from.is_none() => copy.destination.text(),
            _ => None,
        });
        let around = copied.filter(|folder| within(here, folder)).min_by_key(|folder| folder.len());
        let folder = around.unwrap_or(here);
        if !is_own(folder) {
            return Err(Refusal::at(
                step,
                format!("line {{line}} builds in {folder}, which has other files, too"),
            ));
        }
        if !self.folders.iter().any(|known| within(folder, known)) {
            self.folders.retain(|known| !within(known, folder));
            self.folders.push(folder.to_owned());
        }
        Ok(())
    }

    /// Whether what a COPY brings stays in the builder: it lies in a folder that is carried as a whole, or it is
    /// a source of what is built.
    pub(super) fn has(&self, copy: &Copy) -> bool {
        let inside = |path: &str| self.folders.iter().any(|folder| within(path, folder));
        copy.destination.text().is_some_and(inside)
            || !copy.heredoc
                && !copy.sources.is_empty()
                && copy.sources.iter().all(|it| it.text().is_some_and(is_source))
    }

    /// Refuses if the builder makes what no carried path has.
    pub(super) fn refuse_what_is_lost<'c>(&self, step: &'c Step<'c>) -> Result<(), Refusal<'c>> {
        let is_carried = |path: &&String| {
            self.folders.iter().any(|folder| within(path, folder)) || self.files.contains(*path)
        };
        let is_object = |path: &&String| path.ends_with(".o") || path.ends_with(".a");
        match self.touched.iter().find(|path| !is_carried(path) && !is_object(path)) {
            Some(path) => Err(Refusal::at(step, format!("{path} is not part of what is built"))),
            None => Ok(()),
        }
    }

    /// Refuses if the container starts another program than what is built, or a script of the project.
    pub(super) fn refuse_other_programs<'c>(&self, subject: &Subject<'c>) -> Result<(), Refusal<'c>> {
        let last = |keyword| subject.steps.iter().rev().find(|step| step.instruction.keyword() == keyword);
        let Some(step) = last(Keyword::Entrypoint).or_else(|| last(Keyword::Cmd)) else {
            return Err(Refusal::new("it does not say which program the container starts"));
        };
        let operation = &step.instruction.operation;
        let words: Vec<&str> = match &operation.json {
            Some(words) => words.iter().map(|word| word.value.as_str()).collect(),
            None => {
                step.instruction.arguments().split_whitespace().skip_while(|word| *word == "exec").collect()
            }
        };
        let program = words.first().copied().unwrap_or_default();
        let path = match (program.contains('/'), working_folder(subject, step)) {
            (true, Some(folder)) => absolute(&folder, program),
            _ => format!("/usr/local/bin/{program}"),
        };
        let is_built = self.files.contains(&path)
            || program.contains('/') && self.folders.iter().any(|folder| within(&path, folder))
            || subject.has_script(program);
        match is_built {
            true => Ok(()),
            false => {
                Err(Refusal::at(step, format!("{program}, which line {{line}} starts, is not what is built")))
            }
        }
    }

    /// What the last stage copies.
    pub(super) fn carried(&self) -> Vec<String> {
        let inside = |path: &&String| self.folders.iter().any(|folder| within(path, folder));
        let mut carried = self.folders.clone();
        for file in self.files.iter().filter(|path| !inside(path)) {
            if !carried.contains(file) {
                carried.push(file.clone());
            }
        }
        carried
    }
}

/// `gcc`, `g++-12`, `clang`
pub(super) fn is_compiler(program: &str) -> bool {
    let is_version = |end: &str| !end.is_empty() && end.chars().all(|c| c.is_ascii_digit() || c == '.');
    let name = program.rsplit_once('-').filter(|(_, end)| is_version(end)).map_or(program, |(name, _)| name);
    matches!(name, "gcc" | "g++" | "cc" | "c++" | "clang" | "clang++")
}

/// Where a step runs. The images leave it at `/`.
fn working_folder(subject: &Subject<'_>, step: &Step<'_>) -> Option<String> {
    let is_set = |it: &&Step<'_>| matches!(it.action, Action::Workdir(_));
    match subject.steps.iter().take_while(|it| it.line() < step.line()).any(|it| is_set(&it)) {
        true => step.state.workdir.text().map(str::to_owned),
        false => Some("/".to_owned()),
    }
}

/// A word as a path, seen from a folder.
fn absolute(folder: &str, word: &str) -> String {
    super::absolute(folder, word.trim_matches(['"', '\'']))
}

/// Whether a word is literal, or made of the number of processors or of what pkg-config says.
fn is_plain(word: &str) -> bool {
    let mut rest = word.to_owned();
    for computed in ["$(nproc)", "`nproc`", "$(getconf _NPROCESSORS_ONLN)"] {
        rest = rest.replace(computed, "");
    }
    let by_pkg_config = |start: &str, end: char| {
        rest.strip_prefix(start)
            .and_then(|it| it.strip_suffix(end))
            .is_some_and(|it| !it.contains(['$', '`', ';', '&']))
    };
    by_pkg_config("$(pkg-config ", ')') || by_pkg_config("`pkg-config ", '`') || !rest.contains(['$', '`'])
}

fn is_jobs(word: &str) -> bool {
    let word = word.trim_matches(['"', '\'']);
    let number = word.strip_prefix("-j").or_else(|| word.strip_prefix("--jobs=")).unwrap_or(word);
    matches!(number, "$(nproc)" | "`nproc`" | "$(getconf _NPROCESSORS_ONLN)" | "\"$(nproc)\"")
        || !number.is_empty() && number.chars().all(|c| c.is_ascii_digit())
}

/// Whether an option links with a library that only the compiler's own packages have.
pub(super) fn needs_compilers_library(word: &str) -> bool {
    const STARTS: [&str; 9] = [
        "-fopenmp",
        "-fopenacc",
        "-fsanitize",
        "-fprofile",
        "--coverage",
        "-lgomp",
        "-lgfortran",
        "-lasan",
        "-stdlib=libc++",
    ];
    STARTS.iter().any(|start| word.starts_with(start)) || word == "-pg"
}

/// Whether a folder is no folder of the system, so that nobody else has put anything there.
fn is_own(folder: &str) -> bool {
    const SYSTEM: [&str; 16] = [
        "bin", "boot", "dev", "etc", "lib", "lib32", "lib64", "libx32", "proc", "run", "sbin", "sys", "tmp",
        "usr", "var", "root",
    ];
    const SHARED: [&str; 5] = ["home", "media", "mnt", "opt", "srv"];
    if ["/usr/src/", "/usr/local/src/", "/root/"].iter().any(|start| folder.starts_with(start)) {
        return true;
    }
    let mut parts = folder.trim_start_matches('/').split('/');
    let top = parts.next().unwrap_or_default();
    !top.is_empty() && !SYSTEM.contains(&top) && (!SHARED.contains(&top) || parts.next().is_some())
}

/// Whether a path names a source, which nobody needs but the compiler.
fn is_source(path: &str) -> bool {
    let name = base_name(path);
    let end = name.rsplit_once('.').map_or("", |(_, end)| end);
    matches!(end, "c" | "cc" | "cpp" | "cxx" | "h" | "hh" | "hpp" | "hxx" | "inl" | "S")
        || matches!(name, "Makefile" | "CMakeLists.txt")
}
