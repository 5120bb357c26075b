//! What is known of the stages of a file, as JSON.

use dockeropt_facts::command::{Call, call};
use dockeropt_facts::effects::{Reach, of_script};
use dockeropt_facts::shell_state::visit;
use dockeropt_facts::{Action, Base, Body, Facts, Shell, Step, Value};
use serde_json::{Value as Json, json};

/// For each stage `name`, `base`, `in_image` (whether its layers end up in the image), `user`,
/// `workdir`, `shell` and `env` at its end, and `steps` with what they run, read and write. What is only known when
/// the image is built is `null`.
pub(super) fn json(facts: &Facts<'_>) -> Json {
    let stages = facts.stages.iter().enumerate().map(|(at, stage)| {
        let env = stage.end.env.iter().map(|(name, value)| (name.to_owned(), known(value)));
        json!({
            "name": stage.name,
            "base": base(&stage.base),
            "in_image": stage.in_image,
            "user": known(&stage.end.user),
            "workdir": known(&stage.end.workdir),
            "shell": shell(&stage.end.shell),
            "env": env.collect::<serde_json::Map<_, _>>(),
            "steps": facts.steps_of(at).iter().filter_map(step).collect::<Vec<_>>(),
        })
    });
    stages.collect()
}

fn known(value: &Value) -> Json {
    json!(value.text())
}

fn base(base: &Base) -> Json {
    match base {
        Base::Scratch => json!({ "scratch": true }),
        Base::Stage(number) => json!({ "stage": number }),
        Base::Image { reference, by_default, platform } => {
            json!({ "image": reference.text(), "by_default": by_default, "platform": platform })
        }
    }
}

fn shell(shell: &Shell) -> Json {
    match shell {
        Shell::Default => json!(["/bin/sh", "-c"]),
        Shell::Posix { words, .. } => json!(words),
        Shell::Other => Json::Null,
    }
}

fn step(step: &Step<'_>) -> Option<Json> {
    match &step.action {
        Action::Run(run) => {
            let scripts = run.script(step.instruction);
            let (commands, effects) = match scripts {
                Some((list, text)) => {
                    let mut commands = Vec::new();
                    visit(list, &mut |simple| commands.extend(call(simple).map(|call| command(&call))));
                    let effects = of_script(list, text, &step.state.workdir);
                    (commands, json!({ "reads": reach(&effects.reads), "writes": reach(&effects.writes) }))
                }
                None => (Vec::new(), Json::Null),
            };
            let unread = match &run.body {
                Body::Opaque(opaque) => Some(opaque.reason),
                Body::Foreign(what) => Some(*what),
                Body::Script(_) | Body::Heredoc { .. } | Body::Exec(_) => None,
            };
            Some(json!({
                "line": step.line(),
                "user": known(&step.state.user),
                "workdir": known(&step.state.workdir),
                "commands": commands,
                "effects": effects,
                "not_understood": unread,
            }))
        }
        Action::Copy(copy) => Some(json!({
            "line": step.line(),
            "from": copy.from,
            "sources": copy.sources.iter().map(known).collect::<Vec<_>>(),
            "destination": known(&copy.destination),
        })),
        Action::Workdir(path) => Some(json!({ "line": step.line(), "makes": known(path) })),
        Action::Other => None,
    }
}

fn command(call: &Call<'_, '_>) -> Json {
    let words = |places: &[usize]| -> Vec<Json> {
        places.iter().map(|&at| json!(call.simple.words[at].literal())).collect()
    };
    let managed = call.managed.as_ref().map(|managed| {
        json!({
            "manager": managed.manager.name(),
            "verb": format!("{:?}", managed.verb).to_lowercase(),
            "operands": words(&managed.operands),
        })
    });
    json!({ "program": call.program, "package_manager": managed })
}

fn reach(reach: &Reach) -> Json {
    json!({ "everything": reach.everything, "system": reach.system, "paths": reach.paths })
}
