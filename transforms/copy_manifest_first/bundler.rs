//! Bundler.

use super::answer::{Answer, Needs, Question, is_anything_sent, join};
use super::options::{Known, Options};

const KNOWN: Known = Known {
    flags: &[
        "--clean",
        "--deployment",
        "--force",
        "--frozen",
        "--full-index",
        "--global",
        "--local",
        "--no-cache",
        "--prefer-local",
        "--quiet",
        "--redownload",
        "--system",
        "--verbose",
    ],
    values: &["--jobs", "--path", "--retry", "--without", "--with", "-j"],
};

/// `bundle install`, and the settings made before it.
pub(super) fn answer(question: &Question<'_>) -> Result<Answer, String> {
    let options = Options::read(question.words, &KNOWN)?;
    let folder = question.context_folder()?;
    match &options.operands[..] {
        ["config", settings @ ..] => return settings_of(question, settings, &folder),
        // `--without development test` takes several words.
        [] => {}
        ["install", groups @ ..] if groups.is_empty() || options.has(&["--without", "--with"]) => {}
        _ => return Ok(Answer::Other),
    }
    if options.has(&["--local", "--prefer-local"]) {
        return Err("it takes gems that are there already".to_owned());
    }
    let mut needs = Needs::default();
    let names = [("Gemfile", "Gemfile.lock"), ("gems.rb", "gems.locked")];
    let (name, lock) = *names
        .iter()
        .find(|(name, _)| is_anything_sent(question.project, &join(&folder, name)))
        .ok_or("Gemfile is not in the build context")?;
    let path = join(&folder, name);
    let text = question.text(&path)?;
    needs.add(path.clone());
    let lock = join(&folder, lock);
    if question.has(&lock) {
        let text = question.text(&lock)?;
        if text.lines().any(|line| line == "PATH") {
            return Err(format!("{lock} takes a gem from the project"));
        }
        needs.add(lock.clone());
        let setting = |command: &&String| {
            command.contains("config") && ["frozen", "deployment"].iter().any(|it| command.contains(it))
        };
        let is_set = |name: &str| {
            let value = question.state.variable(name).and_then(|value| value.text());
            value.is_some_and(|value| matches!(value, "1" | "true" | "yes"))
        };
        let frozen = options.has(&["--deployment", "--frozen"])
            || question
                .earlier
                .iter()
                .filter(|command| command.starts_with("bundle "))
                .any(|it| setting(&it))
            || is_set("BUNDLE_FROZEN")
            || is_set("BUNDLE_DEPLOYMENT");
        if !frozen {
            needs.assume(format!("`bundle install` leaves {lock} as it is, as with the setting frozen"));
        }
    } else {
        needs.assume(format!(
            "no newer version of a gem is wanted as long as only the sources change (there is no {lock})"
        ));
    }
    check_gemfile(question, text, &path, &folder, &mut needs)?;
    for name in [".bundle", "vendor/cache", "vendor/bundle"] {
        let path = join(&folder, name);
        if is_anything_sent(question.project, &path) {
            return Err(format!("{path} comes with the project"));
        }
        needs.makes.push(path);
    }
    if let Some(path) = options.value(&["--path"]).and_then(|path| question.origin(path)) {
        needs.makes.push(path);
    }
    Ok(Answer::Passes(needs))
}

/// `bundle config set --local path vendor/bundle` writes a file into the folder.
fn settings_of(question: &Question<'_>, settings: &[&str], folder: &str) -> Result<Answer, String> {
    let mut needs = Needs::default();
    needs.makes.push(join(folder, ".bundle"));
    if settings.contains(&"gemfile") || settings.iter().any(|it| it.starts_with("local.")) {
        return Err("it says where the Gemfile or a gem is".to_owned());
    }
    if let [.., "path", path] = settings
        && let Some(path) = question.origin(path)
    {
        needs.makes.push(path);
    }
    Ok(Answer::Passes(needs))
}

/// A Gemfile is a program. It may only say which gems there are.
fn check_gemfile(
    question: &Question<'_>,
    text: &str,
    path: &str,
    folder: &str,
    needs: &mut Needs,
) -> Result<(), String> {
    const WORDS: [&str; 17] = [
        "gemspec",
        "path",
        "eval_gemfile",
        "eval",
        "Dir",
        "IO",
        "File",
        "Pathname",
        "require_relative",
        "load",
        "__dir__",
        "__FILE__",
        "system",
        "exec",
        "instance_eval",
        "plugin",
        "exist",
    ];
    let mut text = text.to_owned();
    for name in [".ruby-version", ".tool-versions"] {
        let file = join(folder, name);
        let mut named = false;
        for quote in ['"', '\''] {
            for form in ["File.read(NAME).strip", "File.read(NAME)", "file: NAME"] {
                let form = form.replace("NAME", &format!("{quote}{name}{quote}"));
                named |= text.contains(&form);
                text = text.replace(&form, "");
            }
        }
        if named {
            question.text(&file)?;
            needs.add(file);
        }
    }
    for line in text.lines() {
        let line = line.split(" #").next().unwrap_or(line);
        if line.trim_start().starts_with('#') {
            continue;
        }
        let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let words: Vec<&str> = line.split(|c| !is_part(c)).collect();
        if let Some(word) = WORDS.iter().find(|word| words.contains(word)) {
            return Err(format!("{path} may read the project: {word}"));
        }
        if line.contains('`') || line.contains("%x") {
            return Err(format!("{path} runs a command"));
        }
    }
    Ok(())
}
