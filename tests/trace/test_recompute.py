"""A trace that keeps only the residual stream knows the same: every number is computed again, to the bits that were dropped."""

import copy
import pickle
import tempfile
from pathlib import Path

import numpy as np
import pytest
from helpers.fresh import examples, some
from helpers.small_llamas import small_llama
from helpers.small_models import small_gpt
from helpers.small_training import begun
from hypothesis import given, settings
from hypothesis import strategies as st

import llmtrace
from llmtrace.arithmetic.bits import same_bits
from llmtrace.errors import DoesNotFitError, ModelError, ReplayError
from llmtrace.experiments.what_if import what_if
from llmtrace.explain.not_finite import warning
from llmtrace.explain.verify import verify, verify_sample
from llmtrace.models import KVCache, Sampling
from llmtrace.trace import recompute
from llmtrace.trace.checksum import checksum
from llmtrace.trace.role import role_of
from llmtrace.trace.run import ROWS
from llmtrace.training import LanguageTraining


def in_one_go(model, ids):
    return [model.trace(ids, keep=keep) for keep in ("all", "residual")]


def after_a_cache(model, ids):
    traces = []
    for keep in ("all", "residual"):
        cache = KVCache()
        model.logits(np.asarray(ids)[..., :-2], cache)
        traces.append(model.trace(np.asarray(ids)[..., -2:], cache, keep=keep))
    return traces


def generated(model, ids):
    generation = model.generate(ids, 3, Sampling(1.0, top_k=4, top_p=0.9, seed=2))
    list(generation)
    return [generation.trace(keep) for keep in ("all", "residual")]


def generated_last(model, ids):
    generation = model.generate(ids, 3, Sampling(0))
    list(generation)
    return [generation.last_trace(keep) for keep in ("all", "residual")]


def translated(model, ids):
    translator = llmtrace.load("translator")
    return [translator.trace(ids, keep=keep, target=[translator.config.start, 5, 9]) for keep in ("all", "residual")]


def of_a_llama(model, ids):
    return in_one_go(small_llama(), ids)


def of_a_llama_after_a_cache(model, ids):
    return after_a_cache(small_llama(), ids)


def edited(model, ids):
    edits = {"block.0.attn.pattern[head=1]": 0.5, "block.1.residual_out[1]": 2.0, "block.1.mlp.up.weight[1, 2]": 1.0}
    return [what_if(trace, edits).after for trace in in_one_go(model, ids)]


def trained(model, ids):
    with tempfile.TemporaryDirectory() as folder:
        run = begun(Path(folder) / "run", TEXT_OF_THREE, context=8, batch=2, dropout=0.25)
        return [LanguageTraining(run).traced_step(keep) for keep in ("all", "residual")]


TEXT_OF_THREE = "abc cab bca " * 20
TEXT, BATCH = [0, 2, 1, 2, 0, 1], [[0, 2, 1, 2], [1, 1, 0, 2]]
KINDS = {
    "a text": (in_one_go, TEXT),
    "a batch": (in_one_go, BATCH),
    "one token": (in_one_go, [1]),
    "after a cache": (after_a_cache, TEXT),
    "a batch after a cache": (after_a_cache, BATCH),
    "generated": (generated, TEXT[:2]),
    "generated with a cache": (generated_last, TEXT[:2]),
    "edited": (edited, TEXT),
    "of a Llama": (of_a_llama, BATCH),
    "of a Llama after a cache": (of_a_llama_after_a_cache, TEXT),
    "with a source": (translated, [3, 7, 4]),
    "trained": (trained, TEXT),
}


