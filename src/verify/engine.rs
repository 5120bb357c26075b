//! Build engines, each by its own command line: docker with BuildKit, podman, buildah.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use clap::ValueEnum;

use crate::process::{self, Failure, Finished, Limits};

/// A kind of build engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    /// Docker with BuildKit.
    Docker,
    /// Podman.
    Podman,
    /// Buildah.
    Buildah,
}

impl Kind {
    const ALL: [Self; 3] = [Self::Docker, Self::Podman, Self::Buildah];

    /// The program's name.
    pub fn program(self) -> &'static str {
        match self {
            Self::Docker => "docker",
            Self::Podman => "podman",
            Self::Buildah => "buildah",
        }
    }
}

/// An engine that was found.
#[derive(Clone, Debug)]
pub struct Engine {
    kind: Kind,
    program: PathBuf,
}

/// Why there is no engine.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// None is installed.
    #[error("no build engine was found on PATH: looked for {0}")]
    Missing(String),
    /// It is installed, but nobody answers.
    #[error("{program} is installed, but its engine does not answer: {said}")]
    Silent {
        /// The program.
        program: &'static str,
        /// What it says.
        said: String,
    },
    /// It was stopped.
    #[error(transparent)]
    Failure(#[from] Failure),
}

/// What both builds are told.
#[derive(Clone, Debug, Default)]
pub struct BuildOptions {
    /// `--build-arg`
    pub build_args: Vec<String>,
    /// `--target`
    pub target: Option<String>,
    /// `--platform`
    pub platform: Option<String>,
    /// `--network`, also for commands that are run in the images.
    pub network: Option<String>,
    /// `--secret`
    pub secrets: Vec<String>,
}

/// One build.
#[derive(Clone, Copy, Debug)]
pub struct Build<'b> {
    /// The Dockerfile.
    pub dockerfile: &'b Path,
    /// The build context.
    pub context: &'b Path,
    /// What the image is to be called.
    pub tag: &'b str,
    /// What it is told.
    pub options: &'b BuildOptions,
    /// Whether the engine's cache of steps is left alone.
    pub no_cache: bool,
}

