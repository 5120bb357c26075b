//! What a fix lets differ, and what it takes for granted.

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
        !matches!(self, Self::WithoutRecommends { inert: true, .. })
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
            Self::OneInstall(manager) => {
                format!("{} chooses all packages together, which may choose others", manager.name())
            }
        }
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
