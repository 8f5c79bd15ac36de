"""How things look: folded sums are true, nothing is wider than the page, the exact text can be added up again."""

import io
import re

import numpy as np
import pytest
from helpers.fresh import quick
from helpers.printing import printed
from helpers.small_models import ADDRESSES, small_gpt
from rich.cells import cell_len
from rich.console import Console

from llmtrace.arithmetic.bits import exact
from llmtrace.arithmetic.lines import Elements, Line
from llmtrace.errors import AddressError, ReplayError
from llmtrace.explain import Explanation
from llmtrace.explain.exact_text import exact_text
from llmtrace.render import renderable, show
from llmtrace.views.document import Fold
from llmtrace.views.numbers import column, rounded
from llmtrace.views.operand_names import Names
from llmtrace.views.running_sum import running_sum, stretches


@pytest.fixture(scope="module")
def trace():
    return small_gpt().trace("CBABBC")


def things(trace):
    yield trace
    for name in ("embed.token", "block.0.attn.pattern", "block.0.mlp.up", "logits", "next_token"):
        yield trace[name]
    for address in ADDRESSES:
        yield trace.explain(address)
    yield trace.explain(ADDRESSES[4], depth=4)


WIDTHS = [30, 60, 80, 200]


@pytest.mark.parametrize(("turn", "encoding", "every"), [(n, ("utf-8", "ascii")[n % 2], n > 1) for n in range(4)])
def test_nothing_is_wider_than_the_page(trace, turn, encoding, every):
    """In a quick run each thing has one width at each turn, and all of them in the end."""
    pairs = ((thing, width) for thing in enumerate(things(trace)) for width in enumerate(WIDTHS))
    for (n, thing), (m, width) in pairs:
        if quick() and m != (n + turn) % len(WIDTHS):
            continue
        for line in printed(thing, width, encoding, every=every).splitlines():
            assert cell_len(line) <= width, line
            assert line == line.rstrip()


def test_colours_only_on_terminals(trace, monkeypatch):
    explanation = trace.explain(ADDRESSES[4])

    def shown(**options):
        console = Console(file=io.StringIO(), width=80, **options)
        show(explanation, console=console)
        return console.file.getvalue()

    coloured = shown(force_terminal=True, color_system="standard")
    assert "\x1b[1m" in coloured
    monkeypatch.setenv("NO_COLOR", "1")
    assert not re.search(r"\x1b\[[\d;]*3\d", shown(force_terminal=True, color_system="standard"))
    plain = shown(force_terminal=False)
    assert "\x1b" not in plain
    assert re.sub(r"\x1b\[[\d;]*m", "", coloured) == plain


def test_the_mark_stands_for_a_replay(trace):
    good = trace.explain(ADDRESSES[4])
    assert "✓ same bits" in printed(good)
    data = good.to_dict()
    data["element"]["values"] += 1.0
    with pytest.raises(ReplayError):
        printed(Explanation.from_dict(data))
    with pytest.raises(ReplayError):
        exact_text(Explanation.from_dict(data))
    assert "✓" not in printed(trace.explain("tokens[position=0]"))


# ---- folded sums ----------------------------------------------------------------------------------------------------


def row_sum(terms):
    """A line that adds up some terms."""
    terms = np.asarray(terms, np.float32)
    row = Elements("x", ("feature",), (np.arange(terms.size),), terms)
    total = np.asarray(np.add.accumulate(terms)[-1] if terms.size else np.float32(0))
    return Line("out", "sum", (row,), total)


@pytest.mark.parametrize("terms", [1, 2, 7, 60])
@pytest.mark.parametrize("count", [1, 3, 6])
def test_every_term_is_in_one_stretch(terms, count):
    line = row_sum(np.random.default_rng(terms).standard_normal(terms))
    parts = list(stretches(terms, line.largest(count)))
    assert [i for part in parts for i in range(part.first, part.last + 1)] == list(range(terms))
    assert {part.first for part in parts if not part.folded} >= set(line.largest(count))


def names_of(line):
    return Names(Explanation(Elements("y", (), (), line.values), "", "", "", (line,)))


