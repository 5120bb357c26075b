//! Cargo.
//!
//! Cargo has no command that compiles the dependencies alone. It compiles them for an empty program, though:
//! one is put where the sources will be, built, and removed again with all that Cargo keeps of it, so that
//! nothing of it can be taken for the real one.

use super::answer::{Answer, Needs, Question, is_anything_sent, join};
use super::options::{Known, Options};
use super::python::{read, table};
use toml::Value;

const KNOWN: Known = Known {
    flags: &[
        "--all-features",
        "--bins",
        "--locked",
        "--no-default-features",
        "--quiet",
        "--release",
        "--verbose",
        "-q",
        "-r",
        "-v",
    ],
    values: &[
        "--bin",
        "--color",
        "--features",
        "--jobs",
        "--path",
        "--profile",
        "--root",
        "--target",
        "-F",
        "-j",
    ],
};

/// `cargo build`, `cargo install --path .`
pub(super) fn answer(question: &Question<'_>) -> Result<Answer, String> {
    let options = Options::read(question.words, &KNOWN)?;
    let is_install = match options.operands[..] {
        ["build" | "b"] => false,
        ["install"] if options.value(&["--path"]) == Some(".") => true,
        ["install", ..] => return Ok(Answer::Other),
        ["fetch"] => {
            return Err("cargo fetches only where it finds the sources of a program or library".to_owned());
        }
        _ => return Ok(Answer::Other),
    };
    if options.has(&["--profile"]) {
        return Err("what the option --profile reads is not known".to_owned());
    }
    let folder = question.context_folder()?;
    let path = join(&folder, "Cargo.toml");
    let manifest = read(question, &path)?;
    if manifest.contains_key("workspace") {
        return Err(format!("{path} is of a workspace, which needs the sources of its members"));
    }
    let package = table(&manifest, &["package"]);
    let Some(name) = package.get("name").and_then(Value::as_str) else {
        return Err(format!("{path} names no package"));
    };
    let own = ["build", "default-run", "autobins", "autolib", "links", "workspace"];
    if let Some(key) = own.iter().find(|key| package.contains_key(**key)) {
        return Err(format!("{path} sets {key}"));
    }
    for target in ["bin", "example", "test", "bench"] {
        if manifest.contains_key(target) {
            return Err(format!("{path} says where the sources of a {target} are"));
        }
    }
    let library = table(&manifest, &["lib"]);
    if library.contains_key("path") || library.contains_key("proc-macro") {
        return Err(format!("{path} says where the sources of the library are"));
    }
    check_paths(&Value::Table(manifest.clone()), &path)?;
    for name in ["build.rs", ".cargo", "vendor"] {
        let path = join(&folder, name);
        if is_anything_sent(question.project, &path) {
            return Err(format!("{path} takes part in the build of the dependencies"));
        }
    }
    let mut needs = Needs::default();
    needs.add(path.clone());
    let lock = join(&folder, "Cargo.lock");
    if question.has(&lock) {
        needs.add(lock);
    } else {
        return Err(format!("{lock} is not in the build context"));
    }
    for name in ["rust-toolchain", "rust-toolchain.toml"] {
        let path = join(&folder, name);
        if question.has(&path) {
            if question.text(&path)?.contains("path") {
                return Err(format!("{path} sets a path"));
            }
            needs.add(path);
        }
    }
    needs.makes.push(join(&folder, "target"));
    let dummies = [("src/main.rs", "echo 'fn main() {}' > src/main.rs"), ("src/lib.rs", "touch src/lib.rs")];
    let dummies = dummies.iter().filter(|(file, _)| is_anything_sent(question.project, &join(&folder, file)));
    let dummies: Vec<String> = dummies.map(|(_, command)| (*command).to_owned()).collect();
    if dummies.is_empty() {
        return Err("neither src/main.rs nor src/lib.rs is in the build context".to_owned());
    }
    let mut build = "cargo build".to_owned();
    let mut clean = "cargo clean".to_owned();
    if is_install || options.has(&["--release", "-r"]) {
        build += " --release";
        clean += " --release";
    }
    for flag in ["--locked", "--all-features", "--no-default-features"] {
        if options.has(&[flag]) {
            build += &format!(" {flag}");
        }
    }
    for features in options.values(&["--features", "-F"]) {
        let plain = features.chars().all(|c| c.is_ascii_alphanumeric() || "_-,/".contains(c));
        if !plain {
            return Err("the features are not understood".to_owned());
        }
        build += &format!(" --features {features}");
    }
    if let Some(target) = options.value(&["--target"]) {
        if target.contains('\u{0}') || target.contains('.') {
            return Err("the target is decided when the image is built".to_owned());
        }
        build += &format!(" --target {target}");
        clean += &format!(" --target {target}");
    }
    needs.assume("the dependencies are compiled alike for an empty program");
    let mut commands = vec!["mkdir src".to_owned()];
    commands.extend(dummies);
    commands.extend([build, format!("{clean} -p {name}"), "rm -r src".to_owned()]);
    Ok(Answer::Prepared(needs, commands))
}

/// No dependency may be a path.
fn check_paths(value: &Value, path: &str) -> Result<(), String> {
    let Some(table) = value.as_table() else { return Ok(()) };
    for (name, value) in table {
        let is_path = value
            .as_table()
            .is_some_and(|inner| inner.contains_key("path") || inner.contains_key("workspace"));
        if is_path && name != "package" {
            return Err(format!("{path} takes {name} from the project"));
        }
        check_paths(value, path)?;
    }
    Ok(())
}
