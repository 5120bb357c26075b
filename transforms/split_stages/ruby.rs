//! Ruby: the builder compiles gems, and the last stage copies the folder in which they lie.

use dockeropt_facts::command::{Call, base_name, call};
use dockeropt_facts::reshape::Split;
use dockeropt_facts::tables::{Manager, Verb};
use dockeropt_facts::{Action, Step};
use dockeropt_syntax::shell::Simple;

use super::layout::Opening;
use super::packages::{apt_packages, commands, keeps_no_output, words};
use super::placing::{Place, Placing, accounts, makes_working_folder, place};
use super::{Recipe, Refusal, Subject, calls};
use crate::bundler;
use crate::sources::source_of;

/// Where gems and the settings of Bundler lie in the official images.
const GEMS: &str = "/usr/local/bundle";
/// Where `bundle config --global` writes.
const SETTINGS: &str = "/root/.bundle/config";

pub(super) fn plan<'c>(subject: &Subject<'c>) -> Result<Option<Recipe<'c>>, Refusal<'c>> {
    let steps = subject.steps;
    let Some(first) = steps.iter().position(|step| installs(step, &|_| true)) else { return Ok(None) };
    // If all that is installed is Bundler, it is when the program runs that gems are compiled.
    if !steps.iter().any(|step| installs(step, &|call| !bundler::is_installed(call))) {
        return Ok(None);
    }
    let cut = steps.iter().rposition(|step| installs(step, &|_| true)).unwrap_or(first) + 1;
    let Some(sorting) = subject.sort_if_it_pays(cut)? else { return Ok(None) };
    refuse_other_places(subject)?;
    subject.refuse_unread_but(cut, &|call| bundler::is_precompile(call))?;
    let mut carried = vec![GEMS.to_owned()];
    let mut placing = Placing::of(subject, cut, |at, step| {
        if step.run().is_none() {
            return place(subject, step, at > first, cut);
        }
        if accounts(step).is_some() {
            return Ok(Place::Both);
        }
        if let Some(made) = made_by(subject, step)?
            && !carried.iter().any(|path| path == made)
        {
            carried.push(made.to_owned());
        }
        Ok(Place::Builder)
    })?;
    subject.refuse_other_users(1, cut)?;
    subject.refuse_late_installs(cut)?;
    for step in steps[..cut].iter().filter(|step| calls_bundle(step)) {
        let is_copied = |opening: &Opening| matches!(opening, Opening::Step(at) if brings_lock(&steps[*at]));
        refuse_gemfile(subject, step, placing.opening.iter().any(is_copied))?;
    }
    placing.above_copies(steps, carried.iter().map(|path| Opening::carry(path)));
    placing.packages(steps, &sorting.kept);
    let assumption = format!("what gems leave outside of {GEMS} when they are installed is not needed");
    let split = Split { carried, ..Split::default() };
    Ok(Some(subject.recipe(cut, placing, sorting, split, assumption)))
}

/// Whether a step installs gems by a call that counts, however it is written.
fn installs(step: &Step<'_>, counts: &dyn Fn(&Call<'_, '_>) -> bool) -> bool {
    calls(step, |call| {
        let managed = call.managed.as_ref();
        let by_gem = managed.is_some_and(|it| it.manager == Manager::Gem && it.verb == Verb::Install);
        let by_bundler = || {
            bundler::is_called(call)
                && matches!(call.arguments().next(), None | Some(Some("install" | "update")))
        };
        counts(call) && (by_gem || by_bundler())
    })
}

fn calls_bundle(step: &Step<'_>) -> bool {
    let all = commands(step).into_iter().flatten();
    all.filter_map(call).any(|it| bundler::is_called(&it) && it.arguments().next() != Some(Some("config")))
}

/// What beside gems the last stage needs of what a RUN makes that installs packages and gems. An error if it does more than that.
fn made_by<'c>(subject: &Subject<'c>, step: &'c Step<'c>) -> Result<Option<&'static str>, Refusal<'c>> {
    let other = || Refusal::at(step, "the RUN at line {line} does more than to install packages and gems");
    let mut made = None;
    for simple in commands(step).ok_or_else(other)? {
        let is_known = apt_packages(step, simple).is_some() || removes_archives(step, simple);
        if is_known || makes_working_folder(subject, step, simple) {
            continue;
        }
        let call = call(simple).filter(|call| !call.sudo && !call.by_path && keeps_no_output(simple));
        let call = call.ok_or_else(other)?;
        let words = words(step, &call);
        if bundler::is_called(&call) {
            match words.split_first() {
                None => {}
                Some((&"install", options)) => refuse_options(step, options)?,
                Some((&"config", setting)) => made = made.or(made_by_setting(step, setting)?),
                _ => return Err(other()),
            }
        } else if call.managed.as_ref().is_some_and(|it| it.manager == Manager::Gem) {
            refuse_gem(step, &call, &words)?;
        } else {
            return Err(other());
        }
    }
    Ok(made)
}

