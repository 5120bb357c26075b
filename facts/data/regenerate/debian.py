"""The Debian archive's package indices, and what apt would choose from them.

The model of apt is deliberately small; README.md beside the data says what it leaves out and how
well it agrees with `apt-get --simulate`.
"""

import argparse
import email.utils
import functools
import glob
import gzip
import os
import pathlib
import re
import subprocess
import urllib.request

PRIORITIES = {"required": 0, "important": 1, "standard": 2, "optional": 3, "extra": 4}


def configured_mirror():
    """The mirror that this machine's apt uses for Debian itself, from /etc/apt."""
    files = ["/etc/apt/sources.list", *sorted(glob.glob("/etc/apt/sources.list.d/*"))]
    for name in files:
        if not os.path.isfile(name):
            continue
        with open(name, encoding="utf-8") as lines:
            for line in lines:
                found = re.match(r"(?:URIs:|deb (?:\[[^]]*\] )?)\s*(\S+/debian)/?(?:\s|$)", line)
                if found:
                    return found.group(1)
    raise SystemExit("no Debian mirror in /etc/apt: pass one with --mirror")


def command_line(doc, add=None):
    """The arguments of a script that reads indices of releases; `add` gives the parser more of them."""
    parser = argparse.ArgumentParser(description=doc.split("\n", 1)[0])
    parser.add_argument("releases", nargs="+")
    parser.add_argument("--mirror")
    parser.add_argument("--cache", default="cache")
    if add:
        add(parser)
    arguments = parser.parse_args()
    arguments.mirror = arguments.mirror or configured_mirror()
    return arguments


class Archive:
    """The indices of one release, as an apt with a root of its own under `cache` fetches and verifies
    them: once, so that what is derived together is derived from the same indices."""

    def __init__(self, codename, mirror, cache, architecture="amd64"):
        self.root = pathlib.Path(cache).resolve() / f"indices-{codename}"
        for folder in ("state/lists/partial", "cache/archives/partial", "etc/apt.conf.d", "etc/preferences.d"):
            (self.root / folder).mkdir(parents=True, exist_ok=True)
        self.codename, self.mirror, self.architecture = codename, mirror, architecture
        security = re.sub(r"/debian$", "/debian-security", mirror)
        signed = "signed-by=/usr/share/keyrings/debian-archive-keyring.gpg"
        (self.root / "etc/sources.list").write_text("".join(
            f"{kind} [{signed}] {base} {suite} main\n" for kind in ("deb", "deb-src") for base, suite in (
                (mirror, codename), (mirror, f"{codename}-updates"), (security, f"{codename}-security"))))
        (self.root / "state/status").touch()
        options = {
            "Dir": self.root, "Dir::State": self.root / "state", "Dir::State::status": self.root / "state/status",
            "Dir::Cache": self.root / "cache", "Dir::Etc": self.root / "etc", "APT::Architecture": architecture,
            "APT::Architectures::": architecture, "APT::Sandbox::User": "root", "Acquire::Languages": "none",
            "Acquire::Check-Valid-Until": "false", "Acquire::GzipIndexes": "true",
        }
        (self.root / "apt.conf").write_text("".join(f'{name} "{value}";\n' for name, value in options.items()))
        self.environment = dict(os.environ, APT_CONFIG=str(self.root / "apt.conf"), LC_ALL="C")
        if not (self.root / "fetched").exists():
            subprocess.run(["apt-get", "-q", "update"], env=self.environment, check=True, stdout=subprocess.DEVNULL)
            (self.root / "fetched").touch()

    def index(self, kind):
        """The texts of all indices of a kind (Packages, Sources), oldest suite first."""
        fields = ["$(CREATED_BY)", "$(SUITE)", "$(CODENAME)", "$(FILENAME)"]
        listed = self._run("apt-get", "indextargets", "--format", " ".join(fields))
        for line in listed.splitlines():
            name, *_, path = line.split(" ")
            if name == kind and os.path.exists(path):
                yield self._run("/usr/lib/apt/apt-helper", "cat-file", path)

    def contents(self):
        """The lines of the indices of files, packed. A mirror may have them a day or two older than the
        rest, so they are fetched without apt, which would refuse them."""
        for architecture in (self.architecture, "all"):
            kept = self.root / f"Contents-{architecture}.gz"
            if not kept.exists():
                address = f"{self.mirror}/dists/{self.codename}/main/Contents-{architecture}.gz"
                with urllib.request.urlopen(address, timeout=300) as answer:
                    kept.write_bytes(answer.read())
            with gzip.open(kept, "rt", encoding="utf-8") as lines:
                yield from lines

    def member(self, package, path):
        """The text of one file of a package."""
        folder = self.root / "packages"
        folder.mkdir(exist_ok=True)
        if not list(folder.glob(f"{package}_*.deb")):
            subprocess.run(["apt-get", "-q", "download", package], cwd=folder, env=self.environment, check=True,
                           stdout=subprocess.DEVNULL)
        unpacked = folder / package
        subprocess.run(["dpkg-deb", "-x", next(folder.glob(f"{package}_*.deb")), unpacked], check=True)
        return (unpacked / path).read_text(encoding="utf-8")

    def date(self):
        """The newest date that the suites' Release files bear, as YYYY-MM-DD."""
        dates = []
        for path in (self.root / "state/lists").glob("*Release"):
            found = re.search(r"^Date: (.*)$", path.read_text(encoding="utf-8", errors="replace"), re.M)
            if found:
                dates.append(email.utils.parsedate_to_datetime(found.group(1)).date().isoformat())
        return max(dates)

    def _run(self, *command):
        return subprocess.run(command, env=self.environment, check=True, stdout=subprocess.PIPE).stdout.decode("utf-8")


