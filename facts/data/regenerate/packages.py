"""Writes packages-<release>.tsv, base-contents.tsv and owners.tsv: what packages need and weigh, and what
the official images hold.

    python3 regenerate/packages.py [--mirror URL] [--cache FOLDER] bullseye bookworm trixie

Reads the package indices, images.tsv, alternatives.txt, names.txt and the other tables' packages. The same
indices give the same bytes. README.md has the formats.
"""

import re

from debian import Release, command_line
from programs import programs
from recommends import FAMILIES, HERE, table

# A package that brings more than so many others is a desktop or the like: nobody asks for its size, and the
# lists of what they need would be most of the file.
MANY = 210


class Graph:
    """A release's packages, as seen from an official image."""

    def __init__(self, release):
        self.release = release
        self.base = base(release)

    def groups(self, name):
        """What a package needs beyond the base: lists of packages of which one has to be there."""
        for group in self.release.packages[name].depends:
            options = list(dict.fromkeys(n for alternative in group for n in self.release.satisfiers(alternative)))
            if options and name not in options and not set(options) & self.base:
                yield options

    def closed(self, names):
        """`names` and all that may be installed with them, by apt's first choices."""
        seen, todo = set(), [name for name in names if name not in self.base]
        while todo:
            name = todo.pop()
            if name not in seen:
                seen.add(name)
                todo.extend(options[0] for options in self.groups(name))
        return seen

    def real(self, name):
        """The package that apt takes for a name; for a virtual package the only one that provides it."""
        if name in self.release.packages:
            return name
        providers = {provider for provider, _ in self.release.providers.get(name, ())}
        if len(providers) != 1:
            raise SystemExit(f"{self.release.codename} has no package {name}")
        return providers.pop()

    def install(self, names, present):
        """What apt installs: what must be taken is taken first, then a choice falls on the first alternative."""
        new, todo, choices = [], list(names), []
        there = set(present) | self.base
        while todo or choices:
            while todo:
                name = todo.pop(0)
                if name in there:
                    continue
                there.add(name)
                new.append(name)
                for options in self.groups(name):
                    if len(options) == 1:
                        todo.extend(options)
                    else:
                        choices.append(options)
            while choices:
                options = choices.pop(0)
                if not set(options) & there:
                    todo.append(options[0])
                    break
        return new

    def rows(self, universe):
        """The rows of packages-<release>.tsv. An edge that another edge implies isn't written."""
        hard, choices = {}, {}
        for name in universe:
            options = [[n for n in group if n in universe] for group in self.groups(name)]
            hard[name] = {group[0] for group in options if len(group) == 1}
            choices[name] = [group for group in options if len(group) > 1]
        reach = {name: reachable(hard, name) for name in universe}
        for name in sorted(universe):
            direct = hard[name]
            implied = {
                n for n in direct for other in direct - {n}
                if n in reach[other] and other not in reach[n] and name not in reach[other]
            }
            left = [group for group in choices[name] if not set(group) & reach[name]]
            edges = sorted(direct - implied) + ["|".join(group) for group in dedup(left)]
            yield name, self.release.packages[name].size, " ".join(edges)


def dedup(groups):
    return [group for at, group in enumerate(groups) if group not in groups[:at]]


def reachable(edges, start):
    seen, todo = set(), [start]
    while todo:
        for name in edges[todo.pop()]:
            if name not in seen:
                seen.add(name)
                todo.append(name)
    return seen


def base(release):
    """The packages of debian:<release> and -slim: as debuerreotype makes them, with a merged /usr from the
    start, so without the package that merges it, and Perl, which that needs."""
    kept = release.minbase
    release.minbase = frozenset()
    merged = {n: p for n, p in release.packages.items() if n == "usrmerge" and "usr-is-merged" in release.packages}
    for name in merged:
        del release.packages[name]
    release._satisfiers.clear()
    names = [p.name for p in release.packages.values() if p.essential or p.priority == 0]
    result = frozenset(release.closure(sorted(names) + ["apt", "debian-archive-keyring"]))
    release.packages.update(merged)
    release._satisfiers.clear()
    release.minbase = kept
    return result


def images(graph):
    """The images of a release: (image, variant) -> (parent, packages, programs, MB)."""
    result = {}
    for row in table(HERE / "images.tsv"):
        image, variant, releases, parent, packages, own, size = (row + [""] * 7)[:7]
        if releases != "*" and graph.release.codename not in releases.split(" "):
            continue
        key = (image, variant)
        above = tuple(parent.split(" ")) if " " in parent else None
        if above and above not in result:
            continue
        held = result[above][1] if above else set()
        new = graph.install([graph.real(name) for name in sorted(packages.split())], held)
        result[key] = (above, held | set(new), sorted(new), own, size)
    return result


