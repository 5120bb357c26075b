//! .NET: what is published, and a runtime without the SDK.

use dockeropt_facts::Step;
use dockeropt_facts::command::{Call, base_name};

use super::super::{Refusal, Subject};
use super::steps::{Site, extension, is_beside};
use super::{Language, Last, Made};

pub(super) const LANGUAGE: Language = Language {
    tools: &["dotnet", "msbuild", "nuget"],
    last,
    made,
    is_source,
    variables: &[
        "DOTNET_CLI_TELEMETRY_OPTOUT",
        "DOTNET_NOLOGO",
        "DOTNET_SKIP_FIRST_TIME_EXPERIENCE",
        "NUGET_XMLDOC_MODE",
    ],
    folder: None,
    bin: None,
    watchers: &["dotnet-ef", "dotnet-watch"],
    stays: &["dotnet"],
};

/// What of a reference says that it is the SDK's image, and what the runtime's has instead.
pub(super) const SDK: (&str, &str) = ("/sdk:", "/aspnet:");

fn last<'c>(subject: &Subject<'c>, (_, tag): (&str, &str), _: &'c Step<'c>) -> Result<Last, Refusal<'c>> {
    let (version, distribution) =
        tag.split_once('-').map_or((tag, None), |(version, rest)| (version, Some(rest)));
    let is_minor =
        version.split('.').count() == 2 && version.bytes().all(|it| it.is_ascii_digit() || it == b'.');
    let has_all =
        matches!(distribution, None | Some("jammy" | "noble" | "focal" | "bookworm-slim" | "bullseye-slim"));
    if !is_minor || !has_all {
        return Err(Refusal::new(format!("no runtime of the same version is known for {}", subject.base)));
    }
    let project = subject.context.project();
    let project = project.ok_or_else(|| Refusal::new("the project can't be read, which says what it is"))?;
    let listens = ["ASPNETCORE_URLS", "ASPNETCORE_HTTP_PORTS", "--urls", "--server.urls"];
    let is_said = subject
        .steps
        .iter()
        .any(|step| listens.iter().any(|name| step.instruction.logical.text.contains(name)));
    let is_project = |path: &str| [".csproj", ".fsproj", ".vbproj"].iter().any(|end| path.ends_with(end));
    let mut projects = project.texts().filter(|(path, _)| is_project(path)).peekable();
    if projects.peek().is_none() {
        return Err(Refusal::new("the project can't be read, which says what it is"));
    }
    if !is_said && projects.any(|(_, text)| text.contains("Microsoft.NET.Sdk.Web")) {
        return Err(Refusal::new(
            "the image of the runtime has another port, as the file sets no ASPNETCORE_URLS",
        ));
    }
    Ok(Last {
        base: subject.base.replacen(SDK.0, SDK.1, 1),
        assumptions: vec!["the program needs the runtime of .NET, and nothing of the SDK".to_owned()],
        ..Last::default()
    })
}

fn made(place: &Site<'_, '_>, call: &Call<'_, '_>) -> Result<Made, String> {
    let words: Vec<&str> =
        call.arguments().collect::<Option<_>>().ok_or("it is not known what line {line} builds")?;
    if call.program != "dotnet" {
        return Err("it is not known what line {line} builds".to_owned());
    }
    let output = words.iter().enumerate().find_map(|(at, word)| match word.split_once('=') {
        Some(("--output" | "-o", value)) => Some(value),
        _ if matches!(*word, "--output" | "-o") => words.get(at + 1).copied(),
        _ => None,
    });
    match (words.first().copied().unwrap_or_default(), output) {
        ("publish" | "build", Some(folder)) => {
            // What is published beside the sources can't be told from them.
            match place.path(folder) {
                path if path == place.folder => {
                    Err("line {line} builds into the folder of the project".to_owned())
                }
                path => Ok(Made::Folder(path)),
            }
        }
        ("publish", None) => Err("line {line} publishes to a folder that it doesn't name".to_owned()),
        ("restore" | "build" | "test" | "clean" | "--info" | "--version", _) => Ok(Made::Nothing),
        ("run" | "watch", _) => Err("line {line} runs the program in the build".to_owned()),
        (verb, _) => Err(format!("it is not known what {verb} of dotnet does, which line {{line}} calls")),
    }
}

fn is_source(path: &str) -> bool {
    let name = base_name(path).to_ascii_lowercase();
    matches!(
        extension(&name),
        Some(
            "cs" | "csproj"
                | "fs"
                | "fsproj"
                | "vb"
                | "vbproj"
                | "sln"
                | "slnx"
                | "props"
                | "targets"
                | "razor"
                | "cshtml"
        )
    ) || matches!(name.as_str(), "nuget.config" | "global.json" | "packages.lock.json")
        || is_beside(path)
}
