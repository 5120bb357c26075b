//! Go modules.

use super::answer::{Answer, Needs, Question, folder_of, is_anything_sent, join};

/// `go mod download`, and `go build` and `go install`, before which it can be put.
pub(super) fn answer(question: &Question<'_>) -> Result<Answer, String> {
    let verb: Vec<&str> = question.words.iter().copied().filter(|word| !word.starts_with('-')).collect();
    let downloads = match verb[..] {
        ["mod", "download"] => true,
        ["build" | "install", ..] => false,
        _ => return Ok(Answer::Other),
    };
    // `go install example.com/tool@v1.2.3` takes no notice of the module in its folder.
    if verb[0] == "install" && verb[1..].iter().all(|package| package.contains('@')) && verb.len() > 1 {
        return Ok(Answer::Passes(Needs { moves_programs: true, ..Needs::default() }));
    }
    if let Some(option) =
        question.words.iter().find(|word| ["-mod", "-modfile", "-C"].iter().any(|it| word.starts_with(it)))
    {
        return Err(format!("what the option {option} reads is not known"));
    }
    for name in ["GOFLAGS", "GO111MODULE", "GOWORK"] {
        if question.state.variable(name).is_some() || question.state.argument(name).is_some() {
            return Err(format!("{name} may name files of the project"));
        }
    }
    let (folder, path) = module(question)?;
    let text = question.text(&path)?;
    let mut needs = Needs::default();
    needs.add(path.clone());
    let has_modules = check_module(text, &path)?;
    let sums = join(&folder, "go.sum");
    if question.has(&sums) {
        needs.add(sums);
    } else if has_modules {
        return Err(format!("{sums} is not in the build context"));
    }
    if downloads {
        return Ok(Answer::Passes(needs));
    }
    if !has_modules {
        return Ok(Answer::Other);
    }
    if is_anything_sent(question.project, &join(&folder, "vendor")) {
        return Err("the modules come with the project, in vendor".to_owned());
    }
    needs.assume(format!(
        "`go mod download` can fetch every module in {path}, also those that only tests need"
    ));
    Ok(Answer::Prepared(needs, vec!["go mod download".to_owned()]))
}

/// The folder of the module that the command is run in, and its `go.mod`.
fn module(question: &Question<'_>) -> Result<(String, String), String> {
    let mut folder = question.context_folder()?;
    let mut found = None;
    loop {
        let work = join(&folder, "go.work");
        if is_anything_sent(question.project, &work) {
            return Err(format!("{work} names several modules"));
        }
        let path = join(&folder, "go.mod");
        if found.is_none() && is_anything_sent(question.project, &path) {
            found = Some((folder.clone(), path));
        }
        if folder.is_empty() || folder == question.copy.source {
            break;
        }
        folder = folder_of(&folder).to_owned();
    }
    found.ok_or_else(|| "go.mod is not in the build context".to_owned())
}

/// No module may be replaced by a folder. Whether any other is required.
fn check_module(text: &str, path: &str) -> Result<bool, String> {
    let mut block = "";
    let mut requires = false;
    for line in text.lines() {
        let line = line.split("//").next().unwrap_or(line).trim();
        let (verb, rest) = line.split_once([' ', '\t']).unwrap_or((line, ""));
        let (verb, rest) = if block.is_empty() { (verb, rest.trim()) } else { (block, line) };
        match line {
            "" => continue,
            ")" => {
                block = "";
                continue;
            }
            _ if line.ends_with('(') && block.is_empty() => {
                block = match verb {
                    "require" => "require",
                    "replace" => "replace",
                    _ => "other",
                };
                continue;
            }
            _ => {}
        }
        requires |= verb == "require";
        if verb == "replace" {
            let target = rest.split_once("=>").map_or("", |(_, target)| target.trim());
            if target.is_empty() || target.starts_with(['.', '/', '"', '`']) {
                return Err(format!("{path} replaces a module by {target}"));
            }
        }
    }
    Ok(requires)
}
