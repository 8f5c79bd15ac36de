#!/usr/bin/env python
"""The handout: a whole run of the model `tiny`, every number of every step, on two pages.

python tools/handout.py            write docs/handout.md
python tools/handout.py --check    write nothing; exit code 1 where the page is not up to date
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

import llmtrace
from llmtrace.arithmetic.types import Array
from llmtrace.trace import Trace

PAGE = Path(__file__).parents[1] / "docs" / "handout.md"
PROMPT = "the cat sat on the"
HEAD = """# A run on paper

The model `tiny` reads "{prompt}", and says "{said}". These are the numbers of that run, with {digits} digits after the point: two
pages to be printed. A row is a token; the numbers of two heads stand side by side.

`llmtrace explain --model tiny --prompt "{prompt}" "block.0.attn.scores[head=0, query=4, key=1]"` shows how one of them
was made, and `llmtrace show --model tiny --prompt the block.0.attn.q.weight` the weights. This page is written by
`tools/handout.py`; a test keeps it so.

```text
"""
DIGITS = 2
NAMES = {
    "embed": "embed = the row of the token + the row of the place",
    "block.0.ln_1": "ln_1: mean 0, deviation 1, then scaled and moved",
    "block.0.attn.q": "q: what it asks",
    "block.0.attn.k": "k: what it answers to",
    "block.0.attn.v": "v: what it hands over",
    "block.0.attn.scores": "scores = (q · k) ÷ 2, for itself and earlier tokens",
    "block.0.attn.pattern": "pattern = softmax of the scores",
    "block.0.attn.mix": "mix = v of each, times its share",
    "block.0.attn.out": "out: both heads together",
    "block.0.residual_mid": "residual_mid = embed + out",
    "block.0.ln_2": "ln_2, as ln_1",
    "block.0.mlp.up": "up: 16 neurons add up",
    "block.0.mlp.act": "act: bent by GELU",
    "block.0.mlp.down": "down: back to 8",
    "block.0.residual_out": "residual_out = residual_mid + down",
    "ln_f": "ln_f, as ln_1",
}


def row(numbers: Array) -> str:
    """Numbers in columns; what is masked is left blank."""
    return "".join(f"{number:7.{DIGITS}f}" if np.isfinite(number) else " " * 7 for number in numbers.tolist())


def table(trace: Trace, name: str, title: str) -> str:
    """A step: its name, then a line for each token."""
    data = trace.tensor(name)
    heads = data if data.ndim == 3 else data[None]
    masked = ".pattern" in name
    lines = [title]
    for place, token in enumerate(trace.tokens):
        parts = [
            np.where(np.arange(head.shape[1]) > place, np.nan, head[place]) if masked else head[place] for head in heads
        ]
        lines.append(f"{token.strip():<5}" + " |".join(map(row, parts)).rstrip())
    return "\n".join(lines) + "\n"


def scores(trace: Trace) -> str:
    """The scores and the probabilities of every word after the last token, in three columns."""
    logits, shares = (trace.tensor(name)[-1] for name in ("logits", "probabilities"))
    cells = []
    for index, (score, share) in enumerate(zip(logits.tolist(), shares.tolist(), strict=True)):
        word = trace.token_text(index).strip() or "(end)"
        cells.append(f"{word:<7}{score:7.{DIGITS}f}{share:9.4f}")
    lines = ["    ".join(cells[start : start + 3]) for start in range(0, len(cells), 3)]
    return "logits and probabilities: each word as the next one after the last\n" + "\n".join(lines) + "\n"


def page() -> str:
    """The page as it should be."""
    trace = llmtrace.load("tiny").trace(PROMPT)
    said = trace.token_text(int(trace.tensor("next_token")[-1])).strip()
    parts = [table(trace, name, title) for name, title in NAMES.items()]
    return HEAD.format(prompt=PROMPT, said=said, digits=DIGITS) + "".join([*parts, scores(trace)]) + "```\n"


def main(arguments: list[str]) -> int:
    """Writes the page, or checks it."""
    made = page()
    if arguments == ["--check"]:
        return 0 if PAGE.exists() and PAGE.read_text(encoding="utf-8") == made else 1
    PAGE.write_text(made, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
