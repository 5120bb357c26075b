//! How long builds take: from nothing, after a source file was touched, after a manifest changed.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::engine::Build;
use super::{Lab, LabError, Recipe};

/// What is touched.
#[derive(Clone, Debug, Default)]
pub struct Subjects {
    /// How often each build is timed.
    pub runs: usize,
    /// A source file, relative to the context.
    pub source: Option<PathBuf>,
    /// A manifest of dependencies, relative to the context.
    pub manifest: Option<PathBuf>,
}

/// The times of several builds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    /// The shortest, in seconds.
    pub min: f64,
    /// The one in the middle.
    pub median: f64,
    /// The longest.
    pub max: f64,
}

/// The times of the original and of the rewrite.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Measures {
    /// Without the engine's cache.
    pub cold: Option<(Spread, Spread)>,
    /// After a source file was touched.
    pub source: Option<(Spread, Spread)>,
    /// After a manifest was changed.
    pub manifest: Option<(Spread, Spread)>,
}

impl Spread {
    fn of(mut times: Vec<Duration>) -> Option<Self> {
        times.sort();
        let seconds = |at: usize| times.get(at).map(Duration::as_secs_f64);
        Some(Self { min: seconds(0)?, median: seconds(times.len() / 2)?, max: seconds(times.len() - 1)? })
    }
}

/// Manifests that are looked for where none is named.
const MANIFESTS: [&str; 10] = [
    "requirements.txt",
    "package.json",
    "pyproject.toml",
    "Pipfile",
    "go.mod",
    "Cargo.toml",
    "Gemfile",
    "composer.json",
    "pom.xml",
    "build.gradle",
];

/// Times the builds of both texts in a copy of the context.
pub fn measure(
    lab: &mut Lab,
    recipes: (Recipe<'_>, Recipe<'_>),
    subjects: &Subjects,
) -> Result<Measures, LabError> {
    let copy = tempfile::Builder::new().prefix("dockeropt-context-").tempdir()?;
    copy_folder(&lab.context, copy.path())?;
    let context = std::mem::replace(&mut lab.context, copy.path().to_path_buf());
    let manifest = subjects.manifest.clone().or_else(|| {
        MANIFESTS.iter().map(PathBuf::from).find(|manifest| copy.path().join(manifest).is_file())
    });
    let result = times(lab, recipes, subjects, manifest.as_deref());
    lab.context = context;
    result
}

fn times(
    lab: &mut Lab,
    (before, after): (Recipe<'_>, Recipe<'_>),
    subjects: &Subjects,
    manifest: Option<&Path>,
) -> Result<Measures, LabError> {
    let mut both = |touched: Option<&Path>| -> Result<Option<(Spread, Spread)>, LabError> {
        let spreads =
            (spread(lab, before, subjects.runs, touched)?, spread(lab, after, subjects.runs, touched)?);
        Ok(spreads.0.zip(spreads.1))
    };
    Ok(Measures {
        cold: both(None)?,
        source: match subjects.source.as_deref() {
            Some(source) => both(Some(source))?,
            None => None,
        },
        manifest: match manifest {
            Some(manifest) => both(Some(manifest))?,
            None => None,
        },
    })
}

/// The times of some builds: after a file got a line more, or without the engine's cache.
fn spread(
    lab: &mut Lab,
    recipe: Recipe<'_>,
    runs: usize,
    touched: Option<&Path>,
) -> Result<Option<Spread>, LabError> {
    let dockerfile = lab.write("measure", recipe)?;
    let tag = format!("{}:measure", lab.name);
    if !lab.tags.contains(&tag) {
        lab.tags.push(tag.clone());
    }
    let build = Build {
        dockerfile: &dockerfile,
        context: &lab.context,
        tag: &tag,
        options: &lab.options,
        no_cache: touched.is_none(),
    };
    // An image whose name the next one takes would stay without a name.
    let timed = || -> Result<Duration, LabError> {
        let time = lab.engine.build(&build, &lab.limits)?;
        lab.engine.remove(&tag, &lab.limits)?;
        Ok(time)
    };
    let mut times = Vec::new();
    if touched.is_some() {
        timed()?;
    }
    for _ in 0..runs.max(1) {
        if let Some(path) = touched {
            OpenOptions::new().append(true).open(lab.context.join(path))?.write_all(&blank_lines())?;
        }
        times.push(timed()?);
    }
    Ok(Spread::of(times))
}

/// Three lines of spaces, of lengths that come from the clock: a file that gets them is one that the engine has
/// not seen, in an earlier measurement either, and says the same in nearly every language.
fn blank_lines() -> Vec<u8> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let lengths = (now.as_nanos() as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes();
    lengths[..3].iter().flat_map(|&length| [vec![b' '; usize::from(length)], vec![b'\n']].concat()).collect()
}

fn copy_folder(from: &Path, to: &Path) -> io::Result<()> {
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (path, target) = (entry.path(), to.join(entry.file_name()));
        let kind = entry.file_type()?;
        if kind.is_dir() {
            fs::create_dir(&target)?;
            fs::set_permissions(&target, entry.metadata()?.permissions())?;
            copy_folder(&path, &target)?;
        } else if kind.is_symlink() {
            #[cfg(unix)]
            std::os::unix::fs::symlink(fs::read_link(&path)?, &target)?;
        } else if kind.is_file() {
            fs::copy(&path, &target)?;
        }
    }
    Ok(())
}
