//! What differs between two images, and whether that was to be expected.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::OnceLock;

use dockeropt_facts::claim::Claim;
use dockeropt_facts::tables::all_kept;

use super::brought::Brought;
use super::ignored::Ignored;
use super::image::{Image, Node, NodeKind};
use super::packages::{Packages, files_of};
use super::pruned::Pruned;

/// What the applied fixes let differ.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Allowance {
    /// Their claims.
    pub claims: Vec<Claim>,
    /// Whether caches of package managers may be gone.
    pub caches: bool,
    /// The packages that the original names: none of them may be gone.
    pub named: BTreeSet<String>,
    /// Where what the context no longer has may be gone.
    pub ignored: Ignored,
    /// Where the Dockerfile itself brings files: what lies there must stay, whatever else a claim replaces.
    pub brought: Brought,
    /// What the Dockerfile configures itself: the names of fields, and of variables as `ENV NAME`.
    pub configured: BTreeSet<String>,
}

impl Allowance {
    /// Whether a split starts its last stage from another image.
    fn has_other_base(&self) -> bool {
        self.claims.iter().any(|claim| matches!(claim, Claim::Split(split) if split.base.is_some()))
    }

    /// Whether another base may set a field of the configuration, or a variable, to something else.
    fn is_of_base(&self, name: &str) -> bool {
        let dropped =
            |claim: &Claim| matches!(claim, Claim::Split(split) if split.dropped.iter().any(|it| it == name));
        self.claims.iter().any(dropped)
            || self.has_other_base() && (name == "ENV PATH" || !self.configured.contains(name))
    }
}

/// Why a difference is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// No fix and no noise explains it.
    Unexpected,
    /// A fix claims it.
    Expected,
    /// Two builds of the same file differ there, too.
    Noise,
}

/// A difference at a path or in the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The path, or `config` and the name of a field.
    pub place: String,
    /// What differs.
    pub what: String,
    /// Whether it was to be expected.
    pub class: Class,
    /// What explains it.
    pub why: String,
}

/// The fields of a configuration that are compared.
const FIELDS: [&str; 12] = [
    "Env",
    "Cmd",
    "Entrypoint",
    "WorkingDir",
    "User",
    "ExposedPorts",
    "Volumes",
    "Labels",
    "Healthcheck",
    "StopSignal",
    "Shell",
    "OnBuild",
];

/// Compares two images. `control` has the places at which two builds of the original differ.
pub(super) fn compare(
    before: &Image,
    after: &Image,
    (allowance, context): (&Allowance, &Path),
    control: &BTreeSet<String>,
) -> Vec<Difference> {
    let mut found = compare_configurations(before, after, allowance);
    let explain = Explain::new(before, after, (allowance, context));
    for package in &explain.lost {
        found.push(Difference {
            place: format!("package {package}"),
            what: "no longer installed".to_owned(),
            class: Class::Unexpected,
            why: "no fix claims it".to_owned(),
        });
    }
    for path in before.files.keys().chain(after.files.keys()).collect::<BTreeSet<_>>() {
        let (old, new) = (before.files.get(path), after.files.get(path));
        if let Some(what) = difference(old, new) {
            let (class, why) = explain.path(path, old, new);
            found.push(Difference { place: path.to_string(), what, class, why });
        }
    }
    for difference in &mut found {
        if difference.class == Class::Unexpected && control.contains(&difference.place) {
            difference.class = Class::Noise;
            difference.why = "two builds of the original differ there".to_owned();
        }
    }
    found
}

/// The places at which two images differ: of two builds of one file, what is noise.
pub(super) fn places(one: &Image, other: &Image) -> BTreeSet<String> {
    let all = compare(one, other, (&Allowance::default(), Path::new("")), &BTreeSet::new());
    all.into_iter().map(|difference| difference.place).collect()
}

