//! Rust: a program, and the libraries of C that its crates are linked to.

use dockeropt_facts::Step;
use dockeropt_facts::command::{Call, base_name};
use dockeropt_facts::rust_lock::native_crates;

use super::super::{Refusal, Subject};
use super::steps::{Site, extension, is_beside};
use super::{Language, Last, Made};
use crate::sources::source_of;

pub(super) const LANGUAGE: Language = Language {
    tools: &["cargo", "rustc", "rustup"],
    last,
    made,
    is_source,
    variables: &["CARGO_BUILD_TARGET", "CARGO_TERM_COLOR", "CARGO_INCREMENTAL", "RUSTFLAGS", "RUSTC_WRAPPER"],
    folder: Some("/"),
    bin: Some("/usr/local/cargo/bin"),
    watchers: &["cargo-watch", "bacon", "diesel", "sqlx", "trunk"],
    stays: &[],
};

fn last<'c>(
    subject: &Subject<'c>,
    (_, tag): (&str, &str),
    builds: &'c Step<'c>,
) -> Result<Last, Refusal<'c>> {
    let knowledge = subject.context.knowledge;
    if tag.split('-').any(|part| part.starts_with("alpine")) {
        return Err(Refusal::new("what Rust builds on Alpine may be linked to Alpine's libraries"));
    }
    let image =
        knowledge.base(subject.base).filter(|image| image.family == "debian" && image.all_releases_known);
    let releases = image.map(|image| image.releases.clone()).unwrap_or_default();
    let [release] = releases[..] else {
        return Err(Refusal::new(format!(
            "it is not known which release of Debian {} is made of",
            subject.base
        )));
    };
    let unread = || Refusal::new("the Cargo.lock can't be read, which says what the program is linked to");
    let project = subject.context.project().ok_or_else(unread)?;
    let lock = source_of(subject.context, builds, "Cargo.lock").and_then(|path| project.text(&path));
    let names = lock.and_then(native_crates).ok_or_else(unread)?;
    let mut packages = vec!["ca-certificates".to_owned()];
    for name in names {
        let libraries = knowledge
            .libraries_of_crate(&name, release)
            .ok_or_else(|| Refusal::new(format!("it is not known what {name} is linked to")))?;
        packages.extend(libraries.into_iter().map(str::to_owned));
    }
    let base = format!("debian:{release}-slim");
    packages.retain(|name| !knowledge.contents(&base, release).is_some_and(|contents| contents.has(name)));
    Ok(Last { base, release: Some(release), packages, ..Last::default() })
}

fn made(place: &Site<'_, '_>, call: &Call<'_, '_>) -> Result<Made, String> {
    let words: Vec<&str> =
        call.arguments().collect::<Option<_>>().ok_or("it is not known what line {line} builds")?;
    if call.program == "rustup" {
        return Ok(Made::Nothing);
    }
    if call.program != "cargo" {
        return Err("line {line} calls the compiler itself".to_owned());
    }
    let value = |names: &[&str]| {
        words.iter().enumerate().find_map(|(at, word)| {
            let (name, value) =
                word.split_once('=').map_or((*word, None), |(name, value)| (name, Some(value)));
            names.contains(&name).then(|| value.or(words.get(at + 1).copied()).unwrap_or_default())
        })
    };
    let verb = words.iter().find(|word| !word.starts_with(['-', '+'])).copied().unwrap_or_default();
    if value(&["--target-dir", "--manifest-path", "--artifact-dir", "--out-dir", "-C", "--config"]).is_some()
    {
        return Err("line {line} builds in an unusual way".to_owned());
    }
    for name in ["CARGO_TARGET_DIR", "CARGO_HOME"] {
        if place.step.state.variable(name).is_some() {
            return Err(format!("{name} decides where line {{line}} builds"));
        }
    }
    let project = place.subject.context.project();
    let has =
        |name: &str| project.is_some_and(|project| project.entries().any(|(path, _)| path.ends_with(name)));
    if [".cargo/config.toml", ".cargo/config"].iter().any(|name| has(name)) {
        return Err(
            "the project has a .cargo/config.toml, which may decide where line {line} builds".to_owned()
        );
    }
    match verb {
        "build" | "b" => {
            let profile = match value(&["--profile"]) {
                Some("dev" | "test") => "debug",
                Some("bench") => "release",
                Some(profile) => profile,
                None if words.iter().any(|word| matches!(*word, "--release" | "-r")) => "release",
                None => "debug",
            };
            let target = value(&["--target"]).map(|target| format!("{target}/")).unwrap_or_default();
            let by_variable = place.step.state.variable("CARGO_BUILD_TARGET").is_some();
            if by_variable || !target.is_empty() && !target.contains("linux-") {
                return Err("another machine may be meant by the target of line {line}".to_owned());
            }
            Ok(Made::Programs(place.path(&format!("target/{target}{profile}"))))
        }
        "install" => {
            let root = value(&["--root"]);
            Ok(Made::Programs(match root {
                Some(root) => place.path(&format!("{root}/bin")),
                None => "/usr/local/cargo/bin".to_owned(),
            }))
        }
        "check" | "clippy" | "clean" | "fetch" | "fmt" | "test" | "update" | "vendor" | "--version"
        | "-V" => Ok(Made::Nothing),
        "run" => Err("line {line} runs the program in the build".to_owned()),
        _ => Err(format!("it is not known what {verb} of cargo does, which line {{line}} calls")),
    }
}

fn is_source(path: &str) -> bool {
    let name = base_name(path);
    matches!(extension(name), Some("rs"))
        || matches!(
            name,
            "Cargo.toml"
                | "Cargo.lock"
                | "rust-toolchain"
                | "rust-toolchain.toml"
                | "rustfmt.toml"
                | "clippy.toml"
                | "deny.toml"
        )
        || path.split('/').any(|part| matches!(part, ".cargo"))
        || is_beside(path)
}
