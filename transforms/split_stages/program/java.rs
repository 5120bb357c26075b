//! Java: what Maven or Gradle builds, and a runtime without the compiler.

use dockeropt_facts::Step;
use dockeropt_facts::command::{Call, base_name};
use dockeropt_syntax::Keyword;

use super::super::{Refusal, Subject};
use super::steps::{Site, is_beside};
use super::{Language, Last, Made};
use crate::sources::source_of;

pub(super) const LANGUAGE: Language = Language {
    tools: &["mvn", "mvnw", "gradle", "gradlew", "javac", "jar", "jshell", "jlink", "jcmd", "jmap", "jstack"],
    last,
    made,
    is_source,
    variables: &["MAVEN_OPTS", "MAVEN_CLI_OPTS", "GRADLE_OPTS", "GRADLE_USER_HOME"],
    folder: None,
    bin: None,
    watchers: &[],
    stays: &["java"],
};

fn last<'c>(subject: &Subject<'c>, (image, tag): (&str, &str), _: &'c Step<'c>) -> Result<Last, Refusal<'c>> {
    let parts: Vec<&str> = tag.split('-').collect();
    let is_number = |text: &&str| !text.is_empty() && text.bytes().all(|it| it.is_ascii_digit());
    // `3.9-eclipse-temurin-21-alpine`, `8.10-jdk21`, `21-jdk-jammy`, `17.0.9_9-jdk`
    let (version, distribution) = match image {
        "maven" => match &parts[..] {
            [_, "eclipse", "temurin", version] if is_number(version) => (*version, None),
            [_, "eclipse", "temurin", version, "alpine"] if is_number(version) => (*version, Some("alpine")),
            _ => return Err(unknown(subject)),
        },
        "gradle" => match &parts[..] {
            [_, jdk] => (jdk.strip_prefix("jdk").filter(is_number).ok_or_else(|| unknown(subject))?, None),
            [_, jdk, distribution @ ("alpine" | "jammy" | "noble" | "focal")] => (
                jdk.strip_prefix("jdk").filter(is_number).ok_or_else(|| unknown(subject))?,
                Some(*distribution),
            ),
            _ => return Err(unknown(subject)),
        },
        _ => match &parts[..] {
            [version] | [version, "jdk"] if version.starts_with(|it: char| it.is_ascii_digit()) => {
                (*version, None)
            }
            [version, "jdk", distribution @ ("alpine" | "jammy" | "noble" | "focal")]
                if version.starts_with(|it: char| it.is_ascii_digit()) =>
            {
                (*version, Some(*distribution))
            }
            _ => return Err(unknown(subject)),
        },
    };
    let distribution = distribution.map(|name| format!("-{name}")).unwrap_or_default();
    Ok(Last {
        base: format!("eclipse-temurin:{version}-jre{distribution}"),
        assumptions: vec![
            "the program needs the runtime of Java, and none of the tools of the JDK".to_owned(),
        ],
        ..Last::default()
    })
}

fn unknown(subject: &Subject<'_>) -> Refusal<'static> {
    Refusal::new(format!("no runtime of the same version is known for {}", subject.base))
}

fn made(place: &Site<'_, '_>, call: &Call<'_, '_>) -> Result<Made, String> {
    let words: Vec<&str> =
        call.arguments().collect::<Option<_>>().ok_or("it is not known what line {line} builds")?;
    let unusual =
        ["-f", "--file", "-p", "--project-dir", "-b", "--build-file", "--include-build", "-gs", "-t", "-c"];
    if words.iter().any(|word| unusual.contains(word)) {
        return Err("line {line} builds in an unusual way".to_owned());
    }
    let is_maven = call.program.starts_with("mvn");
    let is_gradle = call.program.starts_with("gradle");
    let goals: Vec<&str> = words.iter().copied().filter(|word| !word.starts_with('-')).collect();
    let is = |names: &[&str]| goals.iter().any(|goal| names.contains(goal));
    if is_maven {
        if is(&["package", "install", "verify"]) {
            return Ok(built(
                place,
                "target",
                &["pom.xml"],
                &["spring-boot-maven-plugin", "maven-shade-plugin"],
            ));
        }
        let harmless = |goal: &&str| {
            matches!(*goal, "clean" | "validate" | "compile" | "test" | "test-compile")
                || goal.starts_with("dependency:")
        };
        if goals.iter().all(harmless) {
            return Ok(Made::Nothing);
        }
    } else if is_gradle {
        if is(&["build", "assemble", "jar", "bootJar", "shadowJar", "installDist", "fatJar"]) {
            let plugins =
                ["org.springframework.boot", "com.github.johnrengelman.shadow", "com.gradleup.shadow"];
            return Ok(built(place, "build", &["build.gradle", "build.gradle.kts"], &plugins));
        }
        if goals.iter().all(|goal| {
            matches!(
                *goal,
                "clean" | "dependencies" | "classes" | "compileJava" | "test" | "resolveDependencies"
            )
        }) {
            return Ok(Made::Nothing);
        }
    }
    Err("it is not known what line {line} builds".to_owned())
}

fn is_source(path: &str) -> bool {
    let name = base_name(path);
    matches!(
        name,
        "pom.xml"
            | "build.gradle"
            | "build.gradle.kts"
            | "settings.gradle"
            | "settings.gradle.kts"
            | "gradle.properties"
            | "gradlew"
            | "gradlew.bat"
            | "mvnw"
            | "mvnw.cmd"
            | "libs.versions.toml"
    ) || path.split('/').any(|part| matches!(part, ".mvn" | "buildSrc"))
        || path == "src"
        || path.starts_with("src/")
        || path.contains("/src/")
        || path.starts_with("gradle/")
        || is_beside(path)
}

/// What Maven or Gradle makes in a folder: with a plugin that packs all that it needs into a jar, that jar is
/// enough, if it is named.
fn built(place: &Site<'_, '_>, folder: &str, manifests: &[&str], plugins: &[&str]) -> Made {
    let project = place.subject.context.project();
    let text = |name: &&str| {
        let path = source_of(place.subject.context, place.step, &place.path(name))?;
        project?.text(&path)
    };
    let packs =
        manifests.iter().filter_map(text).any(|text| plugins.iter().any(|plugin| text.contains(plugin)));
    let starts = |step: &&Step<'_>| matches!(step.instruction.keyword(), Keyword::Cmd | Keyword::Entrypoint);
    let is_named =
        place.subject.steps.iter().filter(starts).all(|step| !step.instruction.arguments().contains('*'));
    let path = place.path(folder);
    match folder {
        "target" if packs && is_named => Made::Programs(path),
        "build" if packs && is_named => Made::Programs(format!("{path}/libs")),
        _ => Made::Folder(path),
    }
}
