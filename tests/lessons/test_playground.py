"""The playground: its data are those of the web's, its nets learn, a state comes back, and live it obeys keys."""

import re
import shlex

import numpy as np
import pytest
from click.testing import CliRunner
from helpers.fresh import some
from helpers.printing import as_text
from rich.console import Console

from llmtrace.cli import main
from llmtrace.errors import LessonError
from llmtrace.lessons import load
from llmtrace.lessons.playground.board import board, picture_rows
from llmtrace.lessons.playground.data import FEATURES, SETS, features, grid, points, table
from llmtrace.lessons.playground.lesson import RECIPES, Playground
from llmtrace.views.document import Document

pytestmark = pytest.mark.usefixtures("own_state")


# ---- the points --------------------------------------------------------------------------------------------------------


def radius(where):
    return np.hypot(where.x1, where.x2)


@pytest.mark.parametrize("name", SETS)
def test_points_are_drawn_by_their_formula(name):
    where = points(name, 0.0, 3)
    x1, x2, wanted = where.x1, where.x2, where.wanted
    assert len(where) == 500
    assert x1.dtype == wanted.dtype == np.float32
    rule = {
        "circle": lambda: np.where(radius(where) < 2.5, 1, -1),
        "xor": lambda: np.sign(x1 * x2),
        "gaussian": lambda: np.sign(x1 + x2),
        "plane": lambda: (x1 + x2) / 10,
    }
    if name in rule:
        assert wanted == pytest.approx(rule[name](), abs=1e-6)
    if name == "circle":
        assert not ((radius(where) > 2.5001) & (radius(where) < 3.4999)).any()
        assert 4.9 < radius(where).max() <= 5.0001
    if name == "spiral":
        turned = 1.75 * 2 * np.pi * radius(where) / 5 + np.where(wanted > 0, 0, np.pi)
        assert radius(where) * np.sin(turned) == pytest.approx(x1, abs=1e-3)
    if name == "multi-gaussian":
        assert (
            np.sign(wanted[wanted != 0]).tolist() == np.sign((-x1 * x2 * (np.abs(x1) - 2))[wanted != 0]).tolist()
            or (wanted[(np.abs(x1) < 0.5) & (np.abs(x2 + 2.5) < 0.5)] > 0).all()
        )


@pytest.mark.parametrize("name", SETS)
def test_noise_moves_labels_or_points_and_a_seed_draws_them_again(name):
    calm, noisy, again = (points(name, noise, 3) for noise in (0.0, 0.5, 0.5))
    assert any(getattr(calm, key).tobytes() != getattr(noisy, key).tobytes() for key in ("x1", "wanted"))
    assert noisy.wanted.tobytes() == again.wanted.tobytes()
    assert points(name, 0.5, 4).x1.tobytes() != noisy.x1.tobytes()


def test_features():
    where = points("plane", 0.0, 0)
    rows = table(where, FEATURES)
    x1, x2 = where.x1, where.x2
    assert rows.tobytes() == np.stack([x1, x2, x1 * x1, x2 * x2, x1 * x2, rows[:, 5], rows[:, 6]], axis=-1).tobytes()
    assert rows[:, 5:] == pytest.approx(np.sin(np.stack([x1, x2], axis=-1)), abs=1e-6)
    assert features(where, FEATURES)["point.x1x2.product"].op == "multiply"


# ---- learning ----------------------------------------------------------------------------------------------------------


def test_the_recipes_tell_all_sets_apart():
    for seed in some([0, 1, 9], 1):
        right = {row[0]: row[-1] for row in load("playground", seed=seed).recipes}
        assert right.keys() == RECIPES.keys()
        assert min(right.values()) >= 95, seed
        lesson = Playground.recipe("gaussian", seed=seed)
        look = lesson.train(lesson.steps)
        assert (look.step, look.right) == (lesson.steps, right["gaussian"])


@pytest.mark.parametrize("activation", ["tanh", "relu", "sigmoid", "linear"])
def test_numbers_are_learned_too(activation):
    lesson = load("playground", data="plane", activation=activation, rate=0.03, epochs=4)
    first = lesson.play.evaluate()
    look = lesson.train(lesson.steps)
    assert look.test < 0.2 * first.test
    assert np.isnan(look.right)


def test_without_hidden_layers_it_is_one_neuron():
    lesson = load("playground", hidden="none", epochs=8)
    assert list(lesson.net.weights) == ["output.weight", "output.bias"]
    assert lesson.train(lesson.steps).right < 80  # a line can't enclose a circle


def test_a_weight_goes_against_the_gradient_of_its_batch():
    lesson = load("playground", data="xor", l2=0.02, l1=0.01)
    lesson.train(30)
    trace = lesson.play.last_step()
    for name, weight in trace.weights.items():
        gradient = trace.tensor(f"d.{name}")
        pulled = (gradient + np.float32(0.02) * weight.data) + np.float32(0.01) * np.sign(weight.data)
        after = weight.data - np.float32(0.1) * pulled
        assert trace.tensor(f"new.{name}").tobytes() == after.tobytes()
    now = {weight.name: weight.data for weight in lesson.net.weights.values()}
    assert all(now[name].tobytes() == trace.tensor(f"new.{name}").tobytes() for name in now)
    outputs, inputs = trace.tensor("d.output.sum"), trace.tensor("hidden.1.act")
    added = np.zeros(4, np.float32)
    for example in range(10):
        added = added + outputs[example] * inputs[example]
    assert trace.tensor("d.output.weight")[0].tobytes() == added.tobytes()
    address = lesson.play.most_moved(trace)
    assert trace.explain(address).replay() == trace.explain(address).value


