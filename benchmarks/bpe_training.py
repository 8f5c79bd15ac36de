"""How long it takes to learn a tokenizer of 32,000 tokens from 10 MB of text, with one thread, against `tokenizers`.

    python benchmarks/bpe_training.py [FILE …] [--megabytes 10] [--vocabulary 32000] [--repeats 3]

Without FILE the text is the source code of Python's own library, in the order of its file names. Everything is timed: reading,
cutting, counting, learning. Where `tokenizers` is installed, it learns from the same text in the same run, with one thread as
well, and the merges are compared. The target: 10 MB in less than a minute. Shortest of the repeats.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import sysconfig
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from llmtrace.tokenizers import read_texts, train_bpe

SECONDS = 60.0
LEAST = 2


def corpus(files: list[Path], size: int) -> str:
    """So many bytes of text, less what would be half a character."""
    if not files:
        library = Path(sysconfig.get_path("stdlib"))
        files = [path for path in sorted(library.rglob("*.py")) if "site-packages" not in path.parts]
    data = b""
    for path in files:
        data += path.read_bytes().decode("utf-8", "ignore").encode()
        if len(data) >= size:
            break
    return data[:size].decode("utf-8", "ignore")


def shortest(call: Callable[[], Any], repeats: int) -> tuple[float, Any]:
    """The least seconds that a call took, and its result."""
    times = []
    for _ in range(repeats):
        begin = time.perf_counter()
        result = call()
        times.append(time.perf_counter() - begin)
    return min(times), result


def their_training(text: str, vocabulary: int) -> list[list[str]]:
    """The merges that `tokenizers` learns."""
    import tokenizers
    from tokenizers import models, pre_tokenizers, trainers

    alphabet = pre_tokenizers.ByteLevel.alphabet()
    settings = {"vocab_size": vocabulary, "min_frequency": LEAST, "show_progress": False, "initial_alphabet": alphabet}
    theirs = tokenizers.Tokenizer(models.BPE())
    theirs.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    theirs.train_from_iterator([text], trainers.BpeTrainer(**settings))
    return json.loads(theirs.to_str())["model"]["merges"]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", type=Path, nargs="*")
    parser.add_argument("--megabytes", type=float, default=10)
    parser.add_argument("--vocabulary", type=int, default=32_000)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    os.environ["RAYON_NUM_THREADS"] = "1"
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    text = corpus(options.files, int(options.megabytes * 1e6))
    with tempfile.NamedTemporaryFile("w", suffix=".txt", encoding="utf-8", newline="") as file:
        file.write(text)
        file.flush()
        ours, trained = shortest(lambda: train_bpe(read_texts(file.name), options.vocabulary, LEAST), options.repeats)
    print(f"{trained.bytes / 1e6:.1f} MB, {trained.pieces:,} pieces, {trained.different_pieces:,} different")
    print(f"llmtrace: {len(trained.merges):,} merges in {ours:.2f} s")
    try:
        theirs, merges = shortest(lambda: their_training(text, options.vocabulary), options.repeats)
    except ModuleNotFoundError:
        print("tokenizers is not installed: no comparison")
    else:
        same = merges == [[merge.left, merge.right] for merge in trained.merges]
        print(
            f"tokenizers: {theirs:.2f} s; ratio {ours / theirs:.2f}; the merges are {'the same' if same else 'DIFFERENT'}"
        )
        if not same:
            return 1
    met = ours * 10 <= SECONDS * options.megabytes
    print("Target met." if met else f"Target missed: {SECONDS:.0f} s for 10 MB.")
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
