"""The playground: a small net that learns to classify points of a plane, in the manner of TensorFlow Playground."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, ClassVar

from llmtrace.i18n import _
from llmtrace.lessons.framework.lesson import Lesson
from llmtrace.lessons.playground import board as boards
from llmtrace.lessons.playground.areas import areas
from llmtrace.lessons.playground.data import EDGE, FEATURES, features, grid
from llmtrace.lessons.playground.exercises import EXERCISES
from llmtrace.lessons.playground.net import Choices, Look, Play, items_of, layer_sizes, refusal
from llmtrace.lessons.playground.words import LEGEND
from llmtrace.models import Feedforward
from llmtrace.trace import Trace
from llmtrace.views.document import Document, Group, Paragraph, Space, paragraph
from llmtrace.views.figures import Board, Picture, Pictures

RECIPES: dict[str, dict[str, Any]] = {
    "circle": {"rate": 0.3, "batch": 25, "epochs": 40},
    "xor": {"features": "x1x2", "hidden": "none", "epochs": 4},
    "gaussian": {"hidden": "none", "epochs": 2},
    "spiral": {"features": "x1,x2,sinx1,sinx2", "hidden": "8,8", "rate": 0.3, "batch": 50, "epochs": 140},
}
"""Settings for the data sets of two classes, with which the accuracy in the test is at least 95 %."""
ROWS, SEEN = 10, 6
"""The rows of the pictures on pages, and of the grid whose every activation can be explained."""
MOST_EPOCHS = 5000
FRAMES, FILM_ROWS = 60, 16
"""The frames of a film behind the first, and the rows of its largest picture."""
USUAL: dict[str, Any] = {
    "data": "circle",
    "activation": "tanh",
    "batch": 25,
    "noise": 0,
    "share": 50,
    "l1": 0.0,
    "l2": 0.0,
}
"""What all nets share that are asked whether they need hidden layers."""
CROWDED: dict[str, Any] = {"data": "gaussian", "features": ("x1", "x2"), "hidden": (8, 8), "activation": "tanh"}
CROWDED |= {"rate": 0.6, "batch": 50, "noise": 50, "share": 10, "l1": 0.0}
STOPS = (0, 10, 60, 100, 250)
"""The epochs at which the net that overfits is evaluated."""


@dataclass
class Playground(Lesson):
    """The data set, the net, and how it is trained."""

    name = "playground"
    legend = LEGEND
    exercises = EXERCISES
    pull: ClassVar[float] = 0.03
    """The strength of the L2 regularisation where one is shown."""
    fast: ClassVar[float] = 3.0
    """A learning rate that is far too large."""
    edge: ClassVar[float] = EDGE

    data: str = "circle"
    features: str = "x1,x2"
    hidden: str = "4"
    activation: str = "tanh"
    rate: float = 0.1
    batch: int = 10
    noise: int = 0
    share: int = 50
    l1: float = 0.0
    l2: float = 0.0
    epochs: float = 20.0
    seed: int = 0

    def check(self) -> None:
        """LessonError where an input can't be so."""
        if not 0 < self.epochs <= MOST_EPOCHS:
            raise refusal("epochs", self.epochs, _("a number above 0, up to {high}", high=MOST_EPOCHS))
        self.features = ",".join(self.choices.features)
        self.hidden = ",".join(map(str, self.choices.hidden)) or "none"

    @cached_property
    def choices(self) -> Choices:
        """The inputs, parsed and checked."""
        own = {key: getattr(self, key) for key in self.inputs() if key != "epochs"}
        return Choices(**{**own, "features": items_of(self.features), "hidden": layer_sizes(self.hidden)})

    # ---- to play with --------------------------------------------------------------------------------------------------

    @cached_property
    def play(self) -> Play:
        """The net of these inputs: untrained until `train` is called."""
        return Play(self.choices)

    @property
    def net(self) -> Feedforward:
        """The weights and layers of `play`."""
        return self.play.net

    def train(self, steps: int = 1) -> Look:
        """Trains `play` some steps; returns how well it does then."""
        self.play.train(steps)
        return self.play.evaluate()

    @classmethod
    def recipe(cls, data: str, **changes: Any) -> Playground:
        """The playground with settings that suit one of the data sets of two classes."""
        return cls.with_inputs({"data": data, **RECIPES[data], **changes})

    @property
    def steps(self) -> int:
        """The number of steps in `epochs`, of which the last need not be whole."""
        return max(1, round(self.epochs * self.play.batches))

    def command(self, epochs: float = 0) -> str:
        """The command line that begins the playground with these inputs, and stops after so many epochs."""
        now = {key: getattr(self, key) for key in self.inputs()}
        return boards.command(self.name, {**now, "epochs": epochs or self.epochs}, self.inputs())

    # ---- the course of a training --------------------------------------------------------------------------------------

    @cached_property
    def course(self) -> tuple[Play, list[Picture], list[Look]]:
        """A net trained for all steps, with pictures of its output and its evaluations: before, soon after, and at the end."""
        play, pictures, evaluations = Play(self.choices), [], []
        stops = {0, min(self.steps, play.batches * max(1, round(self.epochs / 10))), self.steps}
        for step in self.tracked(self.steps + 1):
            if step:
                play.train()
            if step in stops and not play.stopped:
                marks = boards.marks_of(play.train_points, ROWS) if step == 0 else {}
                pictures.append(replace(boards.output_picture(play, ROWS), marks=marks))
                evaluations.append(play.evaluate())
        return play, pictures, evaluations

    def film(self) -> Iterator[Document]:
        """The board, before the training and between equal parts of it, as it is seen live."""
        play, done = Play(self.choices), 0
        for frame in self.tracked(FRAMES + 1):
            upto = self.steps * frame // FRAMES
            if frame and (upto == done or play.stopped):
                continue
            play.train(upto - done)
            yield Document((boards.board(play, FILM_ROWS, self.epochs),))
            done = upto

    @property
    def trained(self) -> Play:
        """The net, trained for all steps."""
        return self.course[0]

    @cached_property
    def snapshots(self) -> Group:
        """The output on the plane before the first step, soon after it, and at the end, each with its evaluation."""
        _play, pictures, evaluations = self.course
        names = [_("epoch {epoch}", epoch=f"{each.epoch:g}") for each in evaluations]
        each = zip(names, map(boards.result_text, evaluations), strict=True)
        said = [_("{name}: {said}", name=name, said=outcome) for name, outcome in each]
        said += [self.trained.stopped] if self.trained.stopped else []
        shown = Pictures(dict(zip(names, pictures, strict=True)))
        return Group((shown, Space(), *(paragraph(line, hang=4) for line in said)))

    @cached_property
    def points(self) -> Pictures:
        """Pictures of the points of the training and of the test."""
        play = Play(self.choices)
        learned, others = boards.points_picture(play.train_points, ROWS), boards.points_picture(play.test_points, ROWS)
        return Pictures({_("in training"): learned, _("in the test"): others}, False)

    @property
    def counts(self) -> tuple[int, int, int]:
        """The numbers of points in training and in the test, and of steps in an epoch."""
        return len(self.play.train_points), len(self.play.test_points), self.play.batches

    @cached_property
    def board(self) -> Board:
        """The board of the live view for the trained net, with a smaller picture."""
        return boards.board(self.trained, ROWS, self.epochs)

    @cached_property
    def areas(self) -> Group:
        """The areas of the screen, with the trained net in them."""
        return areas(self.trained, self.epochs)

    # ---- traces --------------------------------------------------------------------------------------------------------

    @cached_property
    def first_step(self) -> Trace:
        """The first training step, recorded."""
        return Play(self.choices).last_step()

    @cached_property
    def last_step(self) -> Trace:
        """The last training step, recorded."""
        return self.trained.last_step()

    @cached_property
    def surface(self) -> Trace:
        """The activations of every neuron of the trained net on a grid of the plane, row by row."""
        return self.trained.activations(grid(SEEN))

    @cached_property
    def told(self) -> Trace:
        """All features of the first points."""
        return features(self.play.train_points.part(slice(0, 8)), FEATURES)

    @cached_property
    def pulled(self) -> Trace:
        """The first training step with L2 regularisation, recorded."""
        return Play(replace(self.choices, l1=0.0, l2=self.pull)).last_step()

    @property
    def moved(self) -> str:
        """The address of the weight that the last step changed most."""
        return self.trained.most_moved(self.last_step)

    @property
    def gradient(self) -> str:
        """The address of the gradient of the weight that the last step changed most."""
        return self.moved.replace("new.", "d.", 1)

    @property
    def penalty(self) -> str:
        """The address of the regularised gradient of the weight that the first step with L2 regularisation changed most."""
        return self.play.most_moved(self.pulled).replace("new.", "penalised.", 1)

    # ---- what needs what -----------------------------------------------------------------------------------------------

    def tried(self, epochs: int, choices: Choices) -> Play:
        """A net with other choices, trained for some epochs."""
        play = Play(choices)
        for _epoch in self.tracked(epochs):
            play.train(play.batches)
        return play

    @cached_property
    def needs(self) -> list[tuple[Any, ...]]:
        """The accuracy on the circle without and with a hidden layer, and without one on squared features."""
        rows: list[tuple[Any, ...]] = []
        for told, hidden in ((("x1", "x2"), ()), (("x1", "x2"), (4,)), (("x1^2", "x2^2"), ())):
            own: dict[str, Any] = {"features": told, "hidden": hidden, "rate": 0.03 if "x1^2" in told else 0.2}
            play = self.tried(20 if hidden else 10, Choices(**USUAL, **own, seed=self.seed))
            rows.append((",".join(told), ",".join(map(str, hidden)) or "none", play.evaluate().right))
        return rows

    @cached_property
    def recipes(self) -> list[tuple[Any, ...]]:
        """The data sets of two classes with settings that suit them, and the accuracy of the net."""
        rows = []
        for data in RECIPES:
            lesson = self.recipe(data, seed=self.seed)
            for _step in self.tracked(lesson.steps):
                lesson.play.train()
            own = [str(getattr(lesson, key)) for key in ("features", "hidden", "batch")]
            rows.append((data, *own, f"{lesson.rate:g}", f"{lesson.epochs:g}", lesson.play.evaluate().right))
        return rows

    @property
    def spiral(self) -> str:
        """The command line for the spiral."""
        return self.recipe("spiral").command()

    @cached_property
    def crowded(self) -> Play:
        """A large net, trained for long on few, noisy points."""
        return self.tried(STOPS[-1], Choices(**CROWDED, l2=0.0, seed=self.seed))

    @property
    def crowd(self) -> str:
        """The command line for a large net on few, noisy points."""
        return self.with_inputs({**CROWDED, "seed": self.seed, "epochs": STOPS[-1]}).command()

    @cached_property
    def by_heart(self) -> list[tuple[Any, ...]]:
        """The losses in training and in the test of a large net on few, noisy points, without and with L2 regularisation."""
        pulled = self.tried(STOPS[-1], Choices(**CROWDED, l2=self.pull, seed=self.seed))
        evaluations = ((self.crowded.evaluations[stop], pulled.evaluations[stop]) for stop in STOPS)
        return [(round(a.epoch), a.train, a.test, b.train, b.test) for a, b in evaluations]

    @property
    def least(self) -> float:
        """The smallest test loss of the large net on few, noisy points, without regularisation."""
        return min(row[2] for row in self.by_heart)

    @cached_property
    def too_fast(self) -> Paragraph:
        """The message where the learning rate is far too large."""
        other: dict[str, Any] = {
            "data": "plane",
            "features": ("x1", "x2"),
            "hidden": (4,),
            "activation": "relu",
            "rate": self.fast,
        }
        return paragraph(boards.status(self.tried(1, replace(self.choices, **other))), indent=2, hang=0)
