//! Which packages of languages have compiled parts, and what these need to be built and to run; see
//! `data/native-*.tsv` and `data/pure-*.tsv`.

use std::collections::BTreeSet;

use crate::knowledge::{Knowledge, Table, columns, words};
use crate::ruby_lock::Gem;
use crate::version::Version;

/// What it takes to install a package of a language on amd64 with glibc.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Native {
    /// Nothing but the language's package manager.
    Ready(Needs),
    /// An install script fetches what is compiled already, from elsewhere, and compiles it if there is nothing
    /// for the version of the language.
    Fetched(Needs),
    /// It is compiled.
    Compiled(Needs),
    /// There is no row that tells.
    Unknown,
}

/// The Debian packages for a package of a language.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// To build it.
    pub build: BTreeSet<&'static str>,
    /// To run it.
    pub run: BTreeSet<&'static str>,
}

/// The package manager of a language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ecosystem {
    /// npm and its kin.
    Node,
    /// RubyGems.
    Ruby,
    /// PHP's own extensions and PECL's, in the official images.
    Php,
}

impl Native {
    /// What both take together.
    fn and(self, other: Self) -> Self {
        use Native::*;
        let join = |mut a: Needs, b: Needs| {
            a.build.extend(b.build);
            a.run.extend(b.run);
            a
        };
        match (self, other) {
            (Unknown, _) | (_, Unknown) => Unknown,
            (Compiled(a), Ready(b) | Fetched(b) | Compiled(b)) | (Ready(a) | Fetched(a), Compiled(b)) => {
                Compiled(join(a, b))
            }
            (Fetched(a), Ready(b) | Fetched(b)) | (Ready(a), Fetched(b)) => Fetched(join(a, b)),
            (Ready(a), Ready(b)) => Ready(join(a, b)),
        }
    }
}

impl Knowledge {
    /// A project of PyPI: its name in any spelling, the version that is asked for (`None`: the newest that
    /// fits), and Python's, such as `3.10`. Extras aren't considered.
    pub fn python(&self, project: &str, version: Option<&str>, python: &str, release: &str) -> Native {
        let project = normalized(project);
        if self.row(Table::NativePython, &project).is_some() {
            let row = self.of_version(Table::NativePython, &project, version);
            return row.map_or(Native::Unknown, |row| self.compiled_python(row, version, python, release));
        }
        let Some((_, compiled)) = self.row(Table::PurePython, &project) else { return Native::Unknown };
        let start = Native::Ready(Needs::default());
        words(compiled).fold(start, |all, needed| {
            let row = self.of_version(Table::NativePython, needed, None);
            all.and(row.map_or(Native::Unknown, |row| self.compiled_python(row, None, python, release)))
        })
    }

    fn compiled_python(
        &self,
        row: &'static str,
        version: Option<&str>,
        python: &str,
        release: &str,
    ) -> Native {
        let [_, wheels, build, run] = columns(row);
        let needs = match has_wheel(wheels, version, python) {
            // A wheel brings the libraries that it is linked with.
            Some(true) => self.needs(release, "-", run).map(Native::Ready),
            Some(false) => self.needs(release, build, run).map(Native::Compiled),
            None => None,
        };
        needs.unwrap_or(Native::Unknown)
    }

    /// A package of npm, a gem, or an extension of PHP, and the version that is asked for (`None`: the newest).
    /// Most packages of npm and most gems have no row, and have no compiled parts: but that isn't known.
    pub fn native(&self, of: Ecosystem, name: &str, version: Option<&str>, release: &str) -> Native {
        let table = match of {
            Ecosystem::Node => Table::NativeNode,
            Ecosystem::Ruby => Table::NativeRuby,
            Ecosystem::Php => Table::NativePhp,
        };
        let Some(row) = self.of_version(table, name, version) else { return Native::Unknown };
        let [_, how, build, run] = columns(row);
        let needs = match how {
            "prebuilt" | "pure" => self.needs(release, "-", run).map(Native::Ready),
            "fetched" => self.needs(release, build, run).map(Native::Fetched),
            _ => self.needs(release, build, run).map(Native::Compiled),
        };
        needs.unwrap_or(Native::Unknown)
    }

