//! Requirements files of pip: which projects they ask for.
//!
//! The format is pip's (<https://pip.pypa.io/en/stable/reference/requirements-file-format/>); names are
//! normalised as PEP 503 says.

use std::collections::BTreeSet;

use crate::Project;

/// What requirements ask for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Requirements {
    /// The projects, in the order in which they are named.
    pub projects: Vec<Requirement>,
    /// The files that were read, by their paths in the context.
    pub files: Vec<String>,
    /// Lines that ask for something else than a project by its name: paths, addresses, options that name
    /// files of the context.
    pub others: Vec<String>,
    /// Files that are named and could not be read.
    pub missing: Vec<String>,
}

/// A project of PyPI.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Requirement {
    /// Its normalised name.
    pub name: String,
    /// The only version that may be installed, if `==` names one.
    pub version: Option<String>,
}

/// A name as PEP 503 has it: in lower case, with `-` for any run of `-`, `_` and `.`.
pub fn normalise(name: &str) -> String {
    let parts = name.split(['-', '_', '.']).filter(|part| !part.is_empty());
    parts.map(str::to_ascii_lowercase).collect::<Vec<_>>().join("-")
}

impl Requirements {
    /// Reads a requirements file of the context, and those that it names.
    pub fn read(project: &Project, path: &str) -> Self {
        let mut requirements = Self::default();
        requirements.add_file(project, path, &mut BTreeSet::new());
        requirements
    }

    /// Adds a requirement as it stands in a file or in a call of pip.
    pub fn add(&mut self, text: &str) {
        match requirement(text) {
            Some(requirement) => self.projects.push(requirement),
            None => self.others.push(text.to_owned()),
        }
    }

    /// Whether each project is asked for in one version.
    pub fn is_pinned(&self) -> bool {
        self.others.is_empty() && self.projects.iter().all(|project| project.version.is_some())
    }

    /// Adds a file of the context and the files that it names.
    pub fn add_file(&mut self, project: &Project, path: &str, seen: &mut BTreeSet<String>) {
        let Some(path) = in_context(path) else { return self.missing.push(path.to_owned()) };
        if !seen.insert(path.clone()) {
            return;
        }
        let Some(text) = project.text(&path) else { return self.missing.push(path) };
        self.files.push(path.clone());
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        for line in lines(text) {
            let (option, value) = option(&line);
            match option {
                "-r" | "--requirement" | "-c" | "--constraint" => {
                    let file = if folder.is_empty() { value.to_owned() } else { format!("{folder}/{value}") };
                    if value.contains("://") {
                        self.others.push(line);
                    } else if matches!(option, "-c" | "--constraint") {
                        let mut constraints = Self::default();
                        constraints.add_file(project, &file, seen);
                        self.files.extend(constraints.files);
                        self.missing.extend(constraints.missing);
                        self.others.extend(constraints.others);
                    } else {
                        self.add_file(project, &file, seen);
                    }
                }
                "-i" | "--index-url" | "--extra-index-url" | "--no-index" | "--pre" | "--prefer-binary"
                | "--no-binary" | "--only-binary" | "--require-hashes" | "--trusted-host"
                | "--use-feature" => {}
                "" => self.add(&line),
                _ => self.others.push(line),
            }
        }
    }
}

