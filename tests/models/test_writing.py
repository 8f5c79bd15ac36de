"""Texts that end a generation are found wherever they stand, and NumPy's whole numbers are ordinary ones."""

from copy import copy
from itertools import product

import numpy as np
import pytest
from helpers.fresh import some
from hypothesis import given
from hypothesis import strategies as st

import llmtrace
from llmtrace.errors import PromptError
from llmtrace.models import Sampling
from llmtrace.models.writing import Writing
from llmtrace.rng import uniform


class Letters:
    """A tokenizer whose tokens are given texts, as bytes."""

    def __init__(self, texts):
        self.texts = texts

    def decode_bytes(self, ids):
        return b"".join(self.texts[i].encode() for i in ids)


@given(
    st.lists(st.text("ab ", max_size=4), max_size=12),
    st.lists(st.text("ab ", min_size=1, max_size=9), min_size=1, max_size=3),
)
def test_a_stop_is_found_at_the_token_that_completes_it(texts, stops):
    writing, whole = Writing(Letters(texts), stops), ""
    for n, text in enumerate(texts):
        whole += writing.add(n, text)
        assert (writing.stopped is not None) == any(stop in whole for stop in stops)
        if writing.stopped:
            assert writing.stopped in whole
            return


def test_a_copy_goes_on_on_its_own():
    """With the half of a character that was there, too."""

    class Bytes:
        decode_bytes = bytes

    first, second = "é".encode()
    writing = Writing(Bytes(), ["é!"])
    assert writing.add(first, "") == ""
    other = copy(writing)
    assert [other.add(second, ""), other.add(33, "")] == ["é", "!"]
    assert (len(other), other.stopped, len(writing), writing.stopped) == (3, "é!", 1, None)
    assert [writing.add(second, ""), writing.add(32, "")] == ["é", " "]
    assert writing.stopped is None


def test_every_stop_cut_out_of_a_story_is_found():
    model = llmtrace.load()
    story = "".join(choice.written for choice in model.generate("Once upon a time", 12, Sampling(temperature=0)))
    for start, length in some(product(range(0, len(story), 7), (2, 5, 8, 13, 20)), 13):
        stop = story[start : start + length]
        generation = model.generate("Once upon a time", 12, Sampling(temperature=0), stop=stop)
        written = "".join(choice.written for choice in generation)
        assert generation.stopped == stop
        assert stop in written
        assert story.startswith(written)


@pytest.mark.parametrize("kind", [np.int8, np.int64, np.uint16])
def test_numpy_s_whole_numbers(kind):
    model = llmtrace.load()
    plain = [c.id for c in model.generate("The king", 3, Sampling(seed=3, top_k=5))]
    assert [c.id for c in model.generate("The king", 3, Sampling(seed=kind(3), top_k=kind(5)))] == plain
    assert (uniform(kind(3), kind(2)) == uniform(3, 2)).all()


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64, np.int64])
@pytest.mark.parametrize("temperature", [0, 1, 0.75])
def test_numpy_s_numbers(kind, temperature):
    model, given = llmtrace.load("tiny"), kind(temperature)
    plain = Sampling(float(given), top_p=float(kind(1)), repetition_penalty=float(kind(1)))
    found = Sampling(given, top_p=kind(1), repetition_penalty=kind(1))
    assert found == plain
    assert repr(found) == repr(plain)
    assert [c.id for c in model.generate("a cat", 3, found)] == [c.id for c in model.generate("a cat", 3, plain)]


def test_what_a_setting_may_be_is_said():
    with pytest.raises(
        PromptError, match="the temperature 1e-38 is too small for a float32; 0 takes always the likeliest token"
    ):
        Sampling(temperature=1e-38)
    for wrong in ({"temperature": "a"}, {"temperature": None}, {"top_p": "x"}):
        with pytest.raises(PromptError, match=" is a number, not "):
            Sampling(**wrong)
    with pytest.raises(PromptError, match="not inf"):
        Sampling(temperature=10**400)
    with pytest.raises(PromptError, match=r"the seed must be a whole number, not 1\.5"):
        Sampling(seed=1.5)
    with pytest.raises(PromptError, match=r"top-k must be a whole number"):
        Sampling(top_k=np.float32(2))
