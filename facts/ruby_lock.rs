//! `Gemfile.lock`: what Bundler installs.

/// A gem of a lock file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gem<'t> {
    /// Its name.
    pub name: &'t str,
    /// Its version.
    pub version: &'t str,
    /// The platforms for which the lock file names a gem that is compiled already, such as `x86_64-linux`.
    pub platforms: Vec<&'t str>,
}

/// The gems of a lock file, in its order. `None` if it can't be read, or takes gems from a repository, from a
/// folder of the project or by a plugin.
pub fn gems(lock: &str) -> Option<Vec<Gem<'_>>> {
    let mut gems: Vec<Gem<'_>> = Vec::new();
    let mut is_gem = false;
    for line in lock.lines() {
        let text = line.trim_start();
        match (line.len() - text.len(), text) {
            (0, "") => {}
            (0, "GIT" | "PATH" | "PLUGIN SOURCE") => return None,
            (0, section) => is_gem = section == "GEM",
            (4, text) if is_gem => {
                let (name, version) = text.strip_suffix(')')?.split_once(" (")?;
                let (version, platform) =
                    version.split_once('-').map_or((version, None), |(version, it)| (version, Some(it)));
                match gems.iter_mut().find(|gem| gem.name == name) {
                    Some(gem) => gem.platforms.extend(platform),
                    None => gems.push(Gem { name, version, platforms: platform.into_iter().collect() }),
                }
            }
            _ => {}
        }
    }
    (!gems.is_empty()).then_some(gems)
}

impl Gem<'_> {
    /// Whether the lock file names a gem that is compiled for Linux on amd64, with glibc.
    pub fn is_compiled(&self) -> bool {
        self.platforms.iter().any(|platform| matches!(*platform, "x86_64-linux" | "x86_64-linux-gnu"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gems_and_their_platforms() {
        let lock = "GEM\n  remote: https://gems.example.com/\n  specs:\n    nokogiri (1.16.0)\n      racc (~> 1.4)\n    \
                    nokogiri (1.16.0-x86_64-linux)\n      racc (~> 1.4)\n    racc (1.7.3)\n\nPLATFORMS\n  ruby\n  \
                    x86_64-linux\n\nDEPENDENCIES\n  nokogiri\n\nBUNDLED WITH\n   2.4.10\n";
        let gems = gems(lock).unwrap();
        let read: Vec<_> = gems.iter().map(|gem| (gem.name, gem.version, gem.is_compiled())).collect();
        assert_eq!(read, [("nokogiri", "1.16.0", true), ("racc", "1.7.3", false)]);
    }

    #[test]
    fn lock_files_with_other_sources() {
        for lock in
            ["", "GIT\n  remote: x\n", "PATH\n  remote: .\n", "GEM\n  specs:\n    x\n", "<<<<<<< HEAD\n"]
        {
            assert_eq!(gems(lock), None, "{lock}");
        }
    }
}