impl Engine {
    /// The first engine on PATH, or the one that is wanted.
    pub fn find(wanted: Option<Kind>) -> Result<Self, EngineError> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let kinds = wanted.map_or_else(|| Kind::ALL.to_vec(), |kind| vec![kind]);
        let found =
            kinds.iter().find_map(|&kind| Some(Self { kind, program: on_path(kind.program(), &path)? }));
        let names: Vec<_> = kinds.iter().map(|kind| kind.program()).collect();
        found.ok_or_else(|| EngineError::Missing(names.join(", ")))
    }

    /// An engine of which the program is at a place.
    pub fn at(kind: Kind, program: &Path) -> Self {
        Self { kind, program: program.to_path_buf() }
    }

    /// The program's name.
    pub fn name(&self) -> &'static str {
        self.kind.program()
    }

    fn command<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> Command {
        let mut command = Command::new(&self.program);
        command.args(arguments);
        if self.kind == Kind::Docker {
            command.env("DOCKER_BUILDKIT", "1");
        }
        command
    }

    /// Asks the engine whether it is there.
    pub fn check(&self, limits: &Limits) -> Result<(), EngineError> {
        let question: &[&str] = match self.kind {
            Kind::Docker => &["version", "--format", "{{.Server.Version}}"],
            Kind::Podman | Kind::Buildah => &["info"],
        };
        match process::succeed(self.command(question), limits) {
            Ok(_) => Ok(()),
            Err(Failure::Exit { said, .. }) => {
                let said = said.lines().next().unwrap_or("it says nothing").to_owned();
                Err(EngineError::Silent { program: self.name(), said })
            }
            Err(failure) => Err(failure.into()),
        }
    }

    /// Builds an image; how long that took.
    pub fn build(&self, build: &Build<'_>, limits: &Limits) -> Result<Duration, Failure> {
        let options = build.options;
        let mut arguments: Vec<OsString> = vec!["build".into(), "--tag".into(), build.tag.into()];
        let single = |value: &Option<String>| value.iter().cloned().collect::<Vec<_>>();
        for (name, values) in [
            ("--build-arg", options.build_args.clone()),
            ("--secret", options.secrets.clone()),
            ("--target", single(&options.target)),
            ("--platform", single(&options.platform)),
            ("--network", single(&options.network)),
        ] {
            arguments.extend(values.into_iter().flat_map(|value| [name.into(), value.into()]));
        }
        match self.kind {
            Kind::Docker => arguments.push("--progress=plain".into()),
            // Steps are cached as BuildKit does, SHELL and HEALTHCHECK are kept, and no container is left.
            Kind::Podman | Kind::Buildah => {
                arguments.extend(["--layers=true".into(), "--format=docker".into(), "--force-rm".into()])
            }
        }
        if build.no_cache {
            arguments.push("--no-cache".into());
        }
        arguments.extend(["--file".into(), build.dockerfile.into(), build.context.into()]);
        let mut command = self.command(arguments);
        if self.kind == Kind::Docker {
            return Ok(process::succeed(command, limits)?.time);
        }
        // A build that is stopped leaves its temporary files, too.
        let folder = std::env::var_os("TMPDIR").unwrap_or_else(|| "/var/tmp".into());
        let folder = tempfile::Builder::new().prefix("dockeropt-engine-").tempdir_in(folder);
        let folder = folder.map_err(|error| Failure::io("a temporary folder", error))?;
        command.env("TMPDIR", folder.path());
        let containers = self.containers(limits)?;
        let mut said = Vec::new();
        let built = process::succeed_telling(command, limits, &mut said);
        if built.is_err() {
            self.clear(&containers, &String::from_utf8_lossy(&said), limits);
        }
        Ok(built?.time)
    }

    /// The containers in which podman and buildah run steps, by number.
    fn containers(&self, limits: &Limits) -> Result<BTreeSet<String>, Failure> {
        let question: &[&str] = match self.kind {
            Kind::Docker => return Ok(BTreeSet::new()),
            Kind::Podman => &["ps", "--all", "--external", "--no-trunc", "--quiet"],
            Kind::Buildah => &["containers", "--all", "--notruncate", "--quiet"],
        };
        let listed = process::succeed(self.command(question), limits)?;
        Ok(String::from_utf8_lossy(&listed.output).split_whitespace().map(str::to_owned).collect())
    }

    /// Removes what podman and buildah leave of a build that fails or is stopped: containers that were not
    /// there before, and the images of single steps, which `said` names.
    fn clear(&self, before: &BTreeSet<String>, said: &str, limits: &Limits) {
        let limits = limits.for_cleanup();
        let remove = |arguments: &[&str]| drop(process::run(self.command(arguments), &limits));
        // The container of a step that was stopped may take a moment.
        for container in self.containers(&limits).unwrap_or_default().difference(before) {
            match self.kind {
                Kind::Podman => remove(&["rm", "--force", container]),
                _ => remove(&["rm", container]),
            }
        }
        for image in images_of_steps(said).into_iter().rev() {
            remove(&["rmi", image]);
        }
    }

    /// Hands on an image as a docker archive.
    pub fn save<T>(
        &self,
        tag: &str,
        limits: &Limits,
        read: impl FnOnce(&mut dyn Read) -> io::Result<T>,
    ) -> Result<T, Failure> {
        match self.kind {
            Kind::Docker => process::stream(self.command(["save", tag]), &[], limits, read),
            Kind::Podman => {
                process::stream(self.command(["save", "--format", "docker-archive", tag]), &[], limits, read)
            }
            Kind::Buildah => {
                // It writes to a file only.
                let folder = tempfile::Builder::new().prefix("dockeropt-").tempdir();
                let folder = folder.map_err(|error| Failure::io("a temporary folder", error))?;
                let path = folder.path().join("image.tar");
                let mut target = OsString::from("docker-archive:");
                target.push(&path);
                process::succeed(self.command([OsStr::new("push"), tag.as_ref(), &target]), limits)?;
                let io_failure = |error| Failure::io("buildah push", error);
                let mut file = std::fs::File::open(&path).map_err(io_failure)?;
                read(&mut file).map_err(io_failure)
            }
        }
    }

    /// Runs a command in an image by `sh -c`; how it ended and what it said is up to the caller.
    pub fn run(
        &self,
        tag: &str,
        script: &str,
        options: &BuildOptions,
        limits: &Limits,
    ) -> Result<Finished, Failure> {
        if self.kind == Kind::Buildah {
            let made = process::succeed(self.command(["from", "--pull=never", tag]), limits)?;
            let container = String::from_utf8_lossy(&made.output).trim().to_owned();
            let mut arguments = vec!["run"];
            if let Some(network) = &options.network {
                arguments.extend(["--network", network]);
            }
            arguments.extend([container.as_str(), "--", "sh", "-c", script]);
            let run = self.command(arguments);
            let finished = process::run(run, limits);
            process::succeed(self.command(["rm", container.as_str()]), &limits.for_cleanup())?;
            return finished;
        }
        let name = format!("{}-run", tag.replace(':', "-"));
        let mut arguments = vec!["run", "--rm", "--name", &name];
        if let Some(network) = &options.network {
            arguments.extend(["--network", network]);
        }
        if let Some(platform) = &options.platform {
            arguments.extend(["--platform", platform]);
        }
        arguments.extend(["--entrypoint", "sh", tag, "-c", script]);
        let finished = process::run(self.command(arguments), limits);
        if finished.is_err() {
            // The client is gone, the container may not be.
            let _ = process::run(self.command(["rm", "--force", name.as_str()]), &limits.for_cleanup());
        }
        finished
    }

    /// Takes the name from an image, which goes with its last name.
    pub fn remove(&self, tag: &str, limits: &Limits) -> Result<(), Failure> {
        process::succeed(self.command(["rmi", tag]), &limits.for_cleanup()).map(drop)
    }
}

/// The images that a build made of its steps: `--> 0123abcd`, but not what follows `--> Using cache`.
fn images_of_steps(said: &str) -> Vec<&str> {
    let mut images = Vec::new();
    let mut cached = false;
    for line in said.lines().filter_map(|line| line.trim().strip_prefix("--> ")) {
        let is_image = line.len() >= 8 && line.chars().all(|character| character.is_ascii_hexdigit());
        if is_image && !cached {
            images.push(line);
        }
        cached = line.starts_with("Using cache ");
    }
    images
}

/// A program on PATH.
fn on_path(program: &str, path: &OsStr) -> Option<PathBuf> {
    std::env::split_paths(path).map(|folder| folder.join(program)).find(|candidate| is_executable(candidate))
}

#[cfg(unix)]
fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata().is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_executable(path: &Path) -> bool {
    path.is_file() || path.with_extension("exe").is_file()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_of_steps_are_those_that_are_new() {
        let said = "STEP 1/3: FROM debian\nSTEP 2/3: RUN touch /a\n--> Using cache b7e04380bfbb1fb132a1\n\
            --> b7e04380bfb\nSTEP 3/3: RUN touch /b\n--> 0123456789a\nCOMMIT x\n";
        assert_eq!(images_of_steps(said), ["0123456789a"]);
    }
}
