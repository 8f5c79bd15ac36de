"""Training as a library: settings, windows, optimisers to the bit, checkpoints, and numbers that are no longer finite."""

import json
import math
from pathlib import Path

import numpy as np
import pytest

from llmtrace.errors import DoesNotFitError, TrainingError
from llmtrace.models import GPTConfig
from llmtrace.ops import Weight
from llmtrace.testing import expect_same_bits
from llmtrace.training import (
    LanguageTraining,
    Plan,
    Settings,
    State,
    TrainingFolder,
    Windows,
    encode_files,
    must_fit,
    new_tokenizer,
    split,
)
from llmtrace.training.room import weights_of
from llmtrace.training.settings import power

TEXT = "The king had a child, a girl. The queen had a child, a boy. " * 40
F = np.float32


def begun(path, text=TEXT, separator="", context=16, batch=5, vocabulary=None, **settings):
    """The folder of a small training, ready to go."""
    folder, file = TrainingFolder(path), Path(path).with_suffix(".txt")
    file.write_text(text)
    folder.inner.mkdir(parents=True)
    tokenizer = new_tokenizer([file], vocabulary)
    count = encode_files([file], tokenizer, folder.inner / "tokens", separator)
    settings = Settings(**{"steps": 6, "warmup": 2, "rate": 3e-3, **settings})
    model = GPTConfig(len(tokenizer), context, 8, 2, 1, 32)
    folder.begin(Plan(model, settings, batch, 0.1, separator, count), tokenizer)
    return folder


def weights(training):
    return {weight.name: weight.data.copy() for weight in training.trainer.state.weights.values()}


def expect_same(one, other):
    assert one.keys() == other.keys()
    for name, data in one.items():
        expect_same_bits(data, other[name], name, "")


# ---- settings --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "wrong",
    [
        {"steps": 0},
        {"rate": -1.0},
        {"rate": math.nan},
        {"rate": math.inf},
        {"dropout": 1.0},
        {"momentum": 1.0},
        {"warmup": -1},
        {"seed": -1},
        {"seed": 1 << 31},
        {"optimiser": "magic"},
        {"schedule": "magic"},
        {"clip": math.nan},
        {"rate": -1},
        {"rate": "fast"},
        {"steps": 1.5},
        {"decay": 10**400},
    ],
)
def test_settings_that_can_not_be(wrong):
    with pytest.raises(TrainingError, match=f"{next(iter(wrong))} can't be"):
        Settings(**wrong)


def test_the_learning_rate():
    s = Settings(steps=11, warmup=2, rate=1.0, last_rate=0.1)
    assert [s.rate_at(0), s.rate_at(1), s.rate_at(2)] == [0.5, 1.0, 1.0]
    assert s.rate_at(6) == pytest.approx(0.55)
    assert s.rate_at(10) == s.rate_at(99) == pytest.approx(0.1)
    rates = [s.rate_at(i) for i in range(2, 11)]
    assert rates == sorted(rates, reverse=True)
    assert Settings(steps=11, warmup=0, schedule="constant", rate=0.3).rate_at(7) == 0.3
    assert power(0.9, 7) == pytest.approx(0.9**7, rel=1e-15)
    assert power(0.9, 0) == 1


# ---- windows ---------------------------------------------------------------------------------------------------------


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
    train, held = split(np.arange(training.plan.tokens), 0.1)
    assert len(held) == training.plan.tokens // 10
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
    assert folder.starts() is not None
    encode_files([tmp_path / "m.txt"], folder.tokenizer(), folder.inner / "tokens")
    assert folder.starts() is None


@pytest.mark.parametrize("content", [None, b"", b"\0" * 13])
def test_without_the_documents_beginnings_nothing_is_trained(tmp_path, content):
    folder = begun(tmp_path / "m", separator=". ")
    starts = folder.inner / "tokens.starts"
    starts.unlink()
    if content is not None:
        starts.write_bytes(content)
    with pytest.raises(TrainingError, match=r"tokens.starts does not hold"):
        LanguageTraining(folder)


@pytest.mark.parametrize(("key", "value"), [("batch", 0), ("batch", "4"), ("validation", "all"), ("validation", 1)])
def test_a_plan_that_can_not_be(tmp_path, key, value):
    folder = begun(tmp_path / "m")
    path = folder.inner / "plan.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {key: value}))
    with pytest.raises(TrainingError, match=f"{key} can't be"):
        folder.plan()


def test_a_checkpoint_without_what_the_optimiser_remembers_is_refused(tmp_path):
    training = LanguageTraining(begun(tmp_path / "m"))
    training.step()
    state = training.trainer.state
    training.folder.save(State(state.step, state.weights, dict(list(state.memory.items())[1:])), training.model)
    with pytest.raises(TrainingError, match="another model"):
        LanguageTraining(training.folder)


def test_what_does_not_fit_is_refused():
    config = GPTConfig(97, 16, 12, 3, 2, 48)
    assert weights_of(config) == 97 * 12 + 16 * 12 + 2 * (12 * 12 * 12 + 13 * 12) + 2 * 12
    must_fit(config, 16)
    with pytest.raises(DoesNotFitError, match="weights takes about"):
        must_fit(GPTConfig(97, 16, 1 << 18, 4, 1000, 1 << 20), 16)


