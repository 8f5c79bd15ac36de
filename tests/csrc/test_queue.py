"""Steps wait for each other in a queue: nobody sees numbers that are not there, and memory is written in the right order."""

import copy
import pickle
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from helpers.small_models import small_gpt

from llmtrace import _kernels
from llmtrace.models import GPT
from llmtrace.models.cache import KVCache
from llmtrace.ops import OPS, Tensor, Weight
from llmtrace.trace.repeats import Repeats
from llmtrace.trace.run import Run

LINEAR, ADD, SCALE = OPS["linear"], OPS["add"], OPS["scale"]


def numbers(*shape, first=0):
    return np.arange(first, first + np.prod(shape), dtype=np.float32).reshape(shape) / 7


X, Y = (Tensor(name, numbers(3, 6, first=k), ("position", "feature")) for k, name in enumerate("xy"))


@pytest.fixture(params=[1, 2])
def threads(request):
    """With one, nothing is done before somebody asks; with two, a worker may have done it."""
    before = _kernels.get_threads()
    _kernels.set_threads(request.param)
    yield request.param
    _kernels.set_threads(before)


class Looking(GPT):
    """A model that looks at numbers on its way, in every way, and goes on by what it sees."""

    def block(self, run, x, number):
        seen = [x.data.copy(), x._replace(name="x").data, copy.copy(x).data, pickle.loads(pickle.dumps(x)).data]
        assert all(np.isfinite(each).all() and (each == seen[0]).all() for each in seen)
        doubled = run("doubled", ADD, x, Tensor(x.name, seen[0], x.axes))
        return super().block(run, doubled if doubled.data[0, 0] > 0 else x, number)


def looking():
    model = small_gpt()
    return Looking(model.config, model.weights, model.tokenizer, "looking")


@pytest.mark.usefixtures("threads")
def test_numbers_that_are_looked_at_are_there():
    model = looking()
    for prompt in ([0, 1, 2], [1, 1, 2], [2, 0, 1], [0, 1, 2], [2, 2, 2]) * 2:
        for _time in range(2):
            assert (model.logits(prompt) == looking().logits(prompt)).all()
        trace, expected = model.trace(prompt), looking().trace(prompt)
        assert list(trace) == list(expected)
        assert all((trace.tensor(name) == expected.tensor(name)).all() for name in expected)


@pytest.mark.parametrize(
    "look",
    [
        lambda x: x[1],
        lambda x: tuple(x)[1],
        lambda x: x._asdict()["data"],
        lambda x: x.done().data,
        lambda x: Run({})("other", ADD, x, X).data - X.data,
        lambda x: Run({}, repeats=Repeats({}))("other", ADD, x, X).data - X.data,
    ],
)
def test_numbers_are_there_whoever_asks(look):
    with Run({}, repeats=Repeats({})) as run:
        waiting = [run(f"sum.{step}", ADD, X, Y) for step in range(2)]
        name, data, _axes = waiting[0]
        assert (name, str(data)) == ("sum.0", str(X.data + Y.data))
        np.testing.assert_allclose(look(waiting[1]), X.data + Y.data, atol=1e-6)
        assert str(run("sum", ADD, X, X)) == str(Tensor("sum", X.data + X.data, ()))


def test_threads_may_ask_for_the_numbers_of_one_run():
    large = Tensor("large", numbers(700, 700), ("position", "feature"))
    with ThreadPoolExecutor(3) as pool:
        for _time in range(20):
            with Run({}, repeats=Repeats({})) as run:
                steps = [run("0", ADD, large, large)]
                for step in range(1, 8):
                    steps.append(run(str(step), ADD, steps[-1], large))
                found = list(pool.map(lambda tensor: tensor.data.copy(), reversed(steps)))
            for step, data in enumerate(reversed(found)):
                np.testing.assert_allclose(data, large.data * (step + 2), rtol=1e-5)


def test_what_is_computed_while_a_step_is_checked_is_there_at_once():
    """As a signal's handler may do it."""
    relu, inner = OPS["relu"], []

    def forward(x, *, empty=np.empty):
        inner.append(relu.forward(x * 0 + 5).copy())
        out = relu.forward(x, empty=empty)
        inner.append(relu.forward(x * 0 + 6).copy())
        return out

    op = replace(relu, forward=forward)
    with Run({}, repeats=Repeats({})) as run:
        found = run("b", ADD, run("a", op, X), Y)
    assert (found.data == X.data + Y.data).all()
    assert [set(each.ravel()) for each in inner] == [{5}, {6}]


@pytest.mark.usefixtures("threads")
def test_a_step_that_fails_when_its_job_waits_is_not_done():
    left = []

    def forward(*arrays, **more):
        left.append(ADD.forward(*arrays, **more))
        left[0].fill(5)
        raise KeyError("too late")

    with Run({}, repeats=Repeats({})) as run:
        first = run("first", ADD, X, Y)
        with pytest.raises(KeyError, match="too late"):
            run("second", replace(ADD, forward=forward), X, Y)
        third = run("third", ADD, first, X)
    assert (third.data == X.data + Y.data + X.data).all()
    assert (left[0] == 5).all()


