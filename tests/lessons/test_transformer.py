"""The lesson transformer: what it says of the bundled translator is so."""

import numpy as np
import pytest
from translator import _held

from llmtrace.errors import LlmtraceError
from llmtrace.lessons import load

pytestmark = pytest.mark.usefixtures("own_state")


@pytest.fixture(scope="module")
def lesson():
    return load("transformer")


def test_the_articles_sentence_is_translated(lesson):
    assert lesson.answer == "Where do you live?"
    assert [word for _read, word in lesson.trick] == ["Where", "do", "you", "live", "?", "<end>"]
    assert lesson.trick[1][0] == "Wo wohnst du ? <start> Where"
    assert (lesson.tokens, lesson.shifted) == (4 + 1 + 5 + 1, 3 + 1 + 3 + 1)


def test_the_word_that_is_written_next_looks_at_its_partner(lesson):
    assert (lesson.written[3], lesson.next_word, lesson.looked_at) == ("you", "live", "wohnst")
    assert lesson.meeting.shape == (6, 4)


def test_the_encoder_sees_all_and_is_run_once(lesson):
    assert lesson.both_ways
    assert lesson.last_only
    assert lesson.kept_the_same
    (_, _, none), (_, whole, last) = lesson.work
    assert none == 0 < last < whole
    assert whole == len(lesson.written) * last + lesson.of_source


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_order_of_the_source_does_not_count(seed):
    lesson = load("transformer", seed=seed)
    a, b = lesson.small.tensor("mix"), lesson.other_order.tensor("mix")
    assert a == pytest.approx(b, abs=1e-5)
    assert (np.abs(a[0] - a[1]) > 1e-3).any()


def test_the_figures_are_those_of_the_card(lesson):
    (known, _), (held, joined), (same, behind) = lesson.figures
    assert known >= held == same >= 95
    assert joined >= held - 1 > 50 > behind  # alone it is as good; at places that it has not seen it is lost


def test_they_sing_was_never_read_in_training(lesson):
    assert _held("they", "sing")
    assert not _held("we", "sing")
    assert 0 < lesson.she_right <= 4


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        ({"sentence": "Wo wohnst Peter?"}, "can't write 'Peter\\?'"),
        ({"sentence": " "}, "from 1 to 16 tokens"),
        ({"block": 2}, "block must be from 0 to 1"),
        ({"head": 4}, "head must be from 0 to 3"),
        ({"place": 6}, "place must be from 0 to 5"),
    ],
)
def test_what_can_not_be_is_refused(inputs, said):
    with pytest.raises(LlmtraceError, match=said):
        load("transformer", **inputs)
