"""Writes pure-python.tsv: the projects of PyPI that install without a compiler, as far as Debian can tell.

    python3 regenerate/python.py [--mirror URL] [--cache FOLDER] bookworm trixie

A project is pure if Debian's package of it is for all architectures, in all of the releases, and needs nothing
but Python packages. README.md has the format and what this leaves out.
"""

import re

from debian import Release, command_line
from packages import base, origin, write
from recommends import HERE, table

# What Debian's packages name beside what the project needs: the interpreter and its parts, documentation,
# scripts and fonts for web pages, and certificates, which certifi brings along on PyPI.
HARMLESS = re.compile(
    r"python3|python3-minimal|python3-distutils|python3-lib2to3|python3-venv|python3\.\d+(-minimal)?|python3-all"
    r"|libjs-.*|fonts-.*|node-.*|.*-doc|.*-common|sphinx-common|ca-certificates|netbase|media-types|sensible-utils|javascript-common"
)


def normalized(name):
    """A project's name as PEP 503 spells it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def mapping(archive):
    """Project -> Debian package, from the list that dh-python comes with."""
    text = archive.member("dh-python", "usr/share/dh-python/dist/cpython3_fallback")
    rows = (line.split() for line in text.splitlines())
    return {normalized(row[0]): row[1] for row in rows if len(row) > 1}


class Projects:
    def __init__(self, release, debian):
        self.release, self.debian, self.base = release, debian, base(release)
        self.projects = {}
        for project, package in sorted(debian.items()):
            if project not in ("pil", "h5py-debian-h5py-serial"):
                self.projects.setdefault(package, project)

    def compiled(self, package, seen):
        """The compiled projects that a package needs; None if it needs what isn't Python's."""
        seen.add(package)
        result = set()
        for group in self.release.packages[package].depends:
            names = [n for alternative in group for n in self.release.satisfiers(alternative)]
            if not names or set(names) & self.base or any(HARMLESS.fullmatch(name) for name in names):
                continue
            name = names[0]
            if name in seen:
                continue
            if not name.startswith("python3-"):
                return None
            if self.release.packages[name].architecture == "all":
                needed = self.compiled(name, seen)
                if needed is None:
                    return None
                result |= needed
            elif name in ("python3-ephem",):
                continue  # celery's, for a kind of schedule that it doesn't install by itself
            elif name in self.projects:
                result.add(self.projects[name])
            elif name == "python3-cffi-backend":
                result.add("cffi")
            else:
                return None
        return result

    def of(self, project):
        """The compiled projects that a pure one needs; None: it isn't pure; an empty string: not packaged."""
        package = self.debian.get(project)
        if package not in self.release.packages:
            return ""
        if self.release.packages[package].architecture != "all":
            return None
        return self.compiled(package, set())


def main():
    arguments = command_line(__doc__)
    found, dates = {}, []
    by_hand = {row[0] for row in table(HERE / "native-python.tsv")} if (HERE / "native-python.tsv").exists() else set()
    names = [row[0] for row in table(HERE / "regenerate/python-names.txt") if row[0] not in by_hand]
    for codename in arguments.releases:
        release = Release(codename, arguments.mirror, arguments.cache)
        dates.append(release.archive.date())
        projects = Projects(release, mapping(release.archive))
        for name in names:
            found.setdefault(name, []).append(projects.of(name))
    lines = []
    for name, answers in found.items():
        answers = [answer for answer in answers if answer != ""]
        if answers and None not in answers:
            lines.append(f"{name}\t{' '.join(sorted(set().union(*answers)))}".rstrip("\t"))
    write("pure-python.tsv", [
        "# Projects of PyPI that are pure Python, and the compiled ones that they need. README.md has the format.",
        origin(arguments.releases, dates), "# project\tcompiled projects",
    ], lines)


if __name__ == "__main__":
    main()
