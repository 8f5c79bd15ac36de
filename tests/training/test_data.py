"""What a model is trained on: windows, each text once in an epoch, nothing of what is held out, documents."""

import math
from dataclasses import replace

import numpy as np
import pytest
from helpers.small_training import TEXT, begun

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
