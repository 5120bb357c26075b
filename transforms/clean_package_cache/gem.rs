//! gem and bundle, which keep the archives of gems.

use dockeropt_facts::Base;
use dockeropt_facts::tables::{Manager, Verb};
use dockeropt_facts::usage::{Usage, Use};
use dockeropt_syntax::RunPlan;

use super::by_command::place;
use super::{META, Target, text_teaches_shell};
use crate::later_use::{deleted_managers, named_later};
use crate::{Context, Fix, Proposals};

/// What cleans up.
const COMMAND: &str = "rm -rf /usr/local/bundle/cache/*";

/// The official ruby image keeps gems' archives in a folder that is known.
pub(super) fn propose(context: &Context<'_>, target: &Target<'_>, out: &mut Proposals) {
    if !target.called.has(Manager::Gem) && !target.called.bundler {
        return;
    }
    let mut installs = false;
    let mut cleaned = false;
    for call in target.calls {
        let simple = call.simple;
        installs |= call
            .managed
            .as_ref()
            .is_some_and(|managed| managed.manager == Manager::Gem && managed.verb == Verb::Install)
            || (call.program == "bundle" && matches!(call.arguments().next(), Some(None | Some("install"))));
        cleaned |= deleted_managers(call, target.text).contains(&Manager::Gem)
            || target.text[simple.span.range()].contains("bundle/cache");
    }
    let Some(stage) = target.step.stage.filter(|_| installs && !cleaned) else { return };
    let official = matches!(&context.facts.stages[stage].base, Base::Image { by_default: Some(reference), .. } if reference == "ruby" || reference.starts_with("ruby:"));
    let span = target.step.instruction.span;
    if !official {
        return out.decline(
            &META,
            span,
            "where gem keeps its archives is only known for the official ruby image",
        );
    }
    let moved = ["GEM_HOME", "BUNDLE_PATH", "BUNDLE_APP_CONFIG", "BUNDLE_DEPLOYMENT"]
        .iter()
        .find(|name| target.step.state.variable(name).is_some());
    if let Some(name) = moved {
        return out.decline(&META, span, format!("{name} decides where gem keeps its archives"));
    }
    if !target.step.state.is_root() {
        return out.decline(&META, span, "the user of the RUN may not delete what others own");
    }
    let options = target.text.contains("--path")
        || target.text.contains("--deployment")
        || target.text.contains("--install-dir")
        || target.text.contains("--local");
    if options || target.run.mounts.iter().any(|mount| mount.may_hold("/usr/local/bundle")) {
        return out.decline(&META, span, "an option or a mount decides where gem keeps its archives");
    }
    if let Some(step) = named_later(context, target.at, Manager::Gem) {
        return out.decline_for(&META, span, step, "line {line} names what gem keeps");
    }
    let uses: Vec<Usage> = target
        .list
        .entries
        .iter()
        .map(|entry| entry.pipeline.span)
        .filter(|span| {
            let text = &target.text[span.range()];
            text.contains("gem") || text.contains("bundle")
        })
        .map(|span| Usage { kind: Use::Touch, span, conditional: false })
        .collect();
    let after = match place(target, &uses) {
        Ok(after) => after,
        Err(reason) => return out.decline(&META, span, reason),
    };
    if let Some(reason) = text_teaches_shell(target, COMMAND, after + 1) {
        return out.decline(&META, span, reason);
    }
    let mut plan = RunPlan::new(context.facts.file, target.step.instruction, target.list);
    if let Err(error) = plan.insert_command(after, COMMAND) {
        return out.decline(&META, span, error.to_string());
    }
    out.fixes.push(Fix {
        transform: META.id,
        title: "Remove the archives of gems in the layer that would hold them".to_owned(),
        edits: plan.into_edits(),
        span,
        claims: Vec::new(),
        assumptions: Vec::new(),
        notes: vec!["gem keeps the archive of every gem that it installs".to_owned()],
        ..Fix::default()
    });
}
