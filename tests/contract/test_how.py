"""What `Op.how` tells readers fits what the op does: its words are held against the op's shapes, settings and explained lines.

Wrong are sentences that speak of what is not done, or are silent about what is; so that two of them can't be swapped.
"""

import re
from functools import cache
from itertools import permutations

import numpy as np
import pytest
from helpers.fresh import some

from llmtrace.arithmetic.lines import Elements
from llmtrace.ops import OPS
from llmtrace.ops.shapes import parse
from llmtrace.testing.replays import traced
from llmtrace.testing.sampling import sample

TOLD = [name for name, op in OPS.items() if op.how]


@cache
def done(name):
    """The elementary operations of an op, and the inputs and weights that they read, seen in explanations of some numbers."""
    op, operations, read = OPS[name], set(), set()
    for seed in some(range(40), 14):
        case = sample(op, seed, np.float64, special=False)
        if any(tensor is not None and not 0 < tensor.size < 3000 for tensor in case.tensors.values()):
            continue
        trace = traced(op, case)
        out = trace.tensor("out")
        for k in range(3 if out.size else 0):
            place = np.unravel_index(k * 7919 % out.size, out.shape)
            for line in trace.explain("out", *map(int, place)).lines:
                operations.add(line.operation.removesuffix("_from"))
                read |= {o.tensor.partition(".")[2] for o in line.operands if isinstance(o, Elements)}
    return frozenset(operations), frozenset(read)


class Facts:
    """What is known of an op without its sentence."""

    def __init__(self, name):
        op = OPS[name]
        self.op, (self.operations, self.read) = op, done(name)
        self.axes = {tensor: parse(op.shapes[tensor]).sizes for tensor in op.tensors}
        self.out = parse(op.out)

    def does(self, *operations):
        return bool(self.operations & set(operations))

    def has(self, *names):
        return bool({*self.op.tensors, *self.op.shapes} & set(names))

    def only(self, *operations):
        return self.operations <= set(operations)

    @property
    def heads_in(self):
        return any(size.startswith("H") and "·" not in size for size in self.axes[self.op.inputs[0]])

    @property
    def heads_out(self):
        return any(size == "H" for size in self.out.sizes)


