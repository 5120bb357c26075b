//! C and C++: the builder compiles, and the last stage copies the program, or the folder of the project with
//! all that was built in it.

use dockeropt_facts::bases::base;
use dockeropt_facts::reshape::Split;
use dockeropt_facts::{Action, Step};

use super::built::{Built, is_compiler};
use super::layout::Opening;
use super::packages::{LEAST, packages};
use super::placing::{Place, Placing, place};
use super::{Recipe, Refusal, Subject, calls};

pub(super) fn plan<'c>(subject: &Subject<'c>) -> Result<Option<Recipe<'c>>, Refusal<'c>> {
    let steps = subject.steps;
    let Some(first) = steps.iter().position(builds) else { return Ok(None) };
    let cut = steps.iter().rposition(builds).unwrap_or(first) + 1;
    let packages = packages(&steps[..cut]);
    if packages.is_empty() {
        return Ok(None);
    }
    if base(subject.base).is_none_or(|image| image.family != "debian") {
        return Err(Refusal::new("it is not known which packages of Ubuntu have the libraries of others"));
    }
    subject.refuse_missing_lists()?;
    let mut sorting = subject.sort_only(&packages, cut)?;
    if sorting.left.is_empty() {
        return Ok(None);
    }
    refuse_by_text(subject)?;
    let mut built = Built::default();
    for step in steps[1..cut].iter().filter(|step| step.run().is_some()) {
        built.add(subject, step)?;
    }
    built.refuse_what_is_lost(&steps[cut - 1])?;
    built.refuse_other_programs(subject)?;
    subject.refuse_unread_but(cut, &|_| false)?;
    subject.settle(&mut sorting, &packages, cut)?;
    if sorting.saves.is_some_and(|saves| saves < LEAST) {
        return Ok(None);
    }
    let mut placing = Placing::of(subject, cut, |at, step| match &step.action {
        Action::Run(_) => Ok(Place::Builder),
        Action::Copy(copy) if copy.from.is_none() && built.has(copy) => Ok(Place::Builder),
        _ => place(subject, step, at > first, cut),
    })?;
    subject.refuse_other_users(1, cut)?;
    subject.refuse_late_installs(cut)?;
    let carried = built.carried();
    // Behind what is copied from the context: what is built may take the place of a file there.
    placing.opening.extend(carried.iter().map(|path| Opening::carry(path)));
    placing.packages(steps, &sorting.kept);
    let assumption =
        format!("what is built lies in {}, and is linked with packages that are named", carried.join(", "));
    let split = Split { carried, ..Split::default() };
    Ok(Some(subject.recipe(cut, placing, sorting, split, assumption)))
}

/// Whether a step compiles, however it is written.
fn builds(step: &Step<'_>) -> bool {
    const OTHERS: [&str; 12] = [
        "autogen.sh",
        "autoreconf",
        "cmake",
        "configure",
        "gmake",
        "ld",
        "make",
        "meson",
        "ninja",
        "qmake",
        "scons",
        "waf",
    ];
    calls(step, |call| is_compiler(call.program) || OTHERS.contains(&call.program))
}

/// Refuses if the file says that libraries lie where only the builder has them.
fn refuse_by_text<'c>(subject: &Subject<'c>) -> Result<(), Refusal<'c>> {
    let text = subject.context.facts.file.text;
    for part in
        ["/usr/local/lib", "/usr/local/include", "ldconfig", "LD_LIBRARY_PATH", "LD_PRELOAD", "ld.so.conf"]
    {
        if text.contains(part) {
            return Err(Refusal::new(format!("it names {part}, so where libraries lie may matter")));
        }
    }
    Ok(())
}
