"""What `--json` says: one derivation from the facts of a document, exact, plain, and in ASCII."""

import json
from dataclasses import dataclass

import numpy as np
import pytest
from helpers.looks import LOOKS
from helpers.printing import facts
from helpers.small_models import small_gpt

from llmtrace.render import document_of, render
from llmtrace.render.json import dumps, to_data
from llmtrace.views.catalog import look
from llmtrace.views.document import Document, Number, Paragraph, walk


@dataclass(frozen=True)
class Pair:
    left: object
    right: object


@pytest.fixture(scope="module")
def trace():
    return small_gpt().trace("CBABBC")


def test_everything_by_its_structure():
    array = np.float32([[0.1, np.inf], [np.nan, -np.inf]])
    data = to_data({"a": Pair(array, (1, None)), "b": iter("xy"), "c": lambda: {"d": np.int64(3)}, 4: True})
    assert data == {
        "a": {"left": [[float(np.float32(0.1)), "inf"], ["nan", "-inf"]], "right": [1, None]},
        "b": ["x", "y"],
        "c": {"d": 3},
        "4": True,
    }
    assert to_data(np.float32(0.5)) == 0.5
    assert to_data(float("nan")) == "nan"
    with pytest.raises(TypeError, match="a object is no data"):
        to_data(object())


def test_numbers_are_exact(trace):
    values = trace.tensor("block.0.ln_1")
    assert np.array_equal(np.float32(json.loads(dumps(to_data(values)))), values)


def test_nothing_but_ascii():
    assert dumps("é\x7f\x1b\ud800") == '"\\u00e9\\u007f\\u001b\\ud800"'


@pytest.mark.parametrize(("name", "options"), LOOKS)
def test_facts_are_what_a_document_says_of_itself(trace, name, options):
    document = look(trace, name, **options)
    assert json.loads(render(document, "json")) == json.loads(json.dumps(facts(document)))


@pytest.mark.parametrize(("name", "options"), LOOKS)
def test_blocks_as_data_have_every_number(trace, name, options):
    blocks = look(trace, name, **options).blocks
    data = json.loads(json.dumps(to_data(Document(blocks)), allow_nan=False))

    def numbers(thing):
        if isinstance(thing, list):
            for each in thing:
                yield from numbers(each)
        elif isinstance(thing, dict):
            if thing.get("kind") == "Number":
                yield thing
            for each in thing.values():
                yield from numbers(each)

    found = [(each["text"], each["address"]) for each in numbers(data)]
    assert found == [(each.text, each.address) for each in walk(blocks) if isinstance(each, Number)]
    assert all("kind" in block for block in data["blocks"])


def test_a_document_without_facts_is_its_blocks():
    made = json.loads(render(Document((Paragraph(("a", Number(np.float32(0.5), "0.5"))),)), "json"))
    assert made["blocks"][0]["inlines"] == [
        "a",
        {"kind": "Number", "value": 0.5, "text": "0.5", "role": "", "address": ""},
    ]


def test_an_explanation_can_be_read_back(trace):
    explanation = trace.explain("logits", -1, 0, depth=2)
    assert facts(document_of(explanation)) == explanation.to_dict()
    assert type(explanation).from_dict(json.loads(render(explanation, "json"))).replay() == explanation.value
