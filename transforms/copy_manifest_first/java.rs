//! Maven and Gradle.

use dockeropt_facts::project::EntryKind;

use super::answer::{Answer, Needs, Question, folder_of, is_anything_sent, join};
use super::options::{Known, Options};

/// What Maven is asked to do in a build.
pub(super) const MAVEN_GOALS: [&str; 9] = [
    "clean",
    "compile",
    "dependency:go-offline",
    "dependency:resolve",
    "install",
    "package",
    "test",
    "verify",
    "dependency:resolve-plugins",
];

const MAVEN: Known = Known {
    flags: &[
        "--batch-mode",
        "--errors",
        "--fail-at-end",
        "--no-transfer-progress",
        "--quiet",
        "--show-version",
        "--update-snapshots",
        "-B",
        "-C",
        "-U",
        "-V",
        "-X",
        "-e",
        "-ntp",
        "-q",
    ],
    values: &["--activate-profiles", "--define", "--settings", "--threads", "-D", "-P", "-T", "-s"],
};

/// `mvn package`, before which `mvn dependency:go-offline` can be put.
pub(super) fn maven(question: &Question<'_>) -> Result<Answer, String> {
    let options = Options::read(question.words, &MAVEN)?;
    if options.operands.is_empty() {
        return Ok(Answer::Other);
    }
    let folder = question.context_folder()?;
    let mut needs = Needs::default();
    wrapper(question, &folder, &["mvnw"], ".mvn", &mut needs)?;
    let path = join(&folder, "pom.xml");
    let text = question.text(&path)?;
    needs.files.insert(0, path.clone());
    for (tag, what) in [
        ("<modules>", "has modules, which depend on each other"),
        ("<systemPath>", "takes a library from a path"),
        ("<relativePath>", "may name another pom"),
        ("file:", "may take something from the project"),
        ("<activation>", "acts by what it finds"),
    ] {
        if text.contains(tag) {
            return Err(format!("{path} {what}"));
        }
    }
    let above = folder_of(&folder);
    if !folder.is_empty()
        && text.contains("<parent>")
        && is_anything_sent(question.project, &join(above, "pom.xml"))
    {
        return Err(format!("{path} may have a parent in the project"));
    }
    for settings in options.values(&["-s", "--settings"]) {
        if let Some(path) = question.origin(settings) {
            if question.text(&path)?.contains("<localRepository>") {
                return Err(format!("{path} says where the repository is"));
            }
            needs.add(path);
        }
    }
    if options.values(&["-D", "--define"]).any(|it| it.starts_with("maven.repo.local")) {
        return Err("an option says where the repository is".to_owned());
    }
    if options.operands.iter().all(|goal| goal.starts_with("dependency:")) {
        if text.contains('[') || text.contains("LATEST") || text.contains("-SNAPSHOT") {
            needs.assume(format!("no newer version of a library is wanted as long as {path} is the same"));
        }
        return Ok(Answer::Passes(needs));
    }
    needs.assume("`dependency:go-offline` can fetch all that it looks for, also what the build does not use");
    let kept = question.words.iter().filter(|word| {
        ["-B", "-ntp", "-q", "-e", "--batch-mode", "--no-transfer-progress"].contains(word)
            || ["-P", "-s"].iter().any(|it| word.starts_with(it) && word.len() > 2)
    });
    if options
        .values(&["-P", "-s", "--settings", "--activate-profiles"])
        .any(|value| question.words.contains(&value))
    {
        return Err("its options have their values behind a space".to_owned());
    }
    let words: String = kept.map(|word| format!(" {word}")).collect();
    let command = format!("{}{words} dependency:go-offline", question.program);
    Ok(Answer::Prepared(needs, vec![command]))
}

