//! Which file of the build context lies at a path of the image.

use dockeropt_facts::{Action, Step, clean};

use crate::Context;

/// The file of the context that a step finds at a path, which may be relative to its working folder: the
/// last COPY above brought it there. `None` if that can't be told.
pub(crate) fn source_of(context: Context<'_>, step: &Step<'_>, path: &str) -> Option<String> {
    let path = match path.starts_with('/') {
        true => clean(path),
        false => clean(&format!("{}/{path}", step.state.workdir.text()?.trim_end_matches('/'))),
    };
    let project = context.project()?;
    let above = context.facts.steps.iter().take_while(|it| it.line() < step.line());
    let above: Vec<&Step<'_>> = above.filter(|it| it.stage == step.stage).collect();
    above.into_iter().rev().find_map(|step| {
        let Action::Copy(copy) = &step.action else { return None };
        if copy.from.is_some() || copy.heredoc {
            return None;
        }
        let to = copy.destination.text()?.trim_end_matches('/');
        let below = path.strip_prefix(to).filter(|rest| rest.is_empty() || rest.starts_with('/'))?;
        let below = below.trim_start_matches('/');
        copy.sources.iter().find_map(|source| {
            let source = clean(&format!("/{}", source.text()?));
            let source = source.trim_start_matches('/');
            let name = source.rsplit('/').next().unwrap_or(source);
            let candidate = match project.entry(source).map(|entry| entry.kind) {
                // The content of a folder is copied, not the folder.
                _ if source.is_empty() => below.to_owned(),
                Some(dockeropt_facts::project::EntryKind::Folder) => format!("{source}/{below}"),
                Some(_) if below.is_empty() || below == name => source.to_owned(),
                // `package*.json`
                None if source.contains('*') && below.ends_with(source.rsplit('*').next()?) => {
                    let folder = source.rsplit_once('/').map_or("", |(folder, _)| folder);
                    if folder.is_empty() { below.to_owned() } else { format!("{folder}/{below}") }
                }
                _ => return None,
            };
            project.has_file(&candidate).then_some(candidate)
        })
    })
}