def stanzas(text):
    """The paragraphs of a control file as dicts; continuation lines are dropped."""
    for paragraph in text.split("\n\n"):
        fields = {}
        for line in paragraph.split("\n"):
            if line[:1] not in (" ", "\t", "") and ": " in line:
                key, value = line.split(": ", 1)
                fields[key] = value
        if "Package" in fields:
            yield fields


def _order(char):
    if char == "~":
        return -1
    return ord(char) if char.isalpha() else ord(char) + 256


def _compare_part(a, b):
    while a or b:
        head_a, head_b = re.match(r"\D*", a).group(), re.match(r"\D*", b).group()
        for i in range(max(len(head_a), len(head_b))):
            x = _order(head_a[i]) if i < len(head_a) else 0
            y = _order(head_b[i]) if i < len(head_b) else 0
            if x != y:
                return -1 if x < y else 1
        a, b = a[len(head_a):], b[len(head_b):]
        num_a, num_b = re.match(r"\d*", a).group(), re.match(r"\d*", b).group()
        if int(num_a or 0) != int(num_b or 0):
            return -1 if int(num_a or 0) < int(num_b or 0) else 1
        a, b = a[len(num_a):], b[len(num_b):]
    return 0


@functools.lru_cache(maxsize=None)
def compare(a, b):
    """Debian Policy 5.6.12: negative, zero or positive as `a` is older than, equal to, newer than `b`."""

    def split(version):
        epoch, colon, rest = version.partition(":")
        if not colon:
            epoch, rest = "0", version
        upstream, dash, revision = rest.rpartition("-")
        return (int(epoch), upstream, revision) if dash else (int(epoch), rest, "")

    (epoch_a, up_a, rev_a), (epoch_b, up_b, rev_b) = split(a), split(b)
    if epoch_a != epoch_b:
        return -1 if epoch_a < epoch_b else 1
    return _compare_part(up_a, up_b) or _compare_part(rev_a, rev_b)


HOLDS = {
    "<<": lambda c: c < 0, "<=": lambda c: c <= 0, "=": lambda c: c == 0,
    ">=": lambda c: c >= 0, ">>": lambda c: c > 0,
}


def relations(text):
    """`a (>= 1) | b, c` -> [[("a", ">=", "1"), ("b", None, None)], [("c", None, None)]]."""
    groups = []
    for group in text.split(","):
        alternatives = []
        for item in group.split("|"):
            found = re.match(r"\s*([a-z0-9][a-z0-9+.-]*)(?::\w+)?(?:\s*\(([<>=]+)\s*([^)\s]+)\s*\))?", item)
            if found:
                alternatives.append(found.groups())
        if alternatives:
            groups.append(alternatives)
    return groups


