"""Whether Spark gives byte for byte what one process gives: `python tests/spark.py PROGRAM [CORPUS]`.

CORPUS is a gzipped file of JSON lines with `id` and `text`; without it the Dockerfiles of this repository are
taken, many times. Bad lines are put between them.
"""

import gzip
import json
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
BAD = [
    "",
    "no JSON",
    '{"path":"a"}',
    '{"path":"a/Dockerfile","text":"FORM a\\n"}',
    '{"path":"\\u00e9/Dockerfile","text":"FROM a\\r\\n# \\u2028\\u0085 caf\\u00e9\\r\\n"}',
    '{"path":"raw é\u2028\u0085/Dockerfile","text":"FROM a"}',
]


def lines(corpus):
    if corpus:
        with gzip.open(corpus, "rt", encoding="utf-8") as file:
            for line in file:
                entry = json.loads(line)
                yield {"path": entry["id"], "text": entry["text"]}
        return
    for again in range(100):
        for path in sorted(ROOT.glob("**/*Dockerfile")):
            if "target" not in path.parts:
                yield {"path": f"{again}/{path.relative_to(ROOT)}", "text": path.read_text("utf-8", "replace")}


def main(program, corpus=None):
    program = pathlib.Path(program).resolve()
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        source, results = folder / "corpus.jsonl", folder / "results"
        count = 0
        with open(source, "w", encoding="utf-8", newline="\n") as file:
            for at, line in enumerate(lines(corpus)):
                file.write(json.dumps(line, ensure_ascii=at % 2 == 0) + "\n")
                if at % 500 == 0:
                    file.write("\n".join(BAD) + "\n")
                    count += len(BAD)
                count += 1
        options = ["--unsafe", "--why-not"]
        with open(source, "rb") as file:
            one = subprocess.run(
                [program, "fix", "--jsonl", "--quiet", "--isolated", *options],
                stdin=file, stdout=subprocess.PIPE, check=True,
            ).stdout
        script = [sys.executable, ROOT / "examples/spark/fix.py", source, results, "--program", program]
        subprocess.run([*script, "--master", "local[2]", "--partitions", "7", "--", *options], check=True)
        parts = sorted(results.glob("part-*"))
        many = b"".join(part.read_bytes() for part in parts)
        if len(parts) < 7:
            sys.exit(f"only {len(parts)} parts")
        if one.count(b"\n") != count:
            sys.exit(f"{one.count(bytes([10]))} answers to {count} lines")
        if many != one:
            first = next((at for at, (a, b) in enumerate(zip(one.split(b"\n"), many.split(b"\n"))) if a != b), None)
            sys.exit(f"the results differ, first in line {first}")
        print(f"{count} lines in {len(parts)} parts: byte for byte the same as one process")


if __name__ == "__main__":
    main(*sys.argv[1:])
