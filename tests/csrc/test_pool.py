"""The thread pool: the same bits for any number of threads, after fork and under foreign modes; Ctrl-C is heard."""

import ctypes
import mmap
import os
import platform
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
from helpers.children import finish, start
from helpers.refusing import SLACK

from llmtrace import _kernels

RNG = np.random.default_rng(0)
X = RNG.standard_normal((150, 200)).astype(np.float32)
WEIGHT = RNG.standard_normal((200, 500)).astype(np.float32)
PACKED = _kernels.pack(WEIGHT)


def product(x=X, packed=PACKED):
    out = np.full((len(x), packed.columns), 77, x.dtype)
    _kernels.matmul(x, packed, None, out)
    return out


@pytest.fixture(autouse=True)
def _put_back_threads():
    before = _kernels.get_threads()
    yield
    _kernels.set_threads(before)


def test_any_number_of_threads_gives_the_same_bits():
    results = []
    for count in (1, 2, 3, 8, 2, 1):
        _kernels.set_threads(count)
        assert _kernels.get_threads() == count
        results += [product().tobytes() for _ in range(20)]
    assert len(set(results)) == 1


@pytest.mark.parametrize("threads", [2, 3, 100])
def test_who_is_done_helps_those_with_more_work(threads):
    """Of causal attention, the last queries see the most keys; more threads than a job has parts share them."""
    q, k, v = RNG.standard_normal((3, 5, 700, 20)).astype(np.float32)
    results = []
    for count in [1] + [threads] * 10:
        _kernels.set_threads(count)
        out = np.full(q.shape, 77, q.dtype)
        _kernels.attend(q, k, v, out)
        results.append(out.tobytes())
    assert len(set(results)) == 1


def test_a_number_below_one_is_refused():
    with pytest.raises(ValueError, match="from 1 to 4096, not 0"):
        _kernels.set_threads(0)