def test_numbers_of_a_run_that_was_given_up_are_refused():
    late = []

    def give_up():
        with Run({}, repeats=Repeats({})) as run:
            waiting, done = run("sum", ADD, X, Y), run("other", ADD, X, X)
            assert (done.data == X.data + X.data).all()
            late.append(run("late", ADD, waiting, X))
            raise KeyError("something else")

    with pytest.raises(KeyError):
        give_up()
    with pytest.raises(RuntimeError, match="not done"):
        late[0].data.sum()


def test_steps_that_wait_are_given_up_with_their_run():
    model, x = small_gpt(), Tensor("x", numbers(2, 12), ("position", "feature"))
    repeats = Repeats(model.weights)

    def norms(fails):
        with Run(model.weights, repeats=repeats) as run:
            first = run("ln_f", OPS["layer_norm"], x, epsilon=1e-5)
            if fails:
                raise KeyError("something else")
            return first.data.copy()

    expected = norms(False)
    for _time in range(3):
        with pytest.raises(KeyError, match="something else"):
            norms(True)
        assert (norms(False) == expected).all()


@pytest.mark.usefixtures("threads")
def test_memory_that_nothing_holds_is_written_by_later_steps_only():
    """Long chains of steps, whose results die at once, next to some that stay."""
    repeats = Repeats({})
    for _time in range(4):
        with Run({}, repeats=repeats) as run:
            x, kept = X, []
            for step in range(100):
                x = run(f"step.{step}", ADD, x, Y)
                if step % 10 == 0:
                    kept.append(x)
            values = [each.data.copy() for each in (*kept, x)]
        expected = X.data
        for step in range(100):
            expected = expected + Y.data
            if step % 10 == 0:
                assert (values[step // 10] == expected).all()
        assert (values[-1] == expected).all()


@pytest.mark.usefixtures("threads")
def test_a_step_that_is_not_known_is_done_behind_those_that_wait():
    repeats = Repeats({})
    for number in range(3):
        with Run({}, repeats=repeats) as run:
            total = run("second", ADD, run("first", ADD, X, Y), Y)  # the first dies before it is done
            other = run(f"other.{number}", replace(ADD, one_job=False), X, X)  # and this gets its memory
            assert (other.data == X.data + X.data).all()
            assert (total.data == X.data + Y.data + Y.data).all()
            assert (other.data == X.data + X.data).all()


@pytest.mark.usefixtures("threads")
def test_whole_numbers_that_wait_are_there_before_they_are_looked_at():
    repeats, scores = Repeats({}), np.array([[1, 5, 2], [7, 1, 1]], np.float32)
    for sign in (1, -1, 1, -1):
        with Run({}, repeats=repeats) as run:
            row = run("scores", SCALE, Tensor("x", scores, ("position", "vocabulary")), factor=float(sign))
            best = run("best", OPS["argmax"], row)
            loss = run("loss", OPS["cross_entropy"], row, best).data.copy()
        given = (scores * sign).argmax(-1)
        assert (best.data == given).all()
        assert (loss == OPS["cross_entropy"].forward(scores * sign, given)).all()


@pytest.mark.usefixtures("threads")
def test_a_weight_may_be_packed_while_its_first_product_waits():
    data = numbers(600, 600)
    known = {"a.weight": Weight("a.weight", data.astype(">f4"), ("input", "output"))}  # multiplied as a copy
    with Run(known, repeats=Repeats(known)) as run:
        x = Tensor("x", numbers(3, 600), ("position", "feature"))
        first, second = run("a", LINEAR, x), run("b", LINEAR, x, weights="a")
        rubbish = [np.full(data.shape, np.nan, np.float32) for _each in range(4)]
        assert (first.data == second.data).all()
        del rubbish


def test_a_cache_is_written_behind_what_it_holds():
    cache, new = KVCache(), numbers(2, 3, 4)
    assert (cache.extend("k", new) == new).all()
    cache.commit({}, np.zeros(3, np.int64))
    for wrong in (new[:1].copy(), new[..., :3].copy(), new.astype(np.float64), new.swapaxes(0, 1), new[0]):
        with pytest.raises((ValueError, TypeError)):
            cache.extend("k", wrong)
    all_of_them = cache.extend("k", numbers(2, 2, 4, first=100))
    assert (all_of_them == np.concatenate([new, numbers(2, 2, 4, first=100)], axis=-2)).all()
    room = np.empty((2, 4, 4), np.float32)
    for length in (-1, 2, 1 << 60):
        with pytest.raises(ValueError, match="no room for 3 behind"):
            _kernels.append(new, room, length)


@pytest.mark.usefixtures("threads")
def test_arrays_that_die_before_their_step_is_done_are_held():
    repeats, big = Repeats({}), numbers(300, 700)
    for _time in range(3):
        with Run({}, repeats=repeats, results=frozenset({"own"})) as run:
            own = run("own", ADD, Tensor("x", big.copy(), ()), Tensor("y", big.copy(), ()))
            total = run("total", ADD, own, Tensor("z", big.copy(), ()))
            del own
            rubbish = [np.full(big.shape, np.nan, np.float32) for _each in range(8)]  # where memory was given back
            assert (total.data == big + big + big).all()
            del rubbish
