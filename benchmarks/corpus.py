"""A corpus of 1,000 prompts through one process, two, two of which one is killed, dask, and again after kill -9 of everything.

    python benchmarks/corpus.py                  # dask needs `pip install distributed`
    python benchmarks/corpus.py --prompts 200

Prints prompts per second, as ratios to one process, and the hash of the corpus, which is the same each time. Exit code 1 where
it is not, or where a prompt is lost.
"""

import argparse
import contextlib
import json
import multiprocessing
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from llmtrace import corpus
from llmtrace.corpus.engines import dask

KEEP = ["logits[-1]"]
WORDS = ["king", "queen", "girl", "boy", "child", "lamp", "old man", "cat"]


def written(count):
    """Prompts of one to four sentences."""
    chance = random.Random(1)
    line = "The {} had a {}, and the {} will belong to her."
    for n in range(count):
        sentences = [line.format(*chance.choices(WORDS, k=3)) for _ in range(chance.randint(1, 4))]
        yield {"id": f"p{n}", "text": " ".join(sentences)}


def killing_one(count):
    """Kills a worker once, when so many prompts are finished."""
    killed = []

    def progress(done, _whole):
        if done > count and not killed:
            killed.append(multiprocessing.active_children()[0].pid)
            os.kill(killed[0], signal.SIGKILL)

    return progress


def killed_and_begun_again(prompts, folder):
    """kill -9 of the whole run once some prompts are finished, and the run that goes on from there."""
    file, out = folder / "prompts.jsonl", folder / "killed"
    file.write_text("\n".join(map(json.dumps, prompts)))
    command = [sys.executable, "-m", "llmtrace", "corpus", file, "-o", out, "--keep", *KEEP, "--workers", "2"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        journal = out / "journal.jsonl"
        while process.poll() is None and not (journal.exists() and journal.stat().st_size):
            time.sleep(0.01)
        process.kill()
    return corpus.trace(file, "storyteller", out, workers=2, keep=KEEP)


def runs(prompts, folder):
    """Each way with its report."""

    def run(name, executor=None, **how):
        return name, corpus.trace(prompts, "storyteller", folder / name, executor, keep=KEEP, **how)

    yield run("one process", workers=1)
    yield run("two processes", workers=2)
    yield run("two, one killed", workers=2, progress=killing_one(len(prompts) // 3))
    yield "kill -9, again", killed_and_begun_again(prompts, folder)
    with contextlib.suppress(ImportError):
        from distributed import LocalCluster

        with (
            LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
            dask(cluster.scheduler_address) as executor,
        ):
            yield run("dask, two workers", executor)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--prompts", type=int, default=1000)
    prompts = list(written(parser.parse_args().prompts))
    first, right = None, True
    with tempfile.TemporaryDirectory() as folder:
        for name, report in runs(prompts, Path(folder)):
            first = first or report
            right &= report.hash == first.hash and report.counts == {"done": len(prompts)}
            ratio = report.rate / first.rate
            print(f"{name:18} {report.rate:7.1f} prompts/s  {ratio:5.2f} ×  {report.hash[:16]}", flush=True)
    sys.exit(not right)


if __name__ == "__main__":
    main()
