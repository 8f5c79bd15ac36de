"""How much memory and disk there is, and what a trace keeps for it: whatever the system says."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from helpers.small_models import small_gpt
from helpers.stored_weights import matrix as stored_matrix
from hypothesis import given
from hypothesis import strategies as st

from llmtrace.errors import DoesNotFitError
from llmtrace.models import KVCache, memory
from llmtrace.ops import Weight

SIZES = st.integers(0, 1 << 40)
MODEL = small_gpt(texts="ABCD", context=9)


def a_system(patch, **files):
    """A system whose files say this; one that is not named is not there."""
    known = {"/proc/meminfo": files.get("meminfo")}
    known |= {f"/sys/fs/cgroup/memory.{what}": files.get(what) for what in ("max", "current", "stat")}

    def read(path):
        if known[path] is None:
            raise FileNotFoundError(path)
        return known[path].encode()

    patch.setattr(memory, "_start_of", read)
    patch.setattr(memory, "_in_container", lambda: all(known[path] is not None for path in memory.CONTAINER))


@given(SIZES, SIZES, st.integers(0, 1 << 30), st.booleans())
def test_where_there_is_enough_nobody_looks_further(free, enough, pages, container):
    """But into what is unused, which is less than what could be had; in a container it may be more."""
    with pytest.MonkeyPatch.context() as patch:
        a_system(patch, meminfo=meminfo(free), **({"max": "max", "current": "7"} if container else {}))
        asked = SimpleNamespace(
            sysconf_names={"SC_AVPHYS_PAGES": 86}, sysconf={"SC_AVPHYS_PAGES": pages, "SC_PAGE_SIZE": 4096}.get
        )
        patch.setattr(memory, "os", asked)
        expected = pages * 4096 if pages * 4096 // 2 >= enough and not container else free * 1024
        assert memory.available_memory(enough) == expected
        assert memory.available_memory() == free * 1024


def test_a_file_is_read_as_it_is(tmp_path):
    (tmp_path / "file").write_bytes(b"MemAvailable: 7 kB\n")
    assert memory._start_of(str(tmp_path / "file")) == b"MemAvailable: 7 kB\n"
    assert memory._in_container() == all(Path(path).exists() for path in memory.CONTAINER)


def meminfo(free):
    """What Linux says of its memory, in KiB."""
    return (
        f"MemTotal:       {free * 2} kB\nMemFree:        {free // 2} kB\nMemAvailable:   {free} kB\nSwapFree:  7 kB\n"
    )


@given(SIZES, SIZES, SIZES, SIZES, st.booleans())
def test_a_container_has_what_it_may_take_less_what_it_has_taken(free, limit, used, idle, told):
    """But for what it has read from files."""
    stat = {"stat": f"anon 5\nfile {2 * idle}\ninactive_anon 3\nactive_file 4\ninactive_file {idle}\n"} if told else {}
    with pytest.MonkeyPatch.context() as patch:
        a_system(patch, meminfo=meminfo(free), max=f"{limit}\n", current=f"{used}\n", **stat)
        assert memory.available_memory() == max(0, min(free * 1024, limit - used + told * idle))


@given(
    SIZES, st.sampled_from([{}, {"max": "max\n", "current": "4096\n"}, {"max": "4096\n"}, {"max": "", "current": ""}])
)
def test_without_a_limit_it_is_what_the_machine_has(free, files):
    with pytest.MonkeyPatch.context() as patch:
        a_system(patch, meminfo=meminfo(free), **files)
        assert memory.available_memory() == free * 1024


@pytest.mark.parametrize("text", [None, "", "MemFree: 7 kB\n"])
@pytest.mark.parametrize("known", [{"SC_AVPHYS_PAGES": 86, "SC_PAGE_SIZE": 30}, {"SC_PAGE_SIZE": 30}])
def test_a_system_without_that_file_is_asked_otherwise_or_says_nothing(monkeypatch, text, known):
    a_system(monkeypatch, meminfo=text)
    asked = SimpleNamespace(sysconf_names=known, sysconf={"SC_AVPHYS_PAGES": 1000, "SC_PAGE_SIZE": 4096}.get)
    monkeypatch.setattr(memory, "os", asked)
    assert memory.available_memory() == (4_096_000 if "SC_AVPHYS_PAGES" in known else None)


@given(st.integers(1, 9), st.integers(1, 3), st.integers(-1, 1), st.floats(1, 10))
def test_all_is_kept_up_to_the_limit_and_the_residual_stream_beyond_it(length, texts, more, times):
    ids = np.zeros((texts, length), np.int64)
    size = MODEL.trace_bytes(length, texts=texts)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(memory, "available_memory", lambda *_enough: None)
        patch.setattr(memory, "LARGEST", size + more)
        assert MODEL.kept(ids) == ("residual" if more < 0 else "all")
        patch.setattr(memory, "LARGEST", int(size / times) - 1)
        assert MODEL.kept(ids) == "residual"
        assert MODEL.kept(ids, keep="all") == "all"


@given(st.integers(2, 9), st.integers(1, 3), st.integers(-1, 1), st.booleans())
def test_what_fits_exactly_fits_and_a_byte_less_is_told_with_the_longest_that_does(length, texts, more, traced):
    ids = np.zeros((texts, length), np.int64)
    size, run, what = MODEL.trace_bytes, MODEL.must_fit, "a trace"
    if not traced:
        size, run, what = MODEL.logits_bytes, MODEL.logits, "a run"
    with pytest.MonkeyPatch.context() as patch:
        needed = size(length, texts=texts) + MODEL.packing_bytes(length, texts)
        patch.setattr(memory, "available_memory", lambda *_enough: needed + more)
        if more >= 0:
            run(ids)
            return
        said = f"{what} of {length} tokens would take .* prompt that fits has {length - 1} tokens"
        with pytest.raises(DoesNotFitError, match=said):
            run(ids)
        patch.setattr(memory, "available_memory", lambda *_enough: 0)
        with pytest.raises(DoesNotFitError, match="prompt that fits has 0 tokens"):
            run(ids)


@pytest.mark.parametrize("run", ["logits", "generate", "surprise"])
def test_a_run_that_keeps_nothing_is_refused_too_where_it_does_not_fit(monkeypatch, run):
    """But not one more token of it: that takes next to nothing."""
    cache = KVCache()
    MODEL.logits([0, 1], cache)
    monkeypatch.setattr(memory, "available_memory", lambda *_enough: 100)
    with pytest.raises(DoesNotFitError, match=r"a run of [34] tokens would take"):
        list(MODEL.generate("ABCD", 1)) if run == "generate" else getattr(MODEL, run)("ABCD")
    assert MODEL.logits([2], cache).shape == (1, 4)


def test_logits_and_their_work_are_counted():
    """Of one block: the residual stream before and behind it, queries, keys, values, mixes, neurons, and rows to work in."""
    c = MODEL.config
    numbers = 5 * (9 * c.width + 2 * c.hidden + c.vocabulary)
    assert MODEL.logits_bytes(5, texts=3) == 3 * (4 * numbers + 5 * 16)


def test_weights_that_are_still_to_be_laid_out_are_counted():
    """They are when they are multiplied by many rows, or a second time."""
    model = small_gpt(texts="ABCD", context=9)
    multiplied = {id(w): w for name, w in model.weights.items() if name.endswith(".weight") and "embed" not in name}
    size = sum(weight.data.nbytes for weight in multiplied.values() if weight.data.ndim == 2)
    assert model.packing_bytes(1000) == model.packing_bytes(1, 1000) == size > 0
    assert model.packing_bytes(1) == 0
    for again in (size, 0):
        model.logits([0])
        assert model.packing_bytes(1) == model.packing_bytes(1000) == again
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(memory, "available_memory", lambda *_enough: model.trace_bytes(9))
        model.must_fit(np.zeros((1, 9), np.int64))


@pytest.mark.parametrize("kind", ["F16", "Q8_0"])
def test_weights_in_a_width_of_their_own_are_packed_at_once(kind):
    matrix, _numbers = stored_matrix(kind, 64, 32)
    weight = Weight("w", matrix, ("out", "in"))
    assert weight.packing_bytes(1) == matrix.blocks().nbytes > 0
    weight.packed(True)
    assert weight.packing_bytes(1) == 0


def test_weights_that_are_still_to_be_laid_out_take_memory_too(monkeypatch):
    model, ids = small_gpt(texts="ABCD", context=9), np.zeros((50, 9), np.int64)
    packing = model.packing_bytes(9, 50)
    needed = model.trace_bytes(9, texts=50) + packing
    assert packing > 0
    monkeypatch.setattr(memory, "available_memory", lambda *_enough: needed)
    model.must_fit(ids)
    monkeypatch.setattr(memory, "available_memory", lambda *_enough: needed - 1)
    with pytest.raises(DoesNotFitError):
        model.must_fit(ids)
