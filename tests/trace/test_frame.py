"""A tensor as a table of pandas: every number stands where its labels say."""

import builtins

import numpy as np
import pytest
from helpers.small_models import small_gpt

from llmtrace.errors import EditError
from llmtrace.trace.trace import Trace

PROMPT = "CBABBC"


@pytest.fixture(scope="module")
def trace():
    return small_gpt().trace(PROMPT)


def test_without_pandas_it_is_said(trace, monkeypatch):
    really = builtins.__import__

    def without(name, *rest):
        if name == "pandas":
            raise ImportError(name)
        return really(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(EditError, match=r"llmtrace-exact\[pandas\]"):
        trace["logits"].to_pandas()


def test_every_number_stands_at_its_labels(trace):
    """Of every step, weight and leaf, whatever its axes."""
    pytest.importorskip("pandas", reason="pandas is an extra")
    for name in [*trace, *trace.weights, *trace.leaves]:
        numbers, axes, table = trace.tensor(name), trace.axes(name), trace.to_pandas(name)
        assert table.to_numpy().tobytes() == numbers.tobytes()
        if not axes:
            continue
        assert [*table.index.names, *([table.columns.name] if len(axes) > 1 else [])] == list(axes)
        place = tuple(size // 2 for size in numbers.shape)
        labels = [
            at if (token := trace.label(axis, at)) is None else f"{at} {token!r}"
            for axis, at in zip(axes, place, strict=True)
        ]
        found = table.loc[tuple(labels[:-1]) if len(axes) > 2 else labels[0]]
        assert (found if len(axes) == 1 else found[labels[-1]]) == numbers[place]


def test_tokens_name_rows_and_columns(trace):
    pytest.importorskip("pandas", reason="pandas is an extra")
    table = trace["block.1.attn.pattern"].to_pandas()
    assert table.loc[(2, "5 'C'"), "3 'B'"] == trace["block.1.attn.pattern"].output[2, 5, 3]
    assert list(trace["logits"].to_pandas().columns) == ["0 'A'", "1 'B'", "2 'C'"]
    table.iloc[0, 0] = 7  # a copy: the trace stays as it is
    assert trace["block.1.attn.pattern"].output[0, 0, 0] != 7


def test_each_text_of_a_batch_has_its_own_tokens():
    pytest.importorskip("pandas", reason="pandas is an extra")
    trace: Trace = small_gpt().trace(["AB", "CBA"])
    table = trace["logits"].to_pandas()
    assert table.loc[(1, "0 'C'")].to_numpy().tolist() == trace["logits"].output[1, 0].tolist()
    assert table.loc[(0, "0 'A'")].to_numpy().tolist() == trace["logits"].output[0, 0].tolist()
    assert np.isnan(table.to_numpy()).any() == np.isnan(trace["logits"].output).any()