@pytest.fixture(scope="module")
def traces():
    model = small_gpt()
    return {kind: make(model, ids) for kind, (make, ids) in KINDS.items()}


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_steps_and_every_number_of_them(traces, kind):
    every, few = traces[kind]
    assert [step.record for step in few.steps] == [step.record for step in every.steps]
    assert few.leaves == every.leaves
    assert few.nbytes() < every.nbytes()
    for name in some([*every.leaves, *every], 40):  # each from nothing
        few._remembered.clear()
        assert same_bits(few.tensor(name), every.tensor(name)), name
        assert not few.tensor(name).flags.writeable
    for name, numbers in few.each():
        assert same_bits(numbers, every.tensor(name)), name


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=examples(15))
@given(data=st.data())
def test_any_number_row_and_explanation(traces, kind, data):
    """In any order, whatever was asked before."""
    every, few = traces[kind]
    name = data.draw(st.sampled_from([name for name in every if every.tensor(name).size]))
    index = tuple(data.draw(st.integers(0, n - 1)) for n in every.shape(name))
    if data.draw(st.booleans()):
        few._remembered.clear()
    rows = [data.draw(st.sampled_from([i, slice(None), slice(i, None), slice(None, i + 1)])) for i in index]
    rows = tuple(rows[: data.draw(st.integers(0, len(rows)))])
    assert same_bits(few.part(name, *rows), every.tensor(name)[rows])
    numbers = tuple(np.int64(i) for i in index[: len(rows)])  # as they stand in another tensor
    assert same_bits(few.part(name, *numbers), every.tensor(name)[numbers])
    lists = tuple([i, i] for i in index[:1])
    assert same_bits(few.part(name, *lists), every.tensor(name)[lists])
    assert same_bits(few.elements(name, index), every.tensor(name)[index])
    assert few.explain(name, *index, depth=2).to_dict() == every.explain(name, *index, depth=2).to_dict()


def test_a_trace_of_a_file_is_reduced_like_any_other(tmp_path):
    every = small_gpt().trace("ABBA")
    every.save(tmp_path / "every.trace", with_weights=True)
    opened = llmtrace.open(tmp_path / "every.trace")
    opened.tensor("logits")
    opened.reduce()
    few = small_gpt().trace("ABBA", keep="residual")
    few.tensor("logits")
    assert set(opened.kept()) <= set(few.kept()) < set(every.kept())
    assert opened.nbytes() < every.nbytes() // 2
    assert all(same_bits(opened.tensor(name), every.tensor(name)) for name in every)
    opened.save(tmp_path / "few.trace", with_weights=True)
    assert llmtrace.open(tmp_path / "few.trace").keep == "residual"
    assert (tmp_path / "few.trace").stat().st_size < (tmp_path / "every.trace").stat().st_size


def test_lack_of_memory_is_said_as_such():
    """And is no fault of the step: a run of many prompts goes on with the next."""
    record = small_gpt().trace("A")["logits"].record

    def do():
        raise MemoryError("no 5 bytes of memory could be had")

    with pytest.raises(DoesNotFitError, match="there is not enough memory to do logits again: no 5 bytes"):
        recompute.doing(record, do)


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_holds_what_is_kept_and_the_rest_follows(traces, kind, tmp_path):
    every, few = traces[kind]
    few.save(tmp_path / "few.trace", with_weights=True)
    again = llmtrace.open(tmp_path / "few.trace")
    assert again.keep == "residual"
    assert again.kept() == few.kept()
    assert [step.record for step in again.steps] == [step.record for step in every.steps]
    assert checksum(again) == checksum(few) == checksum(every)
    assert verify(again) == sum(every.tensor(name).size for name in few.kept() if name in every)
    assert verify_sample(again, 40) == 40
    assert warning(again) == warning(every)
    again.save(tmp_path / "again.trace", with_weights=True)
    assert (tmp_path / "again.trace").read_bytes() == (tmp_path / "few.trace").read_bytes()


def test_only_the_stream_its_gradients_and_what_was_given_are_kept(traces):
    stream = {"embed", "block.0.residual_out", "block.1.residual_out"}
    assert {*traces["a text"][1].kept()} == {"tokens", "positions", *stream}
    cached = {f"block.{n}.attn.{which}.past" for n in (0, 1) for which in ("keys", "values")}
    assert {*traces["after a cache"][1].kept()} == {"tokens", "positions", *stream, *cached}
    trained, few = traces["trained"][1], {"embed", "block.0.residual_out"}
    kept = {name for name in trained.kept() if name in trained}
    assert kept == {*few, *(f"d.{name}" for name in few)}
    assert all(role_of(trained, name).kind == "gradient" for name in kept - few)


