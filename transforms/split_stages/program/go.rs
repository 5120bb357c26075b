//! Go: a program, the certificates and the time zones that it may look for.

use dockeropt_facts::Step;
use dockeropt_facts::command::{Call, base_name};

use super::super::{Refusal, Subject};
use super::steps::{Site, extension, is_beside};
use super::{Language, Last, Made};
use crate::sources::source_of;

pub(super) const LANGUAGE: Language = Language {
    tools: &["go", "gofmt", "go-wrapper", "gccgo", "dlv"],
    last,
    made,
    is_source,
    variables: &[
        "CGO_CFLAGS",
        "CGO_ENABLED",
        "CGO_LDFLAGS",
        "GO111MODULE",
        "GOARCH",
        "GOCACHE",
        "GOFLAGS",
        "GOMODCACHE",
        "GONOPROXY",
        "GONOSUMDB",
        "GOOS",
        "GOPRIVATE",
        "GOPROXY",
        "GOSUMDB",
    ],
    folder: Some("/go"),
    bin: Some("/go/bin"),
    watchers: &[
        "CompileDaemon",
        "air",
        "bee",
        "buffalo",
        "delve",
        "dep",
        "dlv",
        "fresh",
        "gb",
        "gin",
        "ginkgo",
        "glide",
        "go-bindata",
        "gocode",
        "gocov",
        "godef",
        "godep",
        "godoc",
        "goimports",
        "golangci-lint",
        "golint",
        "gometalinter",
        "gopls",
        "gore",
        "goreleaser",
        "gotests",
        "goveralls",
        "govendor",
        "gow",
        "gox",
        "goxc",
        "guru",
        "hugo",
        "ko",
        "mage",
        "mockgen",
        "modd",
        "packr",
        "realize",
        "reflex",
        "revel",
        "staticcheck",
        "statik",
        "stringer",
        "swag",
        "wgo",
        "wire",
        "xgo",
        "yaegi",
    ],
    stays: &[],
};

/// Where Go programs look for certificates first.
const CERTIFICATES: &str = "/etc/ssl/certs/ca-certificates.crt";
/// Where they look for time zones last; the path is in the program.
const ZONES: &str = "/usr/local/go/lib/time/zoneinfo.zip";

fn last<'c>(subject: &Subject<'c>, (_, tag): (&str, &str), _: &'c Step<'c>) -> Result<Last, Refusal<'c>> {
    let knowledge = subject.context.knowledge;
    let mut carried = vec![CERTIFICATES.to_owned()];
    let alpine = tag.split('-').find_map(|part| part.strip_prefix("alpine"));
    if let Some(version) = alpine {
        carried.push(ZONES.to_owned());
        let base = format!("alpine:{}", if version.is_empty() { "3" } else { version });
        let assumption = "programs that call no C library of the builder run in the image".to_owned();
        return Ok(Last { base, carried, assumptions: vec![assumption], ..Last::default() });
    }
    let image =
        knowledge.base(subject.base).filter(|image| image.family == "debian" && image.all_releases_known);
    // What is linked to an older C library runs with a newer one.
    let Some(release) = image.and_then(|image| image.releases.last().copied()) else {
        return Err(Refusal::new(format!(
            "it is not known which release of Debian {} is made of",
            subject.base
        )));
    };
    if !knowledge.has_packages(release) || !knowledge.is_in_base(release, "tzdata") {
        carried.push(ZONES.to_owned());
    }
    // These follow the newest release, as the other image does.
    let base = match tag {
        "latest" | "1" => "debian:stable-slim".to_owned(),
        _ => format!("debian:{release}-slim"),
    };
    Ok(Last { base, release: Some(release), carried, ..Last::default() })
}

/// Options with a value behind them.
const VALUED: [&str; 13] = [
    "-asmflags",
    "-buildmode",
    "-compiler",
    "-gccgoflags",
    "-gcflags",
    "-installsuffix",
    "-ldflags",
    "-mod",
    "-modfile",
    "-p",
    "-pkgdir",
    "-tags",
    "-o",
];

