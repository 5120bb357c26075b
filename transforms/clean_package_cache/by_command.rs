//! Managers that are cleaned up after by a command.

use dockeropt_facts::Base;
use dockeropt_facts::claim::Assumption;
use dockeropt_facts::command::{Call, Managed};
use dockeropt_facts::shell_state::{Leak, leaks};
use dockeropt_facts::tables::{Manager, Verb, kept};
use dockeropt_facts::usage::{Usage, Use, usages};
use dockeropt_syntax::RunPlan;
use dockeropt_syntax::shell::{Command, JoinerKind};

use super::{META, Target, cleanup_is_noticed, stops_at_errors};
use crate::later_use::{LaterUse, deleted_managers, later_use, named_later};
use crate::{Context, Fix, Proposals};

/// The managers, with what their caches are called in a title.
const MANAGERS: [(Manager, &str); 10] = [
    (Manager::Apt, "the package lists of apt"),
    (Manager::Yum, "the cache of yum"),
    (Manager::Dnf, "the cache of dnf"),
    (Manager::Microdnf, "the cache of microdnf"),
    (Manager::Zypper, "the cache of zypper"),
    (Manager::Pacman, "the packages that pacman keeps"),
    (Manager::Npm, "the cache of npm"),
    (Manager::Yarn, "the cache of yarn"),
    (Manager::Composer, "the cache of composer"),
    (Manager::Conda, "the caches of conda"),
];

/// Whether the RUN installs with a manager of this kind.
pub(super) fn uses_any(target: &Target<'_>) -> bool {
    MANAGERS.iter().any(|&(manager, _)| target.called.has(manager) && fills(target, manager).is_some())
}

pub(super) fn propose(context: &Context<'_>, target: &Target<'_>, out: &mut Proposals) {
    for (manager, what) in MANAGERS {
        if target.called.has(manager)
            && let Some(filled) = fills(target, manager)
        {
            clean(context, target, &filled, what, out);
        }
    }
}

/// A cache that a RUN leaves behind.
struct Filled {
    manager: Manager,
    /// What cleans it up.
    command: String,
    assumptions: Vec<Assumption>,
    /// The uses of the manager in the RUN, in order.
    uses: Vec<Usage>,
}

/// Whether the RUN leaves a cache of the manager behind, and what cleans it up.
fn fills(target: &Target<'_>, manager: Manager) -> Option<Filled> {
    let mut uses = usages(target.list, target.text, manager);
    let mut command = None;
    let mut cleaned = false;
    let mut assumptions = Vec::new();
    for call in target.calls {
        match &call.managed {
            Some(managed) if managed.manager == manager => match managed.verb {
                Verb::Clean if manager != Manager::Apt => cleaned = true,
                _ => {
                    if let Some((with, assumes)) = cleanup(call) {
                        cleaned = false;
                        command = Some(with);
                        assumptions = assumes;
                    }
                }
            },
            _ => cleaned |= deleted_managers(call, target.text).contains(&manager),
        }
    }
    if manager == Manager::Apt {
        // What was fetched in this RUN and is not deleted at its end.
        let last = uses.iter().rposition(|usage| matches!(usage.kind, Use::Update | Use::Delete))?;
        if uses[last].kind == Use::Delete {
            return None;
        }
        cleaned = false;
    }
    uses.retain(|usage| usage.kind != Use::Delete);
    let command = command.filter(|_| !cleaned)?;
    Some(Filled { manager, command, assumptions, uses })
}

