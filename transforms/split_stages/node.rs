//! Node.js: the builder has the tools of development, the image what is left without them.

use dockeropt_facts::command::call;
use dockeropt_facts::effects::within;
use dockeropt_facts::node_manifest::{NodeManifest, runs};
use dockeropt_facts::reshape::Split;
use dockeropt_facts::tables::{Manager, Verb};
use dockeropt_facts::{Action, Step};
use dockeropt_syntax::Keyword;
use dockeropt_syntax::shell::Simple;

use super::layout::{BUILDER, Opening, Plan};
use super::packages::{OTHER_RELEASE, apt_packages, commands, keeps_no_output, packages};
use super::placing::{Place, Placing};
use super::{Recipe, Refusal, Subject, is_start};
use crate::sources::source_of;

const PRUNE: &str = "npm prune --omit=dev";

pub(super) fn plan<'c>(subject: &Subject<'c>) -> Result<Option<Recipe<'c>>, Refusal<'c>> {
    let steps = subject.steps;
    let calls_npm =
        |step: &Step<'c>| commands(step).is_some_and(|all| all.iter().any(|it| npm(it).is_some()));
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
    subject.refuse_unread_scripts(cut)?;
    let has_tools = !manifest.dev_dependencies.is_empty();
    if sorting.left.is_empty() && !has_tools {
        return Ok(None);
    }
    if has_tools {
        refuse_what_starts_by_tools(subject, &manifest)?;
    }
    let mut placing =
        Placing::of(subject, cut, |at, step| match (&step.action, step.instruction.keyword()) {
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
            (_, Keyword::User | Keyword::Volume | Keyword::Onbuild) => {
                Err(Refusal::at(step, "line {line} stands before the build"))
            }
            _ => Ok(Place::Last),
        })?;
    subject.refuse_other_users(first, cut)?;
    subject.refuse_late_installs(cut)?;
    if steps[first].state.variable("NODE_ENV").is_some() && has_tools {
        return Err(Refusal::new("NODE_ENV decides whether tools of development are installed"));
    }
    placing.above_copies(steps, [Opening::carry(folder)]);
    if !sorting.kept.is_empty() {
        placing.behind_variables(steps, Opening::Packages(sorting.kept.clone()));
    }
    let mut assumptions = Vec::new();
    let mut left = sorting.left.clone();
    if has_tools {
        assumptions.push(format!(
            "the program requires none of its devDependencies when it runs: {}",
            names(&manifest)
        ));
        left.push("what only development needs".to_owned());
    }
    if !sorting.left.is_empty() {
        assumptions.push(format!("the program does not need {} when it runs", sorting.left.join(", ")));
    }
    assumptions.extend(OTHER_RELEASE.map(str::to_owned).filter(|_| !sorting.is_known));
    let split = Split {
        builder: BUILDER.to_owned(),
        carried: vec![folder.to_owned()],
        packages: sorting.kept,
        commands: if has_tools { vec![PRUNE.to_owned()] } else { Vec::new() },
        ..Split::default()
    };
    let closing = has_tools.then(|| format!("RUN {PRUNE}"));
    let plan = Plan { closing, ..Plan::new(subject, cut, placing) };
    let note = format!("{} stay{} out of the image", left.join(", "), if left.len() == 1 { "s" } else { "" });
    Ok(Some(Recipe { plan, split, assumptions, note, saves: sorting.saves.filter(|&saves| saves > 0) }))
}

/// The first few names of what only development needs.
fn names(manifest: &NodeManifest) -> String {
    let mut names: Vec<&str> = manifest.dev_dependencies.keys().map(String::as_str).take(6).collect();
    if manifest.dev_dependencies.len() > names.len() {
        names.push("...");
    }
    names.join(", ")
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
        let managed = call(simple).and_then(|call| call.managed);
        if verb == Verb::Install && managed.is_some_and(|managed| !managed.operands.is_empty()) {
            return Err(Refusal::at(step, "line {line} installs packages that the manifest doesn't name"));
        }
    }
    Ok(())
}

/// Refuses if what the container starts is, or runs, a tool of development.
fn refuse_what_starts_by_tools<'c>(
    subject: &Subject<'c>,
    manifest: &NodeManifest,
) -> Result<(), Refusal<'c>> {
    let scripts = subject.context.project().into_iter().flat_map(|project| project.scripts());
    let own = subject.steps.iter().filter(|step| is_start(step)).map(|step| step.instruction.arguments());
    let mut texts: Vec<&str> = own.chain(scripts.map(|(_, text)| text)).collect();
    let named: Vec<String> = texts.iter().flat_map(|text| runs(text)).collect();
    for name in &named {
        texts.extend(manifest.commands(name));
    }
    // The program of `@scope/tool` is often `tool`; that of `typescript` is `tsc`.
    let is_tool = |word: &str| {
        let package = |name: &String| name == word || name.rsplit('/').next() == Some(word);
        manifest.dev_dependencies.keys().any(package)
            || (word == "tsc" && manifest.dev_dependencies.contains_key("typescript"))
    };
    for text in texts {
        let mut words = text.split(|c: char| c.is_whitespace() || ";&|\"'[],=/".contains(c));
        if let Some(tool) = words.find(|word| !word.is_empty() && is_tool(word)) {
            return Err(Refusal::new(format!(
                "what the container starts runs {tool}, which only development has"
            )));
        }
        if text.contains("npx ") {
            return Err(Refusal::new("what the container starts calls npx"));
        }
    }
    Ok(())
}
