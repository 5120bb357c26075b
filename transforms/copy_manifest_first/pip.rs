//! pip: requirement files with what they include.

use std::collections::{BTreeMap, BTreeSet};

use super::answer::{Answer, Needs, Question, folder_of, join};
use super::options::{Known, Options};
use dockeropt_facts::manifests::is_python_module;
use dockeropt_facts::project::EntryKind;

const KNOWN: Known = Known {
    flags: &[
        "--break-system-packages",
        "--compile",
        "--disable-pip-version-check",
        "--force-reinstall",
        "--ignore-installed",
        "--isolated",
        "--no-build-isolation",
        "--no-cache",
        "--no-cache-dir",
        "--no-clean",
        "--no-color",
        "--no-compile",
        "--no-deps",
        "--no-input",
        "--no-python-version-warning",
        "--no-warn-script-location",
        "--pre",
        "--prefer-binary",
        "--quiet",
        "--require-hashes",
        "--system",
        "--upgrade",
        "--user",
        "--verbose",
        "-I",
        "-U",
        "-q",
        "-v",
    ],
    values: &[
        "--cert",
        "--client-cert",
        "--constraint",
        "--constraints",
        "--default-timeout",
        "--exists-action",
        "--extra-index-url",
        "--find-links",
        "--index-url",
        "--no-binary",
        "--only-binary",
        "--prefix",
        "--progress-bar",
        "--proxy",
        "--requirement",
        "--requirements",
        "--retries",
        "--root-user-action",
        "--target",
        "--timeout",
        "--trusted-host",
        "--upgrade-strategy",
        "--use-deprecated",
        "--use-feature",
        "--cache-dir",
        "-c",
        "-f",
        "-i",
        "-r",
        "-t",
    ],
};

/// `pip install`
pub(super) fn answer(question: &Question<'_>) -> Result<Answer, String> {
    let options = Options::read(question.words, &KNOWN)?;
    let ["install", packages @ ..] = &options.operands[..] else { return Ok(Answer::Other) };
    let mut needs = Needs { moves_programs: true, ..Needs::default() };
    check_program(question, &mut needs)?;
    needs.merge(install(question, &options, packages)?);
    if question.program.starts_with("python") {
        check_modules(question)?;
    }
    Ok(Answer::Passes(needs))
}

/// What an install needs, given its options and the packages that it names.
pub(super) fn install(
    question: &Question<'_>,
    options: &Options<'_>,
    packages: &[&str],
) -> Result<Needs, String> {
    if let Some(path) = packages.iter().find(|package| is_path(package)) {
        return Err(format!("it installs {path}, which is made of the sources"));
    }
    for folder in options.values(&["--prefix", "--target", "-t", "--cache-dir"]) {
        if question.origin(folder).is_some() {
            return Err(format!("it installs into {folder}, where the project is"));
        }
    }
    if let Some(folder) = options.values(&["--find-links", "-f"]).find(|link| !link.contains("://")) {
        return Err(format!("it looks for packages in {folder}"));
    }
    if let Some(file) =
        options.values(&["--cert", "--client-cert"]).find(|file| question.origin(file).is_some())
    {
        return Err(format!("it reads {file}"));
    }
    let mut reader = Reader {
        question,
        needs: Needs::default(),
        pinned: BTreeSet::new(),
        open: BTreeMap::new(),
        depth: 0,
    };
    for file in options.values(&["-c", "--constraint", "--constraints"]) {
        reader.file(file, question.folder, Role::Constraints)?;
    }
    for file in options.values(&["-r", "--requirement", "--requirements"]) {
        reader.file(file, question.folder, Role::Requirements)?;
    }
    Ok(reader.finish())
}

/// A program given with a path may come with the project, or be of a virtual environment in its folder.
pub(super) fn check_program(question: &Question<'_>, needs: &mut Needs) -> Result<(), String> {
    if !question.program.contains('/') {
        return Ok(());
    }
    if let Some(path) = question.origin(question.program) {
        let below = question.copy.below(&path);
        let top = below.split('/').next().unwrap_or_default();
        needs.makes.push(join(&question.copy.source, top));
    }
    Ok(())
}

