"""How far rounding alone may go: no row's is another's, and of long sums it is what is likely."""

import numpy as np

from llmtrace.experiments.own_rounding import own, unit
from llmtrace.experiments.situation import Situation

RNG = np.random.default_rng(5)


def test_what_rounding_does_in_one_row_is_no_excuse_for_another():
    x = (RNG.standard_normal((4, 3000)) * [[1e-3], [1], [30], [1e3]]).astype(np.float32)
    for op in ("softmax", "gelu_tanh"):
        all_rows, *rows = (Situation(op, {"x": each}, {}, {}) for each in (x, *np.split(x, 4)))
        assert np.array_equal(own(all_rows, all_rows.done()), [own(row, row.done())[0] for row in rows])


def orders(x, weight):
    """A long sum of products in several orders, each rounded after every term."""
    terms = x[0, :, None] * weight
    for order in (terms, terms[::-1], RNG.permutation(terms), np.sort(terms, 0)):
        yield np.cumsum(order, 0, dtype=np.float32)[-1]
        yield order.reshape(8, -1, order.shape[-1]).sum(1, dtype=np.float32).sum(0, dtype=np.float32)


def test_of_a_long_sum_it_is_what_another_order_may_do_and_far_less_than_a_percent():
    weight = RNG.standard_normal((8192, 20)).astype(np.float32)
    for x in (RNG.standard_normal((1, 8192)), np.full((1, 8192), 0.1)):
        made = Situation("linear", {"x": x.astype(np.float32), "weight": weight, "bias": None}, {}, {})
        ours = made.done()
        assert all((np.abs(other - ours) <= unit(made, ours)).all() for other in orders(made["x"], weight))
        assert (unit(made, ours) < 0.01 * np.sqrt((ours.astype(np.float64) ** 2).mean())).all()


def test_equal_terms_err_all_one_way_and_that_is_seen():
    """A constant that is added over and over is rounded in the same direction each time."""
    x, weight = np.full((1, 8192), 0.1, np.float32), np.ones((8192, 1), np.float32)
    made = Situation("linear", {"x": x, "weight": weight, "bias": None}, {}, {})
    ours = made.done()
    assert all((np.abs(other - ours) <= unit(made, ours)).all() for other in orders(x, weight))


def test_attention_without_a_mask_may_round_like_that_with_one():
    q, k = RNG.standard_normal((2, 3, 5, 64)).astype(np.float32)
    full, masked = (Situation(op, {"q": q, "k": k}, {}, {}) for op in ("full_scores", "attention_scores"))
    assert np.array_equal(unit(full, full.done()), unit(masked, masked.done()))