    /// The packages with the libraries that a program is linked to by a crate of Rust; `None` if it isn't known.
    pub fn libraries_of_crate(&self, name: &str, release: &str) -> Option<BTreeSet<&'static str>> {
        let (_, row) = self.row(Table::NativeRust, name)?;
        let mut libraries = BTreeSet::new();
        for package in packages(row) {
            libraries.extend(self.runtime_of(release, package)?);
        }
        Some(libraries)
    }

    /// A gem as a lock file has it.
    pub fn gem(&self, gem: &Gem<'_>, release: &str) -> Native {
        let ready = Native::Ready(Needs::default());
        match self.row(Table::NativeRuby, gem.name) {
            // Without a name for the platform it is compiled, or the lock file is changed by the install.
            Some(_) => match self.native(Ecosystem::Ruby, gem.name, Some(gem.version), release) {
                Native::Ready(_) if self.has_to_name_platform(gem) && !gem.is_compiled() => Native::Unknown,
                native => native,
            },
            None if gem.is_compiled() || self.row(Table::PureRuby, gem.name).is_some() => ready,
            None => Native::Unknown,
        }
    }

    fn has_to_name_platform(&self, gem: &Gem<'_>) -> bool {
        let row = self.of_version(Table::NativeRuby, gem.name, Some(gem.version));
        row.is_some_and(|row| {
            let [_, how] = columns(row);
            how == "prebuilt"
        })
    }

    /// The first row of a name whose versions a version is one of; the newest is in those without an end.
    fn of_version(&self, table: Table<'_>, name: &str, version: Option<&str>) -> Option<&'static str> {
        let rows: Vec<&'static str> = self.rows(table, name).map(|(_, row)| row).collect();
        let limit = |row: &&'static str| {
            let [versions] = columns(row);
            versions.strip_prefix('<')
        };
        let Some(version) = version else { return rows.into_iter().find(|row| limit(row).is_none()) };
        let all_alike = rows.iter().all(|row| limit(row).is_none());
        let version = Version::read(version).filter(|_| !all_alike);
        rows.into_iter().find(|row| match (limit(row), &version) {
            (None, Some(_)) => true,
            (None, None) => all_alike,
            (Some(limit), Some(version)) => Version::read(limit).is_some_and(|limit| *version < limit),
            (Some(_), None) => false,
        })
    }

    /// Reads the columns of what to build and to run with; `None` if one of them isn't known in the release.
    fn needs(&self, release: &str, build: &'static str, run: &'static str) -> Option<Needs> {
        let mut needs = Needs { build: packages(build).collect(), run: BTreeSet::new() };
        let links = |name: &str| name.ends_with("-dev");
        let libraries = |name: &str| self.runtime_of(release, name);
        for name in packages(build).filter(|name| run.is_empty() && links(name)) {
            needs.run.extend(libraries(name)?);
        }
        for name in packages(run) {
            match name.strip_prefix('@') {
                Some(headers) => needs.run.extend(libraries(headers)?),
                None => drop(needs.run.insert(name)),
            }
        }
        let is_known = |name: &&str| self.size(release, name).is_some();
        (needs.build.iter().all(is_known) && needs.run.iter().all(is_known)).then_some(needs)
    }
}