/// `rm -rf /usr/local/bundle/cache/*`
fn removes_archives(step: &Step<'_>, simple: &Simple<'_>) -> bool {
    let Some(call) = call(simple).filter(|call| call.program == "rm" && keeps_no_output(simple)) else {
        return false;
    };
    let mut paths = words(step, &call).into_iter().filter(|word| !word.starts_with('-'));
    let is_archive = |path: &str| {
        ["cache", "doc"].iter().any(|folder| path.starts_with(&format!("{GEMS}/{folder}")))
            && !path.contains("..")
    };
    paths.all(is_archive)
}

/// Refuses options of `bundle install` that decide where gems lie, or that aren't known.
fn refuse_options<'c>(step: &'c Step<'c>, options: &[&'c str]) -> Result<(), Refusal<'c>> {
    const FLAGS: [&str; 9] = [
        "--force",
        "--frozen",
        "--full-index",
        "--no-cache",
        "--no-prune",
        "--quiet",
        "--redownload",
        "--retry",
        "--verbose",
    ];
    const VALUES: [&str; 5] = ["--jobs", "-j", "--retry", "--with", "--without"];
    let mut has_values = false;
    for option in options {
        let name = option.split('=').next().unwrap_or(option);
        let is_value = !option.starts_with('-');
        let is_jobs = name.strip_prefix("-j").is_some_and(|it| !it.is_empty() && !it.starts_with('-'));
        if is_value && has_values || is_jobs {
            continue;
        }
        has_values = VALUES.contains(&name);
        if is_value || !(has_values || FLAGS.contains(option)) {
            let reason = format!("the {option} at line {{line}} may decide where gems lie");
            return Err(Refusal::at(step, reason));
        }
    }
    Ok(())
}

/// The file in which `bundle config` notes what the program needs; none if that is in the folder of the gems,
/// or if only the build needs it. An error if it decides where gems lie.
fn made_by_setting<'c>(step: &'c Step<'c>, setting: &[&'c str]) -> Result<Option<&'static str>, Refusal<'c>> {
    let is_local = setting.contains(&"--local");
    let is_global = setting.contains(&"--global");
    let words = setting.iter().copied().filter(|word| !matches!(*word, "set" | "--local" | "--global"));
    let name = words.into_iter().next().unwrap_or_default();
    match name {
        "jobs" | "retry" | "timeout" => Ok(None),
        name if name.starts_with("build.") => Ok(None),
        "frozen" | "without" | "with" | "force_ruby_platform" | "silence_root_warning" => {
            if is_local == is_global {
                let reason =
                    "which file the `bundle config` at line {line} writes depends on Bundler's version";
                return Err(Refusal::at(step, reason));
            }
            if is_global && step.state.variable("HOME").is_some() {
                return Err(Refusal::at(
                    step,
                    "HOME decides which file the `bundle config` at line {line} writes",
                ));
            }
            Ok(is_global.then_some(SETTINGS))
        }
        _ => Err(Refusal::at(step, "the `bundle config` at line {line} may decide where gems lie")),
    }
}

/// Refuses what `gem` does beside installing gems by name to their usual place.
fn refuse_gem<'c>(step: &'c Step<'c>, call: &Call<'_, '_>, words: &[&'c str]) -> Result<(), Refusal<'c>> {
    const OPTIONS: [&str; 20] = [
        "--clear-sources",
        "--conservative",
        "--force",
        "--minimal-deps",
        "--no-document",
        "--no-rdoc",
        "--no-ri",
        "--pre",
        "--prerelease",
        "--quiet",
        "--silent",
        "--source",
        "--verbose",
        "--version",
        "-N",
        "-V",
        "-f",
        "-q",
        "-s",
        "-v",
    ];
    let Some(managed) = &call.managed else { return Ok(()) };
    if !matches!(words.first(), Some(&"install" | &"i")) {
        return Err(Refusal::at(step, "line {line} does more with gem than to install"));
    }
    let word = |at: usize| words.get(at - call.at - 1).copied().unwrap_or_default();
    for &(at, _) in &managed.options {
        let option = word(at);
        if !OPTIONS.contains(&option.split('=').next().unwrap_or(option)) {
            return Err(Refusal::at(
                step,
                format!("the {option} at line {{line}} may decide where gems lie"),
            ));
        }
    }
    let is_name = |name: &str| {
        let name = name.trim_matches(['"', '\'']);
        name.starts_with(char::is_alphanumeric)
            && !name.contains(['/', '`', '(', '*'])
            && !name.ends_with(".gem")
    };
    match managed.operands.iter().map(|&at| word(at)).find(|name| !is_name(name)) {
        Some(name) => {
            Err(Refusal::at(step, format!("line {{line}} installs {name}, which is no gem's name")))
        }
        None => Ok(()),
    }
}

