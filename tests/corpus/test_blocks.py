"""Blocks of prompts: all in order, of no more work than a second's, and the same ones however many prompts come after."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

import llmtrace
from llmtrace.corpus.blocks import MOST, WORK, blocks, tokens
from llmtrace.corpus.prompts import Item, items

PROMPTS = st.none() | st.text(max_size=60) | st.lists(st.integers(0, 9), max_size=60).map(tuple)
ITEMS = st.lists(PROMPTS, max_size=60).map(lambda all_: [Item(n, str(n), each) for n, each in enumerate(all_, 1)])
WEIGHTS = st.sampled_from([1, WORK // 100, WORK // 20, WORK // 3, WORK, WORK * 9])


@given(ITEMS, WEIGHTS)
def test_blocks_have_all_prompts_and_end_where_the_next_one_is_too_much(given_items, weights):
    found = list(blocks(given_items, weights))
    assert [item for block in found for item in block] == given_items
    work = [sum(tokens(item) for item in block) * weights for block in found]
    for number, block in enumerate(found):
        assert 1 <= len(block) <= MOST
        assert len(block) == 1 or work[number] <= WORK
        if number + 1 < len(found):
            assert len(block) == MOST or work[number] + tokens(found[number + 1][0]) * weights > WORK


@given(ITEMS, ITEMS, WEIGHTS)
def test_more_prompts_change_the_last_block_only(first, more, weights):
    alone, both = list(blocks(first, weights)), list(blocks([*first, *more], weights))
    assert both[: len(alone[:-1])] == alone[:-1]


@pytest.mark.parametrize(
    ("model", "text"),
    [
        ("storyteller", "The king had a child, a girl, and the old lamp will belong to her."),
        ("jielong", "一心一意，意气风发"),
    ],
)
def test_about_so_many_tokens_has_a_text(model, text):
    (item,) = items([text])
    assert 1 / 3 < tokens(item) / len(llmtrace.load(model).ids(text)) < 3


def test_small_prompts_go_together_and_long_ones_of_a_large_model_apart():
    long = [Item(n, str(n), (1,) * 1000) for n in range(40)]
    assert [len(block) for block in blocks(long, 700_000)] == [MOST, MOST, 8]
    assert [len(block) for block in blocks(long, 135_000_000)] == [1] * 40
