"""Learning merges: the compiled loops do what counting everything again after each merge would, in n·log n steps."""

import signal

import pytest
from helpers.fresh import examples
from hypothesis import example, given, settings
from hypothesis import strategies as st

from llmtrace._bpe import PairTable
from llmtrace.tokenizers.byte_symbols import SYMBOLS
from llmtrace.tokenizers.training.bpe import BYTES
from llmtrace.tokenizers.training.counting import learn_by_counting, merge_pair

IDS = [BYTES.index(symbol) for symbol in SYMBOLS]


def compiled(pieces, most, least=1):
    """What the compiled loops learn, in the words of the definition."""
    learnt = PairTable(list(pieces), list(pieces.values()), IDS, least).learn(most)
    symbols = list(BYTES)
    for left, right, _count in learnt:
        symbols.append(symbols[left] + symbols[right])
    return [(symbols[left], symbols[right], count) for left, right, count in learnt]


few = (
    st.binary(max_size=24)
    | st.text("ab", max_size=40).map(str.encode)
    | st.text("abc\u00e9", max_size=40).map(str.encode)
)


@given(st.dictionaries(few, st.integers(1, 5), max_size=12), st.integers(0, 40), st.integers(1, 4))
@example({b"a" * 99: 1}, 40, 1)
@example({b"a" * 7: 1, b"a" * 6: 2, b"ba": 3}, 40, 1)
@example({b"abababa": 1, b"babab": 1}, 40, 1)  # (a, b) and (b, a) are equally frequent
@example({b"aab": 3, b"a": 100, b"": 5}, 3, 3)
@settings(max_examples=examples(400))
def test_the_compiled_loops_do_what_the_definition_says(pieces, most, least):
    assert compiled(pieces, most, least) == learn_by_counting(pieces, most, least)


WORDS = {b" low": 5, b" lower": 2, b" newest": 6, b" widest": 3, b"aaaa": 4}


@pytest.mark.parametrize(
    "plant",
    [
        lambda merges: [(right, left, count) for left, right, count in merges],
        lambda merges: [*merges[:3], merges[4], merges[3], *merges[5:]],
        lambda merges: [(left, right, count - (left == right)) for left, right, count in merges],
        lambda merges: merges[:-1],
    ],
    ids=["sides", "order", "a count", "one missing"],
)
def test_that_comparison_sees_wrong_merges(plant):
    right = learn_by_counting(WORDS, 12)
    assert compiled(WORDS, 12) == right != plant(right)


def test_the_example_of_the_paper():
    """Sennrich, Haddow and Birch, figure 1: low 5, lower 2, newest 6, widest 3 (there with a mark at the end of a word)."""
    learnt = learn_by_counting({b"low": 5, b"lower": 2, b"newest": 6, b"widest": 3}, 3)
    assert learnt == [("e", "s", 9), ("es", "t", 9), ("l", "o", 7)]


def test_of_equal_pairs_the_one_with_older_symbols_is_merged():
    # "ÿ" stands for the byte 255 and is older than "Ā", which stands for the byte 0: the order is that of the characters.
    assert learn_by_counting({b"ba": 1, b"ab": 1}, 1) == [("a", "b", 1)]
    assert learn_by_counting({b"ac": 1, b"ab": 1}, 1) == [("a", "b", 1)]
    assert compiled({b"\0x": 1, b"\xffx": 1}, 1) == [("ÿ", "x", 1)]


def test_a_row_is_merged_from_the_left():
    assert merge_pair(["a", "a", "a"], ("a", "a")) == ["aa", "a"]


def test_merges_come_in_portions():
    table = PairTable(list(WORDS), list(WORDS.values()), IDS, 1)
    parts = [*table.learn(1), *table.learn(0), *table.learn(4), *table.learn(99)]
    assert parts == PairTable(list(WORDS), list(WORDS.values()), IDS, 1).learn(99)
    assert table.learn(5) == []


@pytest.mark.parametrize("word", ["a", "ab", "abcabd", "abcdefgh"])
def test_the_work_grows_like_the_length(word):
    work = []
    for length in (20_000, 40_000, 80_000):
        table = PairTable([(word * (length // len(word))).encode()], [1], IDS, 1)
        table.learn(10_000)
        work.append(table.operations)
    assert work[0] >= 10_000 / 8
    assert work[1] <= 2.2 * work[0]
    assert work[2] <= 2.2 * work[1]


def test_many_pairs_need_larger_tables():
    """More pairs than the hash table and the heap had room for at first."""
    pieces = {
        bytes([left, right]): 1 + (left * 7 + right * 3) % 11 for left in range(256) for right in range(0, 256, 5)
    }
    learnt = compiled(pieces, 99_999)
    assert len(learnt) == len(pieces)
    assert [count for _left, _right, count in learnt] == sorted(pieces.values(), reverse=True)


def test_what_the_table_refuses():
    with pytest.raises(ValueError, match="as many counts"):
        PairTable([b"a"], [], IDS, 1)
    with pytest.raises(ValueError, match="0 to 255"):
        PairTable([b"a"], [1], [0] * 256, 1)
    with pytest.raises(OverflowError):
        PairTable([b"a"], [-1], IDS, 1)


class StopNowError(Exception):
    """What the signal of the next test raises."""


def test_learning_can_be_interrupted():
    def interrupt(signum, frame):
        if table.operations:  # else it has not begun
            signal.setitimer(signal.ITIMER_REAL, 0)
            raise StopNowError

    table = PairTable([b"ab" * 2_000_000], [1], IDS, 1)
    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.002, 0.002)
        with pytest.raises(StopNowError):
            table.learn(99)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert table.operations < 2_000_000
    with pytest.raises(RuntimeError, match="interrupted"):
        table.learn(1)
