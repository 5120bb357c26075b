"""Runs `dockeropt fix --jsonl` on a corpus with Spark.

The input is one or more text files with a JSON object in each line, `{"path": ..., "text": ...}`; the output
is a folder with the results, line for line in the same order. docs/JSONL.md has the schema of both.

    python fix.py corpus.jsonl results
    spark-submit --master yarn fix.py hdfs:///corpus hdfs:///results --partitions 400 -- --unsafe

dockeropt must be installed on every node; --program says where. Options behind `--` go to it.
"""

import argparse
import shlex
import sys

from pyspark import SparkConf, SparkContext


def arguments(words):
    own, options = words, []
    if "--" in words:
        at = words.index("--")
        own, options = words[:at], words[at + 1 :]
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("input", help="a file, a folder or a pattern, on any file system that Spark knows")
    parser.add_argument("output", help="the folder for the results, which must not be there yet")
    parser.add_argument("--master", help="the cluster, as for spark-submit; this machine by default")
    parser.add_argument("--partitions", type=int, help="at least so many parts of the input are worked on apart")
    parser.add_argument("--program", default="dockeropt", help="dockeropt on the nodes")
    parsed = parser.parse_args(own)
    parsed.options = options
    return parsed


def command(parsed):
    # Spark runs a process for each core; and what lies around the folder that it runs in is not the
    # corpus's business.
    words = [parsed.program, "fix", "--jsonl", "--quiet", "--jobs", "1"]
    if "--config" not in parsed.options:
        words.append("--isolated")
    return shlex.join(words + parsed.options)


def main(words):
    parsed = arguments(words)
    configuration = SparkConf().setAppName("dockeropt")
    if parsed.master:
        configuration.setMaster(parsed.master)
    else:
        configuration.setIfMissing("spark.master", "local[*]")
    context = SparkContext(conf=configuration)
    try:
        lines = context.textFile(parsed.input, parsed.partitions)
        lines.pipe(command(parsed), checkCode=True).saveAsTextFile(parsed.output)
    finally:
        context.stop()


if __name__ == "__main__":
    main(sys.argv[1:])
