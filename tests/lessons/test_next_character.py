"""Next character: what the nets of the lesson know, and what they cannot know."""

import pytest

from llmtrace.errors import LessonError
from llmtrace.lessons import load
from llmtrace.lessons.next_character.characters import ambiguous_contexts, sufficient_context, window


@pytest.fixture(scope="module")
def lesson():
    return load("next-character")


def test_the_rhyme_is_recited_with_enough_letters_only(lesson):
    assert lesson.best_letter(lesson.taught) == "y"
    assert (lesson.longer, lesson.recited) == (16, lesson.text)
    assert lesson.circles
    assert not lesson.ends


def test_what_cannot_be_known_gets_equal_shares(lesson):
    assert ambiguous_contexts(lesson.text, 12) == {"mpty dumpty ": "sh", "l the kings ": "hm"}
    assert [share for _letter, _score, share in lesson.likeliest(lesson.unsure)[:2]] == pytest.approx(
        [0.5, 0.5], abs=0.01
    )
    assert lesson.short.right == lesson.knowable == len(lesson.text) - 2
    assert lesson.unclear == [("mpty_dumpty_", "s, h"), ("l_the_kings_", "h, m")]


def test_the_longer_net_knows_every_letter_at_the_end_only(lesson):
    right = [row[2] for row in lesson.longer_course]
    assert right[0] < len(lesson.text) // 2
    assert right[-1] == len(lesson.text)
    assert lesson.text.replace(" ", "_").startswith(lesson.longer_course[-1][3])


@pytest.mark.parametrize(("text", "least", "length"), [("abcab.", 1, 3), ("abcd.", 1, 1), ("aab.", 1, 2)])
def test_so_many_letters_are_enough(text, least, length):
    assert sufficient_context(text, least) == length
    assert not ambiguous_contexts(text, length)
    assert length == least or ambiguous_contexts(text, length - 1)


def test_the_gradient_of_a_score_is_the_share_less_the_wanted_one(lesson):
    for _letter, share, wanted, gradient in lesson.wishes:
        assert gradient == pytest.approx(share - wanted)


def test_another_rhyme_is_gone_on_from_its_beginning():
    lesson = load("next-character", rhyme="twinkle twinkle little star how I wonder what you are", letters=9)
    assert (lesson.prompt, lesson.right_letter) == ("twinkle t", "w")
    assert load("next-character", start="all the king").right_letter == "s"


def test_the_oldest_letter_is_dropped():
    assert [window(text, 3) for text in ("", "ab", "abc", "abcd")] == ["   ", " ab", "abc", "bcd"]


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({"letters": 0}, "letters must be from 1 to 30, not 0"),
        ({"steps": 5}, "steps must be from 10 to 5000"),
        ({"rhyme": "???"}, "this one has 1"),
        ({"start": "i like"}, "start must be a part of the rhyme, not 'i like'"),
    ],
)
def test_wrong_inputs(inputs, message):
    with pytest.raises(LessonError, match=message):
        load("next-character", **inputs)
