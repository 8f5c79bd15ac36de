"""The first number that is not finite is found and named: step, place, and the very term that made it."""

import json
import re
from dataclasses import replace

import numpy as np
import pytest
from helpers.cli_run import run
from helpers.printing import as_text
from helpers.small_models import small_gpt

from llmtrace.errors import PromptError, TrainingError
from llmtrace.explain.not_finite import counted, first_not_finite, first_place, not_finite, said, warning
from llmtrace.models import GPT, Feedforward, KVCache
from llmtrace.training import Settings, Trainer
from llmtrace.views.guided import view as guided
from llmtrace.views.overview import view as overview
from llmtrace.views.step_list import view as step_list


def changed(model, name, place, value):
    """The model with one number of a weight changed."""
    weight = model.weights[name]
    data = weight.data.copy()
    data[place] = value
    model.weights = {**model.weights, name: weight.with_data(data)}
    return model


def test_a_finite_run_has_none():
    assert first_not_finite(small_gpt().trace("CBABBC")) is None


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_weight_is_named_where_it_is_first_used(value):
    found = first_not_finite(changed(small_gpt(), "block.1.mlp.up.weight", (3, 5), value).trace("CBA"))
    assert found.address == "block.1.mlp.up.weight[in=3, out=5]"
    assert found.line is None
    assert said(found).startswith("the first number that is not finite is block.1.mlp.up.weight[in=3, out=5] = ")


def test_an_overflowing_score_is_named_with_its_term():
    model = small_gpt()
    for name in ("block.0.attn.q.weight", "block.0.attn.k.weight"):
        weight = model.weights[name]
        model.weights = {**model.weights, name: weight.with_data(weight.data * np.float32(1e19))}
    with np.errstate(all="ignore"):
        trace = model.trace("CBABBC")
    found = first_not_finite(trace)
    assert found.name == "block.0.attn.scores"
    head, query, key = found.place
    assert key <= query  # a masked place holds −∞ on purpose
    before = np.isfinite(trace.tensor(found.name)[: head + 1].reshape(-1)) | (
        trace.tensor(found.name)[: head + 1] < 0
    ).reshape(-1)
    assert before[: head * 36 + query * 6 + key].all()
    q, k = trace.tensor("block.0.attn.q")[head, query], trace.tensor("block.0.attn.k")[head, key]
    total = np.float32(0)
    with np.errstate(all="ignore"):
        totals = [total := total + a * b for a, b in zip(q, k, strict=True)]
    assert found.term == int(np.isfinite(totals).argmin())
    assert f"term {found.term + 1} of {q.size}" in said(found)
    assert "into ∞" in said(found) or "into −∞" in said(found)


def test_the_term_is_among_those_that_an_explanation_shows():
    """Though many others are larger."""
    x = np.full(40, 1e38, np.float32)
    x[7:] = [-3e38, 3e38] * 16 + [1]
    net = Feedforward.of(np.ones((1, 40), np.float32))
    with np.errstate(all="ignore"):
        trace = net.trace(x)
        line = trace.explain("output.sum", 0).lines[0]
    assert np.isfinite(line.totals()[:3]).all()
    assert not np.isfinite(line.totals()[3])
    assert 3 in line.largest(2)
    assert len(line.largest(2)) == 2


def test_generation_says_where():
    model = changed(small_gpt(), "block.1.mlp.down.weight", (2, 4), np.nan)
    with pytest.raises(
        PromptError, match=r"the first number that is not finite is block\.1\.mlp\.down\.weight\[in=2, out=4\] = NaN"
    ):
        next(model.generate("CBA", 2))


# ---- where it is seen: lists of steps, overviews, explanations, files ----------------------------------------------


@pytest.fixture(scope="module")
def overflown():
    """A run in which q · k overflows in block 1, though all weights are finite."""
    model = small_gpt()
    for name in ("block.1.attn.q.weight", "block.1.attn.k.weight"):
        weight = model.weights[name]
        model.weights = {**model.weights, name: weight.with_data(weight.data * np.float32(2e19))}
    with np.errstate(all="ignore"):
        return model.trace("CBABBC")


def test_the_terms_that_make_it_infinite_and_then_nan_are_shown(overflown):
    """However few are listed, and wherever they stand."""
    scores = overflown.tensor("block.1.attn.scores")
    places = [place for place in np.ndindex(scores.shape) if place[2] <= place[1] and not np.isfinite(scores[place])]
    turned = 0
    for place in places:
        line = overflown.explain("block.1.attn.scores", *place).lines[0]
        totals = line.totals()
        first = int(np.argmax(~np.isfinite(totals)))
        assert first in line.largest(2)
        if np.isnan(totals).any():
            assert int(np.argmax(np.isnan(totals))) in line.largest(1)
            turned += int(np.argmax(np.isnan(totals))) > first
    assert turned


