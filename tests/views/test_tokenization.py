"""The view of a tokenization: what it shows of long pieces, and how much work that is."""

import time

import pytest
from helpers.printing import as_text
from helpers.small_tokenizer import TOKENIZER

from llmtrace.tokenizers import Piece, UnigramTokenizer
from llmtrace.views.tokenization import FEW_MERGES, view


@pytest.mark.parametrize("count", [2, 4 * (FEW_MERGES - 1), 4 * FEW_MERGES, 4 * (FEW_MERGES + 1), 200])
def test_the_first_merges_and_the_last(count):
    """Of every four letters ("hell") three merges are made; --all shows each of them."""
    tokenization = TOKENIZER.explain("hell" * (count // 4) + "he" * (count % 4 // 2))
    (piece,) = tokenization.different
    made = len(piece.merges)
    short, whole = (repr(view(tokenization, every=every)) for every in (False, True))
    assert whole.count("   merge ") == made
    assert short.count("   merge ") == min(made, FEW_MERGES)
    assert (f"… {made - FEW_MERGES} more merges" in short) == (made > FEW_MERGES)


def test_the_states_are_those_of_every_merge():
    (piece,) = TOKENIZER.explain("hellohell").different
    every = list(piece.states())
    assert len(every) == len(piece.merges)
    for wanted in ({0}, {2, 5}, set()):
        assert list(piece.states(wanted)) == [every[done] for done in sorted(wanted)]


def test_a_long_piece_is_worked_through_once(monkeypatch):
    """Not once for every merge: four times as long a piece is four times the work, not sixteen times."""
    joined = 0
    between = Piece._symbols_between

    def counted(piece, ends):
        nonlocal joined
        joined += len(ends)
        return between(piece, ends)

    monkeypatch.setattr(Piece, "_symbols_between", counted)
    letters = 100_000
    start = time.process_time()
    view(TOKENIZER.explain("hell" * (letters // 4)))
    assert joined < (FEW_MERGES + 5) * letters
    assert time.process_time() - start < 20


def test_scores_below_nought_stand_in_brackets():
    """As in all sums: but for the first one."""
    tokenizer = UnigramTokenizer([("ab", -1.5), ("c", -2.0), ("a", -4.0), ("b", -4.0)])
    shown = as_text(view(tokenizer.explain("abc")))
    assert "−4 + (−4) + (−2) = −10" in shown
