//! An ENV or ARG that changes from build to build.

use dockeropt_facts::effects::{environment_of_script, is_commonly_read};
use dockeropt_facts::{Action, Body, Step};
use dockeropt_syntax::Keyword;

use super::{Moves, Passed, STALE, Verdict};

/// Parts of the names of variables that change from build to build.
const VOLATILE: [&str; 13] = [
    "VERSION",
    "REVISION",
    "COMMIT",
    "GIT_SHA",
    "GIT_HASH",
    "BUILD_DATE",
    "BUILD_NUMBER",
    "BUILD_ID",
    "BUILD_TIME",
    "VCS_REF",
    "TIMESTAMP",
    "GIT_REF",
    "RELEASE_DATE",
];

/// What is to become of an ENV or ARG of which nothing up to the new place reads the value.
pub(super) fn variable_verdict<'c>(moves: &Moves<'c>, at: usize) -> Option<Verdict<'c>> {
    let step = &moves.steps[at];
    let operation = &step.instruction.operation;
    let escape = moves.context.facts.file.escape;
    let logical = &step.instruction.logical;
    let names: Vec<String> = match operation.keyword {
        Keyword::Env => {
            operation.name_values(logical, escape).into_iter().map(|pair| pair.name.text).collect()
        }
        Keyword::Arg => operation.declarations(logical, escape).into_iter().map(|it| it.name.text).collect(),
        _ => return None,
    };
    let volatile = |name: &String| VOLATILE.iter().any(|part| name.to_ascii_uppercase().contains(part));
    if names.is_empty() || !names.iter().all(volatile) || names.iter().any(|name| is_commonly_read(name)) {
        return None;
    }
    match moves.target(at, |below| may_pass_variable(below, &names)) {
        Ok(target) => {
            let note = "a new value no longer reinstalls the packages";
            target.map(|target| Verdict::Move { target, note })
        }
        Err((reason, other)) if reason == STALE => Some(Verdict::Decline(reason, other)),
        Err(_) => None,
    }
}

fn may_pass_variable(below: &Step<'_>, names: &[String]) -> Passed {
    let text = &below.instruction.logical.text;
    if names.iter().any(|name| text.contains(name.as_str())) {
        return Passed::No("line {line} uses it".to_owned());
    }
    match (&below.action, below.instruction.keyword()) {
        (Action::Run(run), _) => {
            let Body::Script(list) = &run.body else { return Passed::No("a RUN is not modelled".to_owned()) };
            let environment = environment_of_script(list);
            if run.flags.is_empty() && !names.iter().any(|name| environment.may_read(name)) {
                Passed::Yes
            } else {
                Passed::No("the RUN at line {line} may read it".to_owned())
            }
        }
        (Action::Other, Keyword::Onbuild | Keyword::From | Keyword::Arg) => {
            Passed::No("it is not passed".to_owned())
        }
        _ => Passed::Yes,
    }
}