def covered(graph, wanted):
    """The packages that get a row."""
    release = graph.release
    listed = {n for n in wanted if n in release.packages}
    listed |= {n for n in release.packages if FAMILIES.fullmatch(n)}
    small = {n for n in listed if len(graph.closed([n])) <= MANY}
    needed = set().union(*(held for _, held, *_ in images(graph).values()))
    return graph.closed(small | needed) - graph.base


def named_elsewhere():
    """The packages of the other tables."""
    words = set()
    for path in [*sorted(HERE.glob("native-*.tsv")), HERE / "dev-runtime.tsv", HERE / "build-only.tsv"]:
        if path.exists():
            for row in table(path):
                words.update(word for column in row for word in re.findall(r"[a-z0-9][a-z0-9+.-]+", column))
    return words


def virtual(release, names):
    """Names that stand for one package only: libc-dev for libc6-dev."""
    for name in sorted(names):
        real = {provider for provider, _ in release.providers.get(name, ())}
        if name not in release.packages and len(real) == 1:
            yield name, real.pop()


def main():
    arguments = command_line(__doc__)
    listed = {row[0] for row in table(HERE / "regenerate/names.txt")} | named_elsewhere()
    listed |= {name for row in table(HERE / "images.tsv") for name in row[4].split()}
    contents, owners, dates, order = [], {}, [], {}
    for codename in arguments.releases:
        release = Release(codename, arguments.mirror, arguments.cache)
        dates.append(release.archive.date())
        graph = Graph(release)
        universe = covered(graph, listed)
        lines = [f"{name}\t{size}\t{edges}".rstrip("\t") for name, size, edges in graph.rows(universe)]
        lines += [f"{name}\t{release.packages[name].size}\t=" for name in graph.base]
        names = listed | {n for n in release.providers if re.fullmatch(r"lib[a-z0-9+.-]+-dev", n)}
        lines += [f"{name}\t0\t~{real}" for name, real in virtual(release, names)
                  if real in (universe & listed) or real in graph.base]
        write(f"packages-{codename}.tsv", [
            "# What Debian packages need beyond the base, and weigh. README.md has the format.",
            origin([codename], [release.archive.date()]),
            "# package\tKiB\tneeds",
        ], lines)
        held = set(graph.base)
        for (image, variant), (above, packages, new, own, size) in images(graph).items():
            parent = " ".join(above) if above else ""
            weight = sum(release.packages[name].size for name in new)
            contents.append(f"{image}\t{variant}\t{codename}\t{parent}\t{weight}\t{size}\t{own}\t{' '.join(new)}".rstrip("\t"))
            held |= packages
        for package, names in programs(release.archive, held).items():
            for program in names:
                owners.setdefault(program, set()).add(package)
        for package, *names in table(HERE / "regenerate/alternatives.txt"):
            for program in names[0].split(" "):
                if package in held:
                    owners.setdefault(program, set()).add(package)
                    order.setdefault(program, package)
    for row in table(HERE / "images.tsv"):
        if row[2] == "-":
            image, variant, _, _, packages, own, size = row
            contents.append(f"{image}\t{variant}\t-\t\t0\t{size}\t{own}\t{packages}")
    provenance = origin(arguments.releases, dates)
    write("base-contents.tsv", [
        "# What the official images hold, from images.tsv and the package indices. README.md has the format.", provenance,
        "# image\tvariant\trelease\tbuilt on\tKiB of packages\tMB beside them\tprograms beside them\tpackages",
    ], contents)
    by_name = {name for row in table(HERE / "images.tsv") for name in row[4].split()}
    rank = lambda program, package: (order.get(program) != package, package not in by_name, package)
    write("owners.tsv", [
        "# Which package of an official image a program is in; the first is the one to install by name.", provenance,
        "# program\tpackages",
    ], [f"{program}\t{' '.join(sorted(packages, key=lambda p: rank(program, p)))}" for program, packages in owners.items()
        if re.fullmatch(r"[A-Za-z0-9._+\[-]+", program)])


def origin(releases, dates):
    """The comment from which `provenance()` reads where a table is from."""
    return f"# from\t{' '.join(releases)}\tamd64\t{' '.join(dates)}\tDebian's indices: main, updates, security"


def write(name, comments, lines):
    # By bytes, as the readers search by halves.
    lines = sorted(lines, key=lambda line: line.split("\t")[0].encode())
    (HERE / name).write_text("\n".join(comments + lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