class Package:
    def __init__(self, fields):
        self.name = fields["Package"]
        self.version = fields["Version"]
        self.architecture = fields.get("Architecture", "")
        self.size = int(fields.get("Installed-Size", "0"))
        self.source = fields.get("Source", self.name).split(" ")[0]
        self.section = fields.get("Section", "").rpartition("/")[2]
        self.priority = PRIORITIES.get(fields.get("Priority", "optional"), 3)
        self.essential = fields.get("Essential") == "yes"
        self.depends = relations(", ".join(fields[k] for k in ("Pre-Depends", "Depends") if k in fields))
        self.recommends = relations(fields.get("Recommends", ""))
        self.provides = [group[0] for group in relations(fields.get("Provides", ""))]


class Release:
    """The newest version of each package of one release: main, updates and security."""

    def __init__(self, codename, mirror, cache, architecture="amd64"):
        self.codename = codename
        self.packages = {}
        self.archive = Archive(codename, mirror, cache, architecture)
        for text in self.archive.index("Packages"):
            for fields in stanzas(text):
                package = Package(fields)
                old = self.packages.get(package.name)
                if old is None or compare(old.version, package.version) < 0:
                    self.packages[package.name] = package
        self.providers = {}
        for package in self.packages.values():
            for name, _, version in package.provides:
                self.providers.setdefault(name, []).append((package.name, version))
        for names in self.providers.values():
            names.sort(key=lambda item: (self.packages[item[0]].priority, item[0]))
        self._satisfiers = {}
        self.minbase = frozenset()
        self.minbase = frozenset(self.closure(
            [p.name for p in self.packages.values() if p.essential or p.priority == 0]
            + ["apt", "debian-archive-keyring"]
        ))

    def satisfiers(self, alternative):
        """The real packages that satisfy one alternative, in the order in which apt tries them."""
        if alternative in self._satisfiers:
            return self._satisfiers[alternative]
        name, operator, wanted = alternative
        holds = HOLDS.get(operator)
        result = []
        real = self.packages.get(name)
        if real and (holds is None or holds(compare(real.version, wanted))):
            result.append(name)
        for provider, version in self.providers.get(name, ()):
            if holds is None or (version and holds(compare(version, wanted))):
                result.append(provider)
        self._satisfiers[alternative] = result
        return result

    def satisfied(self, group, present):
        return any(name in present for alternative in group for name in self.satisfiers(alternative))

    def choice(self, group):
        """The package that apt would take for an unsatisfied group; None if there is none."""
        for alternative in group:
            names = self.satisfiers(alternative)
            if names:
                return names[0]
        return None

    def closure(self, names):
        """The packages that `names` need: they, and what they depend on beyond the base.

        What must be taken is taken first, so that a choice between alternatives falls on one that is
        there anyhow.
        """
        present = set(self.minbase)
        new = []
        todo = [name for name in names]
        choices = []
        while todo or choices:
            while todo:
                name = todo.pop(0)
                if name in present and name not in self.minbase or name in new:
                    continue
                if name not in present:
                    new.append(name)
                    present.add(name)
                for group in self.packages[name].depends:
                    options = {n for alternative in group for n in self.satisfiers(alternative)}
                    if options & present:
                        continue
                    if len(options) == 1:
                        todo.extend(options)
                    elif options:
                        choices.append(group)
            while choices:
                group = choices.pop(0)
                if not self.satisfied(group, present):
                    todo.append(self.choice(group))
                    break
        return new

    def dropped(self, closure):
        """What `--no-install-recommends` leaves out: (package, recommending package, group) each.

        Only the edge: what the left-out packages need themselves goes with them.
        """
        present = set(closure) | self.minbase
        result = []
        for name in closure:
            for group in self.packages[name].recommends:
                if not self.satisfied(group, present):
                    choice = self.choice(group)
                    if choice is not None:
                        result.append((choice, name, group))
        return result
