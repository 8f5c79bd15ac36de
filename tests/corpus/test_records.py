"""What a corpus leaves: an index whose rows are the runs' own numbers, and shards that hold them to the bit."""

import json
import subprocess
import sys

import numpy as np
import pytest
from helpers.small_models import write_folder
from safetensors.numpy import load_file

import llmtrace
from llmtrace import corpus
from llmtrace.corpus.records import COLUMNS, LINES, PARQUET
from llmtrace.corpus.work import SHARDS
from llmtrace.errors import AddressError, CorpusError

PROMPTS = [{"id": f"p{n}", "text": "ABC"[n % 3] * (1 + n % 9)} for n in range(20)] + ["A" * 30]
KEEP = ["block.0.residual_out", "block.1.attn.pattern[head=1]", "logits[position=-1, vocabulary=2]"]


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return llmtrace.load(write_folder(tmp_path_factory.mktemp("models") / "small"))


@pytest.fixture(scope="module")
def report(model, tmp_path_factory):
    return corpus.trace(PROMPTS, model, tmp_path_factory.mktemp("out"), workers=1, keep=KEEP)


def test_rows_have_the_losses_of_the_model(model, report):
    for row, prompt in zip(report.rows[:-1], PROMPTS, strict=False):
        assert row["ids"] == model.ids(prompt["text"]).tolist()
        assert row["tokens"] == len(row["ids"])
        if len(row["ids"]) > 1:
            found = model.surprise(prompt["text"])
            assert (row["total"], row["loss"], row["perplexity"]) == (found.total, found.mean, found.perplexity)
        else:
            assert row["loss"] is None


def test_shards_hold_what_was_asked_for_to_the_bit(model, report):
    for row, prompt in zip(report.rows[:-1], PROMPTS, strict=False):
        kept, trace = load_file(report.folder / SHARDS / row["shard"]), model.trace(prompt["text"])
        expected = [trace.tensor(KEEP[0]), trace.tensor("block.1.attn.pattern")[1], trace.tensor("logits")[-1, 2]]
        for name, array in zip(KEEP, expected, strict=True):
            assert kept[f"{row['id']}/{name}"].tobytes() == array.tobytes()
            assert kept[f"{row['id']}/{name}"].shape == np.shape(array)


def test_a_row_names_a_shard_where_something_was_kept_and_nowhere_else(report):
    kept = [True] * (len(PROMPTS) - 1) + [False]
    assert [bool(row["kept"]) for row in report.rows] == kept
    assert [bool(row["shard"]) for row in report.rows] == kept


def test_a_corpus_that_was_killed_before_it_had_begun_can_begin(model, tmp_path):
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    (tmp_path / f".corpus.json.{ended.pid}.0123456789abcdef.part").write_text("{")
    assert len(corpus.trace(PROMPTS[:2], model, tmp_path, workers=1).rows) == 2
    assert not list(tmp_path.glob(".corpus.json*"))


def test_parquet_and_lines_say_the_same(model, report, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    plain = corpus.trace(PROMPTS, model, tmp_path, workers=1, keep=KEEP)
    assert plain.index == tmp_path / LINES
    lines = [json.loads(line) for line in plain.index.read_text().splitlines()]
    assert lines == list(report.rows) == list(plain.rows)
    assert plain.hash == report.hash
    monkeypatch.undo()
    parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed: llmtrace[parquet]")
    assert corpus.trace(PROMPTS, model, tmp_path, workers=1, keep=KEEP).index == tmp_path / PARQUET
    assert not (tmp_path / LINES).exists()
    table = parquet.read_table(tmp_path / PARQUET)
    assert table.column_names == list(COLUMNS)
    assert table.to_pylist() == lines


@pytest.mark.parametrize("address", ["block.9.ln_1", "logits[", "nothing"])
def test_what_no_run_has_is_refused_before_anything_is_run(model, tmp_path, address):
    with pytest.raises(AddressError):
        corpus.trace(PROMPTS, model, tmp_path / "a", keep=[address])
    assert not (tmp_path / "a").exists()


def test_a_place_that_only_some_runs_have_is_a_reason(model, tmp_path):
    report = corpus.trace(["A", "ABC"], model, tmp_path, workers=1, keep=["ln_f[position=2]"])
    assert [row["status"] for row in report.rows] == ["failed", "done"]
    assert "outside" in report.rows[0]["reason"]


@pytest.mark.parametrize("content", ["", "[]", '{"format": "other"}', "oops"])
def test_a_plan_that_is_none_is_refused(model, tmp_path, content):
    (tmp_path / "corpus.json").write_text(content)
    with pytest.raises(CorpusError, match=r"corpus\.json"):
        corpus.trace(PROMPTS, model, tmp_path)
