//! Claims that add a last stage: what the file is without it, so that the rest can be compared as ever.

use dockeropt_syntax::{Edits, Instruction, Keyword, Span};

use crate::check::{Difference, difference};
use crate::claim::Claim;
use crate::facts::{Action, Facts, Step};
use crate::stage::Base;
use crate::value::Value;

/// The claims that add a last stage, that of the very last one first.
pub(crate) fn added_last(claims: &[Claim]) -> Vec<&Claim> {
    let flattened = claims.iter().find(|claim| matches!(claim, Claim::Flattened { .. }));
    let development = claims.iter().find(|claim| **claim == Claim::Development);
    flattened.into_iter().chain(development).collect()
}

/// The text of a result without the last stage that a claim allows to be new: one that copies all of the
/// stage before and is configured alike, or that starts from it and goes on.
///
/// # Errors
/// If the last stage is not what is claimed.
pub(crate) fn without_last_stage(
    original: &Facts<'_>,
    result: &Facts<'_>,
    claim: &Claim,
) -> Result<String, Difference> {
    let name = original.stages.last().and_then(|stage| stage.name.as_deref());
    let count = result.stages.len();
    if count < 2 || count <= original.stages.len() {
        difference("the last stage that is claimed is lost")?;
    }
    let (before, last) = (count - 2, count - 1);
    if let Claim::Flattened { unknown } = claim {
        check_copy(result, before, last)?;
        check_configuration(result, before, last, unknown)?;
        return Ok(without(result, last, before, name, true));
    }
    check_continuation(result, before, last, name)?;
    Ok(without(result, last, before, name, false))
}

fn check_configuration(
    result: &Facts<'_>,
    copied: usize,
    last: usize,
    unknown: &[String],
) -> Result<(), Difference> {
    let (Ok(before), Ok(after)) = (result.image_configuration(copied), result.image_configuration(last))
    else {
        return difference("what the last stage is configured to do can't be told");
    };
    if before.unknown != unknown || !before.is_spelled_out_by(&after) {
        return difference("the last stage is configured otherwise than the one that it copies");
    }
    Ok(())
}

/// The last stage starts from the one before, adds files, and leaves its configuration alone.
fn check_continuation(
    result: &Facts<'_>,
    before: usize,
    last: usize,
    name: Option<&str>,
) -> Result<(), Difference> {
    if result.stages[last].base != Base::Stage(before) {
        return difference("the last stage doesn't start from the one before");
    }
    if name.is_some() && result.stages[last].name.as_deref() != name {
        return difference("the last stage has another name");
    }
    let triggers = |stage: usize| {
        let mut steps = result.steps_of(stage).iter();
        steps.any(|step| step.instruction.keyword() == Keyword::Onbuild)
    };
    let mut steps = result.steps_of(last).iter().skip(1);
    let only_files = steps.all(|step| matches!(step.action, Action::Run(_) | Action::Copy(_)));
    let has_flags = |from: &Step<'_>| !from.instruction.operation.flags.is_empty();
    if !only_files || triggers(before) || result.steps_of(last).first().is_some_and(has_flags) {
        return difference("the last stage does more than to add files");
    }
    Ok(())
}

/// The last stage starts from nothing and has, apart from its configuration, one COPY of all.
fn check_copy(result: &Facts<'_>, copied: usize, last: usize) -> Result<(), Difference> {
    let is_scratch = result.stages[last].base == Base::Scratch;
    let mut copies = 0;
    for step in result.steps_of(last) {
        let is_right = match &step.action {
            Action::Copy(copy) => {
                copies += 1;
                let is_root = |value: &Value| value.text() == Some("/");
                copies == 1
                    && !copy.add
                    && copy.flags.is_empty()
                    && copy.from.as_deref().and_then(|name| result.stage_named(name, last)) == Some(copied)
                    && copy.sources.len() == 1
                    && copy.sources.iter().all(is_root)
                    && is_root(&copy.destination)
            }
            // Its folder is there: it is that of the stage that is copied.
            Action::Workdir(_) | Action::Other => true,
            Action::Run(_) => false,
        };
        if !is_right {
            return difference(format!("line {} is no part of a stage that copies all", step.line()));
        }
    }
    if is_scratch && copies == 1 {
        Ok(())
    } else {
        difference("the last stage doesn't copy all of the one before")
    }
}