RULES = [  # (words, whether they belong to the op: they must be there where True, and must not where False)
    (r"\{b\}", lambda f: None if len(f.op.inputs) > 1 else False),
    (r"\{n\}", lambda f: None if f.axes[f.op.inputs[0]] else False),
    (r"heads?\b", lambda f: f.heads_in != f.heads_out and (True if not f.op.weights or f.heads_in else None)),
    (r"side by side", lambda f: f.heads_in and not f.heads_out and not f.op.weights),
    (r"dealt out", lambda f: f.heads_out and not f.op.weights and not f.heads_in),
    (r"root|√|\bspread\b|usually", lambda f: f.does("root") or (f.has("q") and f.has("k"))),
    (r"e to the power|probabilit|bent", lambda f: True if f.does("exp", "erf", "tanh") else None),
    (r"e to the power", lambda f: None if f.does("exp") else False),
    (r"bent", lambda f: f.does("erf", "tanh")),
    (r"steep", lambda f: f.does("erf", "tanh") and f.has("dout")),
    (r"\(GELU\)", lambda f: f.does("erf", "tanh") and not f.has("dout")),
    (r"logarithm", lambda f: f.does("log")),
    (r"the place (of the largest|in)", lambda f: f.does("argmax", "first_above")),
    (r"largest", lambda f: f.does("argmax", "keep")),
    (r"later tokens", lambda f: None if f.does("masked") else False),
    (r"get 0", lambda f: f.does("masked") and f.does("exp")),
    (r"−∞", lambda f: f.does("keep")),
    (r"reach p", lambda f: f.does("keep") and f.does("sum")),
    (
        r"says which",
        lambda f: f.out.sizes and not f.has("target") and any(parse(t).below for t in f.op.shapes.values()),
    ),
    (r"learned table", lambda f: f.does("look_up") and bool(f.op.weights)),
    (r"one row", lambda f: f.does("look_up") and not f.op.weights and not f.has("target", "penalty")),
    (r"token that came|really follows", lambda f: f.has("target")),
    (r"for every row of the table", lambda f: f.has("ids") and f.does("sum")),
    (r"divided", lambda f: None if f.does("divide") else False),
    (r"divided|\bspread\b|probabilit|bent", lambda f: True if f.does("divide") and not f.does("sum") else None),
    (r"\bless\b", lambda f: None if f.does("subtract") else False),
    (r"\btimes\b", lambda f: None if f.does("multiply", "dot") else False),
    (r"products?\b", lambda f: None if f.does("dot") else False),
    (
        r"added up|\bsums?\b|\bmean\b|probabilit",
        lambda f: True if f.does("dot", "sum") and not f.does("root", "first_above") else None,
    ),
    (r"added up|\bsums?\b", lambda f: None if f.does("dot", "sum", "add") else False),
    (r"over all positions", lambda f: not f.out.leading and bool(f.out.sizes) and not f.has("ids")),
    (r"\ball numbers\b", lambda f: f.op.out == ""),
    (r"see a key", lambda f: f.op.out.startswith("* P+T ") and f.does("sum", "dot")),
    (r"queries", lambda f: f.has("pattern") and f.has("x")),
    (r"rows? of", lambda f: None if any(f.axes.values()) else False),
    (r"features", lambda f: f.has("q")),
    (
        r"square|times itself",
        lambda f: bool(re.search(r"\b(\w+) ?· ?\1\b", f.op.formula)) and f.only("dot", "multiply", "add"),
    ),
    (r"\bgain\b", lambda f: f.has("gain")),
    (r"\bbias\b", lambda f: f.has("gain") and f.has("bias")),
    (r"weighted sum", lambda f: "weight" in f.op.weights and f.does("dot")),
    (r"\bthe weight\b", lambda f: "weight" in f.op.inputs),
    (r"\brate\b", lambda f: f.has("rate") and f.has("weight")),
    (r"usually", lambda f: f.has("square")),
    (r"the same one", lambda f: f.has("factor", "divisor") and "factor" not in f.op.inputs),
    (r"each times \{b\}", lambda f: "factor" in f.op.inputs),
    (r"copied", lambda f: f.has("copies") and f.only("take")),
    (r"all that share", lambda f: f.has("copies")),
    (r"turned|in pairs", lambda f: f.has("cosine")),
    (r"without being moved", lambda f: f.does("root") and f.does("dot") and not f.has("dout")),
    (r"old mean", lambda f: f.has("beta")),
    (r"movement", lambda f: f.has("momentum")),
    (r"two numbers", lambda f: f.only("add") and f.has("b")),
    (r"everywhere", lambda f: f.has("like")),
    (r"cache", lambda f: f.has("past")),
    (r"random", lambda f: f.has("seed", "number")),
    (r"a little larger", lambda f: f.has("seed")),
    (r"0 for negative ones", lambda f: f.does("relu")),
    (r"allowed", lambda f: f.has("limit")),
    (r"as it is", lambda f: f.only("take") and f.out.leading and not any(f.axes.values()) and not f.has("like")),
    (r"mean 0", lambda f: f.does("root") and f.does("sum") and not f.has("dout")),
    (r"lies above the mean", lambda f: f.has("p") and f.has("dout")),
    (r"would only move", lambda f: f.does("root") and f.has("dout") and f.does("sum")),
    (r"would only spread", lambda f: f.does("root") and f.has("dout") and not f.does("sum")),
    (r"its share in", lambda f: f.has("pattern") and f.has("v")),
    (r"gradient of the loss", lambda f: f.has("target") and f.has("dout")),
    (r"at the same place of \{b\}", lambda f: not f.out.leading and f.out.sizes == ("C",) and f.has("b")),
    (r"a number of \{a\} times a number of \{b\}", lambda f: f.out.sizes == ("A", "B")),
]


def wrong(name, how):
    """What a sentence says wrongly of an op, or fails to say."""
    facts = Facts(name)
    for words, belongs in RULES:
        expected = belongs(facts)
        found = bool(re.search(words, how))
        if expected is not None and found != bool(expected):
            yield f"{words!r} {'is missing' if expected else 'is said'}"
    placeholders = set(re.findall(r"\{(\w)\}", how))
    if not placeholders <= {"a", "b", "n"}:
        yield f"{placeholders} are not a, b and n"


@pytest.mark.parametrize("name", TOLD)
def test_the_sentence_fits(name):
    facts = Facts(name)
    known = f"known of it: it does {sorted(facts.operations)} with {facts.op.tensors} and makes [{facts.op.out}]"
    assert not list(wrong(name, OPS[name].how)), f"{OPS[name].how!r} of {name}: RULES above say why; {known}"


def test_two_swapped_sentences_do_not_fit():
    """For any two, one at least is wrong in the other's place."""
    survive = {
        frozenset((a, b))
        for a, b in permutations(TOLD, 2)
        if OPS[a].how != OPS[b].how and not any(wrong(a, OPS[b].how)) and not any(wrong(b, OPS[a].how))
    }
    assert not survive
