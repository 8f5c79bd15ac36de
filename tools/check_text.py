#!/usr/bin/env python
"""Compare llmtrace with transformers from the text on: the same text, the same ids, the same logits.

    python tools/check_text.py TOKENIZER_FOLDER

TOKENIZER_FOLDER holds GPT-2's encoder.json and vocab.bpe. Ten models of different shapes with random weights, of the spread
that GPT-2 starts its training with, are saved with that tokenizer by transformers and loaded by llmtrace. Exit code 1 where
an id differs, or a logit by more than the bound. Needs PyTorch and transformers.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

import numpy as np
from check_transformers import Shape, fresh_model, theirs
from transformers import GPT2Tokenizer
from transformers.utils import logging

import llmtrace

BOUND = 1e-4
TEXT = 'Hello, I am 42 years old; naïve 世界 🙂 — "it\'s"\n\n\tdef f(x):   return x**2  # ok <|endoftext|> …'
SHAPES = [
    Shape(50257, 128, width, heads, blocks, inner, tied, 1, 0)
    for width, heads, blocks, inner, tied in (
        (8, 1, 1, None, True),
        (9, 3, 2, 5, False),
        (20, 4, 3, None, True),
        (48, 3, 3, None, False),
        (60, 5, 2, 253, True),
        (63, 7, 4, None, False),
        (64, 2, 6, 100, True),
        (128, 8, 2, None, True),
        (192, 3, 1, 768, False),
        (256, 4, 2, None, True),
    )
]


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("tokenizer", type=Path)
    source: Path = parser.parse_args().tokenizer
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    bad = 0
    for seed, shape in enumerate(SHAPES):
        with tempfile.TemporaryDirectory() as folder:
            for name, there in (("encoder.json", "vocab.json"), ("vocab.bpe", "merges.txt")):
                shutil.copyfile(source / name, Path(folder) / there)
            tokenizer = GPT2Tokenizer.from_pretrained(folder, split_special_tokens=True)
            model = fresh_model(shape, seed)
            model.save_pretrained(folder)
            trace = llmtrace.load(folder).trace(TEXT)
        ids = tokenizer(TEXT)["input_ids"]
        same = ids == trace.tensor("tokens").tolist()
        expected = theirs(model, np.array([ids]))["logits"][0]
        furthest = float(np.abs(trace.tensor("logits") - expected).max()) if same else float("inf")
        bad += not furthest <= BOUND
        sizes = f"C {shape.width:3}, {shape.heads} heads, {shape.blocks} blocks, {'tied' if shape.tied else 'own head'}"
        print(f"{sizes:36} {len(ids)} ids {'the same' if same else 'DIFFER'}, logits differ by at most {furthest:.1e}")
    print(f"all agree within {BOUND:g}" if not bad else f"{bad} of {len(SHAPES)} shapes do not agree")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
