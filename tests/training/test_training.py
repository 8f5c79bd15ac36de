"""Training as a library: optimisers to the bit, checkpoints, going on, and numbers that are no longer finite."""

import json
from contextlib import suppress

import numpy as np
import pytest
from helpers.small_training import begun

from llmtrace.errors import DoesNotFitError, TrainingError
from llmtrace.models import GPTConfig
from llmtrace.storage import open_tensors, save
from llmtrace.testing import expect_same_bits
from llmtrace.trace import Backward
from llmtrace.training import (
    LanguageTraining,
    Settings,
    State,
    TrainingFolder,
    must_fit,
)
from llmtrace.training import memory as training_memory
from llmtrace.training.folder import REPORTED
from llmtrace.training.memory import weights_of
from llmtrace.weights.gpt import GPT2

F = np.float32


def weights(training):
    return {weight.name: weight.data.copy() for weight in training.trainer.state.weights.values()}


def logged(folder):
    """What was reported, without how fast it went."""
    lines = (folder.inner / "log.jsonl").read_text().splitlines()
    return [{**json.loads(line), "tokens_per_second": None} for line in lines]


def expect_same(one, other):
    assert one.keys() == other.keys()
    for name, data in one.items():
        expect_same_bits(data, other[name], name, "")


# ---- what can't be -------------------------------------------------------------------------------------------------


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
    assert weights_of(GPT2, config) == 97 * 12 + 16 * 12 + 2 * (12 * 12 * 12 + 13 * 12) + 2 * 12
    must_fit(GPT2, config, 16)
    with pytest.raises(DoesNotFitError, match="weights takes about"):
        must_fit(GPT2, GPTConfig(97, 16, 1 << 18, 4, 1000, 1 << 20), 16)


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
    assert (end.step, end.loss, end.validation) == (last.step, last.loss, last.validation)
    assert logged(whole) == logged(cut)
    for name in ("model.safetensors", "training/state.safetensors", "config.json", "tokenizer.json"):
        assert (whole.path / name).read_bytes() == (cut.path / name).read_bytes(), name
    assert (cut.inner / "log.jsonl").read_text().count('"step": 4') == 1
    assert list(LanguageTraining(cut).run(2, 3)) == []


@pytest.mark.parametrize("inside", ["step", "validation", "_log", "save"])
@pytest.mark.parametrize("after", [False, True])
def test_an_interrupted_report_or_checkpoint_is_made_when_the_training_goes_on(tmp_path, monkeypatch, inside, after):
    """At every step there is, wherever in it the interruption comes."""
    whole, cut = (begun(tmp_path / name, dropout=0.1) for name in ("whole", "cut"))
    expected = [(told.step, told.loss, told.validation) for told in LanguageTraining(whole).run(2, 3)]
    training, interrupted, told = LanguageTraining(cut), set(), []
    real = getattr(LanguageTraining, inside)

    def pressed(self, *arguments):
        step = self.done
        found = real(self, *arguments) if after else None
        if step not in interrupted:
            interrupted.add(step)
            raise KeyboardInterrupt
        return found if after else real(self, *arguments)

    monkeypatch.setattr(LanguageTraining, inside, pressed)
    for _unused in range(20):
        with suppress(KeyboardInterrupt):
            for progress in training.run(2, 3):
                told.append((progress.step, progress.loss, progress.validation))
            break
    assert interrupted
    assert told == expected
    assert logged(whole) == logged(cut)
    for name in ("model.safetensors", "training/state.safetensors"):
        assert (whole.path / name).read_bytes() == (cut.path / name).read_bytes(), name


def test_going_on_beyond_the_end_can_be_interrupted(tmp_path, monkeypatch):
    training = LanguageTraining(begun(tmp_path / "m"))
    list(training.run(2, 3))
    with monkeypatch.context() as context:
        context.setattr(TrainingFolder, "change", stop)
        with pytest.raises(KeyboardInterrupt):
            training.go_on(8)
    training.go_on(8)
    list(training.run(2, 3))
    again = LanguageTraining(training.folder)
    assert (again.done, again.plan.settings.steps) == (8, 8)


def stop(*_arguments):
    raise KeyboardInterrupt


def test_looking_at_a_training_takes_nothing_from_its_log(tmp_path):
    """Somebody may be at work there, further than the last checkpoint."""
    at_work = LanguageTraining(begun(tmp_path / "m"))
    for progress in at_work.run(1, 4):
        if progress.step == 6:
            break
        looking = LanguageTraining(at_work.folder)
        assert [entry["step"] for entry in looking.reports()] == list(range(1, looking.done + 1))
    assert [entry["step"] for entry in at_work.reports()] == [1, 2, 3, 4, 5, 6]


def test_a_log_that_can_t_be_written_is_named(tmp_path):
    training = LanguageTraining(begun(tmp_path / "m"))
    (training.folder.inner / "log.jsonl").mkdir()
    with pytest.raises(TrainingError, match=r"log\.jsonl can't be"):
        list(training.run(1, 1))


def test_a_checkpoint_of_before_losses_were_kept_is_read(tmp_path):
    training = LanguageTraining(begun(tmp_path / "m"))
    training.step()
    training.save()
    path = training.folder.inner / "state.safetensors"
    tensors, metadata = open_tensors(path)
    assert tensors.pop(REPORTED).data.view("<f8").tolist() == [training.trainer.state.summed, 0]
    save({name: tensor.read() for name, tensor in tensors.items()}, path, metadata)
    assert LanguageTraining(training.folder).trainer.state.reported == 1
    save({name: tensor.read() for name, tensor in tensors.items()} | {REPORTED: np.array([0.0, 2])}, path, metadata)
    with pytest.raises(TrainingError, match="reported"):
        LanguageTraining(training.folder)


