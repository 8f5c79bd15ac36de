"""Merging: the compiled loop does what the definition says, in n·log n steps; bytes as symbols."""

import signal
from concurrent.futures import ThreadPoolExecutor

import pytest
from helpers.fresh import SEED, examples
from hypothesis import example, given
from hypothesis import strategies as st

from llmtrace._bpe import MergeTable
from llmtrace.rng import Chance, derive
from llmtrace.tokenizers import ByteLevelBPE, Merge
from llmtrace.tokenizers.byte_symbols import SYMBOLS, bytes_of, symbols_of, visible
from llmtrace.tokenizers.merging import merge_by_rank

LETTERS = "abc"


@st.composite
def merge_lists(draw):
    """Merges of the letters a, b, c, in which later ones use what earlier ones made; or the same in any order."""
    tokens = list(LETTERS)
    merges = []
    for _ in range(draw(st.integers(0, 12))):
        left, right = draw(st.sampled_from(tokens)), draw(st.sampled_from(tokens))
        if (left, right) not in merges:
            merges.append((left, right))
            tokens.append(left + right)
    return draw(st.permutations(merges)) if draw(st.booleans()) else merges


def tokenizer_of(merges, **more):
    vocabulary = {symbol: byte for byte, symbol in enumerate(SYMBOLS)}
    for left, right in merges:
        vocabulary.setdefault(left + right, len(vocabulary))
    return ByteLevelBPE(vocabulary, list(merges), **more)


def definition(tokenizer, text):
    ranks = {pair: rank for rank, pair in enumerate(tokenizer.merges)}
    return merge_by_rank(symbols_of(text.encode()), ranks)


def compiled(tokenizer, text):
    """The same from the compiled loop, in the words of the definition."""
    ids, record = tokenizer._table.record(text.encode())
    assert tokenizer._table.encode(text.encode()) == ids
    symbols = {index: symbol for symbol, index in tokenizer.vocabulary.items()}
    return [symbols[i] for i in ids], [Merge(rank, *tokenizer.merges[rank], where) for rank, where in record]


# Short pieces are searched, long ones go through buckets: lengths on both sides of that border.
@given(merge_lists(), st.text(LETTERS, max_size=32) | st.text(LETTERS, min_size=33, max_size=400))
@example([("a", "a"), ("aa", "aa")], "a" * 99)
@example([("ab", "a"), ("a", "b"), ("b", "a")], "ab" * 40)  # a merge that makes a pair of lower rank than its own
def test_the_compiled_loop_does_what_the_definition_says(merges, text):
    tokenizer = tokenizer_of(merges)
    assert compiled(tokenizer, text) == definition(tokenizer, text)


def any_merges(chance):
    """Up to 24 merges of few letters in any order, so that a merge often makes pairs whose rank has had its turn."""
    tokens = [*LETTERS[: 2 + chance.below(2)]]
    merges = {}
    for _ in range(4 + chance.below(21)):
        pair = chance.choice(tokens), chance.choice(tokens)
        if pair not in merges and len("".join(pair)) <= 8:
            merges[pair] = None
            tokens.append("".join(pair))
    return chance.sample(list(merges), len(merges))


@pytest.mark.parametrize("seed", range(10))
def test_long_texts_with_merges_in_any_order(seed):
    """Pairs leave buckets, batches and the heap in every order: what Hypothesis's mostly short examples do not reach."""
    chance = Chance(derive(SEED, "merges", seed))
    for _ in range(examples(100)):
        tokenizer = tokenizer_of(any_merges(chance))
        text = "".join(chance.choice(LETTERS[:3]) for _ in range(33 + chance.below(200)))
        assert compiled(tokenizer, text) == definition(tokenizer, text), (tokenizer.merges, text)


@pytest.mark.parametrize("plant", [lambda m: m[::-1], lambda m: m[:-1]], ids=["order", "one missing"])
def test_that_comparison_sees_wrong_merges(plant):
    merges = [("a", "b"), ("b", "c"), ("ab", "c")]
    text = "abcabbc" * 9
    assert compiled(tokenizer_of(plant(merges)), text)[1] != definition(tokenizer_of(merges), text)[1]


