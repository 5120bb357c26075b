//! Node.js: the builder has the tools of development, the image what is left without them.

mod elsewhere;
mod tools;

use dockeropt_facts::command::call;
use dockeropt_facts::effects::within;
use dockeropt_facts::node_manifest::NodeManifest;
use dockeropt_facts::reshape::Split;
use dockeropt_facts::tables::{Manager, Verb};
use dockeropt_facts::{Action, Step};
use dockeropt_syntax::Keyword;
use dockeropt_syntax::shell::Simple;

use super::layout::{BUILDER, Opening, Plan};
use super::packages::{OTHER_RELEASE, apt_packages, commands, keeps_no_output, packages};
use super::placing::{Place, Placing, accounts};
use super::{Recipe, Refusal, Subject, is_start, served};
use crate::sources::source_of;

pub(super) fn plan<'c>(subject: &Subject<'c>, tag: &str) -> Result<Option<Recipe<'c>>, Refusal<'c>> {
    let steps = subject.steps;
    let builds = |simple: &Simple<'_>| npm(simple).is_some_and(|verb| verb != Verb::Clean);
    let calls_npm = |step: &Step<'c>| commands(step).is_some_and(|all| all.iter().any(|it| builds(it)));
    let Some(first) = steps.iter().position(calls_npm) else { return Ok(None) };
    let cut = steps.iter().rposition(calls_npm).unwrap_or(first) + 1;
    let Some(folder) = steps[first].state.workdir.text().filter(|folder| *folder != "/") else {
        return Ok(None);
    };
    let Some(project) = subject.context.project() else { return Ok(None) };
    let manifest = source_of(subject.context, &steps[first], "package.json");
    let manifest = manifest.and_then(|path| project.text(&path)).and_then(NodeManifest::parse);
    let Some(manifest) = manifest else {
        return Err(Refusal::at(&steps[first], "the package.json of line {line} can't be read"));
    };
    subject.refuse_missing_lists()?;
    let sorting = subject.sort(&packages(&steps[..cut]), cut)?;
    let served = served::find(subject, folder, cut);
    if served.is_none() {
        subject.refuse_unread_scripts(cut)?;
    }
    let has_tools =
        served.is_none() && !manifest.dev_dependencies.is_empty() && tools::leaves_tools(&steps[..cut])?;
    if sorting.left.is_empty() && !has_tools && served.is_none() {
        return Ok(None);
    }
    // The server is installed above what it serves, which changes more often.
    let behind = cut;
    let cut = if served.as_ref().is_some_and(|served| served.install == cut) { cut + 1 } else { cut };
    let carried = served.as_ref().map_or(folder, |served| &served.folder);
    if has_tools {
        tools::refuse_what_starts_by_tools(subject, &manifest)?;
    }
    let mut placing =
        Placing::of(subject, cut, |at, step| match (&step.action, step.instruction.keyword()) {
            (Action::Run(_), _) if served.as_ref().is_some_and(|served| served.install == at) => {
                Ok(if at < behind { Place::Both } else { Place::Last })
            }
            (Action::Run(_), _) if accounts(step).is_some() => Ok(Place::Both),
            (Action::Run(_), _) => refuse_other_commands(step).map(|()| Place::Builder),
            (Action::Copy(copy), _) => {
                let inside = copy.destination.text().is_some_and(|path| within(path, folder));
                if copy.from.is_some() {
                    return Err(Refusal::at(step, "line {line} copies from another image"));
                }
                Ok(if inside { Place::Builder } else { Place::Both })
            }
            (Action::Workdir(path), _) => {
                if path.text().is_none_or(|path| !within(path, folder)) && at > first {
                    return Err(Refusal::at(step, "line {line} leaves the folder of the project"));
                }
                Ok(Place::Both)
            }
            (_, Keyword::Env | Keyword::Arg | Keyword::Shell) => Ok(Place::Both),
            (_, Keyword::User | Keyword::Volume | Keyword::Onbuild) => Err(Refusal::at(
                step,
                format!("the {} of line {{line}} stands before the build", step.instruction.keyword().name()),
            )),
            _ => Ok(Place::Last),
        })?;
    let above = served.iter().filter(|served| served.install < behind);
    placing.repeated.extend(above.flat_map(|served| served.commands.clone()));
    subject.refuse_other_users(first, cut)?;
    subject.refuse_late_installs(cut)?;
    elsewhere::refuse_what_lies_elsewhere(subject, &manifest, (first, cut), folder)?;
    elsewhere::refuse_start_elsewhere(subject, folder)?;
    if has_tools {
        tools::refuse_configuration_in_typescript(subject, &manifest, (first, cut))?;
    }
    // Above what is copied otherwise, but not above a COPY that writes into the folder.
    let holds_folder = |step: &Step<'c>| match &step.action {
        Action::Copy(copy) => copy.destination.text().is_none_or(|path| within(carried, path)),
        _ => false,
    };
    match placing.opening.iter().any(|it| matches!(it, Opening::Step(at) if holds_folder(&steps[*at]))) {
        true => placing.opening.push(Opening::carry(carried)),
        false => placing.above_copies(steps, [Opening::carry(carried)]),
    }
    if !sorting.kept.is_empty() {
        placing.behind_variables(steps, Opening::Packages(sorting.kept.clone()));
    }
    let mut assumptions = vec![match &served {
        Some(_) => format!("the server needs nothing that npm and what it runs make but {carried}"),
        None => format!("all that npm and what it runs make lies in {folder}"),
    }];
    let mut left = sorting.left.clone();
    if served.is_some() {
        left.push(format!("what {folder} has beside {carried}"));
    }
    if has_tools {
        assumptions.push(format!(
            "the program requires none of its devDependencies when it runs: {}",
            tools::names(&manifest)
        ));
        left.push("what only development needs".to_owned());
    }
    if !sorting.left.is_empty() {
        assumptions.push(format!("the program does not need {} when it runs", sorting.left.join(", ")));
    }
    assumptions.extend(OTHER_RELEASE.map(str::to_owned).filter(|_| !sorting.is_known));
    let prune = tools::prune(tag);
    let split = Split {
        builder: BUILDER.to_owned(),
        carried: vec![carried.to_owned()],
        packages: sorting.kept,
        commands: if has_tools { vec![prune.to_owned()] } else { Vec::new() },
        ..Split::default()
    };
    let closing = has_tools.then(|| format!("RUN {prune}"));
    let plan = Plan { closing, ..Plan::new(subject, cut, placing) };
    let note = format!("{} stay{} out of the image", left.join(", "), if left.len() == 1 { "s" } else { "" });
    Ok(Some(Recipe { plan, split, assumptions, note, saves: sorting.saves.filter(|&saves| saves > 0) }))
}

