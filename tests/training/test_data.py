"""What a model is trained on: windows, each text once in an epoch, nothing of what is held out, documents."""

import hashlib
import math
from dataclasses import replace

import numpy as np
import pytest
from helpers.small_training import TEXT, begun
from hypothesis import assume, given
from hypothesis import strategies as st

from llmtrace.errors import TrainingError
from llmtrace.training import LanguageTraining, Windows, split


@pytest.mark.parametrize(("count", "length"), [(100, 7), (64, 8), (65, 8), (9, 8), (17, 8)])
def test_an_epoch_reads_all_windows_once_and_never_the_same_place_twice(count, length):
    windows = Windows(np.arange(count), length, 5)
    for epoch in range(6):
        rows = [windows.batch(epoch * windows.count + i, 1) for i in range(windows.count)]
        assert all((row.targets == row.ids + 1).all() for row in rows)
        read = sorted(int(i) for row in rows for i in row.ids.ravel())
        assert len(set(read)) == len(read) == windows.count * length
        assert read == list(range(read[0], read[0] + len(read)))
        assert read[-1] + 1 < count


def test_over_the_epochs_every_place_is_read():
    windows = Windows(np.arange(50), 7, 1)
    read = {int(i) for n in range(60 * windows.count) for i in windows.batch(n, 1).targets.ravel()}
    assert read | {0} == set(range(50))


def test_batches_do_not_depend_on_what_was_read_before():
    one, other = Windows(np.arange(200), 7, 1), Windows(np.arange(200), 7, 1)
    expected = [one.batch(n, 4) for n in range(30)]
    for n in (29, 3, 17, 0):
        assert (other.batch(n, 4).ids == expected[n].ids).all()
    assert (Windows(np.arange(200), 7, 2).batch(0, 4).ids != expected[0].ids).any()


@pytest.mark.parametrize("starts", [None, np.arange(3, 180, 6)], ids=["a text", "documents"])
def test_no_two_epochs_read_in_the_same_order(starts):
    windows = Windows(np.arange(200), 7, 1, starts)
    orders = {tuple(windows.batch(epoch, windows.count).ids[:, 0] // 7) for epoch in range(20)}
    assert len(orders) == 20
    firsts = {int(windows.batch(epoch, windows.count).ids.min()) for epoch in range(20)}
    assert (len(firsts) > 1) == (starts is None)  # a text is cut at another place each time


def test_which_windows_a_training_reads_stays_as_it_is():
    """A plan says for ever what is read: a training that is gone on with by a later version reads on."""
    digest = hashlib.sha256()
    for starts in (None, np.arange(0, 900, 13)):
        windows = Windows(np.arange(1000), 16, 7, starts)
        for number in range(windows.count // 5 + 4):  # into the second epoch
            digest.update(windows.batch(number, 5).ids.astype("<i8"))
    assert digest.hexdigest() == "8f186bbf8ef003b1606dba52f38cf89aaa76e80909775fa47c9b9f7035099605"


def test_a_window_begins_only_where_a_token_follows_it():
    assert Windows(np.arange(10), 3, 0, np.array([0, 6, 7, 8])).starts.tolist() == [0, 6]


@given(
    st.integers(30, 400), st.integers(2, 12), st.integers(1, 40), st.sets(st.integers(0, 380), min_size=1) | st.none()
)
def test_what_is_measured_on_is_spread_over_the_text(count, length, wanted, beginnings):
    starts = None if beginnings is None else np.array(sorted(beginnings), np.uint64)
    assume(starts is None or (starts < count - length).any())
    windows = Windows(np.arange(count), length, 0, starts)
    possible = np.arange(windows.count) * length if starts is None else starts[starts < count - length].astype(int)
    chosen = windows.evenly(wanted).ids[:, 0]
    places = np.searchsorted(possible, chosen)
    assert (possible[places] == chosen).all()
    assert len(chosen) == min(wanted, len(possible))
    steps = np.diff([*places, len(possible)])  # from each to the next, and from the last to the end
    assert places[0] == 0
    assert steps.max() - steps.min() <= 1
    assert (windows.evenly(wanted).targets == windows.evenly(wanted).ids + 1).all()


@pytest.mark.parametrize("share", [0.1, 0.25, 0.5, 0.37])
def test_where_documents_begin_windows_begin(tmp_path, share):
    """In what is trained on and in what is held out, wherever the two are parted."""
    training = LanguageTraining(begun(tmp_path / "m", separator=". ", context=6, validation=share))
    tokens, starts = training.folder.ids(training.plan), training.folder.starts(training.plan)
    train, held = split(np.arange(len(tokens)), share)
    assert (len(held) / len(tokens)) == pytest.approx(share, abs=0.01)
    training.windows.tokens, training.held.tokens = train, held
    beginnings = set(starts.tolist())
    read = {int(i) for i in training.windows.batch(0, training.windows.count).ids[:, 0]}
    measured = {int(i) for i in training.held.evenly(10**6).ids[:, 0]}
    assert read == {start for start in beginnings if start + 6 < len(train)}
    assert measured == {start for start in beginnings if len(train) <= start and start + 6 < len(tokens)}


def test_held_out_text_is_never_trained_on(tmp_path):
    training = LanguageTraining(begun(tmp_path / "m"))
    train, held = split(np.arange(training.plan.corpus.tokens), 0.1)
    assert len(held) == training.plan.corpus.tokens // 10
    training.windows.tokens = train
    training.held.tokens = held
    seen = {int(i) for n in range(300) for i in np.ravel([*vars(training.windows.batch(n, 5)).values()])}
    measured = training.held.evenly(99)
    assert max(seen) < held[0] <= measured.ids.min()
    assert (measured.ids == training.held.evenly(99).ids).all()


@pytest.mark.parametrize("share", [-0.1, 1.0, math.nan])
def test_shares_that_can_not_be(share):
    with pytest.raises(TrainingError, match="share to measure on"):
        split(np.arange(9), share)


def test_too_little_text(tmp_path):
    with pytest.raises(TrainingError, match="a window needs 17"):
        LanguageTraining(begun(tmp_path / "m", "short"))
    with pytest.raises(TrainingError, match="empty"):
        begun(tmp_path / "n", "")
    assert LanguageTraining(begun(tmp_path / "o", TEXT[:40])).validation() is None


def test_an_earlier_try_with_documents_leaves_no_trace(tmp_path):
    folder = begun(tmp_path / "m", separator=". ")
    assert folder.starts(folder.plan()) is not None
    corpus = folder.encode([tmp_path / "m.txt"], folder.tokenizer())
    assert folder.starts(replace(folder.plan(), corpus=corpus)) is None
    assert not (folder.inner / "tokens.starts").exists()


@pytest.mark.parametrize("content", [None, b"", b"\0" * 13])
def test_without_the_documents_beginnings_nothing_is_trained(tmp_path, content):
    folder = begun(tmp_path / "m", separator=". ")
    starts = folder.inner / "tokens.starts"
    starts.unlink()
    if content is not None:
        starts.write_bytes(content)
    with pytest.raises(TrainingError, match=r"tokens.starts does not hold"):
        LanguageTraining(folder)
