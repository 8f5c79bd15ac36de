"""A small Llama and a GPT of the same sizes, trained on one text, letter by letter."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from llmtrace.arithmetic.turns import turns
from llmtrace.arithmetic.types import Array
from llmtrace.lessons.llama.words import LEGEND
from llmtrace.models import GPT, GPTConfig, LanguageModel, Llama, LlamaConfig
from llmtrace.ops import Tensor, Weight
from llmtrace.ops.attention.rotate import rotate
from llmtrace.ops.rows.layer_norm import layer_norm
from llmtrace.ops.rows.rms_norm import rms_norm
from llmtrace.rng import Chance
from llmtrace.tokenizers import CharacterTokenizer
from llmtrace.trace import Run, Trace
from llmtrace.training.settings import Settings
from llmtrace.training.trainer import Trainer
from llmtrace.weights.gpt import GPT2
from llmtrace.weights.llama import LLAMA

TEXT = (
    "the cat sat on the mat. the dog sat on the log. the cat saw the dog on the log. the dog saw the cat on the mat. "
)
CONTEXT, WIDTH, HEADS, BLOCKS = 32, 24, 4, 2
WINDOWS = 4
"""How many pieces of the text a step of training reads."""
EPSILON = 1e-5
BASE = 100.0
"""Of the angles of the two pairs that are drawn like hands of a clock."""


def tokenizer() -> CharacterTokenizer:
    """The letters of the text as tokens."""
    return CharacterTokenizer({letter: n for n, letter in enumerate(sorted(set(TEXT)))})


def small_llama(kv_heads: int, seed: int) -> Llama:
    """An untrained one."""
    letters = tokenizer()
    config = LlamaConfig(len(letters), CONTEXT, WIDTH, HEADS, kv_heads, WIDTH // HEADS, BLOCKS, 8 * WIDTH // 3, EPSILON)
    return Llama(config, LLAMA.initial(config, seed), letters, "small llama")


def small_gpt(seed: int) -> GPT:
    """A GPT of the same width, heads and blocks, untrained."""
    letters = tokenizer()
    config = GPTConfig(len(letters), CONTEXT, WIDTH, HEADS, BLOCKS, 4 * WIDTH)
    return GPT(config, GPT2.initial(config, seed), letters, "small gpt")


def trained(model: LanguageModel, steps: int, seed: int) -> tuple[LanguageModel, list[float]]:
    """The model after so many steps, and its loss in each."""
    settings = Settings(steps=steps, rate=1e-2, warmup=steps // 10, decay=0.0, seed=seed)
    trainer, ids, chance = Trainer(model.weights, settings), model.ids(TEXT), Chance(seed)
    losses = []
    for _step in range(steps):
        starts = [chance.below(len(ids) - CONTEXT) for _window in range(WINDOWS)]
        losses.append(trainer.step([part(model, np.stack([ids[s : s + CONTEXT + 1] for s in starts]))]).loss)
    return type(model)(model.config, trainer.state.weights, model.tokenizer, model.name), losses


def part(model: LanguageModel, windows: Array) -> Callable[[Run, Tensor | None], tuple[Tensor, Tensor]]:
    """A batch for the trainer: each letter is to be guessed from those before."""
    read, wanted = np.ascontiguousarray(windows[:, :-1]), np.ascontiguousarray(windows[:, 1:])
    return lambda run, summed: model.loss(run, read, wanted, read.size, summed)


def moved(model: Llama, ids: Array, first: int) -> Trace:
    """The run of a text whose first token stands at place `first`."""
    trace = Trace(model.weights, [model.token_text(i) for i in ids.tolist()], legend=LEGEND)
    with Run(model.weights, trace) as run:
        tokens = run.leaf("tokens", ids, ("position",))
        model.forward(run, tokens, run.leaf("positions", np.arange(first, first + len(ids)), ("position",)))
    return trace


def hands(places: int) -> Trace:
    """Two pairs of numbers, both (1, 0) at first, turned by the angles of so many places: a fast one and a slow one."""
    trace = Trace({}, legend=LEGEND)
    angles = turns(np.arange(places), 2, BASE)
    with Run({}, trace) as run:
        start = np.tile(np.array([1, 1, 0, 0], np.float32), (1, places, 1))
        given = run.leaf("hand", start, ("head", "place", "feature"))
        cosine = run.leaf("hand.cosine", angles.cosine, ("place", "pair"))
        sine = run.leaf("hand.sine", angles.sine, ("place", "pair"))
        run("hand.turned", rotate, given, cosine, sine, interleaved=False)
    return trace


def norms(row: Sequence[float]) -> Trace:
    """Layer norm and RMS norm of one row, with gains of 1."""
    width = len(row)
    one, zero = np.ones(width, np.float32), np.zeros(width, np.float32)
    names = {"row.layer.gain": one, "row.layer.bias": zero, "row.rms.gain": one}
    weights = {name: Weight(name, numbers, ("feature",)) for name, numbers in names.items()}
    trace = Trace(weights, legend=LEGEND)
    with Run(weights, trace) as run:
        given = run.leaf("row", np.array(row, np.float32), ("feature",))
        run("row.layer", layer_norm, given, epsilon=EPSILON)
        run("row.rms", rms_norm, given, epsilon=EPSILON)
    return trace
