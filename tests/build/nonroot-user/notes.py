"""Adds a note to a Git repository and prints all notes."""

import pathlib
import subprocess
import sys

import yaml


def git(folder, *words):
    return subprocess.run(["git", "-C", folder, *words], check=True, text=True, stdout=subprocess.PIPE).stdout


folder, note = sys.argv[1:]
file = pathlib.Path(folder, "notes.yml")
if not pathlib.Path(folder, ".git").exists():
    git(folder, "init", "--quiet", "--initial-branch", "main")
notes = yaml.safe_load(file.read_text()) if file.exists() else []
file.write_text(yaml.safe_dump(notes + [note]))
git(folder, "add", "notes.yml")
git(folder, "commit", "--quiet", "--message", note)
print(git(folder, "log", "--format=%an <%ae> %s"), file.read_text(), sep="", end="")