# ---- the loop --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dropout", [0.0, 0.3])
@pytest.mark.parametrize("part", [1, 2, 4])
def test_small_batches_give_the_same_bits(tmp_path, part, dropout):
    folder = begun(tmp_path / "m", dropout=dropout)
    whole, parts = LanguageTraining(folder), LanguageTraining(folder, part=part)
    for _ in range(3):
        assert whole.step() == parts.step()
    expect_same(weights(whole), weights(parts))
    assert whole.validation() == parts.validation()


def test_seeds_and_dropout_say_what_comes_out(tmp_path):
    results = []
    for n, settings in enumerate(
        [{"seed": 1}, {"seed": 1}, {"seed": 2}, {"seed": 1, "dropout": 0.2}, {"seed": 1, "dropout": 0.2}]
    ):
        training = LanguageTraining(begun(tmp_path / f"m{n}", **settings))
        training.step()
        results.append(weights(training)["embed.token.weight"].tobytes())
    assert results[0] == results[1]
    assert results[3] == results[4]
    assert len(set(results)) == 3


@pytest.mark.parametrize("optimiser", ["adamw", "sgd"])
def test_a_training_goes_on_from_its_checkpoint(tmp_path, optimiser):
    whole, cut = (begun(tmp_path / name, optimiser=optimiser, dropout=0.1) for name in ("whole", "cut"))
    *_, last = LanguageTraining(whole).run(2, 100)
    training = LanguageTraining(cut)
    for progress in training.run(2, 3):
        if progress.step == 4:
            break  # killed: steps 4 and, of the log, line 4 are done again
    again = LanguageTraining(cut)
    assert again.done == 3
    *_, end = again.run(2, 3)
    assert (end.step, end.validation) == (last.step, last.validation)
    for name in ("model.safetensors", "training/state.safetensors", "config.json", "tokenizer.json"):
        assert (whole.path / name).read_bytes() == (cut.path / name).read_bytes(), name
    assert (cut.inner / "log.jsonl").read_text().count('"step": 4') == 1
    assert list(LanguageTraining(cut).run(2, 3)) == []


def test_a_step_that_is_recorded_is_the_same_step(tmp_path):
    folder = begun(tmp_path / "m", dropout=0.1)
    plainly, traced = LanguageTraining(folder), LanguageTraining(folder)
    report, trace = plainly.step(), traced.traced_step()
    expect_same(weights(plainly), weights(traced))
    assert trace.tensor("loss") == F(report.loss)
    assert trace.explain("loss").value == F(report.loss)
    expect_same_bits(trace.tensor("new.ln_f.gain"), weights(plainly)["ln_f.gain"], "new", "")


def test_a_loss_falls(tmp_path):
    *_, last = LanguageTraining(begun(tmp_path / "m", steps=60, rate=1e-2)).run(20, 100)
    assert last.loss < 2.0
    assert last.validation < 2.0


# ---- what goes wrong -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("optimiser", "rate"), [("adamw", 1e12), ("sgd", 1e12), ("adamw", 1e38)])
def test_numbers_that_explode(tmp_path, optimiser, rate):
    training = LanguageTraining(begun(tmp_path / "m", optimiser=optimiser, rate=rate, clip=0, warmup=0, decay=0.0))
    kept = [weights(training)]
    said = r"in step \d: .* in layer [\w.]+, op \w+: [\w.]+\[[\d, ]*\] = -?(nan|inf)"
    with pytest.raises(TrainingError, match=said):
        kept.extend(weights(training) for _ in iter(training.step, None))
    expect_same(weights(training), kept[-1])


def test_a_checkpoint_is_good_or_is_not_made(tmp_path):
    folder = begun(tmp_path / "m", rate=1e12, warmup=5, schedule="constant", clip=0)
    training = LanguageTraining(folder)
    training.save()
    kept = (folder.path / "model.safetensors").read_bytes()
    with pytest.raises(TrainingError, match=r"after step [1-9]: .* in layer block\.0, op"):
        for _ in training.run(100, 1):
            pass
    assert LanguageTraining(folder).model.logits("The king").shape[0] == 8
    training = LanguageTraining(folder)
    token = training.trainer.state.weights["embed.token.weight"]
    bad = token.data.copy()
    bad[:] = np.nan
    training.trainer.state.weights["embed.token.weight"] = Weight(token.name, bad, token.axes)
    before = (folder.path / "model.safetensors").read_bytes()
    with pytest.raises(TrainingError, match="layer embed, op embedding"):
        training.save()
    assert (folder.path / "model.safetensors").read_bytes() == before
    assert kept[:8] == before[:8]


@pytest.mark.parametrize("name", ["plan.json", "state.safetensors", "tokens"])
def test_damaged_folders_are_refused(tmp_path, name):
    folder = begun(tmp_path / "m")
    LanguageTraining(folder).save()
    (folder.inner / name).write_bytes(b"{}")
    with pytest.raises(TrainingError, match=r"begin again|no training to go on|can't be read"):
        LanguageTraining(folder)
