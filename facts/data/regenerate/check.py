"""Compares the model of apt with `apt-get --simulate`, with and without recommended packages.

    python3 regenerate/check.py [--mirror URL] [--cache FOLDER] [--sample N] bullseye bookworm trixie

apt gets a root of its own under the cache, whose only installed packages are those of the base. Needs
a Debian machine; changes nothing outside the cache. The sample is every so-manieth name of names.txt.
"""

import os
import pathlib
import re
import subprocess

from debian import Release, command_line, stanzas
from recommends import HERE, table

SETS = ["gcc", "git", "curl", "python3-pip", "build-essential", "default-libmysqlclient-dev",
        "gcc default-libmysqlclient-dev", "nginx", "ffmpeg", "cron", "openssh-server"]


def private_apt(release, mirror, cache):
    """A function from arguments of apt-get to the names that it would install (None: it refuses)."""
    root = pathlib.Path(cache).resolve() / f"apt-{release.codename}"
    for folder in ("state/lists/partial", "cache/archives/partial", "etc/apt.conf.d", "etc/preferences.d"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    security = re.sub(r"/debian$", "/debian-security", mirror)
    (root / "etc/sources.list").write_text(
        f"deb [trusted=yes] {mirror} {release.codename} main\n"
        f"deb [trusted=yes] {mirror} {release.codename}-updates main\n"
        f"deb [trusted=yes] {security} {release.codename}-security main\n"
    )
    kept = []
    for paragraph in next(release.archive.index("Packages")).split("\n\n"):
        for fields in stanzas(paragraph):
            if fields["Package"] in release.minbase:
                kept.append(paragraph.strip() + "\nStatus: install ok installed\n")
    (root / "state/status").write_text("\n".join(kept))
    options = [f"Dir={root}", f"Dir::State={root}/state", f"Dir::State::status={root}/state/status",
               f"Dir::Cache={root}/cache", f"Dir::Etc={root}/etc", "APT::Architecture=amd64",
               "APT::Architectures::=amd64", "APT::Sandbox::User=root", "Acquire::Languages=none"]
    (root / "apt.conf").write_text("".join(
        "{} \"{}\";\n".format(*option.split("=", 1)) for option in options))
    environment = dict(os.environ, APT_CONFIG=str(root / "apt.conf"), LC_ALL="C")
    if not list((root / "state/lists").glob("*Packages*")):
        subprocess.run(["apt-get", "-q", "update"], env=environment, check=True, stdout=subprocess.DEVNULL)

    def install(arguments):
        answer = subprocess.run(["apt-get", "-s", "install", *arguments], env=environment,
                                capture_output=True, text=True, check=False)
        if answer.returncode:
            return None
        new = set(re.findall(r"^Inst (\S+)", answer.stdout, re.M))
        return {name.partition(":")[0] for name in new} - release.minbase

    return install


def main():
    arguments = command_line(__doc__, lambda parser: parser.add_argument("--sample", type=int, default=40))
    for codename in arguments.releases:
        release = Release(codename, arguments.mirror, arguments.cache)
        install = private_apt(release, arguments.mirror, arguments.cache)
        listed = [r[0] for r in table(HERE / "regenerate/names.txt") if r[0] in release.packages]
        sample = listed[:: max(1, len(listed) // arguments.sample)]
        count = same = edge = 0
        for names in SETS + sample:
            names = names.split()
            if not set(names) <= set(release.packages):
                continue
            without = install(["--no-install-recommends", *names])
            whole = install(names)
            if without is None or whole is None:
                print(codename, *names, ": apt refuses")
                continue
            count += 1
            print(codename, *names, f": {len(without)} packages, {len(whole)} with recommended ones", flush=True)
            closure = set(release.closure(names)) - release.minbase
            frontier = {package for package, _, _ in release.dropped(release.closure(names))}
            same += closure == without
            if closure != without:
                print(codename, *names, ": closure: apt only", sorted(without - closure), "model only",
                      sorted(closure - without))
            # The edge of what apt really drops: of its difference, what the smaller set recommends.
            real = {p for p, _, _ in release.dropped(sorted(without))}
            lost = whole - without
            edge += frontier == real and frontier <= lost
            if frontier != real or not frontier <= lost:
                print(codename, *names, ": frontier: not dropped by apt", sorted(frontier - lost),
                      "missed", sorted(real - frontier))
        print(f"{codename}: {count} sets; the same closure {same}; the same frontier {edge}", flush=True)


if __name__ == "__main__":
    main()
