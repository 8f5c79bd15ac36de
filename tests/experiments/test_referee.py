"""The referee: planted errors are found at the right step, and named; nothing is named that is not so."""

import re
import shlex

import check_referee
import numpy as np
import pytest
from check_dumps import DOCS
from check_referee import ERRORS, wrong_run
from helpers.printing import as_text
from safetensors.numpy import save_file

import llmtrace
from llmtrace.errors import EditError
from llmtrace.experiments import dumps
from llmtrace.experiments.casts import TYPES, bfloat16
from llmtrace.experiments.causes import FORMULAS, ROUNDINGS
from llmtrace.experiments.referee import _behind, judge
from llmtrace.views.referee import view

RNG = np.random.default_rng(5)
MODEL = check_referee.models(RNG)[1]
IDS = RNG.integers(MODEL.config.vocabulary - 2, size=9)
TRACE = MODEL.trace(IDS.tolist())


def theirs(trace=TRACE):
    return {name: trace.tensor(name) for name in trace}


@pytest.mark.parametrize(
    ("op", "part", "words", "error"), ERRORS, ids=[f"{op}-{words}" for op, _part, words, _error in ERRORS]
)
def test_a_planted_error_is_found_and_named(op, part, words, error):
    names = [step.name for step in TRACE.steps if step.op == op and part in step.name and step.name != "logits"]
    for at in names[:2]:
        found = judge(TRACE, wrong_run(MODEL, IDS, at, error)).first
        assert found.name == at
        assert words in found.cause


def test_right_numbers_are_the_same():
    found = judge(TRACE, theirs())
    assert {each.verdict for each in found.findings} == {"same"}
    assert len(found.findings) == len(TRACE)
    assert found.first is None
    assert as_text(view(found, every=True))


def test_numbers_that_no_cause_gives_are_left_open():
    for seed in range(20):
        rng = np.random.default_rng(seed)
        name = [step.name for step in TRACE.steps if step.output.dtype.kind == "f"][seed * 2]
        wrong = theirs() | {name: TRACE.tensor(name) + rng.standard_normal(TRACE.shape(name)).astype(np.float32)}
        found = next(each for each in judge(TRACE, wrong).findings if each.name == name)
        assert (found.verdict, found.cause) == ("open", "")
    assert "none of the known causes" in as_text(view(judge(TRACE, wrong)))


@pytest.mark.parametrize("words", ["fused multiply-add", "from the last to the first", "the bias added first"])
def test_another_order_of_rounding_is_told_from_an_error(words):
    title = next(title for title in ROUNDINGS["linear"] if words in title)
    name = "block.1.mlp.up"

    def error(operands, settings, weights):
        x, weight, bias = operands["x"], operands["weight"], operands["bias"]
        total = np.zeros((len(x), weight.shape[1]), np.float32)
        if "bias" in words:
            total = total + bias
        for k in range(len(weight))[:: -1 if "last" in words else 1]:
            product = np.float64(x[:, k, None]) * weight[k]
            total = np.float32(total + product) if "fused" in words else total + np.float32(product)
        return total if "bias" in words else total + bias

    found = next(each for each in judge(TRACE, wrong_run(MODEL, IDS, name, error)).findings if each.name == name)
    assert found.verdict == "rounding"
    assert title in found.cause  # alone, or beside BLAS, where that fuses too
    assert found.agree == found.size


def test_every_cause_changes_something():
    """One that gives what the op gives would be named of right numbers that are off by a rounding."""
    situations = {}
    from llmtrace.experiments.referee import _situation

    values = theirs() | {name: TRACE.tensor(name) for name in TRACE.leaves}
    for step in TRACE.steps:
        situations.setdefault(step.op, _situation(TRACE, step.record, values))
    for op, causes in FORMULAS.items():
        if op not in situations:
            continue
        for title, cause in (causes | TYPES).items():
            made = cause(situations[op])
            same = (
                made is not None and made.shape == situations[op].done().shape and (made == situations[op].done()).all()
            )
            assert not same or op in {"embedding", "add"} or title == "ε is 1e-5", (op, title)


# ---- files -----------------------------------------------------------------------------------------------------------


def lens_names(trace):
    """The arrays as TransformerLens names and lays them out."""
    found = {"hook_embed": trace.tensor("embed.token")[None], "tokens": trace.tensor("tokens")[None]}
    for n in range(MODEL.config.blocks):
        for letter in "qkv":
            found[f"blocks.{n}.attn.hook_{letter}"] = np.moveaxis(trace.tensor(f"block.{n}.attn.{letter}"), 0, 1)[None]
        found[f"blocks.{n}.attn.hook_z"] = np.moveaxis(trace.tensor(f"block.{n}.attn.mix"), 0, 1)[None]
        found[f"blocks.{n}.attn.hook_pattern"] = trace.tensor(f"block.{n}.attn.pattern")[None]
        found[f"blocks.{n}.mlp.hook_post"] = trace.tensor(f"block.{n}.mlp.act")[None]
    return found


