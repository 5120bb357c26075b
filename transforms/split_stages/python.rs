//! Python: a virtual environment that the builder fills and the last stage copies.

use dockeropt_facts::Step;
use dockeropt_facts::command::{Call, call};
use dockeropt_facts::reshape::Split;
use dockeropt_facts::tables::{Manager, Verb};
use dockeropt_syntax::Keyword;
use dockeropt_syntax::shell::Simple;

use super::layout::Opening;
use super::packages::{apt_packages, commands, keeps_no_output};
use super::placing::{Place, Placing, accounts, makes_working_folder, place};
use super::{Recipe, Refusal, Subject};

/// Where the virtual environment is.
const VENV: &str = "/opt/venv";
const BIN: &str = "/opt/venv/bin";

/// Programs that start others with a PATH of their own, or an interpreter of their own.
const OTHER_PATH: [&str; 9] =
    ["cron", "crond", "crontab", "supervisord", "sudo", "uwsgi", "mod_wsgi", "runuser", "systemd"];

/// Parts of a text that says where packages lie.
const PLACES: [&str; 11] = [
    "venv",
    "VIRTUAL_ENV",
    "site-packages",
    "/usr/local/lib/python",
    "virtualenv",
    "conda",
    "PIP_PREFIX",
    "PIP_ROOT",
    "PIP_TARGET",
    "PIP_USER",
    "PYTHONUSERBASE",
];

/// What names the interpreter of the image itself, or a program that pip would have put there.
const OWN_PYTHON: [&str; 2] = ["/usr/local/bin/", "/usr/local/lib/python"];

/// Whether a text starts a shell that reads /etc/profile: `bash -l`, `su - user`.
fn starts_login_shell(text: &str) -> bool {
    let words: Vec<&str> = text
        .split(|c: char| c.is_whitespace() || "\"',[];&|!/".contains(c))
        .filter(|it| !it.is_empty())
        .collect();
    words.windows(2).any(|pair| match pair[0] {
        "su" => pair[1].starts_with("-") && !pair[1].starts_with("-c") && !pair[1].starts_with("--c"),
        "sh" | "bash" | "dash" | "ash" | "runuser" => {
            pair[1] == "--login"
                || pair[1].starts_with('-') && !pair[1].starts_with("--") && pair[1].contains('l')
        }
        _ => false,
    })
}

pub(super) fn plan<'c>(subject: &Subject<'c>) -> Result<Option<Recipe<'c>>, Refusal<'c>> {
    let steps = subject.steps;
    let installs = |step: &Step<'c>| commands(step).is_some_and(|all| all.iter().any(|it| is_pip(it)));
    let Some(first) = steps.iter().position(installs) else { return Ok(None) };
    let last = steps.iter().rposition(installs).unwrap_or(first);
    let cut = last + 1;
    let Some(sorting) = subject.sort_if_it_pays(cut)? else { return Ok(None) };
    refuse_by_text(subject)?;
    subject.refuse_unread_scripts(cut)?;
    let mut placing = Placing::of(subject, cut, |at, step| place_of(subject, step, at > first, cut))?;
    subject.refuse_other_users(first, cut)?;
    subject.refuse_late_installs(cut)?;
    for step in steps.iter().skip(first) {
        let names = step.instruction.operation.name_values(&step.instruction.logical, step.state.escape);
        if step.instruction.keyword() == Keyword::Env && names.iter().any(|pair| pair.name.text == "PATH") {
            return Err(Refusal::at(step, "the ENV at line {line} sets PATH behind the install"));
        }
    }
    let path = format!("ENV PATH=\"{BIN}:$PATH\"");
    placing.above_copies(steps, [Opening::New(path.clone()), Opening::carry(VENV)]);
    placing.packages(steps, &sorting.kept);
    let venv = format!("python -m venv {VENV}");
    let assumption = "what pip installs lies in the virtual environment, and is called by PATH".to_owned();
    let split = Split {
        carried: vec![VENV.to_owned()],
        commands: vec![venv.clone()],
        path: Some(BIN.to_owned()),
        ..Split::default()
    };
    let mut recipe = subject.recipe(cut, placing, sorting, split, assumption);
    recipe.plan.inserted.push((first, format!("RUN {venv}\n{path}")));
    Ok(Some(recipe))
}