fn compare_configurations(before: &Image, after: &Image, allowance: &Allowance) -> Vec<Difference> {
    let unknown: Vec<&str> = allowance
        .claims
        .iter()
        .flat_map(|claim| match claim {
            Claim::Flattened { unknown } => unknown.iter().map(String::as_str).collect(),
            _ => Vec::new(),
        })
        .collect();
    let mut found = Vec::new();
    for field in FIELDS {
        let of = |image: &Image| {
            image.config.get(field).filter(|value| !is_empty(value) && !is_root_folder(field, value)).cloned()
        };
        let (old, new) = (of(before), of(after));
        if old != new {
            let claimed = old.clone().map(|value| without(value, &unknown)).filter(|value| !is_empty(value));
            let show = |value: Option<serde_json::Value>| {
                value.map_or_else(|| "nothing".to_owned(), |value| value.to_string())
            };
            let what = format!("{} became {}", show(old.clone()), show(new.clone()));
            // What looks secret is no part of a report.
            let what = crate::redact::redact(&what).text.into_owned();
            let place = format!("config {field}");
            let put_first = || with_folder_first(old.as_ref(), &allowance.claims);
            let (class, why) = if claimed == new {
                (Class::Expected, "variables and labels of the base that a fix leaves out")
            } else if field == "Env"
                && allowance.has_other_base()
                && own_variables(old.as_ref(), allowance) == own_variables(new.as_ref(), allowance)
            {
                (Class::Expected, "variables of another base")
            } else if matches!(field, "Cmd" | "Entrypoint" | "Labels") && allowance.is_of_base(field) {
                (Class::Expected, "what another base says")
            } else if field == "Env" && put_first().is_some_and(|claimed| new.as_ref() == Some(&claimed)) {
                (Class::Expected, "a folder that now stands first in PATH")
            } else {
                (Class::Unexpected, "no fix may change it")
            };
            found.push(Difference { place, what, class, why: why.to_owned() });
        }
    }
    found
}

/// The variables without those that another base may set otherwise.
fn own_variables<'v>(variables: Option<&'v serde_json::Value>, allowance: &Allowance) -> BTreeSet<&'v str> {
    let all = variables.and_then(serde_json::Value::as_array).into_iter().flatten();
    let pairs = all.filter_map(serde_json::Value::as_str);
    pairs
        .filter(|pair| !allowance.is_of_base(&format!("ENV {}", pair.split('=').next().unwrap_or(pair))))
        .collect()
}

/// A field without the variables and labels (as `label:NAME`) of these names.
fn without(value: serde_json::Value, names: &[&str]) -> serde_json::Value {
    match value {
        serde_json::Value::Array(pairs) => {
            let is_named = |pair: &serde_json::Value| {
                let name = pair.as_str().and_then(|pair| pair.split('=').next());
                name.is_some_and(|name| names.contains(&name))
            };
            pairs.into_iter().filter(|pair| !is_named(pair)).collect()
        }
        serde_json::Value::Object(mut pairs) => {
            pairs.retain(|name, _| !names.contains(&format!("label:{name}").as_str()));
            serde_json::Value::Object(pairs)
        }
        other => other,
    }
}

/// An image that starts from nothing says that it starts in `/`, where others say nothing.
fn is_root_folder(field: &str, value: &serde_json::Value) -> bool {
    field == "WorkingDir" && value == "/"
}

/// The variables as a split has them: with the folder of what was built first in PATH.
fn with_folder_first(variables: Option<&serde_json::Value>, claims: &[Claim]) -> Option<serde_json::Value> {
    let mut folders = claims.iter().filter_map(|claim| match claim {
        Claim::Split(split) => split.path.as_deref(),
        _ => None,
    });
    let folder = folders.next()?;
    let put_first = |variable: &serde_json::Value| match variable.as_str()?.strip_prefix("PATH=") {
        Some(path) => Some(serde_json::Value::String(format!("PATH={folder}:{path}"))),
        None => Some(variable.clone()),
    };
    variables?.as_array()?.iter().map(put_first).collect()
}

/// `null`, `[]`, `{}` and `""` say the same as nothing.
fn is_empty(value: &serde_json::Value) -> bool {
    match value {
        serde_json::Value::Null => true,
        serde_json::Value::Array(values) => values.is_empty(),
        serde_json::Value::Object(values) => values.is_empty(),
        serde_json::Value::String(text) => text.is_empty(),
        _ => false,
    }
}