/// What cleans up after a call; `None` if the call keeps nothing.
fn cleanup(call: &Call<'_, '_>) -> Option<(String, Vec<Assumption>)> {
    let managed = call.managed.as_ref()?;
    let simple = call.simple;
    let sudo = if call.sudo { "sudo " } else { "" };
    let program = simple.words[call.at].literal()?;
    let installs = matches!(managed.verb, Verb::Install | Verb::Upgrade);
    let word = |at: usize| simple.words[at].literal().unwrap_or_default();
    let verb = managed.verb_at.map_or("", word);
    let same = |rest: &str| Some((format!("{sudo}{program} {rest}"), Vec::new()));
    match managed.manager {
        Manager::Apt => Some((format!("{sudo}rm -rf /var/lib/apt/lists/*"), Vec::new())),
        Manager::Yum | Manager::Dnf | Manager::Microdnf if installs || managed.verb == Verb::Update => {
            same("clean all")
        }
        Manager::Zypper if installs || managed.verb == Verb::Update => same("clean --all"),
        Manager::Pacman if installs => Some((format!("{sudo}rm -rf /var/cache/pacman/pkg/*"), Vec::new())),
        Manager::Npm if installs && !matches!(verb, "rebuild" | "rb" | "link" | "ln" | "dedupe" | "ddp") => {
            (!managed.has_option(simple, &["--cache", "--dry-run"]))
                .then(|| (format!("{sudo}{program} cache clean --force"), Vec::new()))
        }
        Manager::Yarn if installs && !matches!(verb, "link" | "import") => {
            if managed.has_option(simple, &["--cache-folder", "--offline"]) {
                return None;
            }
            let first = [
                "--pure-lockfile",
                "--production",
                "--prod",
                "--non-interactive",
                "--ignore-optional",
                "--ignore-engines",
                "--ignore-platform",
                "--no-lockfile",
                "--network-timeout",
                "--silent",
                "-s",
                "--no-progress",
                "--ignore-scripts",
                "--force",
                "--flat",
                "--global-folder",
                "--modules-folder",
            ];
            let is_first = verb == "global" || managed.has_option(simple, &first);
            let assumes =
                Assumption::Other("the project uses Yarn 1, of which the cache is only a cache".to_owned());
            Some((format!("{sudo}{program} cache clean"), if is_first { Vec::new() } else { vec![assumes] }))
        }
        Manager::Composer if installs && !managed.has_option(simple, &["--no-cache"]) => same("clear-cache"),
        Manager::Conda if installs => {
            let plain = !managed
                .has_option(simple, &["--offline", "--clone", "--use-index-cache", "--dry-run"])
                && verb != "env"
                || (verb == "env"
                    && managed.operands.first().is_some_and(|&at| matches!(word(at), "create" | "update")));
            plain.then(|| (format!("{sudo}{program} clean -tipy"), Vec::new()))
        }
        _ => None,
    }
}