def test_a_wrong_number_in_the_environment_is_refused():
    """The number is read when the package is imported: by a child for each, of a process that has imported NumPy only."""
    numbers = ["0", "-1", "two", "1.5", "99999"]
    code = f"""
import os, numpy
for wrong in {numbers}:
    child = os.fork()
    if not child:
        os.environ["LLMTRACE_NUM_THREADS"] = wrong
        import llmtrace._kernels
        os._exit(0)
    assert os.waitpid(child, 0)[1] != 0
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60 * SLACK)
    assert done.returncode == 0, done.stderr
    for wrong in numbers:
        assert f"LLMTRACE_NUM_THREADS='{wrong}' is not a number of threads" in done.stderr


def test_concurrent_calls():
    _kernels.set_threads(3)
    expected, results = product().tobytes(), []

    def compute():
        results.extend(product().tobytes() for _ in range(30))

    threads = [threading.Thread(target=compute) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 120
    assert set(results) == {expected}


def test_a_forked_child_computes():
    finish(start("for _ in range(12): fork_and_compute()"))


def test_a_child_forked_while_another_thread_computes():
    code = """
    running = True
    packed_ones, ones = _kernels.pack(np.ones((768, 768), np.float32)), np.ones((600, 768), np.float32)
    def busy():
        sums = np.empty((600, 768), np.float32)
        while running:
            _kernels.matmul(ones, packed_ones, None, sums)
    thread = threading.Thread(target=busy)
    thread.start()
    for _ in range(12):
        fork_and_compute()
        time.sleep(0.003)
    running = False
    thread.join()
    assert compute() == expected
    """
    finish(start(code.replace("\n    ", "\n")))


def test_a_signal_handler_that_forks_in_the_middle_of_a_job():
    """The handler runs between chunks; parent and child both end with the whole result."""
    code = """
    packed_ones, ones = _kernels.pack(np.ones((768, 2000), np.float32)), np.ones((1000, 768), np.float32)
    sums = np.empty((1000, 2000), np.float32)
    children = []
    signal.signal(signal.SIGALRM, lambda *_: children.append(os.fork()))
    signal.setitimer(signal.ITIMER_REAL, 0.03)
    while not children:
        sums[:] = 0
        _kernels.matmul(ones, packed_ones, None, sums)
    assert (sums == 768).all() and compute() == expected
    if children == [0]:
        os._exit(0)
    assert os.waitpid(children[0], 0)[1] == 0
    """
    finish(start(code.replace("\n    ", "\n"), LLMTRACE_ISA="baseline"))


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux holds a process to its limit of memory")
@pytest.mark.parametrize("threads", [1, 3])
def test_where_there_is_no_memory_on_the_way_that_is_an_error(threads):
    code = f"""
    import resource
    _kernels.set_threads({threads})
    q, keys = np.ones((3, 40, 1), np.float32), np.ones((3, 1 << 20, 1), np.float32)
    out, few = np.zeros_like(q), np.ones((3, 40, 1), np.float32)
    _kernels.attend(q, few, few, out)
    expected = out.copy()
    pages = int(open("/proc/self/statm").read().split()[0])
    resource.setrlimit(resource.RLIMIT_AS, (pages * 4096 + (16 << 20),) * 2)
    for full in (True, False):
        try:
            _kernels.attend(q, keys, keys, out, full=full)
        except MemoryError as error:
            print(error)
    queue = _kernels.Queue(None)
    _kernels.attend(q, keys, keys, out, full=True, queue=queue)
    try:
        queue.run()
    except MemoryError as error:
        print(error)
    out[:] = 0
    _kernels.attend(q, few, few, out)
    assert (out == expected).all()
    """
    assert finish(start(code.replace("\n    ", "\n"))) == 3 * "no memory for what a thread computes on the way\n"


HEARD = 0.2  # seconds from Ctrl-C to the KeyboardInterrupt, at most
TRIES = 5  # on a machine that others use too, the best of so many counts


def heard_after(threads):
    """Seconds from the signal to the exception, in the middle of a job of several seconds."""
    code = f"""
    _kernels.set_threads({threads})
    packed = _kernels.pack(np.ones((3072, 8192), np.float32))
    x, out = np.ones((4000, 3072), np.float32), np.zeros((4000, 8192), np.float32)
    def watch():
        while not out[0, 0]:
            time.sleep(0.001)
        print("begun", flush=True)
    threading.Thread(target=watch).start()
    try:
        _kernels.matmul(x, packed, None, out)
    except KeyboardInterrupt:
        print(time.monotonic())
        assert out[0, 0] == 3072 and out[-1, -1] == 0
        _kernels.matmul(np.ones((1, 3072), np.float32), packed, None, out[:1])
        assert (out[0] == 3072).all()
    """
    process = start(code.replace("\n    ", "\n"), LLMTRACE_ISA="baseline")
    assert process.stdout.readline() == "begun\n"
    time.sleep(0.1)
    sent = time.monotonic()
    process.send_signal(signal.SIGINT)
    answered = finish(process)
    assert answered, "it ended before it was interrupted"
    return float(answered) - sent


@pytest.mark.parametrize("threads", [1, 2])
def test_ctrl_c_is_heard_in_the_middle_of_a_long_job(threads):
    """Where nothing else runs, after 0.02 s."""
    seconds = []
    while len(seconds) < TRIES and min(seconds, default=HEARD) >= HEARD:
        seconds.append(heard_after(threads))
    assert min(seconds) < HEARD


def test_an_interrupted_model_run_leaves_its_cache_as_it_was():
    """Interrupted early, midway and late, the cache can be used as if nothing had happened."""
    code = f"""
    from llmtrace.models import KVCache
    from helpers.small_models import small_gpt
    model = small_gpt(blocks=3, width=192, heads=6, context=400)
    ids = [i * i % 7 % 3 for i in range(400)]
    first, rest = ids[:30], ids[30:]
    cache = KVCache()
    model.logits(first, cache)
    begin = time.monotonic()
    expected = model.logits(rest, cache).tobytes()
    whole = time.monotonic() - begin

    def interrupt():
        global sent
        sent = time.monotonic()
        os.kill(os.getpid(), signal.SIGINT)

    heard = []
    for share in [0.1, 0.5, 0.8, 0.3, 0.6] * 3:
        if len(heard) >= 3 and min(heard) < {HEARD}:
            break
        cache, ended = KVCache(), False
        model.logits(first, cache)
        timer = threading.Timer(whole * share, interrupt)
        try:
            timer.start()
            model.logits(rest, cache)
            ended = True
            timer.join()  # it was faster than before: the signal is still to come
            time.sleep(0.1)
            sys.exit("the signal is lost")
        except KeyboardInterrupt:
            after = time.monotonic() - sent
        timer.join()
        if not ended and cache.length != len(ids):  # else it was heard when all was done
            heard.append(after)
            assert cache.length == len(first), cache.length
            assert model.logits(rest, cache).tobytes() == expected
            assert cache.length == len(ids)
    assert len(heard) >= 3 and min(heard) < {HEARD}, heard
    """
    finish(start(code.replace("\n    ", "\n"), LLMTRACE_ISA="baseline", PYTHONPATH=os.pathsep.join(sys.path)))


def test_a_run_whose_steps_are_known_hears_it_too():
    """They are done in one go, each for less time than lies between two looks for signals."""
    code = """
    from helpers.small_models import small_gpt
    model = small_gpt(blocks=40, width=120, heads=6, context=300)
    ids = [i * i % 7 % 3 for i in range(300)]
    for _time in range(3):
        begin = time.monotonic()
        expected = model.logits(ids).tobytes()
        whole = time.monotonic() - begin

    def interrupt():
        global sent
        sent = time.monotonic()
        os.kill(os.getpid(), signal.SIGINT)

    heard = []
    for share in [0.3, 0.5, 0.4, 0.2] * 5:
        if len(heard) > 1 and sorted(heard)[1] < whole / 3:
            break
        timer, ended = threading.Timer(whole * share, interrupt), False
        try:
            timer.start()
            model.logits(ids)
            ended = True
            timer.join()  # it was faster than before: the signal is still to come
            time.sleep(0.1)
            sys.exit("the signal is lost")
        except KeyboardInterrupt:
            heard += [] if ended else [time.monotonic() - sent]
        timer.join()
        assert model.logits(ids).tobytes() == expected
    assert len(heard) > 1 and sorted(heard)[1] < whole / 3, (heard, whole)
    """
    code = code.replace("\n    ", "\n")
    finish(start(code, LLMTRACE_ISA="baseline", LLMTRACE_THREADS="1", PYTHONPATH=os.pathsep.join(sys.path)))


# ---- what others may have done to the floating-point unit; two functions in machine code get and set its mode ----

CODE = {  # set from the first argument; get; the mode that rounds up and flushes subnormals
    "x86_64": (b"\x89\x7c\x24\xfc\x0f\xae\x54\x24\xfc\xc3", b"\x0f\xae\x5c\x24\xfc\x8b\x44\x24\xfc\xc3", 0xDFC0),
    "aarch64": (b"\x00\x44\x1b\xd5\xc0\x03\x5f\xd6", b"\x00\x44\x3b\xd5\xc0\x03\x5f\xd6", 1 << 24 | 1 << 22),
}
STICKY = 0x3F  # the flags of x86 that any Python arithmetic may raise


@pytest.fixture
def mode():
    if platform.machine() not in CODE or sys.platform != "linux":
        pytest.skip("no machine code for this processor here")
    setter, getter, strange = CODE[platform.machine()]
    memory = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    memory[: len(setter)], memory[64 : 64 + len(getter)] = setter, getter
    address = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    set_mode = ctypes.CFUNCTYPE(None, ctypes.c_uint64)(address)
    get_mode = ctypes.CFUNCTYPE(ctypes.c_uint64)(address + 64)
    before = get_mode()
    yield set_mode, get_mode, strange
    set_mode(before)


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_a_foreign_mode_neither_changes_the_bits_nor_is_changed(mode, threads):
    set_mode, get_mode, strange = mode
    _kernels.set_threads(threads)
    tiny, weight = np.float32(2e-19) * X, np.float32(1e-20) * WEIGHT  # products are subnormal
    packed, numpy_usual = _kernels.pack(weight), tiny[0, 0] * weight[0]
    expected, usual = product(tiny, packed), get_mode()
    assert ((expected != 0) & (np.abs(expected) < np.finfo(np.float32).tiny)).any()
    _kernels.set_threads(threads + 8)  # new workers are born in the strange mode
    set_mode(strange)
    try:
        out = product(tiny, packed)
        after = get_mode()
        with np.errstate(all="ignore"):
            numpy_strange = tiny[0, 0] * weight[0]
    finally:
        set_mode(usual)
    assert after | STICKY == strange | STICKY
    np.testing.assert_array_equal(out.view(np.uint32), expected.view(np.uint32))
    assert numpy_usual.all()
    assert not numpy_strange.all(), "the mode was not set, so this test tested nothing"
