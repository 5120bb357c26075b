//! PHP: the builder compiles extensions, and the last stage copies them with their settings.
//!
//! The official images keep their compilers, so what is gained are headers and the libraries that come with them.

use dockeropt_facts::command::{Call, base_name, call};
use dockeropt_facts::effects::within;
use dockeropt_facts::native::{Ecosystem, Native};
use dockeropt_facts::project::EntryKind;
use dockeropt_facts::reshape::Split;
use dockeropt_facts::tables::Manager;
use dockeropt_facts::{Action, Copy, Step};
use dockeropt_syntax::shell::{Pipeline, Simple};

use super::layout::Opening;
use super::packages::{LEAST, apt_packages, is_plain as is_plain_list, sets_options};
use super::placing::{Place, Placing, build_call, place};
use super::{Recipe, Refusal, Subject, calls};

/// Where extensions lie.
const EXTENSIONS: &str = "/usr/local/lib/php/extensions";
/// Where the files lie that load them.
const SETTINGS: &str = "/usr/local/etc/php/conf.d";
/// Where `a2enmod` puts links.
const MODULES: &str = "/etc/apache2/mods-enabled";

pub(super) fn plan<'c>(subject: &Subject<'c>) -> Result<Option<Recipe<'c>>, Refusal<'c>> {
    let steps = subject.steps;
    let Some(first) = steps.iter().position(compiles) else { return Ok(None) };
    let cut = steps.iter().rposition(compiles).unwrap_or(first) + 1;
    let packages: Vec<&str> = steps[..cut].iter().flat_map(packages_of).collect();
    if packages.is_empty() {
        return Ok(None);
    }
    subject.refuse_missing_lists()?;
    let sorting = subject.sort(&packages, cut)?;
    if !sorting.left.iter().any(|name| name.ends_with("-dev")) {
        return Ok(None);
    }
    // The image has headers of its own, so that it can't be told what others weigh.
    if !sorting.is_known {
        return Err(Refusal::new(format!("it is not known what `{}` holds", subject.base)));
    }
    if sorting.saves.is_some_and(|saves| saves < LEAST) {
        return Ok(None);
    }
    if let Some(name) = sorting.kept.iter().find(|name| name.ends_with("-dev")) {
        return Err(Refusal::new(format!("it is not known which libraries come with `{name}`")));
    }
    refuse_other_places(subject)?;
    subject.refuse_unread_but(cut, &is_harmless)?;
    let mut carried = vec![EXTENSIONS.to_owned(), SETTINGS.to_owned()];
    let mut placing = Placing::of(subject, cut, |at, step| match &step.action {
        Action::Run(_) => {
            if enables_modules(subject, step)? && carried.len() < 3 {
                carried.push(MODULES.to_owned());
            }
            Ok(Place::Builder)
        }
        // Composer's image, most of the time.
        Action::Copy(copy) if copy.from.is_some() => Ok(Place::Both),
        _ => place(subject, step, at > first, cut),
    })?;
    subject.refuse_other_users(1, cut)?;
    subject.refuse_late_installs(cut)?;
    placing.above_copies(steps, carried.iter().map(|path| Opening::carry(path)));
    placing.packages(steps, &sorting.kept);
    let assumption = "an extension is a file among the extensions, and one that loads it".to_owned();
    let split = Split { carried, ..Split::default() };
    Ok(Some(subject.recipe(cut, placing, sorting, split, assumption)))
}

/// Whether a step compiles or enables extensions, however it is written.
fn compiles(step: &Step<'_>) -> bool {
    calls(step, |call| {
        call.program.starts_with("docker-php-ext-") || matches!(call.program, "pecl" | "pear" | "phpize")
    })
}

/// The commands of a RUN, as [`super::packages::commands`] has them. What answers the questions of pecl is left out.
fn commands<'c>(step: &'c Step<'c>) -> Option<Vec<&'c Simple<'c>>> {
    let run = step.run().filter(|run| run.flags.is_empty())?;
    let list = run.editable().filter(|list| is_plain_list(list))?;
    let all = list.entries.iter().map(|entry| command(&entry.pipeline)).collect::<Option<Vec<_>>>()?;
    Some(all.into_iter().filter(|simple| !sets_options(simple)).collect())
}

/// `pecl install redis`, `yes '' | pecl install redis`
fn command<'s, 't>(pipeline: &'s Pipeline<'t>) -> Option<&'s Simple<'t>> {
    use dockeropt_syntax::shell::Command::Simple;
    match &pipeline.commands[..] {
        [Simple(simple)] if !pipeline.negated => Some(simple),
        [Simple(answers), Simple(simple)] if !pipeline.negated => {
            let answer = call(answers)?.program;
            let is_plain =
                answers.redirections.is_empty() && answers.words.iter().all(|it| it.literal().is_some());
            let asks = call(simple)?.program == "pecl";
            (is_plain && asks && matches!(answer, "yes" | "echo" | "printf")).then_some(simple)
        }
        _ => None,
    }
}

fn packages_of<'c>(step: &'c Step<'c>) -> Vec<&'c str> {
    let all = commands(step).into_iter().flatten();
    all.filter_map(|simple| apt_packages(step, simple)).flatten().collect()
}

