"""Residual connections: what goes into a layer is added to what it gives, so that gradients reach the first layers."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from llmtrace.arithmetic.types import Array
from llmtrace.errors import LessonError
from llmtrace.i18n import _
from llmtrace.lessons.framework.lesson import Article, Lesson
from llmtrace.lessons.leaf_or_flower.lesson import LeafOrFlower
from llmtrace.lessons.nets import random_net, side_by_side
from llmtrace.lessons.residual_connections.exercises import EXERCISES
from llmtrace.lessons.residual_connections.nets import INPUT, Deep, NoWayRound, deep_residual, layer
from llmtrace.lessons.residual_connections.words import LEGEND
from llmtrace.lessons.training.lesson import Training
from llmtrace.lessons.training.nets import deep_net, gradient_sizes, samples
from llmtrace.loading import load
from llmtrace.models import GPT, LanguageModel
from llmtrace.ops.elementwise.add import add
from llmtrace.trace import Run, Trace

SHOWN = (0, 10, 20, 50, 100, 200)
LEARNED, EXAM = 80, 40
WIDTH = 8


@dataclass
class ResidualConnections(Lesson):
    """The depths of the nets, what the bundled model reads, and which number of its stream is added up."""

    name = "residual-connections"
    legend = LEGEND
    exercises = EXERCISES
    articles = (
        Article(
            "numbers that go into the box with a way round, and come out: as many",
            "yes",
            "'yes' if len(box.tensor('input')) == len(box.tensor('box.out')) else 'no'",
        ),
        Article("the gradient vanishes in deep nets", "yes", "'yes' if sizes[0][1] < 0.01 else 'no'"),
        Article("and with a way round each layer", "no longer", "'no longer' if sizes[0][3] > 0.1 else 'still'"),
    )

    layers: int = 8
    deep: int = 16
    rate: float = 0.01
    prompt: str = "Once upon a time there was a clever"
    feature: int = 5
    seed: int = 0

    def check(self) -> None:
        """LessonError where an input is out of range."""
        self.require_within({"layers": (2, 12), "deep": (2, 24), "rate": (1e-5, 1), "feature": (0, self.width - 1)})
        if not self.prompt.strip() or len(self.model.ids(self.prompt)) > self.model.config.context:
            raise LessonError(_("the prompt must have from 1 to {count} tokens", count=self.model.config.context))

    # ---- one box -------------------------------------------------------------------------------------------------------

    @cached_property
    def box(self) -> Trace:
        """One layer of three neurons with a way round it."""
        net = random_net(self.seed, "box", [3, 3], 1.0, "relu", biased=False)
        weights = {"box.weight": net.weights["output.weight"].with_data(np.round(net.weights["output.weight"].data, 1))}
        trace = Trace(weights, legend=LEGEND)
        with Run(weights, trace) as run:
            layer(run, "box", run.leaf("input", np.array(INPUT, np.float32), ("number",)), "relu", True)
        return trace

    @property
    def box_table(self) -> list[tuple[Any, ...]]:
        """What goes into the box, what it gives, and what comes out."""
        columns = (self.recorded("box", name) for name in ("input", "box.act", "box.out"))
        return [(n, *row) for n, row in enumerate(zip(*columns, strict=True))]

    # ---- deep nets -----------------------------------------------------------------------------------------------------

    @cached_property
    def vanishing(self) -> Trace:
        """The gradients of the deep net with sigmoids."""
        return deep_net(self.layers, 1.0, "sigmoid", self.seed)

    @cached_property
    def exploding(self) -> Trace:
        """The gradients of the deep net with large weights."""
        return deep_net(self.layers, 2.0, "none", self.seed)

    @cached_property
    def reaching(self) -> Trace:
        """The gradients of the first net with a way round each layer."""
        return deep_residual(self.layers, 1.0, "sigmoid", self.seed)

    @cached_property
    def sizes(self) -> list[tuple[Any, ...]]:
        """For each layer, the largest gradient of its sums in the three nets."""
        columns = map(gradient_sizes, (self.vanishing, self.exploding, self.reaching))
        return [(n, *row) for n, row in enumerate(zip(*columns, strict=True), 1)]

    @property
    def grown(self) -> float:
        """How many times as large the gradient in the first layer is with a way round."""
        return float(self.sizes[0][3] / self.sizes[0][1])

    @cached_property
    def learning(self) -> list[tuple[Any, ...]]:
        """Two nets of many layers, without ways round and with them, trained side by side."""
        nets = [Deep(self.deep, WIDTH, residual, self.seed, self.rate) for residual in (False, True)]
        data = samples(Training.leaf, LeafOrFlower.flower, LEARNED + EXAM, self.seed)
        return side_by_side(nets, data, LEARNED, SHOWN, self.tracked(SHOWN[-1] + 1))

    @property
    def examples(self) -> tuple[int, int]:
        """How many examples there are to learn from, and how many are held out."""
        return LEARNED, EXAM

    @property
    def neurons(self) -> int:
        """How many neurons each of the many layers has."""
        return WIDTH

    # ---- the stream ----------------------------------------------------------------------------------------------------

    @cached_property
    def model(self) -> LanguageModel:
        """The bundled model."""
        model = load()
        assert isinstance(model, GPT)
        return model

    @property
    def width(self) -> int:
        """How many numbers a token has in the bundled model's stream."""
        return int(self.model.config.width)

    @cached_property
    def real(self) -> Trace:
        """The bundled model at the prompt."""
        return self.model.trace(self.prompt)

    @cached_property
    def added(self) -> list[str]:
        """The names of what is added up in the stream, from the embedding on."""
        blocks = range(self.model.config.blocks)
        return ["embed", *(f"block.{n}.{part}" for n in blocks for part in ("attn.out", "mlp.down"))]

    @cached_property
    def stream(self) -> Trace:
        """The same sum once more, for the last token, from the parts alone."""
        trace = Trace({}, legend=LEGEND)
        with Run({}, trace) as run:
            parts = [run.leaf(name, self.real.tensor(name)[-1], ("feature",)) for name in self.added]
            x = parts[0]
            for n, part in enumerate(parts[1:], 1):
                x = run(f"stream.{n}", add, x, part)
        return trace

    @property
    def stream_table(self) -> list[tuple[Any, ...]]:
        """For one number of the last token: what each part adds, and the total so far."""
        added = [self.recorded("stream", name, self.feature) for name in self.added]
        totals = [added[0], *(self.recorded("stream", f"stream.{n}", self.feature) for n in range(1, len(added)))]
        return list(zip(self.added, added, totals, strict=True))

    @property
    def end(self) -> Array:
        """The last token's numbers at the end of the stream, as the model has them."""
        return self.real.tensor(f"block.{self.model.config.blocks - 1}.residual_out")[-1]

    @property
    def same_bits(self) -> bool:
        """Whether the sum of the parts has the same bits as the model's stream."""
        return self.stream.tensor(f"stream.{len(self.added) - 1}").tobytes() == self.end.tobytes()

    @cached_property
    def without(self) -> list[tuple[Any, ...]]:
        """What the bundled model expects after the prompt, with its ways round and without."""
        closed = NoWayRound(self.model.config, self.model.weights, self.model.tokenizer)
        names = (_("with"), _("without"))
        traces = (self.real, closed.trace(self.prompt))
        return [(name, *self._first(trace)) for name, trace in zip(names, traces, strict=True)]

    def _first(self, trace: Trace) -> tuple[str, float]:
        """The likeliest next token and its probability."""
        chances = trace["probabilities"].output[-1]
        return self.model.token_text(int(chances.argmax())).replace(" ", "_"), float(chances.max())
