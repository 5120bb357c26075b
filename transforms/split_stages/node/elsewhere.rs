//! What lies outside of the folder of the project, and so not in the image.

use dockeropt_facts::command::base_name;
use dockeropt_facts::effects::within;
use dockeropt_facts::manifests::left_by_install_script;
use dockeropt_facts::node_lock::needed_packages;
use dockeropt_facts::node_manifest::{NodeManifest, runs};
use dockeropt_facts::{Action, Copy, Step, Value, clean};

use super::super::program::started::calls_of;
use super::{Refusal, Subject, is_start, source_of};

/// Refuses if npm, or a script that it runs, leaves something outside of the folder of the project that the program
/// may read.
pub(super) fn refuse_what_lies_elsewhere<'c>(
    subject: &Subject<'c>,
    manifest: &NodeManifest,
    (first, cut): (usize, usize),
    folder: &str,
) -> Result<(), Refusal<'c>> {
    let steps = &subject.steps[first..cut];
    let is_local = |version: &&String| {
        let path = version.strip_prefix("file:").or_else(|| version.strip_prefix("link:"));
        path.is_some_and(|path| path.starts_with('/') || path.split('/').any(|part| part == ".."))
    };
    let all = || manifest.dependencies.iter().chain(&manifest.dev_dependencies);
    if let Some((name, _)) = all().find(|(_, version)| is_local(version)) {
        return Err(Refusal::at(&steps[0], format!("{name} lies outside of {folder}")));
    }
    let lock = source_of(subject.context, &steps[0], "package-lock.json");
    let lock = lock.and_then(|path| subject.context.project()?.text(&path)).and_then(needed_packages);
    let needed = lock.unwrap_or_else(|| manifest.dependencies.keys().cloned().collect());
    let skips = |package: &str| {
        let name = package.to_ascii_uppercase();
        let set = |step: &Step<'_>| {
            let download = ["DOWNLOAD", "CHROMIUM_DOWNLOAD"];
            download.iter().any(|it| step.state.variable(&format!("{name}_SKIP_{it}")).is_some())
        };
        steps.iter().all(set)
    };
    for package in needed {
        if let Some(place) = left_by_install_script(&package).filter(|_| !skips(&package)) {
            return Err(Refusal::at(&steps[0], format!("{package} leaves what it needs in {place}")));
        }
    }
    let mut names: Vec<String> =
        ["install", "prepublish", "prepare", "dependencies"].map(str::to_owned).to_vec();
    names.extend(steps.iter().flat_map(|step| runs(&step.instruction.logical.text)));
    for name in names {
        for command in manifest.commands(&name) {
            let mut words = command.split(|c: char| c.is_whitespace() || ";&|\"'()=,<>".contains(c));
            let leads_out = |word: &&str| {
                let is_outside = word.starts_with('/') && word.len() > 1 && !within(&clean(word), folder);
                is_outside && !word.starts_with("/dev/")
                    || word.starts_with('~')
                    || word.starts_with("$HOME")
                    || word.split('/').any(|part| part == "..")
            };
            if let Some(path) = words.find(leads_out) {
                return Err(Refusal::at(
                    &steps[0],
                    format!("the script {name} of package.json names {path}"),
                ));
            }
        }
    }
    Ok(())
}

/// Refuses if the container starts in, or names, a folder beside that of the project to which nothing is copied: what
/// lies there was built.
pub(super) fn refuse_start_elsewhere<'c>(subject: &Subject<'c>, folder: &str) -> Result<(), Refusal<'c>> {
    // `COPY start.sh /` brings /start.sh, and nothing beside it.
    let is_source = |copy: &Copy, below: &str| {
        let name = below.trim_start_matches('/').split('/').next();
        let is =
            |source: &Value| source.text().is_none_or(|it| Some(base_name(it.trim_end_matches('/'))) == name);
        copy.sources.iter().any(is)
    };
    let brings = |copy: &Copy, path: &str| {
        copy.destination.text().is_none_or(|to| {
            within(path, to)
                && (!within(folder, to) || is_source(copy, &path[to.trim_end_matches('/').len()..]))
        })
    };
    let is_brought = |path: &str| {
        let copies = subject.steps.iter().any(|step| match &step.action {
            Action::Copy(copy) => brings(copy, path),
            _ => false,
        });
        copies || within(path, folder)
    };
    let end = &subject.context.facts.stages[0].end.workdir;
    if let Some(path) = end.text().filter(|path| *path != "/" && !is_brought(path) && !within(folder, path)) {
        return Err(Refusal::new(format!("the container starts in {path}, outside of {folder}")));
    }
    for step in subject.steps.iter().filter(|step| is_start(step)) {
        let of_system = |word: &str| {
            let folders = ["/bin/", "/dev/", "/etc/", "/proc/", "/sbin/", "/sys/", "/tmp/", "/usr/", "/var/"];
            folders.iter().any(|folder| word.starts_with(folder)) && !word.starts_with("/usr/src/")
        };
        let built =
            |word: &String| word.len() > 1 && word.starts_with('/') && !of_system(word) && !is_brought(word);
        let words = calls_of(step).into_iter().flatten().flatten();
        if let Some(path) = words.into_iter().find(built) {
            return Err(Refusal::at(step, format!("line {{line}} names {path}, outside of {folder}")));
        }
    }
    Ok(())
}