fn place_of<'c>(
    subject: &Subject<'c>,
    step: &'c Step<'c>,
    is_behind: bool,
    cut: usize,
) -> Result<Place, Refusal<'c>> {
    if step.run().is_none() {
        return place(subject, step, is_behind, cut);
    }
    let is_understood = |it: &&Simple<'_>| {
        is_pip(it) && keeps_no_output(it)
            || apt_packages(step, it).is_some()
            || makes_working_folder(subject, step, it)
    };
    if accounts(step).is_some() {
        return Ok(Place::Both);
    }
    if !commands(step).is_some_and(|all| all.iter().all(is_understood)) {
        return Err(Refusal::at(step, "the RUN at line {line} does more than to install packages"));
    }
    match commands(step).into_iter().flatten().find_map(unusual) {
        Some(reason) => Err(Refusal::at(step, reason)),
        None => Ok(Place::Builder),
    }
}

fn pip<'s, 't>(simple: &'s Simple<'t>) -> Option<Call<'s, 't>> {
    call(simple).filter(|call| {
        call.managed.as_ref().is_some_and(|managed| {
            managed.manager == Manager::Pip && matches!(managed.verb, Verb::Install | Verb::Clean)
        })
    })
}

fn is_pip(simple: &Simple<'_>) -> bool {
    pip(simple).is_some()
}

/// Why an install by pip can't go into a virtual environment.
fn unusual(simple: &Simple<'_>) -> Option<&'static str> {
    let call = pip(simple)?;
    let managed = call.managed.as_ref()?;
    const ELSEWHERE: [&str; 8] =
        ["--user", "-t", "--target", "--prefix", "--root", "-e", "--editable", "--src"];
    if managed.has_option(simple, &ELSEWHERE) {
        return Some("the RUN at line {line} installs to a place of its own");
    }
    let by_name = |word: &str| !word.contains('/') && (word == "." || !word.starts_with('.'));
    if call.sudo || call.by_path || simple.words[..call.at].iter().any(|word| word.literal().is_none()) {
        return Some("the RUN at line {line} calls a pip of its own");
    }
    let literal = managed.operands.iter().all(|&at| simple.words[at].literal().is_some_and(by_name));
    (!literal).then_some("the RUN at line {line} installs from files or addresses")
}

/// Why the file or a script in it does not allow for a virtual environment.
fn refuse_by_text<'c>(subject: &Subject<'c>) -> Result<(), Refusal<'c>> {
    let text = subject.context.facts.file.text;
    for part in PLACES {
        if text.contains(part) {
            return Err(Refusal::new(format!("it names {part}, so where packages lie may matter")));
        }
    }
    if let Some((step, program)) = subject.called_by_path() {
        return Err(Refusal::at(step, format!("line {{line}} calls {program} by its path")));
    }
    for (path, script) in subject.scripts() {
        if let Some(part) = OWN_PYTHON.iter().find(|part| script.contains(**part)) {
            return Err(Refusal::new(format!("{path} names {part}, where nothing is installed then")));
        }
    }
    let own = subject.steps.iter().map(|step| &step.instruction.logical.text[..]);
    if own.chain(subject.scripts().map(|(_, text)| text)).any(starts_login_shell) {
        return Err(Refusal::new("a login shell sets a PATH of its own"));
    }
    match OTHER_PATH.iter().find(|program| subject.mentions(program)) {
        Some(program) => Err(Refusal::new(format!("{program} starts programs with a PATH of its own"))),
        None => Ok(()),
    }
}
