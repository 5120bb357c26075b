//! The whole configuration of the image that a stage makes, with that of its base: every value spelled out.
//!
//! What images are configured to do is in `data/base-configurations.tsv`; see `data/README.md`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use dockeropt_syntax::Keyword;

use crate::bases::{matches, official};
use crate::facts::{Action, Facts, Step};
use crate::stage::Base;
use crate::tables::rows;
use crate::value::{Value, clean};

/// What an image is configured to do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImageConfiguration {
    /// The variables in the order in which they were first set.
    pub env: Vec<(String, String)>,
    /// The folder that commands start in; empty for `/`.
    pub workdir: String,
    /// The user; empty for root.
    pub user: String,
    /// What reads commands in shell form; empty for `/bin/sh -c`.
    pub shell: Vec<String>,
    /// ENTRYPOINT, as words.
    pub entrypoint: Vec<String>,
    /// CMD, as words.
    pub cmd: Vec<String>,
    /// The ports.
    pub ports: BTreeSet<String>,
    /// The volumes.
    pub volumes: BTreeSet<String>,
    /// The labels.
    pub labels: BTreeMap<String, String>,
    /// STOPSIGNAL; empty for none.
    pub stopsignal: String,
    /// MAINTAINER; empty for none.
    pub maintainer: String,
    /// What stands behind HEALTHCHECK, with its options; empty for none.
    pub healthcheck: String,
    /// What stands behind each ONBUILD.
    pub triggers: Vec<String>,
    /// Variables, and labels as `label:NAME`, that the base may set, too, to values that depend on the day
    /// on which it was built.
    pub unknown: Vec<String>,
}

/// Why a configuration can't be spelled out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Undecided {
    /// A build argument decides the base.
    #[error("a build argument decides what it starts from")]
    Argument,
    /// The base has no row.
    #[error("what {0} is configured to do is not known")]
    Base(String),
    /// `--platform`
    #[error("its base has a platform of its own")]
    Platform,
    /// A value is decided by a build argument or by what the base doesn't show.
    #[error("what line {0} sets is decided when the image is built")]
    Value(usize),
    /// A stage that another starts from has triggers, which run there.
    #[error("line {0} is a trigger that runs in a later stage")]
    Trigger(usize),
}

/// A row of the table.
struct Row {
    image: &'static str,
    tag: &'static str,
    configuration: ImageConfiguration,
}

/// What an image is configured to do, by its reference.
fn of_image(reference: &str) -> Option<&'static ImageConfiguration> {
    static TABLE: OnceLock<Vec<Row>> = OnceLock::new();
    let table =
        TABLE.get_or_init(|| rows(include_str!("data/base-configurations.tsv")).filter_map(read).collect());
    let (name, tag) = official(reference)?;
    if ["windows", "nanoserver"].iter().any(|word| tag.contains(word)) {
        return None;
    }
    table.iter().find(|row| row.image == name && matches(row.tag, tag)).map(|row| &row.configuration)
}

fn read(row: Vec<&'static str>) -> Option<Row> {
    let column = |at: usize| row.get(at).copied().unwrap_or_default();
    let words = |at: usize| dockeropt_syntax::json_words(column(at)).unwrap_or_default();
    let pairs = column(2).split(' ').filter_map(|pair| pair.split_once('='));
    let configuration = ImageConfiguration {
        env: pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
        unknown: column(3).split(' ').filter(|name| !name.is_empty()).map(str::to_owned).collect(),
        workdir: column(4).to_owned(),
        entrypoint: words(5),
        cmd: words(6),
        ..ImageConfiguration::default()
    };
    Some(Row { image: row.first()?, tag: row.get(1)?, configuration })
}

impl Facts<'_> {
    /// What the image of a stage is configured to do.
    ///
    /// # Errors
    /// If that can't be spelled out.
    pub fn image_configuration(&self, stage: usize) -> Result<ImageConfiguration, Undecided> {
        Ok(self.configurations(stage)?.1)
    }

    /// What the image that a stage starts from at the bottom is configured to do, and that of the stage.
    fn configurations(&self, stage: usize) -> Result<(ImageConfiguration, ImageConfiguration), Undecided> {
        let from = self.steps_of(stage).first();
        if from.is_some_and(|from| from.instruction.operation.flag("platform").is_some()) {
            return Err(Undecided::Platform);
        }
        let (bottom, mut known) = match &self.stages[stage].base {
            Base::Stage(parent) => {
                if let Some(trigger) = self.triggers_of(*parent).next() {
                    return Err(Undecided::Trigger(trigger.line()));
                }
                self.configurations(*parent)?
            }
            Base::Scratch => {
                let nothing =
                    ImageConfiguration { env: vec![default_path()], ..ImageConfiguration::default() };
                (nothing.clone(), nothing)
            }
            Base::Image { reference, .. } => {
                let reference = reference.text().ok_or(Undecided::Argument)?;
                let known = of_image(reference).ok_or_else(|| Undecided::Base(reference.to_owned()))?;
                (known.clone(), known.clone())
            }
        };
        let mut has_cmd = false;
        for step in self.steps_of(stage) {
            known.apply(step, &bottom, &mut has_cmd).ok_or(Undecided::Value(step.line()))?;
        }
        Ok((bottom, known))
    }

    fn triggers_of(&self, stage: usize) -> impl Iterator<Item = &Step<'_>> {
        self.steps_of(stage).iter().filter(|step| step.instruction.keyword() == Keyword::Onbuild)
    }
}

