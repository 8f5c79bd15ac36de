"""The views of `llmtrace show` say the trace's own numbers; shades grow with them, and what is masked is not zero."""

import json

import numpy as np
import pytest
from helpers.looks import LOOKS, PATTERN, coloured
from helpers.printing import as_text, facts, printed
from helpers.small_models import long_trace, small_gpt
from hypothesis import given
from hypothesis import strategies as st
from rich.color import Color
from rich.table import Table

from llmtrace.display import on_command_line
from llmtrace.errors import AddressError
from llmtrace.models import KVCache
from llmtrace.ops.op import ordered_sum
from llmtrace.render import renderable
from llmtrace.render.terminal.blocks import InAscii
from llmtrace.render.terminal.cells import Cells
from llmtrace.render.terminal.palette import BLANK, CHARACTERS, COLOURS, UNKNOWN, background, character, levels
from llmtrace.views import neuron
from llmtrace.views.attention import of_step
from llmtrace.views.attention import view as attention
from llmtrace.views.catalog import look
from llmtrace.views.figures import Heatmaps, Scale
from llmtrace.views.histogram import spread
from llmtrace.views.ranking import largest


@pytest.fixture(scope="module")
def trace():
    return small_gpt().trace("CBABBC")


@pytest.fixture(scope="module", name="long_trace")
def long():
    return long_trace()


# ---- the numbers are the trace's own --------------------------------------------------------------------------------


def test_the_list_of_steps(trace, long_trace):
    data = facts(look(trace))
    assert [step["name"] for step in data["steps"]] == list(trace)
    for step in data["steps"]:
        out = trace.tensor(step["name"])
        finite = out[np.isfinite(out)]
        assert (step["smallest"], step["largest"]) == (finite.min(), finite.max())
        assert step["not_finite"] == out.size - finite.size
        assert sum(step["histogram"]) == finite.size
        assert step["bytes"] == out.nbytes
        assert step["shape"] == list(out.shape)
    text = as_text(look(trace))
    for name in trace:
        assert f"  {name} " in text
    assert "block.2" not in as_text(look(long_trace))
    assert "blocks 1 to 4 have the same steps" in as_text(look(long_trace))
    assert "block.2.mlp.up" in as_text(look(long_trace, every=True))


def test_columns_that_do_not_fit_go(trace):
    lines = {width: as_text(look(trace), width).splitlines() for width in (45, 60, 80, 120)}
    heads = {width: next(line.split() for line in shown if line.startswith("  name")) for width, shown in lines.items()}
    assert heads[120] == ["name", "operation", "shape", "bytes", "histogram", "min", "max"]
    assert "histogram" in heads[60]
    assert heads[45][0] == "name"


def test_spread():
    numbers = np.arange(1000, dtype=np.float32)
    found = spread(numbers)
    assert (found.smallest, found.largest, found.histogram, found.not_finite) == (0, 999, (100,) * 10, 0)
    assert spread(np.full((2, 3), np.nan, "f")).smallest is None
    assert spread(np.zeros((0, 3), "f")).histogram == (0,) * 10
    assert spread(np.float32([1, 1, np.inf])).histogram == (0, 0, 0, 0, 0, 2, 0, 0, 0, 0)
    big = np.zeros((1500, 1000), np.float32)
    big[:, 7] = 1
    found = spread(big)
    assert found.histogram_of_every > 1
    assert found.histogram[-1] / sum(found.histogram) == pytest.approx(0.001, rel=0.05)
    counts = np.array(spread(np.float32([0] * 9 + [1] + [2] * 4)).histogram)
    shades = levels(counts, 0, counts.max(), 10, counts == 0)
    assert shades[0] == 9
    assert shades[5] < shades[-1] < shades[0]
    assert shades[1] == BLANK


@pytest.mark.parametrize("name", ["block.0.attn.pattern", "block.0.attn.scores"])
def test_attention_as_data(trace, long_trace, name):
    for source in (trace, long_trace):
        data = json.loads(json.dumps(facts(look(source, name)), allow_nan=False))
        out = source.tensor(name)
        queries, keys = ([place["position"] for place in data[axis]] for axis in ("queries", "keys"))
        assert len(queries) == min(64, out.shape[1])
        for head in data["heads"]:
            for i, query in enumerate(queries):
                for j, key in enumerate(keys):
                    expected = None if key > query else out[head, query, key]
                    assert data["values"][head][i][j] == expected
    one = facts(look(trace, name, head=2))
    assert (one["heads"], len(one["values"])) == ([2], 1)
    assert [place["text"] for place in one["keys"]] == list("CBABBC")