/// How what lies at a path differs.
fn difference(old: Option<&Node>, new: Option<&Node>) -> Option<String> {
    let (old, new) = match (old, new) {
        (Some(old), Some(new)) => (old, new),
        (Some(_), None) => return Some("missing".to_owned()),
        (None, Some(_)) => return Some("new".to_owned()),
        (None, None) => return None,
    };
    let mut what = Vec::new();
    match (&old.kind, &new.kind) {
        (NodeKind::File(_, one), NodeKind::File(_, other)) if one == other => {}
        (NodeKind::File(size, _), NodeKind::File(new_size, _)) => what.push(match size.cmp(new_size) {
            std::cmp::Ordering::Equal => "other content".to_owned(),
            _ => format!("other content ({size} bytes became {new_size})"),
        }),
        (NodeKind::Link(one), NodeKind::Link(other)) if one != other => {
            what.push(format!("link to {one} became link to {other}"));
        }
        (one, other) if name(one) != name(other) => {
            what.push(format!("{} became {}", name(one), name(other)));
        }
        (NodeKind::Special(..), NodeKind::Special(..)) if old.kind != new.kind => {
            what.push("other device".to_owned());
        }
        _ => {}
    }
    let is_link = matches!(new.kind, NodeKind::Link(_));
    if old.mode != new.mode && !is_link {
        what.push(format!("mode {:04o} became {:04o}", old.mode, new.mode));
    }
    if old.owner != new.owner {
        let ((user, group), (new_user, new_group)) = (old.owner, new.owner);
        what.push(format!("owner {user}:{group} became {new_user}:{new_group}"));
    }
    if old.attributes != new.attributes {
        let names =
            |node: &Node| node.attributes.iter().flat_map(|it| it.keys().cloned()).collect::<Vec<_>>();
        let shown = |names: Vec<String>| if names.is_empty() { "none".to_owned() } else { names.join(", ") };
        what.push(format!("attributes {} became {}", shown(names(old)), shown(names(new))));
    }
    (!what.is_empty()).then(|| what.join(", "))
}

fn name(kind: &NodeKind) -> &'static str {
    match kind {
        NodeKind::File(..) => "file",
        NodeKind::Folder => "folder",
        NodeKind::Link(_) => "link",
        NodeKind::Special(..) => "device",
    }
}

/// What explains differences.
struct Explain<'e> {
    before: &'e Image,
    after: &'e Image,
    caches: bool,
    ignored: &'e Ignored,
    pruned: Pruned,
    /// Whether the image may be a copy of all files.
    flattened: bool,
    /// The files of packages that may be gone, or may be new.
    files: BTreeSet<String>,
    /// The names of these packages, and what they begin with: `exim4` of `exim4-base`.
    names: BTreeSet<String>,
    /// The files of packages that both images have.
    owned: BTreeSet<String>,
    /// Whether packages may differ, and some do.
    packages_differ: bool,
    /// Packages that are gone and should not be.
    lost: BTreeSet<String>,
    /// If another base, or a stage that builds, was left behind: where everything must be as it was.
    brought: Option<&'e Brought>,
    context: &'e Path,
}