def transformers_names(trace):
    """The arrays as modules of `transformers` give them."""
    found = {"transformer.wte": trace.tensor("embed.token")[None], "lm_head": trace.tensor("logits")[None]}
    for n in range(MODEL.config.blocks):
        parts = [np.moveaxis(trace.tensor(f"block.{n}.attn.{letter}"), 0, 1) for letter in "qkv"]
        found[f"transformer.h.{n}.attn.c_attn"] = np.concatenate([part.reshape(len(part), -1) for part in parts], -1)[
            None
        ]
        found[f"transformer.h.{n}.mlp.c_fc"] = trace.tensor(f"block.{n}.mlp.up")[None]
        found[f"transformer.h.{n}"] = trace.tensor(f"block.{n}.residual_out")[None]
    return found


@pytest.mark.parametrize("names", [lens_names, transformers_names])
def test_names_of_other_programs_are_understood(names, tmp_path):
    arrays = {name: np.ascontiguousarray(array) for name, array in names(TRACE).items()}
    save_file(arrays, tmp_path / "a.safetensors") if names is transformers_names else np.savez(
        tmp_path / "a.npz", **arrays
    )
    read = dumps.read(next(tmp_path.iterdir()))
    known = dumps.understood(TRACE, read).steps
    count = sum(3 if "c_attn" in name else 1 for name in arrays)
    assert len(known) == count
    assert all((known[name] == TRACE.tensor(name)).all() for name in known)
    assert {each.verdict for each in judge(TRACE, known).findings} == {"same"}


def test_other_tokens_are_seen():
    wrong = theirs() | {"tokens": IDS + 1}
    found = judge(TRACE, wrong)
    assert (found.first.name, found.first.cause) == ("tokens", "other token ids")


def test_a_run_that_was_tampered_with_is_seen():
    wrong = theirs()
    wrong["block.1.mlp.act"] = wrong["block.1.mlp.act"].copy()
    wrong["block.1.mlp.act"][3, 7] += 1
    found = judge(TRACE, wrong)
    assert [each.name for each in found.findings if each.verdict != "same"] == ["block.1.mlp.act", "block.1.mlp.down"]


def test_bad_dumps_are_refused_in_a_line(tmp_path):
    (tmp_path / "no.npz").write_text("no")
    (tmp_path / "folder.npz").mkdir()
    for name, why in [("no", "it is no .npz file"), ("missing", "No such file"), ("folder", "not a regular file")]:
        with pytest.raises(EditError, match=f"can't be read: .*{why}"):
            dumps.read(tmp_path / f"{name}.npz")
    np.savez(tmp_path / "objects.npz", a=np.array([object()], dtype=object))
    with pytest.raises(EditError, match="can't be read"):
        dumps.read(tmp_path / "objects.npz")
    for arrays in ({}, {"x": np.zeros((2, 3))}, {"logits": np.zeros((1, 2))}):
        with pytest.raises(EditError, match="none of these arrays"):
            judge(TRACE, dumps.understood(TRACE, arrays).steps)


def test_bfloat16_is_the_nearest():
    x = np.float32([1, 1.00390625, 1.01171875, -3.1415927, 0, np.inf])
    assert bfloat16(x).tolist() == [1, 1, 1.015625, -3.140625, 0, np.inf]


def test_the_command_judges_a_file(tmp_path):
    from helpers.cli_run import said

    model = llmtrace.load()
    trace = model.trace("The king had a girl.")
    np.savez(tmp_path / "right.npz", **{name: trace.tensor(name) for name in trace})
    text = said("compare", "The king had a girl.", str(tmp_path / "right.npz"))
    assert f"{len(trace)} with the same bits" in text


# ---- what is not in the file -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("op", "part", "words", "error"),
    [each for each in ERRORS if each[0] == "attention_scores"],
    ids=[each[2] for each in ERRORS if each[0] == "attention_scores"],
)
def test_an_error_in_a_step_that_is_not_written_is_named_or_left_open(op, part, words, error):
    name = "block.1.attn.scores"
    wrong = wrong_run(MODEL, IDS, name, error)
    del wrong[name]
    found = judge(TRACE, wrong).first
    if found is not None:  # softmax does not look at later keys, whatever their scores
        assert found.name == "block.1.attn.pattern"
        assert found.cause == "" or (words in found.cause and name in found.cause)
    if "√D" in words:
        assert found.cause


