"""Learns tokenizers with ours and with `tokenizers`, and compares them merge for merge. For development only.

    python -m pip install tiktoken tokenizers
    python tools/check_bpe_training.py [FILE …] [--count 2000] [--seed 0]

Texts of three kinds: few letters, where nearly every choice is among equals; generated texts of all kinds (those of
check_tokenizers.py, without the characters about which the libraries' editions of Unicode differ); and each FILE. Compared
are the merges in their order, the ids of all tokens, and, through the tokenizer.json that our `save` wrote, the ids and the
text of other texts. `tokenizers` records no counts. Exit code 1 if anything differs.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import tokenizers
from check_tokenizers import make_text, unicode_report
from tokenizers import models, pre_tokenizers, trainers

from llmtrace.tokenizers import TrainedBPE, load_tokenizer, read_texts, train_bpe

SPECIAL = ["<|endoftext|>", "<|pad|>", "中文 special"]


def their_training(texts: Iterable[str], vocabulary: int, least: int, special: list[str]) -> tokenizers.Tokenizer:
    """What `tokenizers` learns with the same settings."""
    theirs = tokenizers.Tokenizer(models.BPE())
    theirs.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    theirs.train_from_iterator(
        texts,
        trainers.BpeTrainer(
            vocab_size=vocabulary,
            min_frequency=least,
            show_progress=False,
            special_tokens=special,
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        ),
    )
    return theirs


def differences(ours: TrainedBPE, theirs: tokenizers.Tokenizer, others: list[str]) -> list[str]:
    """In what the two differ."""
    model: dict[str, Any] = json.loads(theirs.to_str())["model"]
    found = []
    mine = [[merge.left, merge.right] for merge in ours.merges]
    if mine != model["merges"]:
        pairs = zip([*mine, None], [*model["merges"], None], strict=False)
        rank, pair = next((r, pair) for r, pair in enumerate(pairs) if pair[0] != pair[1])
        found.append(f"merge {rank}: ours {pair[0]}, theirs {pair[1]}")
    if ours.tokenizer.vocabulary != model["vocab"]:
        found.append("ids of tokens")
    with tempfile.TemporaryDirectory() as folder:
        read = tokenizers.Tokenizer.from_file(str(ours.save(folder)))
        again = load_tokenizer(folder)
        assert TrainedBPE.load(folder).merges == ours.merges
    read.encode_special_tokens = True
    for text in others:
        ids = ours.tokenizer.encode(text)
        if not ids == again.encode(text) == read.encode(text).ids:
            found.append(f"encoding {text!r}")
        elif ours.tokenizer.decode(ids) != read.decode(ids, skip_special_tokens=False):
            found.append(f"decoding {text!r}")
    return found


def few_letters(generator: random.Random) -> list[str]:
    """Texts of two to five different characters."""
    letters = generator.choice(["ab", "abc", "aé", "ab ", "a1 ", "ab中\n", "a'st ", "  \n\n"])
    sizes = [generator.randrange(1, 60) for _ in range(generator.randrange(1, 6))]
    return ["".join(generator.choices(letters, k=size)) for size in sizes]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", type=Path, nargs="*")
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    generator = random.Random(options.seed)
    without = {ord(character): None for character in unicode_report()}
    wrong = merges = 0

    def kinds() -> Iterable[tuple[str, list[str], int]]:
        for number in range(options.count):
            some = few_letters(generator) if number % 2 else [make_text(generator) for _ in range(30)]
            yield f"corpus {number}", [text.translate(without) for text in some], generator.randrange(256, 700)
        for path in options.files:
            yield str(path), ["".join(read_texts(path))], 32_000

    for name, texts, tokens in kinds():
        least, special = generator.choice([1, 1, 2, 3]), SPECIAL[: generator.randrange(4)]
        tokens += len(special)
        if not any(texts):
            continue
        begin = time.perf_counter()
        ours = train_bpe(texts, tokens, least, special)
        middle = time.perf_counter()
        theirs = their_training(texts, tokens, least, special)
        others = [make_text(generator).translate(without) for _ in range(500 if name in map(str, options.files) else 5)]
        found = differences(ours, theirs, others)
        wrong += bool(found)
        merges += len(ours.merges)
        if found or name in map(str, options.files):
            seconds = f"ours {middle - begin:.1f} s, theirs {time.perf_counter() - middle:.1f} s with the comparison"
            print(f"{name}: {len(ours.merges):,} merges, {seconds}:", "; ".join(found[:3]) or "no difference")
    print(f"{options.count:,} small trainings and {len(options.files)} files, {merges:,} merges: {wrong} differ")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