/// What BuildKit gives an image that starts from nothing.
fn default_path() -> (String, String) {
    let path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    ("PATH".to_owned(), path.to_owned())
}

impl ImageConfiguration {
    /// Applies an instruction; `None` if what it sets can't be told. `bottom` is that of the
    /// image at the bottom, and `has_cmd` says whether the stage has set a CMD.
    fn apply(&mut self, step: &Step<'_>, bottom: &Self, has_cmd: &mut bool) -> Option<()> {
        let operation = &step.instruction.operation;
        let words = || operation.words(&step.instruction.logical, step.state.escape);
        let known = |text: &str| bottom.spelled_out(&step.state.expand(text));
        let argument = || known(step.instruction.arguments());
        match operation.keyword {
            Keyword::Env => {
                for pair in operation.name_values(&step.instruction.logical, step.state.escape) {
                    let (name, value) = (known(&pair.name.text)?, known(&pair.value.text)?);
                    match self.env.iter_mut().find(|(known, _)| *known == name) {
                        Some(known) => known.1 = value,
                        None => self.env.push((name, value)),
                    }
                }
            }
            Keyword::Label => {
                for pair in operation.name_values(&step.instruction.logical, step.state.escape) {
                    self.labels.insert(known(&pair.name.text)?, known(&pair.value.text)?);
                }
            }
            Keyword::Workdir => {
                let Action::Workdir(path) = &step.action else { return None };
                let path = bottom.spelled_out(path)?;
                self.workdir = Some(path).filter(|path| path.starts_with('/')).map(|path| clean(&path))?;
            }
            Keyword::User => self.user = argument()?,
            Keyword::Stopsignal => self.stopsignal = argument()?,
            Keyword::Maintainer => self.maintainer = argument()?,
            Keyword::Expose => {
                for word in words() {
                    self.ports.insert(known(&word.text)?);
                }
            }
            Keyword::Volume => {
                for word in words() {
                    self.volumes.insert(known(&word.text)?);
                }
            }
            Keyword::Shell => {
                self.shell = operation.json.iter().flatten().map(|word| word.value.clone()).collect()
            }
            Keyword::Cmd => {
                self.cmd = self.command(step);
                *has_cmd = true;
            }
            Keyword::Entrypoint => {
                self.entrypoint = self.command(step);
                // As BuildKit: what the base starts with is not for this entry point.
                if !*has_cmd {
                    self.cmd.clear();
                }
            }
            Keyword::Healthcheck => {
                let flags = operation.flags.iter().map(|flag| flag.text.as_str());
                if flags.clone().any(|flag| flag.contains('$')) {
                    return None;
                }
                let parts: Vec<&str> = flags.chain([step.instruction.arguments()]).collect();
                self.healthcheck = parts.join(" ");
            }
            Keyword::Onbuild => {
                if !step.instruction.heredocs.is_empty() {
                    return None;
                }
                self.triggers.push(step.instruction.arguments().to_owned());
            }
            _ => {}
        }
        Some(())
    }

    /// Whether a configuration is the same, but for what is not known of this one. An image that starts
    /// from nothing starts in `/`.
    pub(crate) fn is_spelled_out_by(&self, other: &Self) -> bool {
        let plain = |it: &Self| {
            let shell = if it.shell == ["/bin/sh", "-c"] { Vec::new() } else { it.shell.clone() };
            let workdir = if it.workdir == "/" { String::new() } else { it.workdir.clone() };
            Self { shell, workdir, unknown: Vec::new(), ..it.clone() }
        };
        plain(self) == plain(other)
    }

    /// The words of a CMD or ENTRYPOINT.
    fn command(&self, step: &Step<'_>) -> Vec<String> {
        match &step.instruction.operation.json {
            Some(words) => words.iter().map(|word| word.value.clone()).collect(),
            None => {
                let shell: &[String] = &self.shell;
                let default = || vec!["/bin/sh".to_owned(), "-c".to_owned()];
                let mut words = if shell.is_empty() { default() } else { shell.to_vec() };
                words.push(step.instruction.arguments().to_owned());
                words
            }
        }
    }

    /// A value in which only this base decides something; `None` if something else does.
    fn spelled_out(&self, value: &Value) -> Option<String> {
        let mut parts = value.raw().split('\u{0}');
        let mut text = parts.next()?.to_owned();
        // A symbol stands between two marks.
        while let Some(symbol) = parts.next() {
            text += &self.decided(symbol)?;
            text += parts.next()?;
        }
        Some(text)
    }

