//! What a fix lets differ, and what it takes for granted.

use crate::manifest_first::ManifestFirst;
use crate::reshape::Split;
use crate::tables::Manager;

/// What a fix lets differ in the image. Without a claim the image is the same.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Claim {
    /// Recommended packages are no longer installed.
    WithoutRecommends {
        /// Those that are left out, as far as they are known.
        dropped: Vec<String>,
        /// Those that are now installed by name.
        named: Vec<String>,
        /// Whether all that is left out is known and on the reviewed list of inert packages: then the
        /// claim counts as none.
        inert: bool,
    },
    /// Several calls of a package manager are one.
    OneInstall(Manager),
    /// The image has all its files in one layer, made by a last stage that copies them, and the same
    /// configuration.
    Flattened {
        /// Variables, and labels as `label:NAME`, that the base may set and the image no longer has.
        unknown: Vec<String>,
    },
    /// What only development needs is installed by a last stage of its own, which starts from the one before:
    /// the image of a plain build is the same, so the claim counts as none.
    Development,
    /// What lies at these paths of the build context is no longer copied.
    Ignored {
        /// The paths, relative to the context: files, and folders with all that lies in them.
        paths: Vec<String>,
        /// Whether all of it is of kinds on which nothing rests: then the claim counts as none.
        inert: bool,
    },
    /// A stage starts from another image.
    Rebase {
        /// The image that it started from.
        from: String,
        /// The image that it starts from now.
        to: String,
        /// The packages that it installs for what the other image lacks.
        packages: Vec<String>,
    },
    /// What only builds is in a stage of its own.
    Split(Split),
    /// A dependency install stands above the COPY that brings the project.
    ManifestFirst(ManifestFirst),
}

/// What a fix takes for granted about what the file does not show.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Assumption {
    /// A command that is not modelled does not need the index of a manager.
    LeavesIndex {
        /// The manager.
        manager: Manager,
        /// The command.
        command: String,
    },
    /// Anything else, in words.
    Other(String),
}

impl Claim {
    /// Whether the image may differ in a way that matters.
    pub fn counts(&self) -> bool {
        match self {
            Self::WithoutRecommends { inert, .. } | Self::Ignored { inert, .. } => !inert,
            Self::ManifestFirst(claim) => claim.counts(),
            Self::Development => false,
            _ => true,
        }
    }

    /// The claim in words.
    pub fn describe(&self) -> String {
        match self {
            Self::WithoutRecommends { dropped, .. } if dropped.is_empty() => {
                "recommended packages are no longer installed".to_owned()
            }
            Self::WithoutRecommends { dropped, .. } => {
                format!("no longer installed: {}", dropped.join(", "))
            }
            Self::Rebase { from, to, packages } if packages.is_empty() => {
                format!("what {from} has and {to} lacks is gone")
            }
            Self::Rebase { from, to, packages } => {
                format!("what {from} has and {to} lacks is gone, but for {}", packages.join(", "))
            }
            Self::Split(split) => {
                format!("of the stage that builds, only {} is in the image", split.carried.join(", "))
            }
            Self::ManifestFirst(claim) => claim.describe(),
            Self::OneInstall(manager) => {
                format!("{} chooses all packages together, which may choose others", manager.name())
            }
            Self::Flattened { unknown } => {
                let what =
                    "all files are in one layer, which no other image shares; hard links become copies";
                let names: Vec<&str> = unknown.iter().map(|name| name.trim_start_matches("label:")).collect();
                match &names[..] {
                    [] => what.to_owned(),
                    names => format!("{what}; no longer set, if the base does: {}", names.join(", ")),
                }
            }
            Self::Development => "what only development needs is in a stage of its own".to_owned(),
            Self::Ignored { paths, .. } => format!("no longer copied: {}", some_of(paths)),
        }
    }
}

/// So many names of a list are spelled out.
const SPELLED_OUT: usize = 8;

/// Names, separated by commas; of many only the first.
pub fn some_of(names: &[String]) -> String {
    let shown = names[..names.len().min(SPELLED_OUT)].join(", ");
    match names.len().saturating_sub(SPELLED_OUT) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

impl Assumption {
    /// The assumption in words.
    pub fn describe(&self) -> String {
        match self {
            Self::LeavesIndex { manager: Manager::Apt, command } => {
                format!("`{command}` does not install packages without `apt-get update` of its own")
            }
            Self::LeavesIndex { manager, command } => {
                format!("`{command}` does not need the index of {}", manager.name())
            }
            Self::Other(text) => text.clone(),
        }
    }
}
