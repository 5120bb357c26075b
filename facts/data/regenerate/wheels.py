"""Prints since which version a project has had wheels for Linux on amd64, for each Python: a column of
native-python.tsv.

    python3 regenerate/wheels.py PROJECT ...

Asks the index, by pip's own finder, once for each project named. The version printed is the first since which
every version that the Python may install has a wheel. Needs pip 23 or newer.
"""

import sys

from pip._internal.index.collector import LinkCollector
from pip._internal.index.package_finder import PackageFinder
from pip._internal.models.format_control import FormatControl
from pip._internal.models.index import PyPI
from pip._internal.models.search_scope import SearchScope
from pip._internal.models.selection_prefs import SelectionPreferences
from pip._internal.models.target_python import TargetPython
from pip._internal.network.session import PipSession

PLATFORMS = [f"manylinux_2_{minor}_x86_64" for minor in range(36, 4, -1)]
PLATFORMS += ["manylinux2014_x86_64", "manylinux2010_x86_64", "manylinux1_x86_64"]


def versions(collector, name, minor, only_wheels):
    abi = f"cp3{minor}" + ("m" if minor < 8 else "")
    target = TargetPython(platforms=PLATFORMS, py_version_info=(3, minor), abis=[abi, "abi3", "none"], implementation="cp")
    formats = FormatControl(set(), {":all:"}) if only_wheels else FormatControl(set(), set())
    preferences = SelectionPreferences(allow_yanked=True, format_control=formats)
    finder = PackageFinder.create(link_collector=collector, selection_prefs=preferences, target_python=target)
    return {c.version for c in finder.find_all_candidates(name) if not c.version.is_prerelease}


def main():
    scope = SearchScope.create([], [PyPI.simple_url], no_index=False)
    collector = LinkCollector(session=PipSession(), search_scope=scope)
    for name in sys.argv[1:]:
        bounds = []
        for minor in range(7, 15):
            first, wheels = None, versions(collector, name, minor, True)
            for version in sorted(versions(collector, name, minor, False), reverse=True):
                if version not in wheels:
                    break
                first = version
            if first:
                bounds.append(f"3.{minor}:{first}")
        print(name, " ".join(bounds) or "-", flush=True)


if __name__ == "__main__":
    main()