    /// What the base decides.
    fn decided(&self, symbol: &str) -> Option<String> {
        match symbol.strip_prefix("ENV ") {
            Some(name) if self.unknown.iter().any(|unknown| unknown == name) => None,
            Some(name) => {
                let found = self.env.iter().find(|(known, _)| known == name);
                Some(found.map_or_else(String::new, |(_, value)| value.clone()))
            }
            None if symbol == "WORKDIR" => Some(self.workdir.clone()),
            None if symbol == "USER" => Some(self.user.clone()),
            None => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dockeropt_syntax::parse;

    fn of(text: &str) -> Result<ImageConfiguration, Undecided> {
        let file = parse(text);
        assert_eq!(file.diagnostics, []);
        let facts = Facts::new(&file);
        facts.image_configuration(facts.stages.len() - 1)
    }

    #[test]
    fn every_row_of_the_table_is_read() {
        for row in rows(include_str!("data/base-configurations.tsv")) {
            let reference = format!("{}:{}", row[0], row[1].replace('*', ".0"));
            let known = of_image(&reference).unwrap_or_else(|| panic!("{reference} is not read"));
            assert!(
                known.env.iter().any(|(name, value)| name == "PATH" && value.ends_with(":/bin")),
                "{reference}"
            );
            assert!(!known.cmd.is_empty(), "{reference}");
        }
    }

    #[test]
    fn base_and_stages_are_joined() {
        let text = "FROM python:3.10-slim AS a\nENV PATH=/v/bin:$PATH X=1\nWORKDIR srv\nFROM a\nWORKDIR sub\nENV X=${X}2\n\
            USER app\nEXPOSE 80 443/tcp\nVOLUME [\"/data\"]\nLABEL a=b c=\"d e\"\nSTOPSIGNAL SIGINT\nHEALTHCHECK --interval=5s CMD curl x\n";
        let known = of(text).unwrap();
        let path = "/v/bin:/usr/local/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
        let env: Vec<_> = known.env.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(env, [("PATH", path), ("LANG", "C.UTF-8"), ("X", "12")]);
        assert_eq!((known.workdir.as_str(), known.user.as_str()), ("/srv/sub", "app"));
        assert_eq!(known.cmd, ["python3"]);
        assert_eq!((known.ports.len(), known.volumes.len(), known.labels.len()), (2, 1, 2));
        assert_eq!(
            (known.stopsignal.as_str(), known.healthcheck.as_str()),
            ("SIGINT", "--interval=5s CMD curl x")
        );
    }

    #[test]
    fn an_entry_point_takes_the_command_of_the_base_away() {
        let words = |text: &str| {
            let known = of(text).unwrap();
            (known.entrypoint.join(" "), known.cmd.join(" "))
        };
        let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        assert_eq!(words("FROM node:20\n"), pair("docker-entrypoint.sh", "node"));
        assert_eq!(words("FROM node:20\nENTRYPOINT [\"x\"]\n"), pair("x", ""));
        assert_eq!(words("FROM node:20\nCMD a b\nENTRYPOINT [\"x\"]\n"), pair("x", "/bin/sh -c a b"));
        assert_eq!(words("FROM debian:12 AS a\nCMD [\"a\"]\nFROM a\nENTRYPOINT [\"x\"]\n"), pair("x", ""));
        assert_eq!(
            words("FROM debian:12\nSHELL [\"/bin/bash\", \"-ec\"]\nCMD a\n"),
            pair("", "/bin/bash -ec a")
        );
    }

    #[test]
    fn what_a_build_decides_is_not_known() {
        assert_eq!(of("ARG B=debian:12\nFROM $B\n"), Err(Undecided::Argument));
        assert_eq!(of("FROM example.com/base\n"), Err(Undecided::Base("example.com/base".into())));
        assert_eq!(of("FROM debian:7\n"), Err(Undecided::Base("debian:7".into())));
        assert_eq!(
            of("FROM python:3.10-windowsservercore\n"),
            Err(Undecided::Base("python:3.10-windowsservercore".into()))
        );
        assert_eq!(of("FROM --platform=linux/arm64 debian:12\n"), Err(Undecided::Platform));
        assert_eq!(of("FROM debian:12\nARG V\nENV V=$V\n"), Err(Undecided::Value(3)));
        assert_eq!(of("FROM debian:12\nARG V\nLABEL v=$V\n"), Err(Undecided::Value(3)));
        assert_eq!(of("FROM debian:12\nARG V\nUSER $V\n"), Err(Undecided::Value(3)));
        assert_eq!(of("FROM debian:12\nARG V\nWORKDIR /a/$V\n"), Err(Undecided::Value(3)));
        assert_eq!(of("FROM debian:12\nARG V\nEXPOSE $V\n"), Err(Undecided::Value(3)));
        assert_eq!(of("FROM python:3.12\nENV V=$PYTHON_VERSION\n"), Err(Undecided::Value(2)));
        assert_eq!(of("FROM debian:12 AS a\nONBUILD RUN x\nFROM a\n"), Err(Undecided::Trigger(2)));
        assert!(of("FROM scratch\n").is_ok());
    }
}
