"""A worker does the steps that wait in a queue, while others are put in: in order, whatever happens meanwhile."""

import gc
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from helpers.children import finish, start

from llmtrace import _kernels
from llmtrace.ops import OPS, Tensor
from llmtrace.trace.repeats import Repeats
from llmtrace.trace.run import Run

ADD = OPS["add"]


def numbers(*shape, first=0):
    return np.arange(first, first + np.prod(shape), dtype=np.float32).reshape(shape) / 7


X, Y = (Tensor(name, numbers(3, 6, first=k), ("position", "feature")) for k, name in enumerate("xy"))


@pytest.fixture(params=[1, 2, 5])
def threads(request):
    before = _kernels.get_threads()
    _kernels.set_threads(request.param)
    yield request.param
    _kernels.set_threads(before)


def chain(run, steps, wait=0.0):
    """A chain of sums, and those that a later one is compared with; pauses in between let a worker catch up, or give up."""
    x, kept = X, []
    for step in range(steps):
        x = run(f"step.{step}", ADD, x, Y)
        if step % 7 == 0:
            kept.append((step, x))
        if wait and step % 40 == 0:
            time.sleep(wait)
    return [*kept, (steps - 1, x)]


SUMS = np.cumsum(
    np.concatenate([X.data[None], np.broadcast_to(Y.data, (900, *Y.data.shape))]), axis=0, dtype=np.float32
)


@pytest.mark.parametrize("wait", [0, 0.0003, 0.01])
@pytest.mark.parametrize("steps", [1, 90, 900])
def test_steps_are_done_in_order_however_many_wait(threads, wait, steps):
    repeats = Repeats({})
    for _time in range(3):
        with Run({}, repeats=repeats) as run:
            found = chain(run, steps, wait)
            for step, x in found:
                assert (x.data == SUMS[step + 1]).all(), step


@pytest.mark.usefixtures("threads")
def test_large_steps_are_done_in_order():
    """Each of many chunks, so that the one that begins alone goes on with the others."""
    large = Tensor("large", numbers(600, 700), ("position", "feature"))
    for _time in range(5):
        with Run({}, repeats=Repeats({})) as run:
            x = large
            for step in range(12):
                x = run(f"step.{step}", ADD, x, large)
                time.sleep(0.0004 * (step % 3))
            expected = large.data
            for _step in range(12):
                expected = expected + large.data
            assert (x.data == expected).all()


@pytest.mark.usefixtures("threads")
def test_a_run_that_is_given_up_leaves_the_next_one_alone():
    repeats, large = Repeats({}), Tensor("large", numbers(500, 600), ("position", "feature"))

    def fails():
        with Run({}, repeats=repeats) as run:
            run("two", ADD, run("one", ADD, large, large), large)
            raise KeyError("something else")

    for _time in range(40):
        with pytest.raises(KeyError, match="something else"):
            fails()
        with Run({}, repeats=repeats) as run:
            assert (run("one", ADD, large, large).data == large.data * 2).all()


@pytest.mark.usefixtures("threads")
def test_a_queue_that_nobody_runs_may_go():
    for _time in range(40):
        run = Run({}, repeats=Repeats({}))
        chain(run, 30)
        del run
        gc.collect()
    with Run({}, repeats=Repeats({})) as run:
        assert (chain(run, 30)[-1][1].data == SUMS[30]).all()


@pytest.mark.usefixtures("threads")
def test_runs_of_several_threads_go_side_by_side():
    def one(_number):
        repeats = Repeats({})
        for _time in range(10):
            with Run({}, repeats=repeats) as run:
                for step, x in chain(run, 60):
                    if not (x.data == SUMS[step + 1]).all():
                        return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(one, range(8)))


@pytest.mark.usefixtures("threads")
def test_a_step_that_is_done_at_once_does_not_wait_for_the_worker():
    """Where the pool is busy with what waits, it is computed alone."""
    large = Tensor("large", numbers(500, 600), ("position", "feature"))
    for _time in range(10):
        with Run({}, repeats=Repeats({})) as run:
            waiting = run("one", ADD, large, large)
            assert (ADD.forward(large.data, large.data) == large.data * 2).all()
            assert (waiting.data == large.data * 2).all()


IN_A_RUN = """
from llmtrace.ops import OPS, Tensor
from llmtrace.trace.repeats import Repeats
from llmtrace.trace.run import Run
large = Tensor("large", np.ones((600, 700), np.float32), ())
def in_a_run(between=lambda step: None, steps=40):
    with Run({}, repeats=Repeats({})) as run:
        sum = large
        for step in range(steps):
            sum = run(str(step), OPS["add"], sum, large)
            between(step)
        assert (sum.data == steps + 1).all()
"""


def test_a_fork_while_a_worker_does_what_waits():
    """Parent and child both end with the whole result, and go on."""
    code = """
    for at in range(3, 40, 4):
        children = []
        in_a_run(lambda step: step == at and children.append(os.fork()))
        in_a_run()
        assert compute() == expected
        if children == [0]:
            os._exit(0)
        assert os.waitpid(children[0], 0)[1] == 0
    """
    finish(start(IN_A_RUN + code.replace("\n    ", "\n")))


def test_a_child_forked_by_another_thread_while_a_worker_does_what_waits():
    code = """
    running = True
    def busy():
        while running:
            in_a_run()
    thread = threading.Thread(target=busy)
    thread.start()
    for _ in range(12):
        fork_and_compute()
        time.sleep(0.003)
    running = False
    thread.join()
    in_a_run()
    """
    finish(start(IN_A_RUN + code.replace("\n    ", "\n")))