/// The text without the last stage, or only without its FROM, in which the stage `renamed` has the name
/// that it had.
fn without(result: &Facts<'_>, last: usize, renamed: usize, name: Option<&str>, whole: bool) -> String {
    let from = |stage: usize| result.steps_of(stage).first().map(|step| step.instruction);
    let text = result.file.text;
    let mut edits = Edits::new();
    if let Some(span) = from(renamed).and_then(|instruction| name_span(result, instruction)) {
        let name = name.map_or_else(String::new, |name| format!(" AS {name}"));
        // The two edits are of different instructions, and never overlap.
        let _ = edits.replace(span, name);
    }
    if let Some(instruction) = from(last) {
        let end = if whole { text.len() } else { instruction.span.end };
        let _ = edits.remove(Span::new(instruction.span.start, end));
    }
    edits.apply(text)
}

/// Where ` AS name` stands in a FROM.
fn name_span(facts: &Facts<'_>, from: &Instruction<'_>) -> Option<Span> {
    let words = from.operation.words(&from.logical, facts.file.escape);
    let [image, _, name] = &words[..] else { return None };
    let start = from.logical.source_span(image.span).end;
    Some(Span::new(start, from.logical.source_span(name.span).end))
}

#[cfg(test)]
mod tests {
    use dockeropt_syntax::parse;

    use crate::check::{Licence, check};
    use crate::claim::Claim;
    use crate::facts::Facts;

    fn verdict(before: &str, after: &str, claim: Claim) -> Result<(), String> {
        let (before, after) = (parse(before), parse(after));
        let licence = Licence { claims: vec![claim], assumptions: Vec::new() };
        check(&Facts::new(&before), &Facts::new(&after), &licence).map_err(|it| it.message)
    }

    #[track_caller]
    fn rejects(before: &str, after: &str, claim: &Claim, why: &str) {
        let verdict = verdict(before, after, claim.clone());
        assert!(verdict.as_ref().is_err_and(|message| message.contains(why)), "{verdict:?}");
    }

    const FLAT: &str = "FROM scratch\nCOPY --from=build / /\n\
        ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\nWORKDIR /a\nCMD [\"bash\"]\n";
    const BEFORE: &str = "FROM debian:12\nWORKDIR /a\nRUN x\n";
    const NAMED: &str = "FROM debian:12 AS build\nWORKDIR /a\nRUN x\n";

    #[test]
    fn a_last_stage_that_copies_all_is_accepted() {
        let flattened = || Claim::Flattened { unknown: Vec::new() };
        assert_eq!(verdict(BEFORE, &format!("{NAMED}{FLAT}"), flattened()), Ok(()));
        assert_eq!(verdict(BEFORE, &format!("{NAMED}\n{FLAT}"), flattened()), Ok(()));
        assert_eq!(verdict(NAMED, &format!("{NAMED}{FLAT}"), flattened()), Ok(()));
        assert_eq!(
            verdict(BEFORE, &format!("{NAMED}{FLAT}SHELL [\"/bin/sh\", \"-c\"]\n"), flattened()),
            Ok(())
        );
    }

