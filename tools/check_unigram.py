"""Compares our unigram tokenizer with `tokenizers` on generated texts of all kinds. For development only.

    python -m pip install tiktoken tokenizers
    python tools/check_unigram.py [FILE …] [--count 20000] [--seed 0]

A tokenizer is learnt from each FILE (or from generated texts) with `train_unigram`, and one with random scores is made up;
each is saved, with and without bytes, with and without a space put in front, whole texts and word by word, and read by both
libraries. Compared are the ids of all texts, and the texts that come back. Left out are texts that our encoder refuses by
its rules ("▁", characters without a token where there are no bytes) and those that spell the name of a byte ("<0x41>"),
which `tokenizers` takes for the byte. It also reads some scores wrong by one unit in the last place, so that of equally good
partings it may take another: those scores are counted ("misread"), and ours goes on with them. Exit code 1 if anything differs.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import re
import sys
import tempfile
from collections import Counter
from pathlib import Path

import tokenizers
from check_tokenizers import make_text

from llmtrace.errors import PromptError
from llmtrace.tokenizers import UnigramTokenizer, load_tokenizer, read_texts, train_unigram

NAMED = re.compile("<0x[0-9A-F]{2}>|<unk>")


def made_up(chance: random.Random, texts: list[str]) -> list[tuple[str, float]]:
    """Entries with few different scores, so that many partings are equally good."""
    letters = "abc ▁é中"
    words = {"".join(chance.choices(letters, k=chance.randrange(1, 5))).replace(" ", "▁") for _n in range(200)}
    words |= {"".join(text.split(" ")[:1])[:3] for text in texts[:300]} - {""}
    return [(word, -float(chance.randrange(1, 6))) for word in sorted(words) if "▁" not in word[1:]]


def variants(entries: list[tuple[str, float]]) -> list[UnigramTokenizer]:
    """The same vocabulary with other settings."""
    names = [(f"<0x{byte:02X}>", 0.0) for byte in range(256)]
    entries = [entry for entry in entries if not NAMED.fullmatch(entry[0])]
    return [
        UnigramTokenizer(
            [("<unk>", 0.0), *(names if in_bytes else []), *entries], 0, in_bytes, adds_space, by_words, {}, special
        )
        for in_bytes in (True, False)
        for adds_space in (True, False)
        for by_words in (True, False)
        for special in ({}, {"<|endoftext|>": 10**6})
    ]


def compare(ours: UnigramTokenizer, texts: list[str]) -> Counter[str]:
    """Counts how many texts were compared and how many differ, and prints the first few."""
    with tempfile.TemporaryDirectory() as folder:
        theirs = tokenizers.Tokenizer.from_file(str(ours.save(folder)))
        again = load_tokenizer(folder)
        assert isinstance(again, UnigramTokenizer)
        assert (again.entries, again.adds_space, again.by_words) == (ours.entries, ours.adds_space, ours.by_words)
    theirs.encode_special_tokens = True
    read = [(text, score) for text, score in json.loads(theirs.to_str())["model"]["vocab"]]
    found = Counter(misread=sum(one != other for one, other in zip(read, ours.entries, strict=True)))
    assert all(abs(one[1] - other[1]) <= math.ulp(other[1]) for one, other in zip(read, ours.entries, strict=True))
    ours = UnigramTokenizer(read, 0, ours.in_bytes, ours.adds_space, ours.by_words, ours.added, ours.special)
    for text in texts:
        try:
            ids = ours.encode(text)
        except PromptError:
            found["refused"] += 1
            continue
        same = (ids, ours.decode(ids)) == (theirs.encode(text).ids, theirs.decode(ids, skip_special_tokens=False))
        back = ours.decode(ids) == (text.removeprefix(" ") if ours.adds_space else text)
        found["compared"] += 1
        found["different"] += not same
        found["not back"] += not back
        if not (same and back) and found["different"] + found["not back"] < 5:
            print(f"  {text!r}\n    ours   {ids} {ours.decode(ids)!r}\n    theirs {theirs.encode(text).ids}")
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--count", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    chance = random.Random(arguments.seed)
    texts = [make_text(chance) for _n in range(arguments.count)]
    texts += ["".join(chance.choices("abc é中", k=chance.randrange(30))) for _n in range(arguments.count)]
    texts = [text for text in texts if not NAMED.search(text)]
    sources = {str(path): read_texts(path) for path in arguments.files} or {"generated": iter(texts[:500])}
    tried = {name: list(train_unigram(source, 2000).tokenizer.scores.items()) for name, source in sources.items()}
    tried["made up"] = made_up(chance, texts)
    wrong = 0
    for name, entries in tried.items():
        found: Counter[str] = Counter()
        for tokenizer in variants(entries):
            found += compare(tokenizer, texts)
        print(f"{name}: {len(entries):,} entries, {dict(found)}")
        wrong += found["different"] + found["not back"]
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