/// A path in the context, or `None` if it leads out of it.
fn in_context(path: &str) -> Option<String> {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// The logical lines of a file without comments.
fn lines(text: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut open = String::new();
    for line in text.lines() {
        let line = line.trim_end();
        if let Some(start) = line.strip_suffix('\\') {
            open += start;
            open.push(' ');
            continue;
        }
        open += line;
        let whole = std::mem::take(&mut open);
        // A comment begins at `#` at the start or behind white space.
        let end = whole
            .match_indices('#')
            .find(|(at, _)| whole[..*at].is_empty() || whole[..*at].ends_with(char::is_whitespace))
            .map_or(whole.len(), |(at, _)| at);
        let line = whole[..end].trim();
        if !line.is_empty() {
            lines.push(line.to_owned());
        }
    }
    lines.extend((!open.trim().is_empty()).then(|| open.trim().to_owned()));
    lines
}

/// The option that a line begins with, and what stands behind it.
fn option(line: &str) -> (&str, &str) {
    if !line.starts_with('-') {
        return ("", line);
    }
    let end = line.find([' ', '=', '\t']).unwrap_or(line.len());
    // `-rother.txt`
    let end = if line.starts_with("--") { end } else { end.min(2) };
    (&line[..end], line[end..].trim_start_matches([' ', '=', '\t']))
}

fn requirement(text: &str) -> Option<Requirement> {
    // Per-requirement options and environment markers.
    let text = text.split(" --").next().unwrap_or(text);
    let text = text.split(';').next().unwrap_or(text).trim();
    let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || "-_.".contains(c))).unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    let rest = match rest.trim_start().strip_prefix('[') {
        Some(extras) => extras.split_once(']')?.1,
        None => rest,
    };
    let rest = rest.trim();
    let is_path = name.is_empty() || name.starts_with('.') || rest.starts_with(['/', ':', '@', '+']);
    // `./x.whl`, `x.tar.gz`
    let is_file = [".whl", ".gz", ".zip", ".txt"].iter().any(|ending| text.ends_with(ending));
    if is_path || is_file {
        return None;
    }
    let exact = rest.strip_prefix("==").or_else(|| rest.strip_prefix("===")).map(str::trim);
    let version = exact.filter(|version| !version.contains(['*', ',', ' ']) && !version.is_empty());
    Some(Requirement { name: normalise(name), version: version.map(str::to_owned) })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn project(files: &[(&str, &str)]) -> Project {
        Project::from_texts(
            files
                .iter()
                .map(|(path, text)| ((*path).to_owned(), (*text).to_owned()))
                .collect::<BTreeMap<_, _>>(),
        )
    }

    fn named(requirements: &Requirements) -> Vec<String> {
        let show = |it: &Requirement| format!("{} {}", it.name, it.version.as_deref().unwrap_or("-"));
        requirements.projects.iter().map(show).collect()
    }

    #[test]
    fn names_and_versions() {
        let text = "# a comment\nFlask==2.0.1  # why\nzope.interface[x,y]>=5,<6 ; python_version > \"3\"\n\
                    psycopg2_binary == 2.9.9 --hash=sha256:aa \\\n   --hash=sha256:bb\n-i https://example.com/simple\n\
                    ruamel.yaml==0.17.*\n";
        let requirements = Requirements::read(&project(&[("requirements.txt", text)]), "./requirements.txt");
        assert_eq!(
            named(&requirements),
            ["flask 2.0.1", "zope-interface -", "psycopg2-binary 2.9.9", "ruamel-yaml -"]
        );
        assert!(requirements.others.is_empty() && !requirements.is_pinned());
    }

    #[test]
    fn files_that_name_files() {
        let files = [
            ("deps/all.txt", "-r base.txt\n--requirement=../more.txt\n-c limits.txt\n-rall.txt\n"),
            ("deps/base.txt", "a==1\n"),
            ("more.txt", "b==2\n-r missing.txt\n"),
            ("deps/limits.txt", "c==3\n"),
        ];
        let requirements = Requirements::read(&project(&files), "deps/all.txt");
        assert_eq!(named(&requirements), ["a 1", "b 2"]);
        assert_eq!(requirements.files, ["deps/all.txt", "deps/base.txt", "more.txt", "deps/limits.txt"]);
        assert_eq!(requirements.missing, ["missing.txt"]);
    }

    #[test]
    fn what_is_no_name() {
        for line in [
            "-e .",
            ".",
            "./lib",
            "git+https://example.com/x.git",
            "x @ https://example.com/x.whl",
            "../x",
            "--find-links ./wheels",
            "x.whl",
            "-r https://example.com/r.txt",
            "/abs/x",
        ] {
            let requirements = Requirements::read(&project(&[("r.txt", line)]), "r.txt");
            assert!(!requirements.others.is_empty() && requirements.projects.is_empty(), "{line}");
        }
        assert_eq!(Requirements::read(&project(&[]), "../r.txt").missing, ["../r.txt"]);
    }
}