/// `python -m pip` loads modules from the working folder first.
fn check_modules(question: &Question<'_>) -> Result<(), String> {
    let Some(folder) = question.origin(".") else { return Ok(()) };
    let inside = |path: &str| folder_of(path) == folder && question.project.is_sent(path);
    for (path, entry) in question.project.entries().filter(|(path, _)| inside(path)) {
        let name = path.rsplit('/').next().unwrap_or(path);
        // A folder without `__init__.py` comes last.
        let module = match entry.kind {
            EntryKind::Folder if question.has(&join(path, "__init__.py")) => name,
            EntryKind::Folder => continue,
            _ => name.strip_suffix(".py").unwrap_or_default(),
        };
        if is_python_module(module) {
            return Err(format!("pip may load {path} in the place of a module of Python"));
        }
    }
    Ok(())
}

/// Whether a word names a file or folder rather than a package.
fn is_path(package: &str) -> bool {
    let name = package.split(['[', ';']).next().unwrap_or(package);
    !name.contains("://")
        && (name.starts_with(['.', '/', '~'])
            || name.starts_with("file:")
            || name.contains('/')
            || [".whl", ".tar.gz", ".tgz", ".zip", ".tar.bz2"].iter().any(|end| name.ends_with(end)))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    Requirements,
    Constraints,
}

/// Reads requirement files.
struct Reader<'r, 'q> {
    question: &'r Question<'q>,
    needs: Needs,
    /// The packages of which a version is pinned, by a requirement or a constraint.
    pinned: BTreeSet<String>,
    /// The packages of which none is, with the file that names them.
    open: BTreeMap<String, String>,
    depth: usize,
}

impl Reader<'_, '_> {
    /// Reads a file that is named in a folder of the image.
    fn file(&mut self, name: &str, folder: &str, role: Role) -> Result<(), String> {
        if name.contains("://") {
            return Err(format!("it reads {name}"));
        }
        if name.contains("${") {
            return Err(format!("which file {name} is depends on the environment"));
        }
        let place = super::absolute_path(folder, name);
        // Another file of the image is there whether the project is or not.
        let Some(path) = self.question.copy.origin(&place) else { return Ok(()) };
        if self.needs.files.contains(&path) {
            return Ok(());
        }
        if self.depth > 20 {
            return Err(format!("{path} is included too deeply"));
        }
        let text = self.question.text(&path)?;
        self.needs.add(path.clone());
        self.depth += 1;
        let own_folder =
            place.rsplit_once('/').map_or("/", |(folder, _)| if folder.is_empty() { "/" } else { folder });
        for line in lines(text) {
            self.line(&line, &path, own_folder, role)?;
        }
        self.depth -= 1;
        Ok(())
    }

    fn line(&mut self, line: &str, path: &str, folder: &str, role: Role) -> Result<(), String> {
        if let Some(option) = line.strip_prefix('-') {
            return self.option(option, path, folder, role);
        }
        let requirement = line.split(" --").next().unwrap_or(line);
        let requirement = requirement.split(" ;").next().unwrap_or(requirement).trim();
        if let Some((name, address)) =
            requirement.split_once(" @ ").or_else(|| requirement.contains("://").then_some(("", requirement)))
        {
            return self.address(name.trim(), address.trim(), path, line.contains("--hash"));
        }
        let requirement = requirement.split(';').next().unwrap_or(requirement).trim();
        if is_path(requirement) {
            return Err(format!("{path} names {requirement}, which is part of the project"));
        }
        let end = requirement.find(|c: char| !(c.is_ascii_alphanumeric() || "._-".contains(c)));
        let (name, rest) = requirement.split_at(end.unwrap_or(requirement.len()));
        if name.is_empty() {
            return Err(format!("{path} has a line that is not understood: {line}"));
        }
        let version = rest.split_once(']').map_or(rest, |(_, rest)| rest).trim();
        let pinned = version.strip_prefix("===").or_else(|| version.strip_prefix("=="));
        let is_pinned = pinned.is_some_and(|version| !version.contains(['*', ',']));
        let name = normalized(name);
        if is_pinned {
            self.pinned.insert(name);
        } else if role == Role::Requirements {
            self.open.entry(name).or_insert_with(|| path.to_owned());
        }
        Ok(())
    }