def test_an_interrupt_while_a_worker_does_what_waits():
    """The steps of that run are given up, and the next one is whole."""
    code = """
    def interrupt(*_):
        raise KeyboardInterrupt
    signal.signal(signal.SIGALRM, interrupt)
    heard = 0
    for time_ in range(60):
        try:
            signal.setitimer(signal.ITIMER_REAL, 0.0004 * (time_ % 10 + 1))
            in_a_run()
            signal.setitimer(signal.ITIMER_REAL, 0)
        except KeyboardInterrupt:
            heard += 1
        in_a_run(steps=9)
    assert heard > 10, heard
    """
    finish(start(IN_A_RUN + code.replace("\n    ", "\n")))


def test_numbers_may_be_asked_for_while_another_thread_puts_steps_in():
    """What is put in meanwhile waits until all before it is done."""
    repeats, one = Repeats({}), Tensor("one", np.ones(60_000, np.float32), ())
    newest, over, before = [one], threading.Event(), sys.getswitchinterval()

    def ask():
        while not over.is_set():
            data = newest[0].data
            assert (data == data[0]).all()

    sys.setswitchinterval(1e-4)
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(ask)
        try:
            for _time in range(4):
                newest[0] = one
                with Run({}, repeats=repeats) as run:
                    for step in range(800):
                        newest[0] = run(str(step), ADD, newest[0], one)
                    assert (newest[0].data == 801).all()
        finally:
            over.set()
            sys.setswitchinterval(before)
        asked.result()


def test_a_run_that_breaks_off_waits_for_who_computes():
    """What another thread still writes to is not given to the next run."""
    x = np.full(3 << 20, 0.5, np.float32)
    for _time in range(4):
        arena = _kernels.Arena()
        queue, last = _kernels.Queue(arena), x
        for _step in range(8):
            last = queue.defer(OPS["exp"].forward, [last], {}, arena.empty)
        with ThreadPoolExecutor(1) as pool:
            asked = pool.submit(queue.run)
            while not queue.is_busy and not asked.done():
                pass
            queue.give_up()
            arena.close()
            del last
            others = [_kernels.Arena().empty(x.shape, np.float32) for _ in range(8)]
            for other in others:
                other.fill(7)
            asked.result()
        assert all((other == 7).all() for other in others)


def test_a_child_that_was_forked_while_another_thread_computed_is_refused():
    """It has nobody to wait for."""
    code = """
    huge = Tensor("huge", np.ones((3000, 1000), np.float32), ())
    with Run({}, repeats=Repeats({})) as run:
        x = huge
        for step in range(60):
            x = run(str(step), OPS["tanh"], x)
        thread = threading.Thread(target=lambda: x.data)
        thread.start()
        while not x.queue.is_busy:
            pass
        child = os.fork()
        if child == 0:
            signal.alarm(20)
            try:
                x.data
            except RuntimeError as error:
                os._exit(0 if "not there" in str(error) else 1)
            os._exit(2)
        thread.join()
        assert os.waitpid(child, 0)[1] == 0
    """
    finish(start(IN_A_RUN + code.replace("\n    ", "\n")))


def test_forks_by_another_thread_do_not_disturb_a_run():
    code = """
    over = threading.Event()
    def fork():
        while not over.is_set():
            child = os.fork()
            if child == 0:
                os._exit(0)
            os.waitpid(child, 0)
    thread = threading.Thread(target=fork)
    thread.start()
    try:
        for _time in range(60):
            in_a_run(steps=12)
    finally:
        over.set()
        thread.join()
    """
    finish(start(IN_A_RUN + code.replace("\n    ", "\n")))


def test_a_child_that_another_thread_forks_finds_every_step_whole():
    code = """
    for _time in range(12):
        with Run({}, repeats=Repeats({})) as run:
            sum = large
            for step in range(6):
                sum = run(str(step), OPS["add"], sum, large)
            def fork():
                child = os.fork()
                if child == 0:
                    signal.alarm(20)
                    os._exit(0 if (sum.data == 7).all() else 1)
                status.append(os.waitpid(child, 0)[1])
            status = []
            thread = threading.Thread(target=fork)
            thread.start()
            thread.join()
            assert status == [0] and (sum.data == 7).all()
    """
    finish(start(IN_A_RUN + code.replace("\n    ", "\n")))


def test_while_steps_wait_long_the_workers_are_free_for_others():
    code = """
    packed_ones, ones = _kernels.pack(np.ones((768, 2000), np.float32)), np.ones((1000, 768), np.float32)
    out = np.empty((1000, 2000), np.float32)
    with Run({}, repeats=Repeats({})) as run:
        waiting = run("waiting", OPS["add"], large, large)
        for _time in range(20):
            time.sleep(0.01)
            own, all_threads = time.thread_time(), time.process_time()
            _kernels.matmul(ones, packed_ones, None, out)
            own, all_threads = time.thread_time() - own, time.process_time() - all_threads
            if all_threads > 1.2 * own:  # others have computed, too
                break
        else:
            sys.exit("nobody helps")
        assert (waiting.data == 2).all()
    """
    finish(start(IN_A_RUN + code.replace("\n    ", "\n"), LLMTRACE_ISA="baseline"))


def test_runs_that_are_over_before_a_worker_has_begun():
    """A worker may wake for a series that the caller has taken back meanwhile: it finds nothing to do."""
    before = _kernels.get_threads()
    _kernels.set_threads(2)
    relu, x = OPS["relu"], np.ones((4, 4), np.float32)
    try:
        for number in range(100_000):
            arena = _kernels.Arena()
            queue = _kernels.Queue(arena)
            for _step in range(1 + number % 3):
                out = queue.defer(relu.forward, [x], {}, arena.empty)
            queue.run()
        assert (out == 1).all()
    finally:
        _kernels.set_threads(before)