impl<'e> Explain<'e> {
    fn new(before: &'e Image, after: &'e Image, (allowance, context): (&'e Allowance, &'e Path)) -> Self {
        let (old, new) = (Packages::of(before), Packages::of(after));
        let (missing, added) = (old.missing_in(&new), new.missing_in(&old));
        let may_differ = allowance
            .claims
            .iter()
            .any(|claim| matches!(claim, Claim::WithoutRecommends { .. } | Claim::OneInstall(_)));
        let explained: BTreeSet<String> = if may_differ {
            let led = old.led_to_by(&new, &missing);
            led.difference(&allowance.named).cloned().collect()
        } else {
            BTreeSet::new()
        };
        let named: BTreeSet<String> = allowance
            .claims
            .iter()
            .flat_map(|claim| match claim {
                Claim::WithoutRecommends { named, .. } => named.clone(),
                Claim::Rebase { packages, .. } => packages.clone(),
                Claim::Split(split) => split.packages.clone(),
                _ => Vec::new(),
            })
            .collect();
        let new_ones: BTreeSet<String> =
            if named.is_empty() && !may_differ { BTreeSet::new() } else { added };
        let mut files = files_of(before, &explained);
        files.extend(files_of(after, &new_ones));
        let names = explained.iter().chain(&new_ones).flat_map(|name| {
            let start = name.split('-').next().filter(|start| start.len() >= 4).map(str::to_owned);
            [Some(name.clone()), start].into_iter().flatten()
        });
        let names = names.collect();
        let replaces = |claim: &Claim| matches!(claim, Claim::Rebase { .. } | Claim::Split(_));
        let is_replaced = allowance.claims.iter().any(replaces);
        let lost = match is_replaced {
            true => missing.intersection(&must_stay(allowance)).cloned().collect(),
            false => missing.difference(&explained).cloned().collect(),
        };
        let kept: BTreeSet<String> =
            old.missing_in(&Packages::default()).difference(&missing).cloned().collect();
        let owned = files_of(before, &kept);
        let packages_differ = !explained.is_empty() || !new_ones.is_empty();
        let (caches, ignored) = (allowance.caches, &allowance.ignored);
        let flattened = allowance.claims.iter().any(|claim| matches!(claim, Claim::Flattened { .. }));
        let pruned = Pruned::of(before, &allowance.claims);
        Self {
            before,
            after,
            caches,
            ignored,
            pruned,
            flattened,
            files,
            names,
            owned,
            packages_differ,
            lost,
            brought: is_replaced.then_some(&allowance.brought),
            context,
        }
    }

    fn path(&self, path: &str, old: Option<&Node>, new: Option<&Node>) -> (Class, String) {
        let is_gone = new.is_none();
        if self.caches && (is_gone || in_cache(path).is_some()) {
            if let Some(manager) = in_cache(path) {
                return (Class::Expected, format!("the cache of {manager}"));
            }
            if old.is_some_and(|node| node.kind == NodeKind::Folder) && self.held_only_caches(path) {
                return (Class::Expected, "a folder that held only caches".to_owned());
            }
        }
        if is_gone && self.flattened && path == "/" {
            return (
                Class::Expected,
                "the root folder, which a copy of all files leaves to the engine".to_owned(),
            );
        }
        if is_gone && self.ignored.explains(path) {
            return (Class::Expected, "what the ignore file leaves out".to_owned());
        }
        if self.pruned.explains(path, is_gone, self.before) {
            return (Class::Expected, "a package that only development needs".to_owned());
        }
        if self.brought.is_some_and(|brought| !brought.must_stay(path, is_gone, self.context)) {
            return (Class::Expected, "another base, or a stage that only builds".to_owned());
        }
        let in_both = old.is_some() && new.is_some();
        let is_noise = |row: &&Row| row.0 == "noise" || (row.0 == "content" && in_both);
        if let Some(why) = noise().iter().filter(is_noise).find_map(|row| row.explains(path)) {
            return (Class::Noise, why.to_owned());
        }
        if self.is_compiled_of_the_same(path) {
            return (Class::Noise, "compiled by Python from the same source".to_owned());
        }
        if self.packages_differ && self.differs_in_numbers_only(old, new) {
            return (Class::Expected, "packages differ: numbers of users and groups".to_owned());
        }
        if self.packages_differ && !self.owned.contains(path) {
            if self.files.contains(path) || self.is_made_of_packages(path) {
                return (Class::Expected, "a package that a fix leaves out or names".to_owned());
            }
            let mut rows = noise().iter().filter(|row| row.0 == "packages");
            if let Some(why) = rows.find_map(|row| row.explains(path)) {
                return (Class::Expected, format!("packages differ: {why}"));
            }
        }
        (Class::Unexpected, "no fix claims it".to_owned())
    }