    #[test]
    fn a_last_stage_that_is_configured_otherwise_is_not() {
        let claim = Claim::Flattened { unknown: Vec::new() };
        let with = |from: &str, to: &str| format!("{NAMED}{FLAT}").replace(from, to);
        let otherwise = "is configured otherwise";
        rejects(BEFORE, BEFORE, &claim, "the last stage that is claimed is lost");
        rejects(BEFORE, &with("WORKDIR /a\nCMD", "CMD"), &claim, otherwise);
        rejects(BEFORE, &with("CMD [\"bash\"]\n", ""), &claim, otherwise);
        rejects(BEFORE, &with("ENV PATH", "ENV X"), &claim, otherwise);
        rejects(BEFORE, &with("CMD [", "USER app\nCMD ["), &claim, otherwise);
        rejects(BEFORE, &with("CMD [", "EXPOSE 80\nCMD ["), &claim, otherwise);
        rejects(BEFORE, &with("CMD [", "ENTRYPOINT ["), &claim, otherwise);
        rejects(BEFORE, &with("[\"bash\"]", "bash"), &claim, otherwise);
        rejects(BEFORE, &with("debian:12", "debian:7"), &claim, "can't be told");
        rejects(BEFORE, &with("COPY --from=build / /", "COPY --from=build /a /a"), &claim, "is no part of");
        rejects(BEFORE, &with("COPY --from=build / /", "COPY --from=other / /"), &claim, "is no part of");
        rejects(
            BEFORE,
            &with("COPY --from=build / /", "COPY --chown=1 --from=build / /"),
            &claim,
            "is no part of",
        );
        rejects(BEFORE, &with("CMD [", "RUN y\nCMD ["), &claim, "is no part of");
        rejects(BEFORE, &with("FROM scratch", "FROM debian:12"), &claim, "doesn't copy all");
        rejects(BEFORE, &with("RUN x\n", ""), &claim, "`x` (line 3) is lost");
        rejects(BEFORE, &with("RUN x\n", "RUN x\nRUN y\n"), &claim, "`y` (line 4) is new");
        let python = BEFORE.replace("debian:12", "python:3.12");
        rejects(&python, &with("debian:12", "python:3.12"), &claim, otherwise);
    }

    const TOOLS: &str = "FROM a\nRUN x\nCMD c\nRUN y\n";
    const SPLIT: &str = "FROM a AS production\nRUN x\nCMD c\n\nFROM production AS development\nRUN y\n";

    #[test]
    fn a_last_stage_that_goes_on_is_accepted() {
        assert_eq!(verdict(TOOLS, SPLIT, Claim::Development), Ok(()));
        let named = TOOLS.replace("FROM a\n", "FROM a AS app\n");
        assert_eq!(verdict(&named, &SPLIT.replace("AS development", "AS app"), Claim::Development), Ok(()));
    }

    #[test]
    fn both_are_taken_off() {
        let before = TOOLS.replace("FROM a\n", "FROM debian:12\n");
        let after = SPLIT.replace("FROM a ", "FROM debian:12 ");
        let flat =
            FLAT.replace("WORKDIR /a\n", "").replace("[\"bash\"]", "c").replace("=build", "=development");
        let (before, after) = (parse(&before), format!("{after}\n{flat}"));
        let after = parse(&after);
        let claims = vec![Claim::Development, Claim::Flattened { unknown: Vec::new() }];
        let licence = Licence { claims, assumptions: Vec::new() };
        let verdict = check(&Facts::new(&before), &Facts::new(&after), &licence);
        assert_eq!(verdict.map_err(|it| it.message), Ok(()));
    }

    #[test]
    fn a_last_stage_that_does_something_else_is_not() {
        let claim = Claim::Development;
        let with = |from: &str, to: &str| SPLIT.replace(from, to);
        rejects(TOOLS, &with("RUN y\n", ""), &claim, "`y` (line 4) is lost");
        rejects(TOOLS, &with("RUN x\n", ""), &claim, "`x` (line 2) is lost");
        rejects(TOOLS, &with("RUN y\n", "RUN y\nRUN z\n"), &claim, "is new");
        rejects(TOOLS, &with("CMD c\n", ""), &claim, "configuration");
        rejects(TOOLS, &with("RUN y\n", "RUN y\nCMD c\n"), &claim, "does more than to add files");
        rejects(TOOLS, &with("RUN y\n", "USER u\nRUN y\n"), &claim, "does more than to add files");
        rejects(TOOLS, &with("CMD c\n", "CMD c\nONBUILD RUN z\n"), &claim, "does more than to add files");
        rejects(TOOLS, &with("FROM production", "FROM a"), &claim, "doesn't start from the one before");
        let named = TOOLS.replace("FROM a\n", "FROM a AS app\n");
        rejects(&named, SPLIT, &claim, "has another name");
    }
}
