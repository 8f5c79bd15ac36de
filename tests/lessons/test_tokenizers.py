"""The lesson on tokenizers: what it shows is what the tokenizers do."""

import re

import pytest
from helpers.printing import drawn

from llmtrace.errors import LessonError
from llmtrace.lessons import load
from llmtrace.lessons.framework.pages import Pages
from llmtrace.lessons.tokenizers.steps import byte_rows
from llmtrace.tokenizers.training.counting import learn_by_counting
from llmtrace.tokenizers.training.unigram import count
from llmtrace.views.document import Document
from llmtrace.views.figures import TokenRows


@pytest.fixture(scope="module")
def lesson():
    return load("tokenizers")


def test_merges_and_their_counts(lesson):
    wanted = learn_by_counting({word.encode(): times for word, times in lesson.words.items()}, lesson.merges, 2)
    assert [(m.left, m.right, m.count) for m in lesson.bpe.merges] == wanted
    assert lesson.pair["pair.count"].output[0] == lesson.pair_rows[0][2] == wanted[0][2]
    assert lesson.sizes[0] == len(lesson.text)
    for done in (0, 3, lesson.merges):
        tokenizer = load("tokenizers", merges=done or 1).bpe.tokenizer
        assert lesson.sizes[max(done, 1)] == len(tokenizer.encode(lesson.text))


def test_a_pair_is_counted_in_every_word_that_has_it(lesson):
    trace = lesson.pair
    by_word = dict(zip(trace.labels["input"], trace.tensor("words"), strict=True))
    assert all("".join(lesson.pair_rows[0][:2]) in word for word in by_word)
    assert by_word["_cats"] == lesson.words[" cats"]


@pytest.mark.parametrize("character", ["a", "é", "猫", "😀", "\x7f", "߿", "ࠀ", "\U0010ffff"])
def test_a_character_out_of_its_bytes(character):
    trace = load("tokenizers", character=character).code
    assert trace["character.number"].output[0] == ord(character)
    assert [byte for byte, _mark, _rest in byte_rows(trace)] == list(character.encode())
    assert all(byte == mark + rest and rest < 128 for byte, mark, rest in byte_rows(trace))


def test_the_scores_are_those_of_the_tokenizer(lesson):
    for trace, parting in ((lesson.best, lesson.partings[0]), (lesson.other, lesson.partings[1])):
        assert float(trace["parting.score"].output) == parting.score
        assert tuple(trace["parting.logs"].output.tolist()) == parting.scores
    assert lesson.partings[0].score > lesson.partings[1].score


def test_the_expected_counts_are_those_of_training(lesson):
    counts, _likelihood = count({f"▁{lesson.word}": 1}, lesson.first_guess)
    found = dict(zip(lesson.expected.labels["piece"], lesson.expected["expected.counts"].output, strict=True))
    assert found == pytest.approx({piece.replace("▁", "_"): number for piece, number in counts.items()}, rel=1e-12)
    assert lesson.expected.labels["piece"][lesson.end] == lesson.word[-1]


def test_both_tokenizers_part_the_plural(lesson):
    assert lesson.cats == ["cat", "s"]
    assert lesson.unigram.tokenizer.partings(" cats")[0].parts == ("▁cat", "s")
    assert lesson.tokens(lesson.bpe.tokenizer, lesson.sample) != lesson.tokens(lesson.unigram.tokenizer, lesson.sample)


def test_the_vocabulary_of_gpt2(golden):
    lesson = load("tokenizers", gpt2=str(golden / "gpt2-tokenizer"))
    assert len(lesson.real) == 50257
    shown = drawn(Document((lesson.real_shown,)))
    assert "two|_dogs|_and|_the|_bats" in shown
    assert "11545|6844|290|262|19553" in shown
    last = drawn(Pages(lesson)[-3 + len(Pages(lesson))])
    assert "50,257" in last
    assert "huggingface" not in last
    assert "huggingface" in drawn(Pages(load("tokenizers"))[len(Pages(lesson)) - 3])


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({"character": "ab"}, "character must be a single one, not 'ab'"),
        ({"text": ""}, "text must have 1 to 5,000 characters"),
        ({"merges": 0}, "merges must be from 1 to 500, not 0"),
        ({"pieces": 9}, "pieces must be from 2[0-9] to 1000, not 9"),
        ({"word": "cat s"}, "word must be one word"),
        ({"word": "zebra"}, "text must have all that the word 'zebra' .* has no 'z'"),
        ({"text": "catcat"}, "has no ' ', 'h', 's'"),
        ({"text": "a b c hats"}, "nothing can be learned for the word hats"),
    ],
)
def test_wrong_inputs(inputs, message):
    with pytest.raises(LessonError, match=message):
        load("tokenizers", **inputs)


def test_rows_of_tokens_have_bars_and_colours():
    rows = Document((TokenRows({"one": ["the", " cat", "s"], "two": ["猫"]}),))
    assert drawn(rows, color_system=None) == "  one  the|_cat|s\n  two  猫\n"
    coloured = drawn(rows, color_system="256", force_terminal=True, no_color=False)
    assert re.sub(r"\x1b\[[\d;]*m", "", coloured) == drawn(rows, color_system=None)
    assert coloured.count("\x1b[") >= 6
    narrow = drawn(Document((TokenRows({"one": ["abc"] * 20}),)), color_system=None, width=30)
    assert max(map(len, narrow.split("\n"))) <= 30
    assert narrow.replace("one", "").count("abc") == 20