fn clean(context: &Context<'_>, target: &Target<'_>, filled: &Filled, what: &str, out: &mut Proposals) {
    let span = target.step.instruction.span;
    let manager = filled.manager;
    if target.run.mounts.iter().any(|mount| kept(manager).any(|(_, folder)| mount.may_hold(folder))) {
        return out.decline(&META, span, format!("{} keeps what it fetches on a mount", manager.name()));
    }
    if removes_itself(target, manager) {
        return out.decline(&META, span, format!("the RUN removes {} itself", manager.name()));
    }
    if manager == Manager::Apt && !installs_from_lists(&filled.uses) {
        return out.decline(
            &META,
            span,
            "nothing is installed from the lists here: they may be meant to stay",
        );
    }
    if let Some(name) = moved_by_variable(target, manager) {
        return out.decline(&META, span, format!("{name} decides where {} keeps its cache", manager.name()));
    }
    if manager == Manager::Npm && target.calls.iter().any(|call| replaces_npm(call, target.text)) {
        return out.decline(&META, span, "npm replaces itself, maybe by one that refuses this node");
    }
    if !may_delete(target, filled) {
        return out.decline(&META, span, "the user of the RUN may not delete what others own");
    }
    let mut assumptions = filled.assumptions.clone();
    if manager == Manager::Apt {
        match later_use(context, target.at, Manager::Apt, |_, _| false) {
            LaterUse::Needed { step, why } => {
                let reason = format!("line {{line}} installs from these lists: {why}");
                return out.decline_for(&META, span, &context.facts.steps[step], reason);
            }
            LaterUse::None(more) => assumptions.extend(more),
        }
    }
    if let Some(step) = named_later(context, target.at, manager) {
        let reason = format!("line {{line}} names what {} keeps", manager.name());
        return out.decline_for(&META, span, step, reason);
    }
    if manager == Manager::Yarn && is_newer_yarn(context) {
        return out.decline(
            &META,
            span,
            "the project uses a newer Yarn, which may load packages from its cache",
        );
    }
    let command = match (manager, keeps_archives(context, target)) {
        (Manager::Apt, true) if !calls_clean(target) => {
            let sudo = if filled.command.starts_with("sudo ") { "sudo " } else { "" };
            format!("{sudo}apt-get clean && {}", filled.command)
        }
        _ => filled.command.clone(),
    };
    let after = match place(target, &filled.uses) {
        Ok(after) => after,
        Err(reason) => return out.decline(&META, span, reason),
    };
    if let Some(reason) = cleanup_is_noticed(context, target, (manager, &command), after) {
        return out.decline(&META, span, reason);
    }
    let pronoun = if what.starts_with("the cache of") { "it" } else { "them" };
    let mut plan = RunPlan::new(context.facts.file, target.step.instruction, target.list);
    if let Err(error) = plan.insert_command(after, &command) {
        return out.decline(&META, span, error.to_string());
    }
    out.fixes.push(Fix {
        transform: META.id,
        title: format!("Remove {what} in the layer that would hold {pronoun}"),
        edits: plan.into_edits(),
        span,
        claims: Vec::new(),
        assumptions,
        notes: note(manager).into_iter().map(str::to_owned).collect(),
        saves: (manager == Manager::Apt).then(|| list_bytes(context, target)).flatten(),
        ..Fix::default()
    });
}

/// What the lists of apt take in the smallest of the releases that the stage may be made of; `None` if a layer
/// below may have them, too.
fn list_bytes(context: &Context<'_>, target: &Target<'_>) -> Option<i64> {
    let mut stage = target.step.stage?;
    let mut below: Vec<usize> = (context.facts.stages[stage].steps.start..target.at).collect();
    while let Base::Stage(parent) = context.facts.stages[stage].base {
        stage = parent;
        below.extend(context.facts.stages[stage].steps.clone());
    }
    let leaves_lists = |at: &usize| {
        let calls = context.memo.calls(*at);
        let verb = |verb: Verb| {
            let is = |it: &Managed| it.manager == Manager::Apt && it.verb == verb;
            calls.iter().filter_map(|call| call.managed.as_ref()).any(is)
        };
        let text = &context.facts.steps[*at].instruction.logical.text;
        verb(Verb::Update) && !text.contains("/var/lib/apt")
    };
    if below.iter().any(leaves_lists) {
        return None;
    }
    let image = context.facts.bottom_of(target.step.stage?).image.filter(|image| image.all_releases_known)?;
    let sizes = image.releases.iter().map(|release| context.knowledge.list_bytes(release));
    sizes.collect::<Option<Vec<u64>>>()?.into_iter().min().and_then(|bytes| i64::try_from(bytes).ok())
}

/// Whether the RUN removes the manager, so that it can't clean up any more.
fn removes_itself(target: &Target<'_>, manager: Manager) -> bool {
    target.calls.iter().any(|call| {
        let disables = call.program == "corepack" && call.arguments().any(|word| word == Some("disable"));
        let removes = call.managed.as_ref().is_some_and(|managed| managed.verb == Verb::Remove);
        (removes || disables) && call.arguments().any(|word| word == Some(manager.name()))
    })
}

/// Whether something needs the lists after they were last fetched.
fn installs_from_lists(uses: &[Usage]) -> bool {
    let last = uses.iter().rposition(|usage| usage.kind == Use::Update).unwrap_or_default();
    uses[last..].iter().any(|usage| usage.kind != Use::Update)
}