def test_the_residual_stream(trace):
    data = facts(look(trace, "residual"))
    assert [stage["name"] for stage in data["stages"]] == [
        "embed",
        *(f"block.{i}.residual_{part}" for i in (0, 1) for part in ("mid", "out")),
    ]
    for stage in data["stages"]:
        for key, name in (("norm", stage["name"]), ("change", stage["added_by"])):
            if name is not None:
                rows = trace.tensor(name)
                total = np.zeros(len(rows), np.float32)
                for k in range(rows.shape[1]):
                    total = total + rows[:, k] * rows[:, k]
                assert np.array_equal(np.sqrt(total), np.float32(stage[key]))
                assert np.array_equal(total, ordered_sum(rows * rows))
    text = as_text(look(trace, "residual", position=2))
    assert "position 2 'A':" in text
    assert "block.1.mlp.down" in text
    assert f"{data['stages'][0]['norm'][2]:.2f}" in text


def test_predictions_of_any_position(trace):
    for position in range(-6, 6):
        data = facts(look(trace, "logits", position=position))
        scores, shares = trace.tensor("logits")[position], trace.tensor("probabilities")[position]
        assert data["position"] == position % 6
        assert [row["probability"] for row in data["next_token"]] == sorted(shares.tolist(), reverse=True)
        assert all(row["score"] == scores[row["id"]] for row in data["next_token"])
    text = as_text(look(trace, "probabilities", position=1))
    assert text.startswith("after 'B', at place 1:")
    assert "the prompt goes on with 'A'" in text
    assert "goes on" not in as_text(look(trace, "logits", position=-1))


def test_a_neuron(trace):
    for name in ("block.1.mlp.up", "block.1.mlp.act"):
        data = facts(look(trace, name, neuron=5))
        up, down = (trace.tensor(f"block.1.mlp.{part}.weight") for part in ("up", "down"))
        for key, weights in (("incoming", up[:, 5]), ("outgoing", down[5])):
            listed = {row["feature"]: row["weight"] for row in data[key]}
            assert all(weights[i] == weight for i, weight in listed.items())
            others = [abs(w) for i, w in enumerate(weights.tolist()) if i not in listed]
            assert len(listed) == 8
            assert min(map(abs, listed.values())) >= max(others)
        assert [row["gelu_tanh"] for row in data["positions"]] == trace.tensor("block.1.mlp.act")[:, 5].tolist()
        assert [row["sum"] for row in data["positions"]] == trace.tensor("block.1.mlp.up")[:, 5].tolist()
    text = as_text(neuron.view(trace, "block.1.mlp.up", 5))
    assert f"{data['incoming'][0]['feature']} " in text
    assert largest(np.float32([1, -3, 2, np.nan]), 3) == [3, 1, 2]


def test_a_step_as_data(trace):
    data = facts(look(trace, "block.0.mlp.up"))
    out = trace.tensor("block.0.mlp.up")
    places = data["shown"]["places"]
    assert np.array_equal(np.float32(data["shown"]["values"]), out[np.ix_(places["position"], places["feature"])])
    assert [operand["name"] for operand in data["operands"]] == [
        *("block.0.ln_2", "block.0.mlp.up.weight", "block.0.mlp.up.bias")
    ]
    head = facts(look(trace, "block.0.attn.q", head=2))
    assert np.array_equal(np.float32(head["shown"]["values"]), trace.tensor("block.0.attn.q")[2])
    assert "next_token" in facts(look(trace, "logits"))
    tokens = facts(look(trace, "tokens"))
    assert tokens["shown"]["values"] == trace.tensor("tokens").tolist()


# ---- heatmaps -------------------------------------------------------------------------------------------------------


def luminance(colour):
    def linear(part):
        return part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4

    red, green, blue = (linear(part / 255) for part in Color.from_ansi(colour).get_truecolor())
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_the_colours_grow_brighter():
    shades = [luminance(colour) for colour in COLOURS]
    assert shades == sorted(shades)
    assert len(set(COLOURS)) == len(COLOURS)
    for level, shade in enumerate(shades):
        ink = 1.0 if background(level).color.get_truecolor().red else 0.0
        assert (max(ink, shade) + 0.05) / (min(ink, shade) + 0.05) > 4.5


@given(st.lists(st.floats(-(2.0**99), 2.0**99, width=32), min_size=1, max_size=30), st.sampled_from([9, 10]))
def test_shades_are_monotonic(numbers, count):
    values = np.sort(np.float32(numbers))
    found = levels(values, float(values[0]), float(values[-1]), count)
    assert (np.diff(found) >= 0).all()
    assert found.min() >= 0
    assert found.max() < count