fn made(place: &Site<'_, '_>, call: &Call<'_, '_>) -> Result<Made, String> {
    let words: Vec<Option<&str>> = call.arguments().collect();
    if call.program == "go-wrapper" {
        return match words.first() {
            Some(Some("install")) => Ok(Made::Programs("/go/bin".to_owned())),
            Some(Some("download")) => Ok(Made::Nothing),
            _ => Err("line {line} runs the program in the build".to_owned()),
        };
    }
    if call.program != "go" {
        return Ok(Made::Nothing);
    }
    let verb = words.first().copied().flatten().unwrap_or_default();
    let (mut output, mut operands) = (None, Vec::new());
    let mut only_downloads = false;
    let mut rest = words.iter().skip(1);
    while let Some(word) = rest.next() {
        let text = word.unwrap_or_default();
        let (option, value) =
            text.split_once('=').map_or((text, None), |(option, value)| (option, Some(value)));
        let option = option.strip_prefix('-').filter(|it| it.starts_with('-')).unwrap_or(option);
        match option {
            "-o" => {
                let value = if value.is_some() { value } else { rest.next().copied().flatten() };
                output = Some(value.ok_or("it is not known what line {line} builds")?);
            }
            "-C" | "-toolexec" | "-overlay" => {
                return Err("line {line} builds in an unusual way".to_owned());
            }
            "-buildmode" => {
                let value = if value.is_some() { value } else { rest.next().copied().flatten() };
                if !matches!(value, Some("exe" | "pie" | "default")) {
                    return Err("line {line} builds something else than a program".to_owned());
                }
            }
            "-d" => only_downloads = true,
            _ if VALUED.contains(&option) => {
                if value.is_none() {
                    rest.next();
                }
            }
            _ if option.starts_with('-') => {}
            _ => operands.push(word.ok_or("it is not known what line {line} builds")?),
        }
    }
    match verb {
        "build" => match output {
            Some(path) if path.ends_with('/') => {
                Err("line {line} builds into a folder that may hold other files".to_owned())
            }
            Some("/dev/null") => Ok(Made::Nothing),
            Some(path) => Ok(Made::File(place.path(path))),
            None => name(place, &operands)
                .map(|name| name.map_or(Made::Nothing, |it| Made::File(place.path(&it)))),
        },
        "install" => Ok(Made::Programs(bin(place)?)),
        "get" if !only_downloads => Ok(Made::Programs(bin(place)?)),
        "generate" => Err("line {line} generates files, which the program may read".to_owned()),
        "run" => Err("line {line} runs the program in the build".to_owned()),
        "env" | "fmt" | "get" | "list" | "mod" | "version" | "vet" | "work" => Ok(Made::Nothing),
        "test" => Ok(Made::Nothing),
        _ => Err(format!("it is not known what {verb} of go does, which line {{line}} calls")),
    }
}

/// Where `go install` puts programs.
fn bin(place: &Site<'_, '_>) -> Result<String, String> {
    let state = &place.step.state;
    let known = |name: &str| match state.variable(name) {
        Some(value) => value
            .text()
            .map(|text| Some(text.to_owned()))
            .ok_or_else(|| format!("{name} is not known in line {{line}}")),
        None => Ok(None),
    };
    Ok(match (known("GOBIN")?, known("GOPATH")?) {
        (Some(bin), _) => bin,
        (None, Some(path)) if !path.contains(':') => format!("{}/bin", path.trim_end_matches('/')),
        (None, None) => "/go/bin".to_owned(),
        _ => return Err("line {line} has several folders of Go".to_owned()),
    })
}

/// The name of what `go build` makes without `-o`; `None` if it makes nothing.
fn name(place: &Site<'_, '_>, operands: &[&str]) -> Result<Option<String>, String> {
    let last = |path: &str| {
        let mut parts = path.trim_end_matches('/').rsplit('/');
        let name = parts.next().unwrap_or_default();
        let is_version = name
            .strip_prefix('v')
            .is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|it| it.is_ascii_digit()));
        let name = if is_version { parts.next().unwrap_or(name) } else { name };
        (!name.is_empty() && name != ".").then(|| name.to_owned())
    };
    match operands {
        [] | ["." | "./"] => {
            let manifest = source_of(place.subject.context, place.step, &place.path("go.mod"));
            let project = place.subject.context.project();
            if let Some(text) = manifest.and_then(|path| project?.text(&path)) {
                let module = text.lines().find_map(|line| line.trim().strip_prefix("module "));
                let module = module.map(|it| it.split("//").next().unwrap_or(it).trim().trim_matches('"'));
                return Ok(module.and_then(last));
            }
            // Without modules, the folder gives the name.
            if project.is_some() || place.folder.starts_with("/go/src/") {
                return Ok(last(place.folder));
            }
            Err("the name of what line {line} builds is in a go.mod that can't be read".to_owned())
        }
        [package] if package.contains("...") => Ok(None),
        [file] if file.ends_with(".go") => Ok(last(file.trim_end_matches(".go"))),
        [package] => Ok(last(package)),
        [first, rest @ ..] if first.ends_with(".go") && rest.iter().all(|it| it.ends_with(".go")) => {
            Ok(last(first.trim_end_matches(".go")))
        }
        _ => Ok(None),
    }
}

fn is_source(path: &str) -> bool {
    let name = base_name(path);
    matches!(extension(name), Some("go" | "mod" | "sum" | "work" | "s" | "c" | "h" | "cc" | "cpp" | "proto"))
        || path.split('/').any(|part| matches!(part, "vendor" | "testdata"))
        || matches!(name, "Gopkg.lock" | "Gopkg.toml" | "glide.yaml" | "glide.lock")
        || is_beside(path)
}