/// A call of npm that installs what the manifest says, or runs a script.
fn npm(simple: &Simple<'_>) -> Option<Verb> {
    let call = call(simple)?;
    let managed = call.managed.as_ref().filter(|managed| managed.manager == Manager::Npm)?;
    let anywhere = managed.has_option(simple, &["-g", "--global", "--prefix", "-C", "--location"]);
    (!anywhere && !call.sudo).then_some(managed.verb)
}

fn refuse_other_commands<'c>(step: &'c Step<'c>) -> Result<(), Refusal<'c>> {
    let other = "the RUN at line {line} does more than to install packages and run scripts of npm";
    let all = commands(step).ok_or_else(|| Refusal::at(step, other))?;
    for simple in all {
        if apt_packages(step, simple).is_some() {
            continue;
        }
        let verb = npm(simple).filter(|_| keeps_no_output(simple)).ok_or_else(|| Refusal::at(step, other))?;
        let call = call(simple).ok_or_else(|| Refusal::at(step, other))?;
        let words: Vec<&str> = call.arguments().flatten().filter(|word| !word.starts_with('-')).collect();
        let is_known = match (verb, words.first().copied()) {
            (_, Some("link" | "ln")) => false,
            (Verb::Install | Verb::Clean, _) => true,
            (Verb::Remove, verb) => verb == Some("prune"),
            (Verb::Query, Some("config")) => words.get(1) != Some(&"set") || is_harmless(words.get(2)),
            (Verb::Query, _) => true,
            (_, Some("run" | "run-script" | "test" | "t")) => true,
            (_, Some("set")) => is_harmless(words.get(1)),
            _ => false,
        };
        if !is_known {
            return Err(Refusal::at(step, other));
        }
        let managed = call.managed;
        if verb == Verb::Install && managed.is_some_and(|managed| !managed.operands.is_empty()) {
            return Err(Refusal::at(step, "line {line} installs packages that the manifest doesn't name"));
        }
    }
    Ok(())
}

/// Whether a setting of npm matters only to what it installs.
fn is_harmless(setting: Option<&&str>) -> bool {
    const SETTINGS: [&str; 9] = [
        "audit",
        "fetch-retries",
        "fetch-retry-maxtimeout",
        "fetch-retry-mintimeout",
        "fund",
        "maxsockets",
        "registry",
        "strict-ssl",
        "unsafe-perm",
    ];
    setting.is_some_and(|it| SETTINGS.contains(&it.split('=').next().unwrap_or(it)))
}