def test_a_training_at_its_end_goes_on(tmp_path):
    folder = begun(tmp_path / "m", steps=4)
    training = LanguageTraining(folder)
    training.step()
    with pytest.raises(TrainingError, match="1 of 4 steps are done"):
        training.go_on(7)
    list(training.run(2, 2))
    with pytest.raises(TrainingError, match="larger number"):
        training.go_on(3)
    training.go_on(7)
    rates = [training.step().rate]
    training.save()
    again = LanguageTraining(folder)
    again.go_on(7)
    rates += [again.step().rate for _ in range(2)]
    assert rates == [Settings(steps=7, warmup=2, rate=3e-3).rate_at(step) for step in (4, 5, 6)]
    assert (again.plan.settings.steps, again.plan.earlier, again.done) == (7, (4,), 7)
    assert list(again.run(2, 2)) == []


def test_a_step_that_is_recorded_is_the_same_step(tmp_path):
    folder = begun(tmp_path / "m", dropout=0.1)
    plainly, traced = LanguageTraining(folder), LanguageTraining(folder)
    report, trace = plainly.step(), traced.traced_step()
    expect_same(weights(plainly), weights(traced))
    assert trace.tensor("loss") == F(report.loss)
    assert trace.explain("loss").value == F(report.loss)
    expect_same_bits(trace.tensor("new.ln_f.gain"), weights(plainly)["ln_f.gain"], "new", "")


def test_a_recorded_step_lets_go_on_its_way_of_what_it_does_not_keep(tmp_path, monkeypatch):
    """Beyond the forward, so that its memory grows by little."""
    folder, most = begun(tmp_path / "m"), {}
    walk = Backward._walk

    def watched(self, record):
        walk(self, record)
        most[self.keep] = max(most.get(self.keep, 0), self.trace.nbytes())

    monkeypatch.setattr(Backward, "_walk", watched)
    whole, few = (LanguageTraining(folder).traced_step(keep) for keep in ("all", "residual"))
    assert most["residual"] < most["all"] / 2
    assert list(whole) == list(few)
    for name in few.kept():
        expect_same_bits(few.tensor(name), whole.tensor(name), name, "kept")


def test_a_recorded_step_that_does_not_fit_is_refused(tmp_path, monkeypatch):
    training = LanguageTraining(begun(tmp_path / "m"))
    ids = training.windows.batch(0, training.plan.batch).ids
    few, all_of_it = (training_memory.traced_step_bytes(training.model, ids, keep) for keep in ("residual", "all"))
    monkeypatch.setattr(training_memory, "available_memory", lambda: (few + all_of_it) / 2)
    with pytest.raises(DoesNotFitError, match=r"recording a step on 5 texts of 16 tokens takes about.*--keep residual"):
        training.traced_step()
    kept = training.traced_step("residual").nbytes()
    assert kept < few
    monkeypatch.setattr(training_memory, "available_memory", lambda: few - 1)
    with pytest.raises(DoesNotFitError, match=r"smaller --batch has smaller steps$"):
        training.traced_step("residual")


def test_a_loss_falls(tmp_path):
    *_, last = LanguageTraining(begun(tmp_path / "m", steps=60, rate=1e-2)).run(20, 100)
    assert last.loss < 2.0
    assert last.validation < 2.0


@pytest.mark.parametrize(("report", "until"), [(1, 0), (2, 0), (4, 0), (4, 3), (3, 5)])
def test_a_report_is_the_mean_of_the_losses_since_the_last_one(tmp_path, report, until):
    """Whatever the distance of the reports, and where the training was left and gone on with."""
    folder, seen, means = begun(tmp_path / "m", steps=11), [], []

    def take(progress):
        means.append((progress.step, progress.loss))
        norms = [done.norm for done in seen if done.step == progress.step]
        assert progress.norm == norms[-1]

    if until:
        training = LanguageTraining(folder)
        for progress in training.run(report, 1, seen.append):
            take(progress)
            if progress.step >= until:
                break
        training.save()
    for progress in LanguageTraining(folder).run(report, 100, seen.append):
        take(progress)
    losses = {done.step: done.loss for done in seen}
    assert sorted(losses) == list(range(1, 12))
    ends = sorted({1, *range(report, 12, report), 11})
    assert [step for step, _ in means] == ends
    for begin, (end, mean) in zip([0, *ends], means, strict=False):
        total = 0.0
        for step in range(begin + 1, end + 1):
            total += losses[step]
        assert mean == total / (end - begin), (begin, end)


def test_a_step_reads_the_batch_of_its_number(tmp_path):
    training = LanguageTraining(begun(tmp_path / "m", dropout=0.1))
    for number in range(4):
        batch, trace = training.windows.batch(number, training.plan.batch), training.traced_step()
        np.testing.assert_array_equal(trace.tensor("tokens"), batch.ids)
        np.testing.assert_array_equal(trace.tensor("targets"), batch.targets)
        assert training.done == number + 1


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
    training.trainer.state.weights["embed.token.weight"] = token.with_data(bad)
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


def test_a_checkpoint_that_is_cut_off_is_not_downloaded_again(tmp_path):
    folder = begun(tmp_path / "m")
    LanguageTraining(folder).save()
    state = folder.inner / "state.safetensors"
    state.write_bytes(state.read_bytes()[:-1])
    with pytest.raises(TrainingError, match=r"is cut off: .* are there; take it from a copy, or train once more$"):
        LanguageTraining(folder)