    /// Whether what lies at a path has an owner and a group of the same names, which have other numbers
    /// as packages that make users came in another order, and is the same otherwise.
    fn differs_in_numbers_only(&self, old: Option<&Node>, new: Option<&Node>) -> bool {
        let (Some(old), Some(new)) = (old, new) else { return false };
        let names = |image: &'e Image, (user, group): (u32, u32)| {
            Some((name_of(image, "/etc/passwd", user)?, name_of(image, "/etc/group", group)?))
        };
        let same = names(self.before, old.owner).is_some_and(|it| names(self.after, new.owner) == Some(it));
        same && difference(Some(old), Some(&Node { owner: old.owner, ..new.clone() })).is_none()
    }

    /// Whether a path is a module that Python compiled from a source that is the same in both images:
    /// it compiles what it runs, and what it writes depends on what it read before.
    fn is_compiled_of_the_same(&self, path: &str) -> bool {
        let source = || {
            let (folder, name) = path.split_once("/__pycache__/")?;
            Some(format!("{folder}/{}.py", name.strip_suffix(".pyc")?.split('.').next()?))
        };
        let Some(source) = source() else { return false };
        let of = |image: &Image| match image.files.get(source.as_str()).map(|node| &node.kind) {
            Some(NodeKind::File(_, content)) => Some(*content),
            _ => None,
        };
        of(self.before).is_some_and(|content| of(self.after) == Some(content))
    }

    /// Whether a path is a link of `update-alternatives` to, or compiled from, what packages brought, or
    /// is named for one of them: `/var/spool/exim4`.
    fn is_made_of_packages(&self, path: &str) -> bool {
        let is_system = ["/etc/", "/var/", "/usr/share/"].iter().any(|start| path.starts_with(start));
        if is_system && path.split('/').any(|part| self.names.contains(part)) {
            return true;
        }
        let link = self.before.files.get(path).map(|node| &node.kind);
        if let Some(NodeKind::Link(target)) = link
            && target.starts_with("/etc/alternatives/")
        {
            return true;
        }
        let source = path.split_once("/__pycache__").map(|(folder, _)| folder);
        source.is_some_and(|folder| self.files.contains(folder))
    }

    /// Whether all that lies in a folder of the original is in caches.
    fn held_only_caches(&self, folder: &str) -> bool {
        let mut some = false;
        for (path, node) in self.before.below(folder) {
            let is_cache = in_cache(path).is_some();
            some |= is_cache;
            if !is_cache && node.kind != NodeKind::Folder {
                return false;
            }
        }
        some
    }
}

/// The packages that must be there whatever is left behind: those that a last stage installs, or, if there
/// is no stage that builds, all that the Dockerfile names.
fn must_stay(allowance: &Allowance) -> BTreeSet<String> {
    let splits = allowance.claims.iter().filter_map(|claim| match claim {
        Claim::Split(split) => Some(split.packages.iter().cloned().collect()),
        _ => None,
    });
    splits
        .reduce(|all: BTreeSet<String>, more| all.union(&more).cloned().collect())
        .unwrap_or_else(|| allowance.named.clone())
}

/// The name that belongs to a number in `/etc/passwd` or `/etc/group`.
fn name_of<'i>(image: &'i Image, file: &str, number: u32) -> Option<&'i str> {
    let text = std::str::from_utf8(image.kept.get(file)?).ok()?;
    text.lines().find_map(|line| {
        let mut fields = line.split(':');
        let (name, given) = (fields.next()?, fields.nth(1)?);
        (given.parse() == Ok(number)).then_some(name)
    })
}

/// The package manager in whose cache a path lies.
fn in_cache(path: &str) -> Option<&'static str> {
    all_kept().iter().find_map(|(manager, _, folder)| {
        let within = |rest: &str| rest.is_empty() || rest.starts_with('/');
        let found = match folder.strip_prefix("~/") {
            Some(below) => path.match_indices(below).any(|(at, _)| {
                path[..at].ends_with('/')
                    && (path.starts_with("/root/") || path.starts_with("/home/"))
                    && within(&path[at + below.len()..])
            }),
            None => path.strip_prefix(folder).is_some_and(within),
        };
        found.then(|| manager.name())
    })
}

/// A row of `noise.tsv`: its kind, its pattern and why it is there.
struct Row(&'static str, &'static str, &'static str);

impl Row {
    /// Why what lies at a path may differ, if the row is about it.
    fn explains(&self, path: &str) -> Option<&'static str> {
        matches(self.1, path).then_some(self.2)
    }
}

