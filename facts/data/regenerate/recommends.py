"""Writes recommends-<release>.tsv: what --no-install-recommends leaves out, per package.

    python3 regenerate/recommends.py [--mirror URL] [--cache FOLDER] bullseye bookworm trixie

Reads the release's package indices, inert.tsv, relied-on.tsv and names.txt; the same indices give the
same bytes. README.md has the format.
"""

import pathlib
import re

from debian import Release, command_line

HERE = pathlib.Path(__file__).resolve().parent.parent

# Families whose members are renamed in every release, so that a list of names is always behind.
FAMILIES = re.compile(
    r"php([0-9]\.[0-9])?(-[a-z0-9]+)?|libapache2-mod-php[0-9.]*|python3(\.[0-9]+)?(-(dev|venv|full|minimal|pip))?"
    r"|(clang|clang-format|clang-tidy|lld|lldb|llvm|gcc|g\+\+|gfortran|cpp)(-[0-9]+)?|openjdk-[0-9]+-(jdk|jre)(-headless)?"
    r"|postgresql(-client|-server-dev)?(-[0-9]+|-all)?|mariadb-(server|client)(-core)?|ruby[0-9.]*(-dev)?|lua5\.[0-9]"
    r"|lib(ssl|ffi|icu|pq|curl|xml2|xslt1|jpeg|png|tiff|webp|yaml|sqlite3|lzma|bz2|zstd|gmp|mpfr|mpc|event|uv1|ncurses"
    r"|pcre2|readline|zip|sodium|protobuf|gdal|geos|hdf5|openblas|magic|vips|heif|avif)[a-z0-9.+-]*"
    r"|zlib1g(-dev)?|pkgconf|pipx|tini|dumb-init|gosu|catatonit|ripgrep|fd-find|bat|eza|jq|yq|gh|git-lfs|ninja-build|meson|mold|ccache"
)

# A package that drops more than so many that have no mark gets the frontier `*`: nobody would add them
# by name, and the lists of desktops and TeX would be most of the file.
MANY = 12

# Documentation that programs need.
NOT_INERT = {"perl-doc"}


def table(path):
    """The rows of a file of tab-separated columns, without comments."""
    lines = pathlib.Path(path).read_text(encoding="utf-8").splitlines()
    return [line.split("\t") for line in lines if line and not line.startswith("#")]


class Rules:
    """inert.tsv and relied-on.tsv, asked by dropped package and the package that recommends it."""

    def __init__(self, folder):
        self.inert = [self._row(row) for row in table(folder / "inert.tsv")]
        relied = table(folder / "relied-on.tsv")
        self.relied = [self._row(row) for row in relied if row[4:] != ["older"]]

    @staticmethod
    def pattern(name):
        return ".*" if name == "*" else re.escape(name).replace(r"\#", r"[0-9][0-9.]*(?:t64)?")

    @classmethod
    def _row(cls, row):
        source = "|".join(cls.pattern(name) for name in row[1].split())
        return re.compile(cls.pattern(row[0])), re.compile(source), row[2]

    @staticmethod
    def _find(rows, package, source):
        for name, by, words in rows:
            if name.fullmatch(package) and by.fullmatch(source):
                return words
        return None

    def mark(self, package, source, section):
        """None: inert. Else the mark before the name: "?" inert unless a word of it is mentioned, "+"
        always named, "" neither."""
        if self._find(self.relied, package, source) == "always":
            return "+"
        words = self._find(self.inert, package, source)
        if words is not None:
            return "?" if words else None
        documentation = section == "doc" and re.search(r"-docs?(-[a-z]+)?$", package)
        translations = re.search(r"-(l10n|locales)$", package)
        if (documentation or translations) and package not in NOT_INERT:
            return None
        return ""


    def namable(self, result):
        """The packages that a transform may add by name."""
        tokens = {token for frontier, _ in result.values() for token in frontier}
        marked = {token[1:] for token in tokens if token[0] in "+?"}
        return marked | {t for t in tokens if any(name.fullmatch(t) for name, _, _ in self.relied)}


def strongest(marks):
    """The mark for all who recommend a package: once it is to be named, it is there for everyone."""
    return min(marks, key=["+", "", "?"].index)


def rows(release, rules, names):
    """Package -> (frontier, provides) for `names`."""
    closures, frontiers = {}, {}
    groups = {}  # dropped package -> the alternatives that have led to it
    for name in names:
        closure = release.closure([name])
        closures[name] = closure
        marks = {}
        for package, source, group in release.dropped(closure):
            groups.setdefault(package, set()).add(tuple(group))
            mark = rules.mark(package, source, release.packages[package].section)
            if mark is not None:
                marks.setdefault(package, []).append(mark)
        frontier = {package: strongest(found) for package, found in marks.items()}
        if sum(mark == "" for mark in frontier.values()) > MANY:
            frontier = None
        frontiers[name] = frontier
    vocabulary = sorted({package for frontier in frontiers.values() if frontier for package in frontier})
    satisfied_by = {}  # package -> what it satisfies of the vocabulary, whatever way it was asked for
    for package in vocabulary:
        options = [
            {n for alternative in group for n in release.satisfiers(alternative)}
            for group in groups[package]
        ]
        for option in {package} | set.intersection(*options):
            satisfied_by.setdefault(option, set()).add(package)
    result = {}
    for name in names:
        provides = set()
        for package in closures[name]:
            provides |= satisfied_by.get(package, set())
        if frontiers[name] is None:
            result[name] = (["*"], [])
            continue
        frontier = [mark + package for package, mark in sorted(frontiers[name].items())]
        result[name] = (frontier, sorted(provides - {name}))
    return result


def covered(release, listed):
    """The packages that get a row, sorted."""
    names = {n for n in listed if n in release.packages}
    names |= {n for n in release.packages if FAMILIES.fullmatch(n)}
    return sorted(names - release.minbase)


def main():
    arguments = command_line(__doc__)
    listed = [row[0] for row in table(HERE / "regenerate" / "names.txt")]
    rules = Rules(HERE)
    for codename in arguments.releases:
        release = Release(codename, arguments.mirror, arguments.cache)
        names = covered(release, listed)
        result = rows(release, rules, names)
        missing = rules.namable(result) - set(names) - release.minbase
        # What may be added by name needs a row too, and that row may have names of its own.
        while missing:
            names = sorted(set(names) | missing)
            result = rows(release, rules, names)
            missing = rules.namable(result) - set(names) - release.minbase
        write(HERE / f"recommends-{codename}.tsv", release, result)


def write(path, release, result):
    lines = [
        f"# What --no-install-recommends leaves out in Debian {release.codename} (main, amd64); README.md has the format.",
        "# package\tfrontier\tprovides",
    ]
    lines += [f"= {' '.join(sorted(release.minbase))}"]
    for name, (frontier, provides) in sorted(result.items()):
        lines.append("\t".join((name, " ".join(frontier), " ".join(provides))).rstrip("\t"))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
