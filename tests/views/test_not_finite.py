"""Whoever shows a number that is not finite names the first one of its run: step, place and term."""

import json

import numpy as np
import pytest
from helpers.cli_run import run
from helpers.small_models import small_gpt, write_folder
from safetensors.numpy import load_file, save_file

from llmtrace import corpus, load
from llmtrace.explain.not_finite import first_not_finite, said, warning

PROMPT = "CBABBC"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A model whose weights are finite, and in which q · k overflows in block 1."""
    folder = write_folder(tmp_path_factory.mktemp("overflown") / "model", context=6)
    arrays = load_file(folder / "model.safetensors")
    arrays["h.1.attn.c_attn.weight"] *= np.float32(2e19)
    save_file(arrays, folder / "model.safetensors")
    return folder


@pytest.fixture(scope="module")
def first(folder):
    """The sentence about the first one."""
    sentence = warning(load(folder).trace(PROMPT))
    assert sentence.startswith("the first number that is not finite is block.1.attn.scores[head=")
    assert "in its sum, term " in sentence
    return sentence


@pytest.mark.parametrize(
    "words",
    [
        ["surprise", PROMPT],
        ["compare", PROMPT, "CBA"],
        ["what-if", PROMPT, "--set", "block.0.attn.q[0,0,0]=2"],
        ["accuracy", PROMPT],
        ["trace", PROMPT],
        ["generate", PROMPT],
        ["ledger", PROMPT],
        *(
            ["show", *name.split(), "--prompt", PROMPT]
            for name in [
                "logits",
                "probabilities --position 2",
                "block.1.attn.pattern",
                "block.1.attn.pattern --head 1",
                "block.1.mlp.up --neuron 3",
                "residual",
                "ln_f",
            ]
        ),
    ],
    ids=" ".join,
)
def test_every_command_names_it(folder, first, words):
    result = run(*words, "--model", str(folder), code=None)
    assert not isinstance(result.exception, ValueError | TypeError | ArithmeticError)
    assert first in " ".join((result.stdout + result.stderr).split())


def test_a_page_names_it(folder, first, tmp_path):
    result = run("page", PROMPT, "-o", str(tmp_path / "p.html"), "--model", str(folder))
    assert f"Note: {first}" in result.stderr


@pytest.mark.parametrize("words", [["surprise", "CBA"], ["accuracy", "CBA"], ["show", "logits", "--prompt", "CBA"]])
def test_of_finite_numbers_nothing_is_said(words, tmp_path):
    result = run(*words, "--model", str(write_folder(tmp_path / "model")))
    assert "not finite" not in result.stdout


def test_what_has_no_finite_number_has_no_error(folder):
    told = json.loads(run("accuracy", PROMPT, "--model", str(folder), "--json").stdout)
    shares = {step["name"]: step["propagated"] for step in told["steps"]}
    assert shares["block.1.attn.k"] < 1e-6
    assert shares["logits"] == shares["block.1.mlp.up"] == "nan"
    assert told["largest"]["propagated"] == max(share for share in shares.values() if share != "nan")


# ---- surprise ---------------------------------------------------------------------------------------------------------


def test_in_a_later_window_its_run_is_searched_whole():
    """And what stood before it, which a cache would hold without its steps."""
    model = small_gpt(context=4)
    for name in ("block.0.attn.q.weight", "block.0.attn.k.weight"):
        weight = model.weights[name]
        model.weights = {**model.weights, name: weight.with_data(weight.data * np.float32(5.7361527e18))}
    found = model.surprise("BBBBBBACAC", 1)
    wrong = 1 + int(np.flatnonzero(~np.isfinite(found.losses))[0])
    window = found.windows[found.window_of(wrong)]
    assert window.start > 0
    run_of = model.trace([int(i) for i in found.ids[window.start : window.end]])
    assert said(found.not_finite()) == warning(run_of)


def test_of_a_long_text_those_without_a_number_are_listed_first(folder):
    table = run("surprise", PROMPT * 20, "--model", str(folder)).stdout
    assert "these 40 surprise most" in table
    assert "█" not in table


def test_a_perplexity_beyond_all_numbers_is_named():
    """All losses are finite; e to the power of their mean is not."""
    model = small_gpt()
    weight = model.weights["ln_f.gain"] if "ln_f.gain" in model.weights else model.weights["ln_f.weight"]
    model.weights = {**model.weights, weight.name: weight.with_data(weight.data * np.float32(1e4))}
    found = model.surprise(PROMPT)
    assert np.isfinite(found.losses).all()
    assert found.not_finite() == first_not_finite(found.trace())
    assert said(found.not_finite()).startswith("the first number that is not finite is surprise.perplexity = ∞")


# ---- corpora ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("keep", [[], ["block.0.attn.q"]])
def test_a_row_of_a_corpus_has_it(folder, first, tmp_path, keep):
    report = corpus.trace(
        [{"id": "p", "text": PROMPT}, {"id": "q", "text": "A"}], folder, tmp_path / "c", workers=1, keep=keep
    )
    assert [row["status"] for row in report.rows] == ["done", "done"]
    assert report.rows[0]["reason"] == first
    assert report.rows[1]["reason"] == warning(load(folder).trace("A"))


def test_the_report_of_a_corpus_lists_them(folder, first, tmp_path):
    (tmp_path / "prompts.jsonl").write_text(json.dumps({"id": "p", "text": PROMPT}) + "\n")
    words = ["corpus", str(tmp_path / "prompts.jsonl"), "-o", str(tmp_path / "c"), "--model", str(folder)]
    words += ["--workers", "1"]
    shown = " ".join(run(*words).stdout.split())
    assert "1 of 1 prompt ran" in shown
    assert first in shown
    told = json.loads(run(*words, "--json").stdout)
    assert [row["reason"] for row in told["not_finite"]] == [first]
    assert not told["not_done"]