fn noise() -> &'static [Row] {
    static TABLE: OnceLock<Vec<Row>> = OnceLock::new();
    TABLE.get_or_init(|| {
        let lines = include_str!("noise.tsv").lines().filter(|line| !line.starts_with('#'));
        lines
            .filter_map(|line| match line.split('\t').collect::<Vec<_>>()[..] {
                [kind, pattern, why] => Some(Row(kind, pattern, why)),
                _ => None,
            })
            .collect()
    })
}

/// Whether a path matches a pattern: `*` is any text without a slash, `**` any text. `folder/**`
/// matches the folder itself, too.
fn matches(pattern: &str, path: &str) -> bool {
    match pattern.find('*') {
        None => pattern == path,
        Some(at) => {
            let deep = pattern[at..].starts_with("**");
            let rest = &pattern[at + if deep { 2 } else { 1 }..];
            if deep && rest.is_empty() && pattern[..at].strip_suffix('/') == Some(path) {
                return true;
            }
            let Some(tail) = path.strip_prefix(&pattern[..at]) else { return false };
            let longest = if deep { tail.len() } else { tail.find('/').unwrap_or(tail.len()) };
            (0..=longest).filter(|&end| tail.is_char_boundary(end)).any(|end| matches(rest, &tail[end..]))
        }
    }
}

/// Differences of one class by what explains them, with how many there are.
pub(super) fn counts(differences: &[Difference], class: Class) -> BTreeMap<&str, usize> {
    let mut counts = BTreeMap::new();
    for difference in differences.iter().filter(|difference| difference.class == class) {
        *counts.entry(difference.why.as_str()).or_default() += 1;
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;
    use dockeropt_facts::reshape::Split;
    use serde_json::json;

    #[test]
    fn variables_of_another_base_may_differ_and_those_of_the_file_may_not() {
        let image = |env: serde_json::Value| Image {
            config: json!({ "Env": env }).as_object().cloned().unwrap_or_default(),
            ..Image::default()
        };
        let split = |base: Option<&str>, dropped: &[&str]| {
            Claim::Split(Split {
                base: base.map(str::to_owned),
                dropped: dropped.iter().map(|&name| name.to_owned()).collect(),
                ..Split::default()
            })
        };
        let classes = |claim: Claim, after: serde_json::Value| {
            let allowance = Allowance {
                claims: vec![claim],
                configured: BTreeSet::from(["ENV ZONE".to_owned(), "ENV CGO_ENABLED".to_owned()]),
                ..Allowance::default()
            };
            let before = image(json!(["PATH=/go/bin:/bin", "GOPATH=/go", "ZONE=UTC", "CGO_ENABLED=0"]));
            let found = compare_configurations(&before, &image(after), &allowance);
            found.iter().map(|difference| difference.class).collect::<Vec<_>>()
        };
        let other = Some("debian:bookworm-slim");
        let rest = json!(["PATH=/bin", "ZONE=UTC", "CGO_ENABLED=0"]);
        assert_eq!(classes(split(other, &[]), rest.clone()), [Class::Expected]);
        assert_eq!(
            classes(split(other, &["ENV CGO_ENABLED"]), json!(["PATH=/bin", "ZONE=UTC"])),
            [Class::Expected]
        );
        // Another value, one that is gone, one without such a claim.
        assert_eq!(
            classes(split(other, &[]), json!(["PATH=/bin", "ZONE=x", "CGO_ENABLED=0"])),
            [Class::Unexpected]
        );
        assert_eq!(classes(split(other, &[]), json!(["PATH=/bin", "ZONE=UTC"])), [Class::Unexpected]);
        assert_eq!(classes(split(None, &[]), rest), [Class::Unexpected]);
    }

    #[test]
    fn what_is_not_known_of_the_base_may_be_gone() {
        let env = json!(["PATH=/bin", "PYTHON_VERSION=3.10.1", "A=1"]);
        assert_eq!(without(env.clone(), &["PYTHON_VERSION"]), json!(["PATH=/bin", "A=1"]));
        assert_eq!(without(env.clone(), &["A", "label:PATH"]), json!(["PATH=/bin", "PYTHON_VERSION=3.10.1"]));
        let labels = json!({"v": "1", "A": "2"});
        assert_eq!(without(labels, &["label:v", "A"]), json!({"A": "2"}));
    }
}
