//! Node.js: the builder has the tools of development, the image what is left without them.

use dockeropt_facts::command::{base_name, call};
use dockeropt_facts::effects::within;
use dockeropt_facts::manifests::left_by_install_script;
use dockeropt_facts::node_lock::needed_packages;
use dockeropt_facts::node_manifest::{NodeManifest, runs};
use dockeropt_facts::reshape::Split;
use dockeropt_facts::tables::{Manager, Verb};
use dockeropt_facts::{Action, Copy, Step, Value, clean};
use dockeropt_syntax::Keyword;
use dockeropt_syntax::shell::Simple;

use super::layout::{BUILDER, Opening, Plan};
use super::packages::{OTHER_RELEASE, apt_packages, commands, keeps_no_output, packages};
use super::placing::{Place, Placing, accounts};
use super::program::started::calls_of;
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
    let has_tools = served.is_none() && !manifest.dev_dependencies.is_empty() && leaves_tools(&steps[..cut])?;
    if sorting.left.is_empty() && !has_tools && served.is_none() {
        return Ok(None);
    }
    // The server is installed above what it serves, which changes more often.
    let behind = cut;
    let cut = if served.as_ref().is_some_and(|served| served.install == cut) { cut + 1 } else { cut };
    let carried = served.as_ref().map_or(folder, |served| &served.folder);
    if has_tools {
        refuse_what_starts_by_tools(subject, &manifest)?;
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
    refuse_what_lies_elsewhere(subject, &manifest, (first, cut), folder)?;
    refuse_start_elsewhere(subject, folder)?;
    if has_tools {
        refuse_configuration_in_typescript(subject, &manifest, (first, cut))?;
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
            names(&manifest)
        ));
        left.push("what only development needs".to_owned());
    }
    if !sorting.left.is_empty() {
        assumptions.push(format!("the program does not need {} when it runs", sorting.left.join(", ")));
    }
    assumptions.extend(OTHER_RELEASE.map(str::to_owned).filter(|_| !sorting.is_known));
    let prune = prune(tag);
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

/// Removes what only development needs. Up to Node.js 14, npm has no `--omit`.
fn prune(tag: &str) -> &'static str {
    const OLD: [&str; 6] = ["argon", "boron", "carbon", "dubnium", "erbium", "fermium"];
    let version = tag.split(['.', '-']).next().unwrap_or(tag);
    let is_old = version.parse().map_or(OLD.contains(&version), |major: u32| major < 15);
    if is_old { "npm prune --production" } else { "npm prune --omit=dev" }
}

/// Whether what only development needs is still there when the steps have run.
fn leaves_tools<'c>(steps: &'c [Step<'c>]) -> Result<bool, Refusal<'c>> {
    let unclear = "NODE_ENV decides whether line {line} installs tools of development";
    let mut leaves = false;
    for step in steps {
        for simple in commands(step).into_iter().flatten() {
            let Some(call) = call(simple).filter(|_| npm(simple).is_some()) else { continue };
            let words: Vec<&str> = call.arguments().flatten().collect();
            let is_prune = words.contains(&"prune");
            if !is_prune && npm(simple) != Some(Verb::Install) {
                continue;
            }
            if simple.assignments.iter().any(|it| it.name == "NODE_ENV") {
                return Err(Refusal::at(step, unclear));
            }
            let words = format!(" {} ", words.join(" "));
            let has = |options: &[&str]| {
                let is_there = |option: &&str| {
                    [format!(" {option} "), format!(" {} ", option.replace('=', " "))]
                        .iter()
                        .any(|written| words.contains(written))
                };
                options.iter().any(is_there)
            };
            let omits =
                has(&["--omit=dev", "--only=prod", "--only=production", "--prod", "--production=true"])
                    || has(&["--production"]) && !has(&["--production=false"]);
            if has(&["--include=dev", "--production=false", "--also=dev", "--dev"]) {
                leaves = true;
                continue;
            }
            let is_production = match step.state.variable("NODE_ENV").map(|value| value.text()) {
                None => false,
                Some(Some(value)) => value == "production",
                Some(None) => return Err(Refusal::at(step, unclear)),
            };
            leaves = match () {
                () if omits || is_production => false,
                () => leaves || !is_prune,
            };
        }
    }
    Ok(leaves)
}

/// Refuses if npm, or a script that it runs, leaves something outside of the folder of the project that the program
/// may read.
fn refuse_what_lies_elsewhere<'c>(
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
fn refuse_start_elsewhere<'c>(subject: &Subject<'c>, folder: &str) -> Result<(), Refusal<'c>> {
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

/// Refuses if a file in TypeScript is read when the program starts, by a compiler that only development has.
fn refuse_configuration_in_typescript<'c>(
    subject: &Subject<'c>,
    manifest: &NodeManifest,
    (first, cut): (usize, usize),
) -> Result<(), Refusal<'c>> {
    const READ: [(&str, &str); 4] = [
        ("knexfile.ts", "knex"),
        ("next.config.mts", "next"),
        ("next.config.ts", "next"),
        ("ormconfig.ts", "typeorm"),
    ];
    let steps = &subject.steps[first..cut];
    for (file, reader) in READ {
        let last = steps.last().unwrap_or(&steps[0]);
        let is_there =
            manifest.dependencies.contains_key(reader) && source_of(subject.context, last, file).is_some();
        let compilers = ["ts-node", "tsx", "typescript"];
        if is_there && compilers.iter().any(|name| manifest.dev_dependencies.contains_key(*name)) {
            let reason =
                format!("{reader} reads {file} when it starts, with tools that only development has");
            return Err(Refusal::new(reason));
        }
    }
    Ok(())
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
        let programs = manifest.dev_dependencies.keys().filter(|name| !name.starts_with("@types/"));
        programs.into_iter().any(package)
            || (word == "tsc" && manifest.dev_dependencies.contains_key("typescript"))
    };
    for text in texts {
        let words = text.split(|c: char| c.is_whitespace() || ";&|\"'[],=/".contains(c));
        let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
        if let Some(tool) = words.iter().find(|word| is_tool(word)) {
            return Err(Refusal::new(format!(
                "what the container starts runs {tool}, which only development has"
            )));
        }
        if words.contains(&"npx") || words.windows(2).any(|pair| matches!(pair, ["npm", "exec" | "x"])) {
            return Err(Refusal::new("what the container starts calls npx"));
        }
    }
    Ok(())
}
