"""Writes dev-runtime.tsv: which libraries a program needs when it runs that was built with a -dev package.

    python3 regenerate/runtime.py [--mirror URL] [--cache FOLDER] bullseye bookworm trixie

Reads the indices of packages and files, names.txt and the other tables. The same indices give
the same bytes. README.md has the format and how it is derived.
"""

import re

from debian import Release, command_line
from packages import MANY, Graph, origin, virtual, write
from recommends import FAMILIES, HERE, table

# What is for its headers: libmariadb-dev-compat, krb5-multidev.
HEADERS = re.compile(r".*-(dev|dev-compat|multidev)")

# The compilers' own, which every program is built with; what it needs of them is in the base or named elsewhere.
COMPILERS = re.compile(r"lib(x?32)?(gcc|stdc\+\+|objc|c6)-?[0-9]*-dev|libc6-dev-.*|linux-libc-dev")

# Headers for other languages' own build systems, which link nothing that a program would need.
OTHERS = re.compile(r"(golang|librust|libghc|node|ruby|python|octave|lib.*-(ocaml|perl))-.*")


def libraries(archive, wanted):
    """The -dev packages that have libraries to link with: name -> whether one is shared."""
    found = {}
    path = re.compile(r"usr/lib/(?:x86_64-linux-gnu/)?(?:[^/]+/)*lib[^/]+\.(so|a)\s+(\S+)$")
    for line in archive.contents():
        match = path.match(line)
        if match:
            for owner in match.group(2).split(","):
                name = owner.rpartition("/")[2]
                if name in wanted:
                    found[name] = found.get(name, False) or match.group(1) == "so"
    return found


class Runtime:
    def __init__(self, release, shared):
        self.release, self.shared = release, shared

    def of(self, name, above=()):
        """The libraries for a -dev package; None if they can't be told."""
        package = self.release.packages[name]
        found, strict_headers, headers = set(), set(), set()
        for group in package.depends:
            for other, operator, version in group[:1]:
                target = self.release.packages.get(other)
                if target is None:
                    providers = self.release.satisfiers((other, operator, version))
                    target = self.release.packages[providers[0]] if len(providers) == 1 else None
                if target is None:
                    continue
                same = target.source == package.source
                if HEADERS.fullmatch(target.name):
                    if COMPILERS.fullmatch(target.name):
                        continue
                    headers.add(target.name)
                    if same and operator == "=":
                        strict_headers.add(target.name)
                elif same and target.section in ("libs", "oldlibs"):
                    found.add(target.name)
        if found:
            # What the same source splits into several -dev packages belongs together.
            for other in sorted(strict_headers - {name, *above}):
                found |= set(self.of(other, (*above, name)) or ())
            return sorted(found)
        # No library of its own: a name for other -dev packages, or headers alone.
        follow = strict_headers or headers if self.shared.get(name) else headers
        result = set()
        for other in sorted((set() if self.shared.get(name) is False else follow) - {name, *above}):
            libraries = self.of(other, (*above, name))
            if libraries is None:
                return None
            result |= set(libraries)
        if self.shared.get(name) and not result:
            return None
        return sorted(result)


def names():
    """The names that Dockerfiles install, and those of the other tables."""
    result = {row[0] for row in table(HERE / "regenerate/names.txt")}
    result |= {name for row in table(HERE / "images.tsv") for name in row[4].split()}
    for path in sorted(HERE.glob("native-*.tsv")):
        result |= {word.lstrip("@") for row in table(path) for column in row for word in column.split(" ")}
    return result


def main():
    arguments = command_line(__doc__)
    columns, dates = {}, []
    for at, codename in enumerate(arguments.releases):
        release = Release(codename, arguments.mirror, arguments.cache)
        dates.append(release.archive.date())
        every = {name for name in release.packages if HEADERS.fullmatch(name)}
        graph = Graph(release)
        runtime = Runtime(release, libraries(release.archive, every))
        listed = names() | {name for name in release.packages if FAMILIES.fullmatch(name)}
        for name in sorted(listed):
            if not HEADERS.fullmatch(name) or OTHERS.fullmatch(name) or COMPILERS.fullmatch(name):
                continue
            real = dict(virtual(release, [name])).get(name, name)
            if real not in release.packages:
                continue
            found = runtime.of(real)
            if found and len(graph.closed(found)) > MANY:
                found = None
            column = "?" if found is None else " ".join(found) or "-"
            columns.setdefault(name, ["?"] * len(arguments.releases))[at] = column
    lines = ["\t".join((name, *row)) for name, row in columns.items() if set(row) != {"?"}]
    write("dev-runtime.tsv", [
        "# The libraries for what was built with a -dev package. README.md has the format.",
        origin(arguments.releases, dates), "# package\t" + "\t".join(arguments.releases),
    ], lines)


if __name__ == "__main__":
    main()