def test_places_that_hold_nothing_are_not_zeros():
    values = np.float32([[0, 0.5, 1], [np.nan, np.inf, -np.inf]])
    blank = np.array([[True, False, False], [False] * 3])
    assert levels(values, 0, 1, 10, blank).tolist() == [[BLANK, 5, 9], [UNKNOWN, 9, 0]]
    assert len({character(level) for level in (BLANK, UNKNOWN, *range(len(CHARACTERS)))}) == len(CHARACTERS) + 2


def test_masked_places_have_no_colour(trace):
    view = attention(trace[PATTERN], head=1)
    cells = [s for s in coloured(view, 80, no_color=False) if s.style and s.style.bgcolor]
    numbers = [s for s in cells if any(c.isdigit() for c in s.text)]
    assert len(numbers) == 6 * 7 // 2
    text = as_text(attention(trace[PATTERN]))
    assert "0 'C'  @" in text
    zero = np.zeros((1, 2), np.float32)
    heatmap = Cells(zero, np.array([[False, True]]), Scale(0, 1), [0], [0, 1], ["x"])
    assert "".join(s.text for s in coloured(heatmap, system=None)) == "x  .\n"
    first, *_ = (s for s in coloured(heatmap, no_color=False) if s.style and s.style.bgcolor)
    assert (first.text, first.style.bgcolor) == ("  ", Color.from_ansi(COLOURS[0]))


def test_a_head_shows_its_numbers(trace):
    text = as_text(attention(trace[PATTERN], head=1))
    for share in trace.tensor(PATTERN)[1, -1]:
        assert f"{share:.3f}" in text
    assert all(f"{i} {token!r}" in text for i, token in enumerate("CBABBC"))


@pytest.mark.parametrize("system", [None, "standard", "256", "truecolor"])
def test_colours_where_there_are_enough(trace, system, monkeypatch):
    view = attention(trace[PATTERN])
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert any(s.style and s.style.bgcolor for s in coloured(view, system=system)) == (system in {"256", "truecolor"})
    assert not any(s.style and s.style.bgcolor for s in coloured(view, system=system, no_color=True))
    assert not any(s.style and s.style.bgcolor for s in coloured(InAscii(renderable(view)), system=system))
    assert not {c for s in coloured(view, system=system) for c in s.text} & set("█▀▄▌▐░▒▓■")


def test_long_texts_say_what_is_shown(long_trace):
    text = " ".join(as_text(look(long_trace, PATTERN), 80).split())
    assert " of 70. Behind a row: how much of it is not shown." in text
    assert "A window of 84 columns shows all of them. --all shows every row." in text
    large = " ".join(as_text(look(long_trace, PATTERN, head=0), 200).split())
    assert "columns 0–69 of 70" in large
    assert "Shown" not in as_text(look(long_trace, PATTERN, every=True), 200)


def test_a_cache_and_a_batch():
    model, cache = small_gpt(), KVCache()
    model.logits("CBA", cache)
    trace = model.trace("BBC", cache)
    data = facts(look(trace, PATTERN, head=0))
    assert [len([value for value in row if value is not None]) for row in data["values"][0]] == [4, 5, 6]
    assert [place["text"] for place in data["queries"]] == ["B", "B", "C"]
    for name, options in LOOKS:
        assert as_text(look(trace, name, **options))
    batch = model.trace(["CBA", "BBC"])
    for name, options in LOOKS:
        assert as_text(look(batch, name, **options))
        json.dumps(facts(look(batch, name, **options)), allow_nan=False)
    second = facts(attention(batch[PATTERN], text=1))
    assert second["values"][0][2] == batch.tensor(PATTERN)[1, 0, 2].tolist()


def test_steps_have_these_views(trace):
    assert any(isinstance(block, Heatmaps) for block in of_step(trace[PATTERN]).blocks)
    with on_command_line():
        shown = as_text(attention(trace[PATTERN]), 80)
    assert printed(trace[PATTERN]) == shown + "\n"


def test_a_heatmap_takes_no_more_room_than_it_needs():
    heatmap = Cells(np.eye(3, dtype="f"), np.zeros((3, 3), bool), Scale(0, 1), range(3), range(3), list("abc"))
    table = Table.grid()
    table.add_row(heatmap, heatmap)
    shown = "".join(s.text for s in coloured(table, system=None))
    assert shown.splitlines() == ["a  @ . .a  @ . .", "b  . @ .b  . @ .", "c  . . @c  . . @"]


def test_traces_without_some_parts(trace):
    class Bare:
        steps, given, model, tokens = [], {}, "", []

        def __contains__(self, name):
            return False

        def names(self):
            return []

    for name in ("residual", "logits"):
        with pytest.raises(AddressError):
            look(Bare(), name)