/// Whether a RUN enables modules of Apache. An error if it does more than that and to install packages and
/// extensions.
fn enables_modules<'c>(subject: &Subject<'c>, step: &'c Step<'c>) -> Result<bool, Refusal<'c>> {
    let other =
        || Refusal::at(step, "the RUN at line {line} does more than to install packages and extensions");
    let mut enables = false;
    for simple in commands(step).ok_or_else(other)? {
        let Some((call, words)) = build_call(subject, step, simple, is_plain, &other)? else { continue };
        match (call.program, &words[..]) {
            ("docker-php-ext-configure" | "docker-php-ext-enable", _)
            | ("docker-php-source", ["extract" | "delete"])
            | ("pecl", ["clear-cache"] | ["channel-update" | "update-channels", ..]) => {}
            ("docker-php-ext-install", names) => {
                let names = names.iter().map(|name| name.trim_matches(['"', '\'']));
                let mut names =
                    names.filter(|it| !(it.starts_with('-') || it.starts_with('$') || is_number(it)));
                if let Some(name) = names.find(|name| !is_known(subject, name, false)) {
                    return Err(Refusal::at(
                        step,
                        format!("it is not known what {name} of line {{line}} is made of"),
                    ));
                }
            }
            ("pecl", ["install", names @ ..]) => {
                let mut names =
                    names.iter().filter(|it| !matches!(**it, "-f" | "--force" | "-o" | "--onlyreqdeps"));
                if let Some(name) = names.find(|name| !is_known(subject, name, true)) {
                    return Err(Refusal::at(
                        step,
                        format!("it is not known what {name} of line {{line}} is made of"),
                    ));
                }
            }
            ("a2enmod", [_, ..]) => enables = true,
            _ => return Err(other()),
        }
    }
    Ok(enables)
}

fn is_number(word: &str) -> bool {
    !word.is_empty() && word.chars().all(|c| c.is_ascii_digit())
}

/// Whether a word is literal, or made of the number of processors or the machine's name.
fn is_plain(word: &str) -> bool {
    const COMPUTED: [&str; 5] = [
        "$(nproc)",
        "`nproc`",
        "$(getconf _NPROCESSORS_ONLN)",
        "$(uname -m)",
        "$(dpkg-architecture --query DEB_BUILD_MULTIARCH)",
    ];
    let rest = COMPUTED.iter().fold(word.to_owned(), |rest, computed| rest.replace(computed, ""));
    !rest.contains(['$', '`'])
}

/// Whether an extension is one of which it is known that it is only a library to load. A version may stand
/// behind it: `redis-5.3.7`.
fn is_known(subject: &Subject<'_>, name: &str, with_version: bool) -> bool {
    let name = name.trim_matches(['"', '\'']).to_ascii_lowercase();
    let name = if with_version { name.split('-').next().unwrap_or_default() } else { &name };
    // The row counts, not the release of which it names packages.
    let native = |release| subject.context.knowledge.native(Ecosystem::Php, name, None, release);
    ["bullseye", "bookworm", "trixie"].iter().any(|release| native(release) != Native::Unknown)
}

/// Calls behind the builder that compile nothing: PHP's own, and Composer's.
fn is_harmless(call: &Call<'_, '_>) -> bool {
    call.program == "php" || call.managed.as_ref().is_some_and(|it| it.manager == Manager::Composer)
}

/// Whether a COPY may bring files to where extensions lie.
fn copies_to_extensions(subject: &Subject<'_>, copy: &Copy) -> bool {
    let Some(to) = copy.destination.text() else { return true };
    let is_file = |source: &str| {
        let source = source.trim_start_matches("./").trim_start_matches('/');
        let name = base_name(source);
        match subject.context.project().and_then(|project| project.entry(source)) {
            Some(entry) => entry.kind != EntryKind::Folder,
            None => name.rsplit_once('.').is_some_and(|(_, end)| !end.is_empty()),
        }
    };
    let brings_files = copy.from.is_none() && copy.sources.iter().all(|it| it.text().is_some_and(is_file));
    within(to, EXTENSIONS) || within(EXTENSIONS, to) && !brings_files
}

/// Refuses if extensions lie elsewhere, or are compiled when the container starts.
fn refuse_other_places<'c>(subject: &Subject<'c>) -> Result<(), Refusal<'c>> {
    const ELSEWHERE: [&str; 4] = ["PHP_INI_SCAN_DIR", "PHP_INI_DIR=", "PHPRC", "extension_dir"];
    const COMPILERS: [&str; 5] =
        ["docker-php-ext-install", "pecl", "phpize", "pear", "install-php-extensions"];
    let text = subject.context.facts.file.text;
    if let Some(part) = ELSEWHERE.iter().find(|part| text.contains(**part)) {
        return Err(Refusal::new(format!("it names {part}, so where extensions lie may matter")));
    }
    for step in subject.steps {
        if let Action::Copy(copy) = &step.action
            && copies_to_extensions(subject, copy)
        {
            return Err(Refusal::at(step, "line {line} copies to where extensions lie"));
        }
    }
    for text in subject.texts_of_start() {
        let mut words = text.split(|c: char| !(c.is_alphanumeric() || "-_".contains(c)));
        if let Some(word) = words.find(|word| COMPILERS.contains(word)) {
            return Err(Refusal::new(format!("what the container starts calls {word}")));
        }
    }
    Ok(())
}
