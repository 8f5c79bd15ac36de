#!/usr/bin/env python
"""Is every number that a terminal shows at any width a number of the widest output, whole and unchanged?

    python tools/check_widths.py --widths 20 200 --languages en zh

Draws every kind of view and all pages of all lessons at each width. Prints what a width shows that 500 columns do not: a number
that was cut, or rounded otherwise. Not counted: what sentences say about the window itself, the numbers over the columns of a
heatmap, and what stands behind its rows. Exit code 1 where there is anything.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterable, Iterator

import llmtrace
from llmtrace import i18n
from llmtrace.experiments.compare import compare
from llmtrace.experiments.ledger import ledger
from llmtrace.i18n import _
from llmtrace.lessons import LESSONS, load
from llmtrace.lessons.framework.pages import Pages
from llmtrace.models import Sampling
from llmtrace.render import document_of, terminal
from llmtrace.views import comparison, sampling
from llmtrace.views import ledger as ledgers
from llmtrace.views.catalog import look
from llmtrace.views.document import Document

WIDEST = 500
TEXT = "The king had a child, a girl."
LOOKS = (
    (None, {}),
    (None, {"every": True}),
    ("block.0.ln_1", {}),
    ("block.2.attn.pattern", {}),
    ("block.2.attn.pattern", {"head": 2}),
    ("block.0.attn.scores", {"head": 0, "every": True}),
    ("block.0.attn.q", {"head": 1}),
    ("residual", {}),
    ("residual", {"position": 0, "every": True}),
    ("logits", {"position": 1}),
    ("next_token", {}),
    ("block.0.mlp.up", {"neuron": 17}),
    ("tokens", {}),
    ("block.0.mlp.up.weight", {}),
)
EXPLAINED = ("block.0.attn.scores[2, 4, 1]", "block.0.ln_1[3, 5]", "block.1.attn.pattern[2, 6, 3]", "next_token[5]")
NUMBER = re.compile(r"−?\d+(?:,\d{3}(?!\d))*(?:\.\d+)?(?:e[+−]\d+|×10[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)?")
WINDOW = (
    "Shown: rows {rows}, columns {columns}.",
    "Shown: positions {places}.",
    "A window of {width} columns shows all of them.",
    "A window of {width} columns shows the numbers of all rows.",
    "The largest numbers of the last row, {row}: {numbers}.",
)
"""Sentences about what fits."""
QUOTED = re.compile(r"'[^'\n]*'|\"[^\"\n]*\"|'[^'\s]*…")


def documents() -> Iterator[tuple[str, Document]]:
    """A document of every kind, by name."""
    model = llmtrace.load()
    trace = model.trace(TEXT)
    for name, options in LOOKS:
        yield f"show {name} {options}", look(trace, name, **options)
    yield "trace", document_of(trace, every=True)
    for address in EXPLAINED:
        yield f"explain {address}", document_of(trace.explain(address, depth=2))
    generation = model.generate("The king had", 3, Sampling(1.0, 5, 0.9, 1))
    list(generation)
    choices = generation.trace()
    yield "generate", sampling.view(choices, 1)
    yield "generate --explain", sampling.working(choices, 1)
    yield "compare", comparison.view(compare(trace, model.trace("The king had a child, a boy.")))
    yield "ledger", ledgers.view(ledger(trace, -1, int(trace.tensor("next_token")[-1])), trace)
    yield "tokenize", document_of(model.tokenizer.explain("The kingdom of Prussia, 1757."))


def lessons(language: str, names: Iterable[str] = tuple(LESSONS)) -> Iterator[tuple[str, Document]]:
    """All pages of some lessons."""
    for lesson in names:
        pages = Pages(load(lesson, language))
        for n in range(len(pages)):
            yield f"{lesson} {n + 1}", pages[n].document()


def shown(document: Document, width: int) -> set[str]:
    """The numbers of a document at a width."""
    lines = terminal.render(document, width, False).splitlines()
    kept = [line for line in lines if width == WIDEST or not re.fullmatch(r"[\d …]+", line)]
    kept = [re.sub(r"(?<=\S) +\d+\.\d %$", "", line) if re.match(r" *\S+ '", line) else line for line in kept]
    text = re.sub(r"[│├└─]", " ", "\n".join(kept))
    text = re.sub(r"(?<=[\u2e80-\uffee])\s*\n\s*(?=[\u2e80-\uffee])", "", text)
    text = " ".join(text.split())
    for sentence in WINDOW:
        pattern = re.sub(r"\\\{\w+\\\}", "[^。]*?", re.escape(_(sentence)))
        text = re.sub(pattern.replace(r"\ ", " ?") + r"(?!\d)", " ", text)
    return set(NUMBER.findall(QUOTED.sub(" ", text)))


def main() -> int:
    """Compares all widths with the widest."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--widths", type=int, nargs=2, default=(20, 200))
    parser.add_argument("--step", type=int, default=1)
    parser.add_argument("--languages", nargs="+", default=["en", "zh"])
    asked = parser.parse_args()
    count = wrong = 0
    for language in asked.languages:
        i18n.use(language)
        for name, document in (*documents(), *lessons(language)):
            whole = shown(document, WIDEST)
            for width in range(asked.widths[0], asked.widths[1] + 1, asked.step):
                count += 1
                if more := shown(document, width) - whole:
                    wrong += 1
                    print(f"{language} {width:3} {name}: {' '.join(sorted(more)[:8])}", flush=True)
            print(f"{language} {name}: {count:,} pages, {wrong} wrong", flush=True)
    print(f"{count:,} pages, {wrong} with numbers that {WIDEST} columns do not show")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
