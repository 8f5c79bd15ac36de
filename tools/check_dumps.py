#!/usr/bin/env python
"""Run the recipes of docs/experiments.md on GPTs and Llamas with random weights, and let the referee judge what they write.

    python tools/check_dumps.py --peer /path/to/python

The peer is a Python with PyTorch and transformers (and transformer_lens, for its recipe); llmtrace need not be there.
Counted are the steps with the same bits, those whose other bits a cause gives to the last one, those that are left open
within what rounding may do, and those that would not follow or can't be judged: since nothing is wrong, and modules give
enough to judge by, there must be none. Exit code 1 where there is one.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

import llmtrace
from llmtrace.experiments import dumps
from llmtrace.experiments.referee import Finding, judge

DOCS = Path(__file__).parents[1] / "docs" / "experiments.md"
FIRST = re.compile(r"^folder, ids, file = .*$", re.MULTILINE)
MODELS = [
    ("gpt2", 2, 48, 4, 200, "gelu_new"),
    ("gpt2", 2, 60, 5, 101, "gelu_new"),
    ("gpt2", 3, 128, 4, 500, "gelu_new"),
    ("gpt2", 2, 256, 8, 300, "gelu"),
    ("llama", 2, 48, 4, 200, 2),
    ("llama", 3, 128, 4, 500, 4),
    ("qwen2", 2, 64, 8, 200, 2),
]
"""Family, blocks, width, heads, vocabulary, and the activation function or the heads of keys."""
MAKE = """
import sys, json, torch
from transformers import AutoConfig, AutoModelForCausalLM
family, blocks, width, heads, vocabulary, more, folder, seed = json.loads(sys.argv[1])
torch.manual_seed(seed)
sizes = dict(num_hidden_layers=blocks, hidden_size=width, num_attention_heads=heads, max_position_embeddings=64)
sizes |= dict(activation_function=more) if family == "gpt2" else dict(num_key_value_heads=more, intermediate_size=3 * width)
config = AutoConfig.for_model(family, **sizes, vocab_size=vocabulary, bos_token_id=0, eos_token_id=0)
model = AutoModelForCausalLM.from_config(config)
for weights in model.parameters():
    weights.data += 0.05 * torch.randn_like(weights)
model.eval().save_pretrained(folder)
"""


def recipes(text: str) -> dict[str, str]:
    """The recipes of a page, by the library that they use."""
    found = re.findall(r"```py\n(.*?)```", text, re.DOTALL)
    return {"transformer_lens" if "transformer_lens" in code else "transformers": code for code in found}


def run(peer: str, code: str, *arguments: str) -> None:
    """A program in the peer's Python."""
    subprocess.run([peer, "-c", code, *arguments], check=True, capture_output=True, text=True)


WRONG = ("cause", "open", "unknown")


def verdict(found: Finding) -> str:
    """What was found, in a word."""
    if "smallest float32 instead" in found.cause:
        return "explained"  # transformers masks so
    if found.verdict != "rounding":
        return found.verdict
    return "explained" if found.cause and found.agree == found.size else "left open"


def main() -> int:
    """Judges every model with every recipe, for some lengths."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--peer", default=sys.executable)
    parser.add_argument("--lengths", type=int, nargs="*", default=[3, 8, 20])
    parser.add_argument("--recipes", nargs="*", default=["transformers"])
    options = parser.parse_args()
    codes, total, by_op = recipes(DOCS.read_text(encoding="utf-8")), Counter[str](), Counter[tuple[str, str]]()
    with tempfile.TemporaryDirectory() as scratch:
        for number, shape in enumerate(MODELS):
            folder, file = f"{scratch}/{number}", f"{scratch}/a.npz"
            run(options.peer, MAKE, json.dumps([*shape, folder, number]))
            model = llmtrace.load(folder)
            for length in options.lengths:
                ids = random.Random(length).choices(range(shape[4]), k=length)
                trace = model.trace(ids)
                for recipe in options.recipes:
                    first = f"folder, ids, file = {folder!r}, {ids}, {file!r}"
                    run(options.peer, FIRST.sub(lambda _, first=first: first, codes[recipe]))
                    for each in judge(trace, dumps.understood(trace, dumps.read(Path(file))).steps).findings:
                        total[verdict(each)] += 1
                        by_op[each.op, verdict(each)] += 1
                        if verdict(each) in WRONG:
                            print(f"{recipe}, {shape[0]}, width {shape[2]}, {length} tokens: {each}")
    for (op, word), count in sorted(by_op.items()):
        print(f"{op or 'what is given':20} {word:10} {count:5}")
    print(dict(total))
    return int(any(total[each] for each in WRONG))


if __name__ == "__main__":
    sys.exit(main())
