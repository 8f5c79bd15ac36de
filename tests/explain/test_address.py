"""Tokens in addresses that are nearly right, or of which another may have been meant."""

import pytest
from helpers.cli_run import said
from helpers.printing import as_text
from helpers.small_models import small_gpt

from llmtrace.errors import AddressError

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
