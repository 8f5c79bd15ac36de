"""`llmtrace trace` as a guided read: the whole picture on one screen, one place of it, in words, through a pager."""

import itertools
import json
import re

import numpy as np
import pytest
from helpers.cli_run import said
from helpers.fresh import some
from helpers.printing import as_text, facts, printed
from helpers.small_models import small_gpt, write_folder
from rich.cells import cell_len

import llmtrace
from llmtrace.errors import AddressError
from llmtrace.explain.describe import what
from llmtrace.models import KVCache
from llmtrace.ops import OPS, Weight, by_name
from llmtrace.render import renderable
from llmtrace.trace import Run, Trace
from llmtrace.views.next_token import view as next_token
from llmtrace.views.overview import view as overview
from llmtrace.views.residual_stream import norms

pytestmark = pytest.mark.usefixtures("own_state")

LONG = "CBABBCBCBCA"


@pytest.fixture(scope="module")
def trace():
    return small_gpt().trace("CBABBC")


# ---- the whole picture ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("prompt", ["A", LONG])
@pytest.mark.parametrize("blocks", [1, 3, 12, 13, 40])
def test_the_overview_is_one_screen(blocks, prompt):
    screen = overview(small_gpt(blocks=blocks).trace(prompt))
    lines = as_text(screen, 80).splitlines()
    assert len(lines) <= 23  # of 24 lines a pager needs one
    assert all(cell_len(line) <= 80 for line in lines)
    shown = [line.split()[1] for line in lines if line.startswith("block ")]
    if blocks <= 12:
        assert shown == [str(n) for n in range(blocks)]
    else:
        assert shown[0] == "0"
        assert shown[-1] == str(blocks - 1)
        assert any(
            line.startswith("…") and f"{blocks - len(shown)} blocks more: .show(layer=" in line for line in lines
        )


def test_the_overview_of_long_tokens_is_one_screen():
    texts = [f" {'word' * 8}{i}" for i in range(30)]
    trace = small_gpt(texts=texts, blocks=12, context=60).trace([i % 30 for i in range(60)])
    lines = as_text(overview(trace), 80).splitlines()
    assert len(lines) <= 23
    assert "…" in lines[0] + lines[1]


@pytest.mark.parametrize("position", [None, 2, -2])
def test_the_overview_says_what_is_recorded(trace, position):
    data, at = facts(overview(trace, position)), 5 if position is None else position % 6
    assert (data["position"], data["text"]) == (at, "CBABBC"[at])
    inside = [stage for stage in data["stages"] if stage["block"] is not None]
    for n, stage in enumerate(inside):
        assert stage["attention_adds"] == float(norms(trace.tensor(f"block.{n}.attn.out")[at]))
        assert stage["mlp_adds"] == float(norms(trace.tensor(f"block.{n}.mlp.down")[at]))
        assert stage["norm"] == float(norms(trace.tensor(f"block.{n}.residual_out")[at]))
        pattern = trace.tensor(f"block.{n}.attn.pattern")[:, at]
        look = stage["looks_at"]
        assert look["share"] == float(pattern.max()) == float(pattern[look["head"], look["key"]])
        token = f"{'CBABBC'[look['key']]!r} ({look['key']})"
        assert re.search(rf"^block {n} +{re.escape(token)} \d+ %, head {look['head']} ", text_of(trace, position), re.M)
    assert data["next_token"] == facts(next_token(trace, position, count=3))["next_token"]
    biggest = max((stage[key], stage["block"], word) for stage in inside for key, word in ADDED)
    assert f"{biggest[2]} of block {biggest[1]} adds most." in text_of(trace, position)


ADDED = (("attention_adds", "The attention"), ("mlp_adds", "The MLP"))


def test_the_overview_says_what_each_part_adds_where_layer_norm_follows_the_sum():
    trace = llmtrace.load("translator").trace("Wo wohnst du?")
    parts = {"attention_adds": "attn.out", "source_adds": "cross.out", "mlp_adds": "mlp.down", "norm": "ln_3"}
    for position, n in itertools.product((0, 5), (0, 1)):
        stage = facts(overview(trace, position))["stages"][1 + n]
        for key, name in parts.items():
            assert stage[key] == float(norms(trace.tensor(f"decoder.block.{n}.{name}")[position])), (n, key)
    screen = as_text(overview(trace), 100)
    assert re.search("attention adds +source adds +MLP adds +row length", screen)
    assert "because layer norm follows every sum. The MLP of block 1 adds most." in " ".join(screen.split())
    assert "source adds" not in text_of(small_gpt().trace("CBABBC"), None)