def test_pictures_are_what_the_net_says():
    lesson = load("playground", hidden="3,2")
    lesson.train(5)
    surfaces = lesson.play.surfaces(4)
    assert {layer: picture.shape for layer, picture in surfaces.items()} == {
        "hidden.1": (3, 4, 8),
        "hidden.2": (2, 4, 8),
        "output": (1, 4, 8),
    }
    where = grid(4)
    assert (where.x1[0], where.x2[0], where.x1[-1], where.x2[-1]) == (-5.25, 4.5, 5.25, -4.5)
    alone = lesson.net(np.stack([where.x1, where.x2], axis=-1))
    assert surfaces["output"].tobytes() == alone.tobytes()


def test_reset_and_the_command_lead_to_the_same_bits():
    lesson = load("playground", data="spiral", hidden=(3, 2), features=["x1", "sinx2"], rate=0.3)
    lesson.train(31)
    weights = [weight.data.tobytes() for weight in lesson.net.weights.values()]
    lesson.play.reset()
    assert lesson.play.step == 0
    lesson.train(31)
    assert [weight.data.tobytes() for weight in lesson.net.weights.values()] == weights
    command = lesson.command(lesson.play.epoch)
    assert command.startswith("llmtrace learn playground --set data=spiral --set features=x1,sinx2 --set hidden=3,2")
    changed = [part.split("=", 1) for part in shlex.split(command)[4::2]]
    again = load("playground", **dict(changed))
    again.train(again.steps)
    assert [weight.data.tobytes() for weight in again.net.weights.values()] == weights


def test_too_large_a_rate_stops_kindly():
    lesson = load("playground", data="plane", activation="relu", rate=5)
    look = lesson.train(100)
    assert look.step < 100
    assert re.fullmatch(
        r"Stopped in step \d+: the numbers exploded\. Take a learning rate below 5\.", lesson.play.stopped
    )
    changes = [f"--set={change}" for change in ("data=plane", "activation=relu", "rate=5")]
    result = CliRunner().invoke(main, ["learn", "playground", "--ascii", *changes])
    assert result.exit_code == 0
    assert "the numbers exploded" in result.output
    assert result.output.isascii()
    assert "\x1b" not in result.output


def test_much_is_learned_by_heart():
    rows = load("playground").by_heart
    assert rows[-1][1] < 0.6 * rows[1][1]
    assert rows[-1][2] > 1.3 * min(row[2] for row in rows)
    assert rows[-1][4] < rows[-1][2]


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("hidden", "1,1,1,1,1,1,1,1,1", "up to 6 layers of 1 to 8 neurons"),
        ("hidden", "9", "up to 6 layers"),
        ("hidden", "4,0", "up to 6 layers"),
        ("hidden", "many", "numbers with commas, such as 4,2, or none"),
        ("batch", "0", "batch can't be 0: give a whole number from 1 to 500"),
        ("noise", "51", "from 0 to 50"),
        ("share", "5", "from 10 to 90"),
        ("rate", "0", "rate can't be 0: give a number from 0.00001 to 10"),
        ("l2", "-1", "a number from 0 to 10"),
        ("epochs", "0", "a number above 0, up to 5000"),
        ("data", "square", "give circle, xor, gaussian, spiral, plane, multi-gaussian"),
        ("features", "x3", "some of x1,x2,x1^2"),
        ("features", "", "some of x1,x2,x1^2"),
        ("features", "x1,x1", "some of x1"),
        ("activation", "step", "give tanh, relu, sigmoid, linear"),
        ("seed", "-1", "from 0 to"),
    ],
)
def test_what_is_refused(key, value, said):
    result = CliRunner().invoke(main, ["learn", "playground", "--set", f"{key}={value}"])
    assert result.exit_code == 2
    assert said in result.output
    assert result.output.count("\n") == 1
    with pytest.raises(LessonError):
        load("playground", **{key: value})


# ---- what is seen ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("width", [40, 60, 80])
def test_a_narrow_board_shows_every_key_and_every_number(width):
    lesson = load("playground", hidden="4")
    keys = "q: quit  space: go  s: step  r: reset  p: points  e: explain  c: command"
    made = board(lesson.play, picture_rows(width, 24), 20.0, keys=keys)
    lines = [line.rstrip() for line in as_text(Document((made,)), width).splitlines()]
    text = " ".join(lines)
    assert len(lines) <= 24
    assert all(key in text for key in keys.split("  "))
    assert all(number in text for number in re.findall(r"\d+[.,]?\d*", made.said + made.title))


@pytest.mark.parametrize("hidden", ["none", "4,2", "8,8", "8,8,8,8,8,8"])
def test_the_board_fits(hidden):
    lesson = load("playground", hidden=hidden, activation="relu")
    lesson.train(60)
    for width, height in ((80, 24), (200, 60), (60, 20), (30, 12), (12, 6)):
        shown = Document((board(lesson.play, picture_rows(width, height), 20.0, keys="keys " * 30),))
        console = Console(width=width, height=height, force_terminal=True, color_system="256", emoji=False)
        lines = console.render_lines(shown, pad=False)
        assert all(sum(segment.cell_length for segment in line) <= width for line in lines), width
        assert len(lines) <= max(height, 12)
        assert "keys" in "".join(segment.text for segment in lines[-1])


def test_every_neuron_is_seen_on_a_usual_screen():
    lesson = load("playground", hidden="8,8")
    shown = Document((board(lesson.play, picture_rows(80, 24), 20.0),))
    console = Console(width=80, height=24, color_system=None, emoji=False)
    lines = ["".join(s.text for s in line) for line in console.render_lines(shown, pad=False)]
    assert re.findall(r"\[\d\]", "".join(lines)) == [f"[{n}]" for n in range(8)] * 2
