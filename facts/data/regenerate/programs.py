"""Adds to inert.tsv the programs that go when an inert package goes.

    python3 regenerate/programs.py [--mirror URL] [--cache FOLDER] bullseye bookworm trixie

For each line: the programs of the package and of everything that it alone brings along (with its own
recommended packages), in any of the releases, go to the column of words. Words that are there stay,
in their order, so a second run changes nothing.
"""

import pathlib
import re

from debian import Release, command_line
from recommends import Rules, table

HERE = pathlib.Path(__file__).resolve().parent.parent


def programs(archive, wanted):
    """Package -> names of its programs, from the archive's Contents indices."""
    found = {}
    for line in archive.contents():
        match = re.match(r"(?:usr/)?s?bin/(\S+)\s+(\S+)$", line)
        if match:
            for owner in match.group(2).split(","):
                name = owner.rpartition("/")[2]
                if name in wanted:
                    found.setdefault(name, set()).add(match.group(1))
    return found


def gone(release, package, sources):
    """The packages that come with `package` only, recommended ones included, for any of `sources`."""
    result = set()
    for source in sources:
        there = release.minbase | set(release.closure([source]))
        todo = [package]
        mine = set()
        while todo:
            name = todo.pop()
            if name in mine or name in there:
                continue
            mine.add(name)
            for group in release.packages[name].depends + release.packages[name].recommends:
                if not release.satisfied(group, there | mine):
                    choice = release.choice(group)
                    if choice:
                        todo.append(choice)
        result |= mine
    return result


def recommenders(release, package, names):
    """The packages whose Recommends choose `package`, of those that the row names."""
    if package not in release.packages:
        return []
    patterns = [re.compile(Rules.pattern(name)) for name in names]
    return [
        p.name for p in release.packages.values()
        if any(pattern.fullmatch(p.name) for pattern in patterns)
        and any(release.choice(group) == package for group in p.recommends)
    ]


def main():
    arguments = command_line(__doc__)
    path = HERE / "inert.tsv"
    rows = table(path)
    words = [list(row[2].split()) for row in rows]
    for codename in arguments.releases:
        release = Release(codename, arguments.mirror, arguments.cache)
        lost = []
        for package, sources, _, _ in rows:
            lost.append(gone(release, package, recommenders(release, package, sources.split())))
        owned = programs(release.archive, set().union(*lost))
        for row, known, packages in zip(rows, words, lost):
            for program in sorted(set().union(*(owned.get(p, set()) for p in packages))):
                if program not in known and re.fullmatch(r"[A-Za-z0-9._+-]{2,}", program):
                    known.append(program)
    comments = [line for line in path.read_text().splitlines() if line.startswith("#")]
    lines = ["\t".join((r[0], r[1], " ".join(w), r[3])) for r, w in zip(rows, words)]
    path.write_text("\n".join(comments + lines) + "\n")


if __name__ == "__main__":
    main()