def text_of(trace, position):
    return as_text(overview(trace, position), 80)


def test_numbers_that_are_not_finite_do_not_matter():
    model = small_gpt(blocks=1)
    table = model.weights["embed.token.weight"]
    data = table.data.copy()
    data[0], data[1] = np.nan, np.inf
    new = table.with_data(data)
    model.weights = {name: new if weight is table else weight for name, weight in model.weights.items()}
    for ids in ([0], [1], [2, 0], [0, 1, 2], [2, 2, 2]):
        assert "next token" in printed(model.trace(ids), every=True)


# ---- in words -------------------------------------------------------------------------------------------------------


def test_every_step_says_what_it_is(trace):
    assert all(what(trace, step.name) for step in trace.steps)
    assert all(OPS[step.op].how for step in trace.steps)
    text = " ".join(printed(trace).split())
    for name in trace:
        assert f" {name}: " in text
    assert (
        "each a weighted sum of the 12 numbers in a row of block.0.ln_1, plus a bias op: linear_to_heads; weights: "
        in text
    )
    assert "made like block.0.attn.q, with weights of its own" in text
    assert "a row of ln_f op: linear; weights: embed.token.weight 3 × 12" in text
    assert text.count("Each asks a question") == 1


@pytest.mark.parametrize("position", [-1, 2])
def test_numbers_are_those_at_their_addresses(trace, position):
    """The numbers below `[position=5, feature=0…5]` are the ones that `llmtrace explain` finds there."""
    lines, name, found = printed(trace, position=position).splitlines(), "", 0
    for n, line in enumerate(lines):
        if title := re.match(r"  ([\w.]+): ", line):
            name = title[1]
        if place := re.fullmatch(r"    \[(.*)=(\d+)…(\d+)\]", line):
            below = lines[n + 1] if re.search(r"\.\d", lines[n + 1]) else lines[n + 2]
            numbers = below.replace("…", "").replace("−", "-").split()
            assert len(numbers) == int(place[3]) - int(place[2]) + 1
            for i, number in enumerate(numbers):
                value = trace.explain(f"{name}[{place[1]}={int(place[2]) + i}]").value
                assert float(number) == pytest.approx(float(value), abs=6e-4)
                found += 1
    assert found > 100


def test_the_example_below_the_overview_can_be_explained(trace):
    (address,) = re.findall(r'llmtrace explain "(.*)"', printed(trace))
    trace.explain(address).replay()


def test_many_tokens_show_those_that_count_most():
    trace = small_gpt(context=40).trace("CAB" * 13)
    pattern = trace.tensor("block.1.attn.pattern")[2, 30]
    best = sorted(np.argsort(-pattern, kind="stable")[:6])
    text = printed(trace, layer=1, head=2, position=30)
    assert "".join(f"{f'{i} ' + repr('CAB'[i % 3]):>10}" for i in best).strip() in text


# ---- one place ------------------------------------------------------------------------------------------------------


def test_one_layer(trace):
    text = printed(trace, layer=1)
    assert "block.0.attn" not in text
    assert "looks most at one" in text
    assert "The tokens exchange information" in text
    assert "next token" not in text


def test_one_head_at_one_position(trace):
    text = printed(trace, layer=1, head=2, position=3)
    names = re.findall(r"^  ([\w.]+): ", text, re.MULTILINE)
    assert names == [f"block.1.attn.{name}" for name in ("q", "k", "v", "scores", "pattern", "mix")]
    explained = re.findall(r"^      (block\S+\[head.*\]) = .*same bits$", text, re.MULTILINE)
    assert [address.partition("[")[0] for address in explained] == names
    assert all("head=2" in address and re.search("(position|query)=3", address) for address in explained)
    assert text == printed(trace, layer=1, head=2, position=-3)


def test_one_position(trace):
    text = printed(trace, position=1)
    assert "after 'B', at place 1" in text
    assert "'B' (1) looks most at" in text
    assert "position=5" not in text
    with pytest.raises(AddressError, match="no position 6: they go from 0 to 5"):
        renderable(trace, position=6)


# ---- batches, and traces that go on with a cache --------------------------------------------------------------------


CATS = ["The cat sat", "The dog sat"]


