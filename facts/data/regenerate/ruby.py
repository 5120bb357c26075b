"""Writes pure-ruby.tsv: the gems that install without a compiler, as far as Debian can tell.

    python3 regenerate/ruby.py [--mirror URL] [--cache FOLDER] bookworm trixie

A gem is pure if Debian's package of it is for all architectures, in all of the releases that have it, and needs and
recommends nothing but packages of Ruby. README.md has the format and what this leaves out.
"""

import re

from debian import Release, command_line
from packages import base, origin, write
from recommends import HERE, table

# What Debian's packages name beside other gems: the interpreter, and what browsers get.
HARMLESS = re.compile(
    r"(lib)?ruby[\d.]*(t64)?|ruby-.*|libjs-.*|fonts-.*|rake|bundler|rubygems-integration|ca-certificates|javascript-common"
)
# Gems that start a program, or compile, of which Debian's packages say nothing.
CALLS = re.compile(
    r"git.*|.*grit.*|.*gollum.*|TicGit.*|RubyInline|capistrano.*|ffi-compiler|nanoc-external|open4|pdfkit|ruby-build|subexec"
    r"|wicked_pdf|xcodeproj"
)
SPECIFICATION = re.compile(r"usr/share/rubygems-integration/[^/]+/specifications/(\S+?)-\d[^/-]*\.gemspec\s+(\S+)")


def gems(archive):
    """Gem -> Debian package, from where the archive's packages have the specifications of gems."""
    found = {}
    for line in archive.contents():
        if "rubygems-integration" in line:
            specification = SPECIFICATION.match(line)
            if specification:
                for package in specification.group(2).split(","):
                    found.setdefault(specification.group(1), set()).add(package.rpartition("/")[2])
    return found


def is_pure(release, present, package):
    known = release.packages[package]
    if known.architecture != "all":
        return False
    for group in known.depends + known.recommends:
        names = {n for alternative in group for n in release.satisfiers(alternative)}
        if not (names & present or any(HARMLESS.fullmatch(name) for name in names)):
            return False
    return True


def main():
    arguments = command_line(__doc__)
    found, dates = {}, []
    by_hand = {row[0] for row in table(HERE / "native-ruby.tsv")}
    for codename in arguments.releases:
        release = Release(codename, arguments.mirror, arguments.cache)
        dates.append(release.archive.date())
        present = base(release)
        for gem, packages in gems(release.archive).items():
            packages = [package for package in packages if package in release.packages]
            if gem not in by_hand and packages and not CALLS.fullmatch(gem):
                found.setdefault(gem, []).extend(is_pure(release, present, package) for package in packages)
    write("pure-ruby.tsv", [
        "# Gems without compiled parts that call nothing but Ruby. README.md has the format.",
        origin(arguments.releases, dates), "# gem",
    ], [gem for gem, answers in found.items() if all(answers)])


if __name__ == "__main__":
    main()