/// Whether a call installs npm itself: `npm install -g npm@latest`.
fn replaces_npm(call: &Call<'_, '_>, text: &str) -> bool {
    let Some(managed) = call.managed.as_ref().filter(|managed| managed.manager == Manager::Npm) else {
        return false;
    };
    let is_npm = |at: &usize| {
        let word =
            text.get(call.simple.words[*at].span.range()).unwrap_or_default().trim_matches(['"', '\'']);
        word == "npm" || word.starts_with("npm@")
    };
    matches!(managed.verb, Verb::Install | Verb::Upgrade) && managed.operands.iter().any(is_npm)
}

/// Whether the user of the RUN owns what the manager keeps.
fn may_delete(target: &Target<'_>, filled: &Filled) -> bool {
    target.step.state.is_root()
        || filled.command.starts_with("sudo ")
        || kept(filled.manager).all(|(_, folder)| folder.starts_with('~'))
}

fn note(manager: Manager) -> Option<&'static str> {
    match manager {
        Manager::Apt => Some("the lists take about 20 MB on Debian 12 and 40 MB on Ubuntu 22.04"),
        Manager::Npm => Some("npm keeps a copy of every package that it downloads"),
        Manager::Conda => Some("conda keeps the archive of every package, and its index"),
        _ => None,
    }
}

/// The entry behind which the cleanup goes.
pub(super) fn place(target: &Target<'_>, uses: &[Usage]) -> Result<usize, String> {
    let entries = &target.list.entries;
    let last = entries.len() - 1;
    if entries[last].joiner.is_some_and(|joiner| joiner.kind == JoinerKind::Background) {
        return Err("the script ends with a background job".to_owned());
    }
    let used =
        entries.iter().rposition(|entry| uses.iter().any(|usage| entry.pipeline.span.contains(usage.span)));
    let used = used.unwrap_or(last);
    let chained = entries[used..last]
        .iter()
        .all(|entry| entry.joiner.is_some_and(|joiner| joiner.kind == JoinerKind::And));
    let after = if chained { used } else { last };
    let leaks = leaks(target.list);
    let ends = |name: &str| leaks.contains(&Leak::Other(name.to_owned()));
    if ends("exit") || ends("exec") || ends("return") {
        return Err("the script may end before a cleanup at its end".to_owned());
    }
    // In a compound command that `&&` follows, the shell no longer stops at errors.
    let compound = matches!(&entries[after].pipeline.commands[..], [Command::Compound(_)]);
    if (compound && ends("set")) || stops_at_errors(target) {
        return Err("the script relies on `set -e` in its last command".to_owned());
    }
    Ok(after)
}

/// A variable that moves the manager's cache.
fn moved_by_variable(target: &Target<'_>, manager: Manager) -> Option<&'static str> {
    let names: &[&str] = match manager {
        Manager::Npm => &["npm_config_cache", "NPM_CONFIG_CACHE"],
        Manager::Yarn => &["YARN_CACHE_FOLDER"],
        Manager::Composer => &["COMPOSER_CACHE_DIR"],
        Manager::Conda => &["CONDA_PKGS_DIRS"],
        _ => &[],
    };
    names
        .iter()
        .copied()
        .find(|name| target.step.state.variable(name).is_some() || target.step.state.argument(name).is_some())
}

/// Whether the image that the stage starts from keeps the archives that apt downloads.
fn keeps_archives(context: &Context<'_>, target: &Target<'_>) -> bool {
    let image = target.step.stage.and_then(|stage| context.facts.bottom_of(stage).image);
    image.is_some_and(|image| image.cleans_archives == Some(false))
}

fn calls_clean(target: &Target<'_>) -> bool {
    let mut managed = target.calls.iter().filter_map(|call| call.managed.as_ref());
    managed.any(|managed| managed.manager == Manager::Apt && managed.verb == Verb::Clean)
}

fn is_newer_yarn(context: &Context<'_>) -> bool {
    [
        ".yarnrc.yml",
        ".yarn/",
        " .yarn",
        "corepack",
        "yarn set version",
        "--immutable",
        "yarn workspaces focus",
        ".pnp.",
    ]
    .iter()
    .any(|sign| context.memo.contains(sign))
}