@pytest.mark.parametrize("options", [{}, {"every": True}, {"layer": 1, "head": 2, "position": 0}])
def test_a_batch_fits_the_page(options):
    trace = small_gpt(texts=["The", " cat", " dog", " sat"]).trace([[0, 1, 3], [0, 2, 3]])
    for width in some([30, 60, 80, 200], 2):
        assert all(cell_len(line) <= width for line in printed(trace, width, **options).splitlines()), width


def test_a_batch():
    model = llmtrace.load()
    trace = model.trace(CATS)
    text = printed(trace)
    assert text.count("reads 5 tokens") == text.count("(4) looks most at") == 2
    second = facts(overview(trace, text=1))
    assert second["next_token"] == facts(overview(model.trace(CATS[1])))["next_token"]
    assert second["stages"] == facts(overview(model.trace(CATS[1])))["stages"]
    assert "and 2 texts more" in printed(model.trace(3 * CATS))


def test_a_trace_that_goes_on():
    model, cache = llmtrace.load(), KVCache()
    model.logits("The cat", cache)
    trace = model.trace(" sat", cache)
    whole = facts(overview(model.trace("The cat sat")))
    found = facts(overview(trace))
    assert (found["stages"], found["next_token"]) == (whole["stages"], whole["next_token"])
    assert found["position"] == 1
    text = printed(trace, every=True)
    assert text.startswith("storyteller reads 2 tokens, after 3: ' s' 'at'\n")
    assert "'at' (4) looks most at" in text
    assert "after 'at', at place 4" in text
    assert re.search(r"block\.0\.attn\.keys\[head=\d, key=\d", text)
    printed(trace, layer=1, head=2, position=0)


def test_a_batch_that_goes_on():
    model, cache = llmtrace.load(), KVCache()
    model.logits(CATS, cache)
    text = printed(model.trace([" on", " had"], cache), every=True)
    assert "' had' (5) looks most at" in text


def test_a_trace_of_ops_of_ones_own():
    weights = by_name([Weight("hidden.weight", np.ones((2, 3), np.float32), ("in", "out"))])
    trace = Trace(weights)
    with Run(weights, trace) as run:
        row = run.leaf("x", np.array([[3, 5]], np.float32), ("example", "feature"))
        run("act", OPS["tanh"], run("hidden", OPS["linear"], row))
        run("one", OPS["relu"], run.leaf("number", np.array(2, np.float32), ()))
    text = printed(trace, every=True)
    assert "each a weighted sum of the 2 numbers in a row of x" in text
    assert "act[example=0, feature=0] = " in text
    assert "tokens" not in text
    assert "Now layer by layer" not in printed(Trace({}))


# ---- the command line -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return str(write_folder(tmp_path_factory.mktemp("guided") / "model"))


def test_options(folder, tmp_path):
    options = ["--layer", "1", "--head", "2", "--position", "-3"]
    assert said("trace", "CBABBC", "--model", folder, *options) == said(
        "trace", "CBABBC", "--model", folder, "--no-pager", "--layer", "1", "--head", "2", "--position", "3"
    )
    for command in (
        ["trace"],
        ["explain", "logits[0, 0]", "--prompt"],
        ["explain", "ln_f[0, 0]", "--exact", "--prompt"],
    ):
        text = said(*command, "CBABBC", "--model", folder, "--ascii")
        assert text.isascii()
        assert "\\u" not in text
    assert said("explain", "logits[0, 0]", "--ascii").startswith(
        "prompt: 'CBABBC' (traced last, with model)\n\nlogits["
    )
    assert json.loads(said("trace", "CBABBC", "--model", folder, "--json"))["next_token"][0]["id"] in {0, 1, 2}


ERRORS = [
    (["--layer", "2"], "no block 2; its blocks are 0 to 1"),
    (["--head", "1"], "--head 1 needs --layer as well, the block of the head; its blocks are 0 to 1"),
    (["--layer", "1", "--head", "3"], "block 1 has no head 3; its heads are 0 to 2"),
    (["--position", "6"], "no position 6: they go from 0 to 5"),
    (["--position", "-7", "--json"], "no position -7: they go from 0 to 5"),
]


@pytest.mark.parametrize(("arguments", "message"), ERRORS)
def test_errors_are_one_line(folder, tmp_path, arguments, message):
    file = tmp_path / "a.trace"
    text = said("trace", "CBABBC", "--model", folder, "-o", str(file), *arguments, code=2)
    assert text.startswith("Error: ")
    assert message in text
    assert text.count("\n") == 1
    assert not file.exists()
