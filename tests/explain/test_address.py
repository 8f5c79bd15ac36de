"""Tokens in addresses that are nearly right, or of which another may have been meant."""

import numpy as np
import pytest
from helpers.cli_run import said
from helpers.printing import as_text
from helpers.small_models import small_gpt

from llmtrace.errors import AddressError
from llmtrace.models import Feedforward, KVCache

pytestmark = pytest.mark.usefixtures("own_state")

TEXTS = ["her", " her", " to", "Her", ",", " Cat"]


@pytest.fixture(scope="module")
def trace():
    return small_gpt(texts=TEXTS).trace([2, 4, 1])


@pytest.mark.parametrize(
    ("address", "near"),
    [
        ('logits[-1, "to"]', "did you mean ' to'?"),
        ('logits[-1, " ,"]', "did you mean ','?"),
        ('logits[-1, "HER"]', "did you mean 'her', ' her', 'Her'?"),
        ('logits[-1, "cat "]', "did you mean ' Cat'?"),
        ('block.0.attn.scores[head=0, query="her", key=0]', "did you mean ' her'?"),
        ('logits[-1, "zebra"]', "give a number from 0 to 5"),
        ('logits[-1, ""]', "give a number from 0 to 5"),
        ('logits[-1, "  "]', "give a number from 0 to 5"),
    ],
)
def test_near_tokens_are_named(trace, address, near):
    with pytest.raises(AddressError) as error:
        trace.explain(address)
    assert str(error.value).endswith(near)


@pytest.mark.parametrize("wrong", [None, 5, ["logits"]])
def test_what_is_no_address_is_said(trace, wrong):
    with pytest.raises(AddressError, match=r"an address is a text such as logits\[-1, 0\], not "):
        trace.explain(wrong)


@pytest.mark.parametrize(
    ("address", "note"),
    [
        ('logits[-1, "her"]', "Note: this is 'her'; there is also ' her'"),
        ('logits[-1, " her"]', "Note: this is ' her'; there is also 'her'"),
        ('logits[-1, vocabulary="her"]', "Note: this is 'her'; there is also ' her'"),
        ('logits[-1, "Her"]', ""),
        ("logits[-1, 0]", ""),
        ('logits[-1, " to"]', ""),
        ('block.0.attn.scores[head=0, query=" her", key=0]', ""),
    ],
)
def test_another_token_with_the_same_letters_is_named(trace, address, note):
    explanation = trace.explain(address)
    text = as_text(explanation)
    assert note in text
    assert bool(note) == ("Note" in text)
    assert "note" not in explanation.to_dict()


def test_apart_from_the_address(trace):
    assert trace.explain("logits", -1, "her").note == "this is 'her'; there is also ' her'"
    assert trace.explain("logits", position=-1, vocabulary="her").note


def test_an_error_that_asks_is_followed_by_the_prompt():
    said("trace", "The king had a child to")
    text = said("explain", 'block.2.attn.scores[0, "to", 3]', code=2)
    assert "did you mean ' to'? prompt: 'The king had a child to' (traced last)" in text
    assert "her'; there is also ' her'" in said("explain", 'logits[-1, "her"]')


def test_a_token_that_is_a_word_needs_no_quotes(trace):
    assert trace.explain("logits[-1, her]").address == trace.explain('logits[-1, "her"]').address
    assert trace.explain("logits[position=-1, vocabulary=Her]").address == trace.explain("logits", -1, "Her").address
    with pytest.raises(AddressError, match="did you mean ' to'"):
        trace.explain("logits[-1, to]")


def test_where_there_is_only_one_place_it_is_taken():
    trace = Feedforward.of(np.array([[1.0, -2.0]], np.float32)).trace(np.array([1, 1], np.float32))
    assert trace.explain("output.sum").address == trace.explain("output.sum[0]").address
    assert trace.explain("output.weight[input=1]").address == trace.explain("output.weight", output=0, input=1).address
    with pytest.raises(AddressError, match="needs input as well"):
        trace.explain("output.weight")


def test_the_address_of_a_place_leads_there(trace):
    for name in trace:
        if trace[name].output.size:
            place = tuple(size - 1 for size in trace.shape(name))
            explanation = trace.explain(trace.address(name, place))
            assert explanation.element.place() == place
            assert explanation.address == trace.address(name, place)


@pytest.mark.parametrize("past", [1, 2, 5])
@pytest.mark.parametrize(
    ("address", "anew"),
    [
        ("block.0.attn.scores[head=0, query=3, key=0]", True),
        ('block.0.attn.scores[head=0, query="zebra", key=0]', True),
        ("block.0.ln_1[position=3, feature=0]", True),
        ("block.0.attn.scores[head=0, query=0, key=99]", False),
        ("block.0.ln_1[position=0, feature=99]", False),
    ],
)
def test_where_places_begin_after_a_cache_is_said(past, address, anew):
    model, cache = small_gpt(texts=TEXTS), KVCache()
    model.trace([3] * past, cache)
    with pytest.raises(AddressError) as error:
        model.trace([2, 4, 1], cache).explain(address)
    count = f"{past} token" if past == 1 else f"{past} tokens"
    assert str(error.value).endswith(f"where 0 is the first token after {count} that the cache had") == anew


def test_places_are_counted_from_the_end_as_far_as_there_are_any():
    trace = small_gpt().trace("CBABBC")
    assert trace.explain("logits[-6, 0]").address == "logits[position=0, vocabulary=0]"
    with pytest.raises(AddressError, match="give a number from 0 to 5"):
        trace.explain("logits[-7, 0]")


def test_a_token_is_looked_for_in_its_own_text():
    batch = small_gpt().trace(["CBA", "ABC"])
    assert [batch.explain(f"logits[{text}, A, B]").address for text in (0, 1)] == [
        f"logits[batch={text}, position={place}, vocabulary=1]" for text, place in ((0, 2), (1, 0))
    ]