def test_more_queries_than_are_done_at_once(traces):
    model = small_gpt(context=2 * ROWS + 9)
    ids = (np.arange(2 * ROWS + 7) % 3).tolist()
    every, few = in_one_go(model, ids)
    for name in few.kept():
        assert same_bits(few.tensor(name), every.tensor(name)), name
    assert same_bits(
        few.elements("block.1.attn.pattern", (1, 150, 20)), every.tensor("block.1.attn.pattern")[1, 150, 20]
    )


def test_nothing_is_done_twice_for_the_residual_stream(monkeypatch):
    done = []
    monkeypatch.setattr(recompute.Recomputer, "_do", counting(recompute.Recomputer._do, done))
    few = small_gpt(context=ROWS + 1).trace((np.arange(ROWS + 1) % 3).tolist(), keep="residual")
    assert not done
    assert {name for name in few.kept() if name in few} == {"embed", "block.0.residual_out", "block.1.residual_out"}


def test_one_number_needs_few(traces, monkeypatch):
    """Of a later position, the rows before; of the block, keys and values; nothing of another block."""
    few = traces["a text"][1]
    few._remembered.clear()
    done = []
    monkeypatch.setattr(recompute.Recomputer, "_do", counting(recompute.Recomputer._do, done))
    few.elements("block.1.attn.mix", (0, 2, 1))
    assert dict(done) == {
        "block.1.ln_1": (3, 12),
        "block.1.attn.q": (few.shape("block.1.attn.q")[0], 1, few.shape("block.1.attn.q")[2]),
        "block.1.attn.k": (few.shape("block.1.attn.q")[0], 3, few.shape("block.1.attn.q")[2]),
        "block.1.attn.v": (few.shape("block.1.attn.q")[0], 3, few.shape("block.1.attn.q")[2]),
        "block.1.attn.scores": (1, 1, 3),
        "block.1.attn.pattern": (1, 1, 3),
        "block.1.attn.mix": (1, 1, few.shape("block.1.attn.q")[2]),
    }


def counting(do, done):
    def counted(self, task, values):
        out = do(self, task, values)
        done.append((task.record.name, out.shape))
        return out

    return counted


def test_what_is_remembered_stays_below_its_bound(traces, monkeypatch):
    few = traces["a text"][1]
    monkeypatch.setattr(recompute, "REMEMBERED", 2000)
    for name in few:
        few.tensor(name)
        assert sum(array.nbytes for _box, array in few._remembered.values()) <= 2000


def test_a_number_that_was_changed_in_what_is_kept_is_found():
    trace = small_gpt().trace(TEXT, keep="residual")
    wrong = trace.tensor("block.1.residual_out").copy()
    wrong[2, 3] += 1
    trace._arrays["block.1.residual_out"] = wrong
    with pytest.raises(ReplayError, match=r"block\.1\.residual_out\[position=2, feature=3\] is recorded as"):
        verify(trace)


def test_copies_and_pickles_keep_as_little(traces):
    few = traces["a batch"][1]
    for again in (copy.deepcopy(few), pickle.loads(pickle.dumps(few))):
        assert again.kept() == few.kept()
        assert checksum(again) == checksum(few)


def test_a_trace_is_let_go_with_its_last_name(traces):
    import weakref

    trace = small_gpt().trace(TEXT, keep="residual")
    trace.tensor("logits")
    gone = weakref.ref(trace)
    del trace
    assert gone() is None  # no cycle holds its memory


def test_nothing_else_can_be_kept():
    with pytest.raises(ModelError, match="keep is “all” or “residual”, not"):
        small_gpt().trace(TEXT, keep="some")