def test_what_is_right_has_no_cause_in_a_step_that_is_not_written():
    for name in TRACE:
        written = theirs()
        del written[name]
        assert judge(TRACE, written).first is None


def test_huge_scores_that_are_not_written_leave_everything_open():
    """What softmax makes of them may be anything: no warning, and nothing is called wrong."""
    written = {
        n: TRACE.tensor(n) * np.float32(300) if "attn.q" in n or "attn.k" in n else TRACE.tensor(n) for n in TRACE
    }
    written |= {"block.1.attn.pattern": TRACE.tensor("block.1.attn.pattern")}
    del written["block.1.attn.scores"]
    found = {each.name: each for each in judge(TRACE, written).findings}
    assert np.isfinite(found["block.1.attn.pattern"].off)


def test_arrays_of_another_shape_are_named_beside_what_was_expected(tmp_path):
    from helpers.cli_run import said

    text, trace = "The king", llmtrace.load().trace("The king")
    heads, turned = trace.tensor("block.0.attn.pattern"), trace.tensor("block.0.attn.q").swapaxes(0, 1)
    np.savez(tmp_path / "some.npz", **{"block.0.attn.pattern": heads, "block.0.attn.q": turned})
    assert "'block.0.attn.q' is float32 [3, 4, 32], and block.0.attn.q is [4, 3, 32]" in " ".join(
        said("compare", text, str(tmp_path / "some.npz"), code=1).split()
    )
    for arrays, words in [
        ({"weights": heads}, "'weights'; expected are names such as block.0.attn.pattern [4, 3, 3]"),
        ({"block.0.attn.q": turned}, "[3, 4, 32], and block.0.attn.q is [4, 3, 32]"),
        ({"logits": np.zeros((3, 767), np.float32)}, "[3, 767], and logits is [3, 768]"),
        ({"logits": np.array([["a"]])}, "is str32"),
        ({"input_ids": np.zeros(3, int)}, "expected are names such as"),
        ({}, "it has no arrays"),
    ]:
        np.savez(tmp_path / "none.npz", **arrays)
        line = said("compare", text, str(tmp_path / "none.npz"), code=2)
        assert words in line
        assert line.count("\n") == 1


@pytest.mark.parametrize("given", [np.float64, np.float16, np.int32])
def test_arrays_of_another_type_are_judged_as_numbers_of_ours(given):
    finite = {name: x if given == np.float64 else np.nan_to_num(x, neginf=-999) for name, x in theirs().items()}
    written = {name: x.astype(np.float64 if x.dtype.kind == "i" else given) for name, x in finite.items()}
    written["tokens"] = TRACE.tensor("tokens").astype(np.float32)
    found = judge(TRACE, dumps.understood(TRACE, written).steps).findings
    assert len(found) == len(TRACE) + 1
    assert found[0].verdict == "same"
    if given == np.float64:
        assert {each.verdict for each in found} == {"same"}


def test_token_ids_that_are_none_of_the_model_are_refused():
    for ids in ([-1] * len(IDS), [MODEL.config.vocabulary] * len(IDS)):
        with pytest.raises(EditError, match=f"this model's from 0 to {MODEL.config.vocabulary - 1}"):
            judge(TRACE, theirs() | {"tokens": np.array(ids)})
    halves = dumps.understood(TRACE, {"tokens": TRACE.tensor("tokens") + 0.5}).steps
    assert halves == {}


def test_the_three_questions_of_the_docs_are_answered(tmp_path, monkeypatch):
    from helpers.cli_run import said

    monkeypatch.chdir(tmp_path)
    section = DOCS.read_text(encoding="utf-8").partition("## Three questions")[2].partition("\n## ")[0]
    exec(re.search(r"```py\n(.*?)```", section, re.DOTALL)[1], {})
    blocks = [block.splitlines() for block in re.findall(r"```sh\n(.*?)```", section, re.DOTALL)]
    answers = [
        [said(*shlex.split(line)[1:], "--width", "120", code="mine.npz" in line) for line in block] for block in blocks
    ]
    assert all(len(block) <= 3 for block in blocks)
    her, head, mine = answers
    assert "block 2: head 2" in her[0]
    assert "' her'" in her[2]
    assert len(head) == 3
    assert "block.0.attn.scores, which is not in the file: divided by D instead of √D" in mine[0]


def test_behind_a_step_stand_those_inputs_that_are_not_written():
    values = {**theirs(), **{name: TRACE.tensor(name) for name in TRACE.leaves}}
    for step in TRACE.steps:
        made_here = {name for name in step.record.inputs if name in TRACE}
        for left_out in [set(), made_here, *({name} for name in made_here)]:
            written = {name: array for name, array in theirs().items() if name not in left_out}
            assert set(_behind(TRACE, step.record, values, written)) == left_out