/// Refuses if the file or a script says that gems lie elsewhere, or installs gems when the program runs.
fn refuse_other_places<'c>(subject: &Subject<'c>) -> Result<(), Refusal<'c>> {
    const ELSEWHERE: [&str; 12] = [
        "BUNDLE_APP_CONFIG",
        "BUNDLE_BIN",
        "BUNDLE_DEPLOYMENT",
        "BUNDLE_GEMFILE",
        "BUNDLE_PATH",
        "BUNDLE_USER",
        "GEM_HOME",
        "GEM_PATH",
        "GEM_ROOT",
        "rbenv",
        "rvm",
        "vendor/bundle",
    ];
    let scripts = subject.scripts().map(|(_, text)| text);
    for text in scripts.chain([subject.context.facts.file.text]) {
        if let Some(part) = ELSEWHERE.iter().find(|part| text.contains(**part)) {
            return Err(Refusal::new(format!("it names {part}, so where gems lie may matter")));
        }
    }
    for step in subject.steps.iter().filter(|step| step.run().is_none()) {
        if step.instruction.logical.text.contains(GEMS) {
            return Err(Refusal::at(step, format!("line {{line}} names {GEMS}")));
        }
    }
    for text in subject.texts_of_start() {
        let words: Vec<&str> = text.split(|c: char| !(c.is_alphanumeric() || "-_".contains(c))).collect();
        let words: Vec<&str> = words.into_iter().filter(|word| !word.is_empty()).collect();
        let installs = |pair: &[&str]| matches!(pair, ["bundle" | "bundler" | "gem", "install" | "update"]);
        if words.windows(2).any(installs) {
            return Err(Refusal::new("what the container starts installs gems"));
        }
    }
    Ok(())
}

/// Whether a step brings the lock file.
fn brings_lock(step: &Step<'_>) -> bool {
    let Action::Copy(copy) = &step.action else { return false };
    copy.sources.iter().any(|source| {
        source.text().is_none_or(|it| {
            let name = base_name(it);
            matches!(name, "" | "." | "Gemfile.lock") || name.contains('*')
        })
    })
}

/// Refuses if `bundle install` takes gems from elsewhere than a server, or makes a lock file that the last stage doesn't get.
fn refuse_gemfile<'c>(
    subject: &Subject<'c>,
    step: &'c Step<'c>,
    is_copied_once: bool,
) -> Result<(), Refusal<'c>> {
    let project = subject.context.project();
    let text = |name: &str| {
        let path = source_of(subject.context, step, name)?;
        project?.text(&path)
    };
    let Some(gemfile) = text("Gemfile") else {
        return Err(Refusal::at(step, "the Gemfile of line {line} can't be read"));
    };
    let Some(lock) = text("Gemfile.lock") else {
        return Err(Refusal::at(step, "the Gemfile.lock of line {line} can't be read"));
    };
    if gemfile.lines().any(|line| line.trim_start().starts_with("plugin ")) {
        return Err(Refusal::at(step, "the Gemfile of line {line} has a plugin of Bundler"));
    }
    if let Some(section) = lock.lines().find(|line| matches!(*line, "GIT" | "PATH" | "PLUGIN SOURCE")) {
        let from = if section == "GIT" { "a repository" } else { "a folder" };
        return Err(Refusal::at(step, format!("a gem of line {{line}} comes from {from}")));
    }
    let settings = project.into_iter().flat_map(|project| {
        let entries = project.entries().map(|(path, _)| path);
        entries.filter(|path| project.is_sent(path) && format!("/{path}").ends_with("/.bundle/config"))
    });
    if let Some(path) = settings.into_iter().next() {
        return Err(Refusal::new(format!("{path} comes with the project")));
    }
    let is_complete = lock.lines().any(|line| line.trim().starts_with("x86_64-linux"));
    if is_copied_once && !is_complete {
        return Err(Refusal::at(
            step,
            "line {line} adds this platform to Gemfile.lock, which the last stage doesn't get",
        ));
    }
    Ok(())
}