/// The script that fetches the tool, if the command calls it, and the settings beside it.
fn wrapper(
    question: &Question<'_>,
    folder: &str,
    names: &[&str],
    settings: &str,
    needs: &mut Needs,
) -> Result<(), String> {
    if let Some(path) = question.origin(question.program).filter(|_| question.program.contains('/')) {
        let name = path.rsplit('/').next().unwrap_or(&path).to_owned();
        if !names.contains(&name.as_str()) || !question.has(&path) {
            return Err(format!("the program {} comes with the project", question.program));
        }
        needs.add(path);
    }
    let inside = join(folder, settings);
    for (path, entry) in question.project.below(&inside).filter(|(path, _)| question.project.is_sent(path)) {
        match entry.kind {
            EntryKind::File => needs.add(path),
            EntryKind::Folder => {}
            EntryKind::Link => return Err(format!("{path} is a link")),
        }
    }
    Ok(())
}

/// What Gradle is asked to do in a build.
pub(super) const GRADLE_TASKS: [&str; 9] =
    ["assemble", "bootJar", "build", "clean", "fatJar", "installDist", "jar", "shadowJar", "dependencies"];

const GRADLE: Known = Known {
    flags: &[
        "--console",
        "--info",
        "--no-build-cache",
        "--no-daemon",
        "--no-watch-fs",
        "--parallel",
        "--quiet",
        "--refresh-dependencies",
        "--stacktrace",
        "--warning-mode",
        "-i",
        "-q",
        "-s",
    ],
    values: &["--exclude-task", "-x"],
};

/// `gradle build`, before which `gradle dependencies` can be put: it fetches Gradle itself, its plugins, and
/// what says on which libraries others depend.
pub(super) fn gradle(question: &Question<'_>) -> Result<Answer, String> {
    let options = Options::read(question.words, &GRADLE)?;
    if options.operands.is_empty() || options.operands.iter().any(|task| task.contains(':')) {
        return Ok(Answer::Other);
    }
    let folder = question.context_folder()?;
    let mut needs = Needs::default();
    let mut scripts = 0;
    for name in ["settings.gradle", "settings.gradle.kts", "build.gradle", "build.gradle.kts"] {
        let path = join(&folder, name);
        if !is_anything_sent(question.project, &path) {
            continue;
        }
        let text = question.text(&path)?;
        check_script(text, &path)?;
        scripts += usize::from(name.starts_with("build"));
        needs.add(path);
    }
    if scripts == 0 {
        return Err("build.gradle is not in the build context".to_owned());
    }
    let properties = join(&folder, "gradle.properties");
    if question.has(&properties) {
        needs.add(properties);
    }
    let lock = join(&folder, "gradle.lockfile");
    if question.has(&lock) {
        needs.add(lock);
    }
    wrapper(question, &folder, &["gradlew"], "gradle", &mut needs)?;
    for name in ["buildSrc", "build-logic"] {
        let path = join(&folder, name);
        if is_anything_sent(question.project, &path) {
            return Err(format!("{path} is compiled for the build"));
        }
    }
    needs.makes.extend([join(&folder, ".gradle"), join(&folder, "build")]);
    if options.operands == ["dependencies"] {
        needs.assume("no newer version of a library is wanted as long as the build scripts are the same");
        return Ok(Answer::Passes(needs));
    }
    needs.assume("the build scripts do the same without the sources");
    let daemon = if options.has(&["--no-daemon"]) { " --no-daemon" } else { "" };
    Ok(Answer::Prepared(needs, vec![format!("{} dependencies{daemon}", question.program)]))
}

/// A build script that looks at files may not find them.
fn check_script(text: &str, path: &str) -> Result<(), String> {
    const WORDS: [&str; 16] = [
        "file(",
        "files(",
        "fileTree",
        "includeBuild",
        "apply from",
        "apply(from",
        "include ",
        "include(",
        "include'",
        "project(",
        "readText",
        "File(",
        "exec",
        "git",
        "flatDir",
        "mavenLocal",
    ];
    match WORDS.iter().find(|word| text.contains(**word)) {
        Some(word) => {
            Err(format!("{path} may read the project: {}", word.trim_end_matches(['(', ' ', '\''])))
        }
        None => Ok(()),
    }
}