/// The names in a column; `?` is one that has no row anywhere.
fn packages(column: &'static str) -> impl Iterator<Item = &'static str> {
    words(column).filter(|word| *word != "-")
}

/// Whether there is a wheel for a version, or one has been asked for that must have one; `None` if it isn't
/// known.
fn has_wheel(wheels: &str, version: Option<&str>, python: &str) -> Option<bool> {
    let since = |first: &str| match version {
        None => Some(true),
        Some(version) => Some(Version::read(version)? >= Version::read(first)?),
    };
    let wheels = wheels.strip_prefix('~').unwrap_or(wheels);
    match wheels {
        "-" => Some(false),
        "any" => Some(true),
        "newest" => version.is_none().then_some(true),
        _ => {
            let mut bounds = words(wheels).filter_map(|bound| bound.split_once(':'));
            let (_, first) = bounds.find(|(of, _)| *of == python || *of == "any")?;
            since(first)
        }
    }
}

/// A project's name as PEP 503 spells it.
fn normalized(name: &str) -> String {
    let mut result = String::with_capacity(name.len());
    for c in name.trim().chars() {
        match c {
            '-' | '_' | '.' if result.ends_with('-') => {}
            '-' | '_' | '.' => result.push('-'),
            c => result.extend(c.to_lowercase()),
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    fn python(project: &str, version: Option<&str>, python: &str, release: &str) -> Native {
        Knowledge::builtin().python(project, version, python, release)
    }

    fn needs(build: &str, run: &str) -> Needs {
        let set = |text: &str| -> BTreeSet<&'static str> {
            words(text).map(|word| &*Box::leak(word.to_owned().into_boxed_str())).collect()
        };
        Needs { build: set(build), run: set(run) }
    }

    fn compiled(build: &str, run: &str) -> Native {
        Native::Compiled(needs(build, run))
    }

    fn ready(run: &str) -> Native {
        Native::Ready(needs("", run))
    }

    #[test]
    fn the_article_s_project_is_compiled_and_runs_with_one_library() {
        let expected = compiled("default-libmysqlclient-dev gcc", "libmariadb3");
        for release in ["bullseye", "bookworm", "trixie"] {
            assert_eq!(python("mysqlclient", Some("2.1.1"), "3.10", release), expected, "{release}");
        }
        let newer = compiled("default-libmysqlclient-dev gcc pkg-config", "libmariadb3");
        assert_eq!(python("mysqlclient", Some("2.2.0"), "3.10", "bookworm"), newer);
        assert_eq!(python("mysqlclient", None, "3.10", "bookworm"), newer);
        assert_eq!(python("mysqlclient", Some("2.1.1"), "3.10", "jammy"), Native::Unknown);
    }

    #[test]
    fn names_of_libraries_are_the_release_s() {
        let ldap = |release| python("python-ldap", Some("3.4.3"), "3.11", release);
        assert_eq!(
            ldap("bookworm"),
            compiled("gcc libc6-dev libldap2-dev libsasl2-dev", "libldap-2.5-0 libsasl2-2")
        );
        assert_eq!(
            ldap("trixie"),
            compiled("gcc libc6-dev libldap2-dev libsasl2-dev", "libldap2 libsasl2-2")
        );
        assert_eq!(python("python-magic", None, "3.12", "bookworm"), ready("libmagic1"));
        assert_eq!(python("python-magic", None, "3.12", "trixie"), ready("libmagic1t64"));
    }

    #[test]
    fn a_wheel_depends_on_the_version_and_on_python_s() {
        assert_eq!(python("psycopg2-binary", Some("2.9.9"), "3.12", "bookworm"), ready(""));
        let old = python("psycopg2-binary", Some("2.9.3"), "3.12", "bookworm");
        assert_eq!(old, compiled("gcc libc6-dev libpq-dev", "libpq5"));
        assert_eq!(python("psycopg2", None, "3.12", "bookworm"), old);
        // Its build links with zlib, which the headers of libxml2 don't bring.
        let lxml = python("lxml", Some("4.6.0"), "3.10", "bookworm");
        let headers = "gcc libc6-dev libxml2-dev libxslt1-dev zlib1g-dev";
        assert_eq!(lxml, compiled(headers, "libxml2 libxslt1.1 zlib1g"));
        assert_eq!(python("numpy", Some("1.26.4"), "3.12", "bookworm"), ready(""));
        assert_eq!(python("numpy", None, "3.12", "bookworm"), ready(""));
        // What numpy of then is compiled with isn't known.
        assert_eq!(python("numpy", Some("1.19.5"), "3.10", "bookworm"), Native::Unknown);
        assert_eq!(python("numpy", Some("1.26.4"), "2.7", "bookworm"), Native::Unknown);
        assert_eq!(python("cryptography", Some("41.0.7"), "3.13", "trixie"), ready(""));
        assert_eq!(python("lz4", None, "3.12", "bookworm"), ready(""));
        assert_eq!(python("lz4", Some("3.1.0"), "3.12", "bookworm"), Native::Unknown);
        assert_eq!(python("mysqlclient", Some("$VERSION"), "3.10", "bookworm"), Native::Unknown);
    }

    #[test]
    fn pure_projects_need_what_their_compiled_ones_need() {
        assert_eq!(python("Flask", Some("2.0.1"), "3.10", "bookworm"), ready(""));
        assert_eq!(python("six", None, "3.10", "bookworm"), ready(""));
        let ldap = python("Django_Auth.LDAP", None, "3.11", "bookworm");
        assert_eq!(ldap, python("python-ldap", None, "3.11", "bookworm"));
        assert_eq!(python("no-such-project", None, "3.11", "bookworm"), Native::Unknown);
        assert_eq!(normalized("ruamel.yaml__X"), "ruamel-yaml-x");
    }

    #[test]
    fn other_languages() {
        let native = |of, name, version| Knowledge::builtin().native(of, name, version, "bookworm");
        use Ecosystem::*;
        assert_eq!(native(Node, "bcrypt", Some("5.1.0")), Native::Fetched(needs("g++ make python3", "")));
        assert_eq!(native(Node, "bcrypt", None), ready(""));
        assert_eq!(native(Node, "puppeteer", None), Native::Unknown);
        assert_eq!(native(Node, "left-pad", None), Native::Unknown);
        let kafka = native(Node, "node-rdkafka", None);
        assert_eq!(
            kafka,
            compiled("g++ libsasl2-dev libssl-dev make python3 zlib1g-dev", "libsasl2-2 libssl3 zlib1g")
        );
        assert_eq!(native(Ruby, "pg", Some("1.5.4")), compiled("gcc libc6-dev libpq-dev make", "libpq5"));
        assert_eq!(native(Ruby, "nokogiri", Some("1.16.0")), ready(""));
        assert_eq!(native(Ruby, "ruby-vips", None), ready("libvips42"));
        assert_eq!(native(Php, "intl", None), compiled("libicu-dev", "libicu72"));
        assert_eq!(native(Php, "pdo_mysql", None), compiled("", ""));
        assert_eq!(native(Php, "dba", None), Native::Unknown);
    }

    #[test]
    fn gems_of_a_lock_file() {
        let gem = |name, version, platforms: &[&'static str]| {
            let gem = Gem { name, version, platforms: platforms.to_vec() };
            Knowledge::builtin().gem(&gem, "bookworm")
        };
        assert_eq!(gem("rack", "3.0.8", &[]), ready(""));
        assert_eq!(gem("nokogiri", "1.16.0", &["x86_64-linux"]), ready(""));
        assert_eq!(gem("nokogiri", "1.16.0", &["x86_64-darwin"]), Native::Unknown);
        assert_eq!(gem("pg", "1.5.6", &[]), compiled("gcc libc6-dev libpq-dev make", "libpq5"));
        assert_eq!(gem("tailwindcss-rails", "2.0.0", &["x86_64-linux"]), ready(""));
        assert_eq!(gem("no-such-gem", "1.0", &[]), Native::Unknown);
    }

    /// Every row leads to an answer in at least one release, except those that say that they don't know.
    #[test]
    fn every_row_is_read() {
        let tables = [Table::NativePython, Table::NativeNode, Table::NativeRuby, Table::NativePhp];
        for table in tables {
            for (name, row) in table.ours().all() {
                let [versions, how, build, run] = columns(row);
                assert!(versions.is_empty() || versions.starts_with('<'), "{name}");
                let known = |column: &'static str| packages(column).all(|word| word != "?");
                let in_some = ["bullseye", "bookworm", "trixie"]
                    .iter()
                    .any(|release| Knowledge::builtin().needs(release, build, run).is_some());
                assert_eq!(in_some, known(build) && known(run), "{name}");
                if table == Table::NativePython {
                    let bounds = words(how.strip_prefix('~').unwrap_or(how));
                    for bound in bounds {
                        let (python, first) = bound.split_once(':').unwrap_or((bound, "1"));
                        assert!(
                            matches!(python, "-" | "any" | "newest") || python.starts_with("3."),
                            "{name}"
                        );
                        assert!(Version::read(first).is_some(), "{name}");
                    }
                } else {
                    let kinds = ["prebuilt", "pure", "fetched", "source", "ext", "pecl"];
                    assert!(kinds.contains(&how), "{name}");
                }
            }
        }
        for (name, _) in Table::PurePython.ours().all() {
            assert_eq!(normalized(name), name);
            assert!(Table::NativePython.ours().rows(name).next().is_none(), "{name}");
        }
        for (name, _) in Table::PureRuby.ours().all() {
            assert!(Table::NativeRuby.ours().rows(name).next().is_none(), "{name}");
        }
        let known = |name: &&str| python(name, None, "3.12", "bookworm") != Native::Unknown;
        let pure = Knowledge::builtin().names(Table::PurePython);
        assert!(pure.iter().filter(|name| known(name)).count() * 10 > pure.len() * 9);
    }
}
