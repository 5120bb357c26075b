//! Composer.

use serde_json::Value;

use super::answer::{Answer, Needs, Question, join};
use super::options::{Known, Options};

const KNOWN: Known = Known {
    flags: &[
        "--apcu-autoloader",
        "--classmap-authoritative",
        "--dev",
        "--ignore-platform-reqs",
        "--no-ansi",
        "--no-autoloader",
        "--no-cache",
        "--no-dev",
        "--no-interaction",
        "--no-plugins",
        "--no-progress",
        "--no-scripts",
        "--no-suggest",
        "--optimize-autoloader",
        "--prefer-dist",
        "--prefer-source",
        "--quiet",
        "--verbose",
        "-a",
        "-n",
        "-o",
        "-q",
        "-v",
    ],
    values: &["--ignore-platform-req", "--prefer-install"],
};

/// `composer install`
pub(super) fn answer(question: &Question<'_>) -> Result<Answer, String> {
    let options = Options::read(question.words, &KNOWN)?;
    if !matches!(options.operands[..], ["install" | "i"]) {
        return Ok(Answer::Other);
    }
    let folder = question.context_folder()?;
    let path = join(&folder, "composer.json");
    let manifest = read(question, &path)?;
    let mut needs = Needs::default();
    needs.add(path.clone());
    let repositories = manifest.get("repositories").map(Value::to_string).unwrap_or_default();
    if ["\"path\"", "\"artifact\"", "\"vcs\",\"url\":\".", "\"url\":\"/", "\"file:"]
        .iter()
        .any(|it| repositories.contains(it))
    {
        return Err(format!("{path} takes a package from the project"));
    }
    let config = manifest.get("config");
    let set = |name: &str| config.and_then(|config| config.get(name)).is_some();
    if let Some(name) =
        ["vendor-dir", "bin-dir", "cache-dir", "data-dir", "home"].iter().find(|name| set(name))
    {
        return Err(format!("{path} sets {name}"));
    }
    let mut has_plugins = false;
    let lock = join(&folder, "composer.lock");
    if question.has(&lock) {
        let content = read(question, &lock)?;
        for group in ["packages", "packages-dev"] {
            for package in content.get(group).and_then(Value::as_array).into_iter().flatten() {
                let dist = package.pointer("/dist/type").and_then(Value::as_str);
                if dist == Some("path") {
                    return Err(format!("{lock} takes a package from the project"));
                }
                let kind = package.get("type").and_then(Value::as_str);
                has_plugins |= kind == Some("composer-plugin");
            }
        }
        needs.add(lock);
    } else {
        has_plugins = true;
        needs.assume(
            "no newer version of a package is wanted as long as only the sources change (there is no composer.lock)",
        );
    }
    if has_plugins && !options.has(&["--no-plugins"]) {
        needs.assume("no plugin of Composer reads the sources");
    }
    let secrets = join(&folder, "auth.json");
    if question.has(&secrets) {
        needs.add(secrets);
    }
    needs.makes.push(join(&folder, "vendor"));
    let runs_scripts = !options.has(&["--no-scripts"]) && manifest.get("scripts").is_some_and(has_events);
    let reads_sources = !options.has(&["--no-autoloader"]) && reads_sources(&manifest, &options);
    if !runs_scripts && !reads_sources {
        return Ok(Answer::Passes(needs));
    }
    // The second call finds the packages, writes the autoloader and runs the scripts.
    let missing = ["--no-scripts", "--no-autoloader"].iter().filter(|option| !options.has(&[option]));
    let more: String = missing.map(|option| format!(" {option}")).collect();
    Ok(Answer::Prepared(needs, vec![format!("{}{more}", question.command())]))
}

fn read(question: &Question<'_>, path: &str) -> Result<Value, String> {
    serde_json::from_str(question.text(path)?).map_err(|_| format!("{path} is not understood"))
}

/// Whether any script runs at an install.
fn has_events(scripts: &Value) -> bool {
    scripts.as_object().is_some_and(|scripts| {
        scripts.keys().any(|name| name.starts_with("pre-") || name.starts_with("post-") || name == "command")
    })
}

/// Whether the autoloader is made of what is found in the sources.
fn reads_sources(manifest: &Value, options: &Options<'_>) -> bool {
    let optimized = options.has(&["-o", "--optimize-autoloader", "-a", "--classmap-authoritative"]);
    let config = manifest.get("config");
    let configured = ["optimize-autoloader", "classmap-authoritative"]
        .iter()
        .any(|name| config.and_then(|config| config.get(*name)).and_then(Value::as_bool) == Some(true));
    let listed = ["autoload", "autoload-dev"].iter().any(|group| {
        manifest.get(*group).is_some_and(|group| {
            group.get("classmap").is_some() || group.get("exclude-from-classmap").is_some()
        })
    });
    optimized || configured || listed
}