def test_equal_ranks_go_from_the_left():
    symbols, merges = merge_by_rank("aaa", {("a", "a"): 0})
    assert symbols == ["aa", "a"]
    assert merges == [Merge(0, "a", "a", 0)]


def test_a_pair_listed_twice_has_its_last_rank():
    table = MergeTable([0, 1, 2] + [-1] * 253, [(0, 1, 3), (1, 2, 4), (0, 1, 3)])
    assert table.encode(bytes([0, 1, 2])) == [0, 4]


@pytest.mark.parametrize("text", ["a", "ab", "abc", "aab"])
def test_the_work_grows_like_the_length(text):
    """Twice the length is about twice the work: nothing in the loop is quadratic."""
    merges = [("a", "a"), ("a", "b"), ("aa", "aa"), ("ab", "c"), ("abc", "abc"), ("aaaa", "aaaa"), ("ab", "ab")]
    tokenizer = tokenizer_of(merges)
    work = []
    for length in (40_000, 80_000, 160_000):
        before = tokenizer._table.operations
        tokenizer._table.encode((text * (length // len(text))).encode())
        work.append(tokenizer._table.operations - before)
    assert work[1] <= 2.1 * work[0]
    assert work[2] <= 2.1 * work[1]
    assert work[2] <= 6 * 160_000


def test_the_work_is_counted():
    tokenizer = tokenizer_of([("a", "a")])
    before = tokenizer._table.operations
    tokenizer._table.encode(b"a" * 1000)
    assert tokenizer._table.operations > before + 400


class StopNowError(Exception):
    """What the signal of the next test raises."""


def test_a_long_merge_can_be_interrupted():
    def interrupt(signum, frame):
        raise StopNowError

    tokenizer = tokenizer_of([("a", "b"), ("ab", "ab"), ("abab", "abab")])
    text = b"ab" * 10_000_000
    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.02)
        with pytest.raises(StopNowError):
            tokenizer._table.encode(text)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert tokenizer._table.operations < 10_000_000
    assert compiled(tokenizer, "ab" * 50) == definition(tokenizer, "ab" * 50)


def test_threads_share_a_tokenizer():
    tokenizer = tokenizer_of([("a", "b"), ("ab", "ab"), ("abab", "abab")])
    texts = ["ab" * length for length in range(1, 3000, 40)]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(tokenizer.encode, texts * 3)) == [tokenizer.encode(text) for text in texts] * 3


def test_ids_that_cannot_be():
    with pytest.raises(OverflowError, match="merge 0"):
        MergeTable([-1] * 256, [(0, 1, 2**31)])
    with pytest.raises(ValueError, match="255 ids"):
        MergeTable([0] * 255, [])
    with pytest.raises(KeyError):
        MergeTable([-1] * 256, []).encode(b"a")


def test_the_byte_symbols_are_those_of_gpt2():
    assert len(set(SYMBOLS)) == 256
    assert all(symbol.isprintable() and not symbol.isspace() for symbol in SYMBOLS)
    assert symbols_of(" \n\tcafé".encode()) == "ĠĊĉcafÃ©"
    assert (SYMBOLS[0], SYMBOLS[0xAD]) == ("Ā", "Ń")


@given(st.binary())
def test_symbols_stand_for_bytes(data):
    assert bytes_of(symbols_of(data)) == data


@pytest.mark.parametrize("entry", [" ", "a b", "中", "\xad", "Ġ中", "\n"])
def test_an_entry_with_other_characters_is_its_own_text(entry):
    assert bytes_of(entry) == entry.encode()


@pytest.mark.parametrize(
    ("data", "shown"),
    [
        (b"\xe4\xb8", "<0xE4><0xB8>"),
        (b" \xf0\x9f", " <0xF0><0x9F>"),
        ("中".encode(), "中"),
        (b"\x80a", "<0x80>a"),
        (b"", ""),
    ],
)
def test_parts_of_characters_are_shown(data, shown):
    assert visible(data) == shown