    /// A requirement that is given by its address.
    fn address(&mut self, name: &str, address: &str, path: &str, has_hash: bool) -> Result<(), String> {
        if address.starts_with("file:") || address.contains("file://") || !address.contains("://") {
            return Err(format!("{path} names {address}, which may be part of the project"));
        }
        let commit = address.split('#').next().unwrap_or(address).rsplit_once('@').map(|(_, commit)| commit);
        let is_commit =
            commit.is_some_and(|it| it.len() == 40 && it.chars().all(|digit| digit.is_ascii_hexdigit()));
        let is_archive = !address.starts_with("git+") && !address.contains("git@");
        let pinned = is_commit || has_hash || (is_archive && address.contains("#sha256="));
        let name = match name.split('[').next().unwrap_or(name) {
            "" => address.to_owned(),
            name => normalized(name),
        };
        if pinned {
            self.pinned.insert(name);
        } else {
            self.open.insert(name, path.to_owned());
        }
        Ok(())
    }

    fn option(&mut self, option: &str, path: &str, folder: &str, role: Role) -> Result<(), String> {
        let option = format!("-{option}");
        let (name, value) = match option.split_once(['=', ' ', '\t']) {
            Some((name, value)) => (name, value.trim()),
            None if option.starts_with("--") => (option.as_str(), ""),
            None => option.split_at(2.min(option.len())),
        };
        match name {
            "-r" | "--requirement" | "--requirements" => self.file(value, folder, role),
            "-c" | "--constraint" | "--constraints" => self.file(value, folder, Role::Constraints),
            "-e" | "--editable" => Err(format!("{path} names {value} as editable")),
            "-f" | "--find-links" if !value.contains("://") => {
                Err(format!("{path} has packages looked for in {value}"))
            }
            "-f" | "--find-links" | "-i" | "--index-url" | "--pypi-url" | "--extra-index-url"
            | "--trusted-host" | "--pre" | "--prefer-binary" | "--no-binary" | "--only-binary"
            | "--require-hashes" | "--use-feature" => Ok(()),
            _ => Err(format!("{path} has an option that is not known: {name}")),
        }
    }

    fn finish(self) -> Needs {
        let mut needs = self.needs;
        let mut open = self.open.iter().filter(|(name, _)| !self.pinned.contains(*name));
        if let Some((name, path)) = open.next() {
            let others = open.count();
            let more = if others > 0 { format!(" and {others} more") } else { String::new() };
            needs.assume(format!(
                "no newer version of {name}{more} is wanted as long as only the sources change ({path} pins \
                 none)"
            ));
        }
        needs
    }
}

/// The lines of a requirement file, without comments, continued ones joined.
fn lines(text: &str) -> Vec<String> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut lines: Vec<String> = Vec::new();
    let mut open = String::new();
    for line in text.lines() {
        let comment = if line.trim_start().starts_with('#') {
            Some(0)
        } else {
            line.find(" #").or_else(|| line.find("\t#"))
        };
        let line = comment.map_or(line, |at| &line[..at]);
        match line.strip_suffix('\\') {
            Some(start) if comment.is_none() => open += start,
            _ => {
                lines.push(std::mem::take(&mut open) + line);
            }
        }
    }
    lines.push(open);
    lines.iter().map(|line| line.trim().to_owned()).filter(|line| !line.is_empty()).collect()
}

/// A package's name as it is compared: `Flask_SQLAlchemy` and `flask-sqlalchemy` are one.
fn normalized(name: &str) -> String {
    name.to_ascii_lowercase().replace(['_', '.'], "-")
}