def test_folded_stretches_show_true_totals():
    line = row_sum(np.random.default_rng(1).standard_normal(60))
    shown = running_sum(line, names_of(line), count=4)
    totals, begin = line.totals(), 0
    for row in shown.rows:
        if isinstance(row, Fold):
            assert (int(row.first), int(row.last) - int(row.first) + 1) == (begin, row.count)
            assert row.before.value == (totals[begin - 1] if begin else 0)
            begin += row.count
            assert row.after.value == totals[begin - 1]
        else:
            assert row.total.value == totals[begin]
            begin += 1
        for number in [row.before, row.after] if isinstance(row, Fold) else [row.added, row.total]:
            assert float(number.text.replace("−", "-")) == pytest.approx(float(number.value), abs=6e-4)
    assert begin == 60
    assert sum(isinstance(row, Fold) for row in shown.rows) > 1


def test_all_terms_with_their_totals(trace):
    text = printed(trace.explain("block.0.mlp.up[position=0, feature=0]"), every=True)
    assert " terms" not in text
    assert len(re.findall(r"^ +\d+ .* × .* = ", text, re.MULTILINE)) == 12


def test_an_empty_sum():
    line = row_sum([])
    assert running_sum(line, names_of(line), 4).rows == ()


# ---- numbers --------------------------------------------------------------------------------------------------------


def test_exact_numbers_read_back_to_the_same_bits():
    bits = np.random.default_rng(0).integers(0, 2**32, 5000, dtype=np.uint32)
    bits = np.concatenate([bits, np.array([0, 0x80000000, 1, 0x007FFFFF, 0x7F800000, 0xFF800000], np.uint32)])
    for number in bits.view(np.float32):
        back = np.float32(exact(number))
        assert back.tobytes() == number.tobytes() or (np.isnan(back) and np.isnan(number))
    assert exact(np.int64(-3)) == "-3"
    assert exact(np.float64(0.1)) == "0.1"


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0.0, "0"),
        (-0.0, "−0"),
        (48.0, "48"),
        (0.5, "0.5"),
        (1e-5, "0.00001"),
        (-0.123456, "−0.1235"),
        (0.99998236, "0.99998"),
        (12345.678, "12346"),
        (1.5e20, "1.500e+20"),
        (3.3e-9, "3.300e−09"),
        (float("nan"), "NaN"),
        (float("-inf"), "−∞"),
    ],
)
def test_rounded_numbers(number, text):
    assert rounded(np.float32(number)) == text


def test_columns_are_aligned():
    texts = column(np.array([0.5, -0.25, 0.123456], np.float32))
    assert len({len(text) for text in texts}) == 1
    assert len({text.index(".") for text in texts}) == 1
    assert column(np.array([], np.float32)) == []


# ---- views ----------------------------------------------------------------------------------------------------------


def test_what_has_a_view():
    with pytest.raises(TypeError, match="no view of a int; there are views of Explanation, Tokenization, Step, Trace"):
        renderable(3)


def test_a_whole_trace(trace):
    text = printed(trace)
    for name in trace:
        assert f"  {name}: " in text
    for heading in ("Embedding", "Block 0: attention", "Block 1: MLP", "Final norm", "Scores", "Next token"):
        assert f"\n{heading}\n" in text
    assert text.count("✓ same bits") > 6
    best = int(trace.tensor("next_token")[-1])
    assert text.index(f"{'ABC'[best]!r} ", text.index("probability")) > 0


def test_many_blocks_are_folded_in_the_middle():
    trace = small_gpt(blocks=6, width=4, heads=2).trace("AB")
    text = printed(trace)
    assert "block.0.attn.scores[" in text
    assert "block.5.attn.scores[" in text
    assert "block.3" not in text
    assert text.count("Blocks 1 to 4 work in the same way") == 1
    assert "block.3.attn.scores[" in printed(trace, layer=3)
    assert "block.0" not in printed(trace, layer=3).replace("block.2", "")
    assert "block.3.attn.scores[" in printed(trace, every=True)
    with pytest.raises(AddressError, match="no block 6; its blocks are 0 to 5"):
        renderable(trace, layer=6)


def test_a_batch_and_a_trace_without_texts():
    model = small_gpt()
    model.tokenizer = None
    text = printed(model.trace([[0, 1, 2], [2, 1, 0]]))
    assert "text 0" in text
    assert "text 1" in text
    assert "2 texts × 3 positions, each the place of the largest of the 3 numbers" in text


def test_a_step_is_never_a_dump():
    trace = small_gpt(texts=[chr(0x4E00 + i) for i in range(500)]).trace([1] * 11)
    for name in ("logits", "block.0.attn.pattern"):
        assert len(printed(trace[name]).splitlines()) < 24


def test_repeated_working_is_shown_once(trace):
    text = printed(trace.explain("block.0.attn.q[head=0, position=1, feature=0]", depth=2))
    assert "worked out above, for block.0.ln_1[position=1, feature=" in text