def test_both_terms_are_in_the_sentence():
    with np.errstate(all="ignore"):
        trace = Feedforward.of(np.array([[1, 3e38, 3e38, 5, -3e38, 7]], np.float32)).trace(
            np.array([1, 1, 1, 1, 2, 1], np.float32)
        )
    text = said(first_not_finite(trace))
    assert "term 3 of 6 (1 × 3e+38) makes 3e+38 into ∞" in text
    assert "term 5 of 6 (2 × (−3e+38)) makes ∞ into NaN" in text


def test_lists_count_what_is_not_finite(overflown):
    text = as_text(step_list(overflown), width=80)
    assert warning(overflown) in " ".join(text.split())
    for step in overflown.steps:
        wrong = step.output[not_finite(step.output, step)]
        line = next(line for line in text.split("\n") if line.split()[:1] == [step.name])
        if not wrong.size:
            assert "NaN" not in line
            assert "∞" not in line
        elif wrong.size == step.output.size and np.isnan(wrong).all():
            assert "all NaN" in line
        else:
            for name, kind in (("NaN", np.isnan), ("∞", np.isposinf), ("−∞", np.isneginf)):
                count = int(kind(wrong).sum())
                assert bool(count) == bool(re.search(rf"\b{count} {name}", line))


def test_masked_places_are_not_counted():
    trace = small_gpt().trace("CBABBC")
    scores = trace["block.0.attn.scores"]
    masked = np.array([-np.inf, 1], np.float32)
    assert counted(masked) == "1 −∞"
    assert counted(scores.output, scores) == ""
    assert warning(trace) == ""
    assert "not finite" not in as_text(step_list(trace))


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ([1, 2], ""),
        ([np.nan, np.nan], "all NaN"),
        ([np.inf], "1 ∞"),
        ([np.inf, np.nan, np.nan, 1, -np.inf], "2 NaN, 1 ∞, 1 −∞"),
        ([[np.inf, np.nan]], "1 NaN, 1 ∞"),
    ],
)
def test_how_many_are_not_finite(values, words):
    assert counted(np.array(values, np.float32)) == words


def test_every_look_says_it(overflown, tmp_path):
    for document in (overview(overflown), guided(overflown), step_list(overflown)):
        assert warning(overflown) in " ".join(as_text(document, width=80).split())
    step = as_text(overflown["block.1.attn.mix"], width=80)
    assert "no finite numbers: all NaN" in step


def test_verify_says_it(overflown, tmp_path):
    overflown.save(tmp_path / "nan.trace", with_weights=True)
    result = run("verify", str(tmp_path / "nan.trace"))
    assert "✓ all" in result.stdout
    assert f"Note: {warning(overflown)}" in result.stderr
    told = json.loads(run("verify", str(tmp_path / "nan.trace"), "--json").stdout)
    assert told["not_finite"] == warning(overflown)
    small_gpt().trace("CBA").save(tmp_path / "good.trace", with_weights=True)
    assert json.loads(run("verify", str(tmp_path / "good.trace"), "--json").stdout)["not_finite"] is None


def test_after_a_cache_scores_that_are_seen_count():
    model, cache = small_gpt(), KVCache()
    model.logits(model.tokenizer.encode("CB"), cache=cache)
    step = model.trace("ABBC", cache=cache)["block.0.attn.scores"]
    assert first_place(step.output, step) is None
    scores = step.output.copy()
    scores[1, 0, 2] = -np.inf  # the first query sees the key of its own position, the third of all
    assert first_place(scores, step) == (1, 0, 2)


def scaled_gpt(**changed):
    model = small_gpt()
    return GPT(replace(model.config, **changed), model.weights, model.tokenizer, "scaled")


@pytest.mark.parametrize("changed", [{"divided_by_root": False}, {"divided_by_layer": True}], ids=str)
def test_masked_scores_that_are_scaled_are_no_fault(changed):
    """Nor those of a run that is edited; a trainer names the number that is one."""
    model = scaled_gpt(**changed)
    trace = model.trace("CBABBC")
    assert first_not_finite(trace) is None
    assert warning(trace) == ""
    edited = trace.edited({"block.1.attn.scores[head=0, query=2, key=1]": 0.5})
    assert first_not_finite(edited) is None
    assert any(step.op == "edit" for step in edited.steps)
    wrong = changed_bias(model)
    trainer, ids = Trainer(wrong.weights, Settings()), np.array([[0, 2, 1, 2]])

    def part(run, start):
        return GPT(model.config, trainer.state.weights).loss(run, ids[:, :-1], ids[:, 1:], 3, start)

    with np.errstate(all="ignore"), pytest.raises(TrainingError, match=r"in layer ln_f"):
        trainer.step([part], [1])


def changed_bias(model):
    return changed(model, "ln_f.bias", (3,), np.nan)


def test_masked_places_of_edited_scores_stay_blank():
    trace = small_gpt().trace("CBABBC").edited({"block.0.attn.scores[head=0, query=2, key=1]": 0.5})
    shown = [as_text(trace[f"block.{n}.attn.scores"]) for n in (0, 1)]
    assert all("∞" not in text for text in shown)
