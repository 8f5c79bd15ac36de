"""Verifying a trace: does every recorded number follow from the inputs of its step?"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any
from unicodedata import normalize

import numpy as np
import numpy.typing as npt

from llmtrace.arithmetic.bits import same_bits
from llmtrace.arithmetic.types import Array
from llmtrace.errors import ReplayError
from llmtrace.explain import explain_element
from llmtrace.explain.angle import verify_angles
from llmtrace.i18n import _
from llmtrace.ops import OPS
from llmtrace.storage import weights_hash
from llmtrace.text import cited
from llmtrace.tokenizers import Tokenization
from llmtrace.trace import Step, Trace

Progress = Callable[[str], None]
FEW = 8
"""So many numbers of a step are explained one by one in any case."""
QUICK = 50_000
"""So many numbers of a step are computed, about, in the time of one explanation."""


def verify(trace: Trace, progress: Progress = lambda name: None) -> int:
    """Does every step again and returns how many numbers were compared; ReplayError names the first that does not follow."""
    verify_header(trace)
    if trace.keep != "all":
        return verify_kept(trace, progress)
    for step in trace.steps:
        progress(step.name)
        verify_step(trace, step)
    return recorded_numbers(trace)


def verify_kept(trace: Trace, progress: Progress = lambda name: None) -> int:
    """The same for a trace that keeps only some numbers: all steps are done in order, each from the results of those before,
    and compared where there is something to compare with.
    """
    compared = 0
    for name, again in trace.each(again=True):
        progress(name)
        if trace.holds(name):
            expect_same(trace[name], again)
            compared += again.size
    return compared


def verify_step(trace: Trace, step: Step) -> None:
    """Does one step again; ReplayError names its first number that does not follow."""
    expect_same(step, done_again(trace, step))


def expect_same(step: Step, again: Array) -> None:
    """ReplayError names the first number of a step that is another one than what it gives again."""
    recorded = step.output
    expect_like(step, again.shape, again.dtype)
    if not same_bits(again, recorded):
        place = next(i for i in np.ndindex(recorded.shape) if not same_bits(again[i], recorded[i]))
        address = step.trace.address(step.name, place)
        raise ReplayError(
            _(
                "{address} is recorded as {recorded}, but its inputs give {again}",
                address=address,
                recorded=recorded[place],
                again=again[place],
            )
        )


def expect_like(step: Step, shape: tuple[int, ...], dtype: npt.DTypeLike) -> None:
    """ReplayError where a step's result is of another shape or type than what is recorded."""
    if tuple(shape) != step.record.shape or np.dtype(dtype).name != step.record.dtype:
        raise ReplayError(
            _(
                "{name} is recorded as {dtype} of shape {shape}, but its inputs give {dtype2} of shape {shape2}",
                name=step.name,
                dtype=step.record.dtype,
                shape=step.record.shape,
                dtype2=np.dtype(dtype),
                shape2=shape,
            )
        )


def recorded_numbers(trace: Trace) -> int:
    """How many numbers the steps of a trace have recorded."""
    return sum(math.prod(trace.shape(name)) for name in trace)


def verify_sample(trace: Trace, count: int, seed: int = 0, progress: Progress = lambda name: None) -> int:
    """The same for `count` numbers drawn at random, or for all if there are no more; returns how many were compared.

    Each is checked by its explanation; a step of which many were drawn is done again as a whole, which is quicker.
    """
    if count >= recorded_numbers(trace):
        return verify(trace, progress)
    verify_header(trace)
    names = [name for name in trace if math.prod(trace.shape(name))]
    rng = np.random.default_rng(seed)
    drawn = rng.multinomial(count, np.full(len(names), 1 / len(names)))
    for name, times in zip(names, drawn.tolist(), strict=True):
        progress(name)
        if times > FEW and times * QUICK >= math.prod(trace.shape(name)):
            verify_step(trace, trace[name])
            continue
        for _unused in range(times):
            place = tuple(int(rng.integers(size)) for size in trace.shape(name))
            explain_element(trace, name, place)  # replays, and raises where a bit differs
    return count


def verify_header(trace: Trace) -> None:
    """What the trace says beside its numbers fits them: the weights and the tokens are those that it speaks of."""
    verify_tokens(trace)
    verify_angles(trace)
    if trace.weights_hash and weights_hash(trace.weights) != trace.weights_hash:
        raise ReplayError(_("the weights are not those that made the trace: their checksum (weights_hash) is another"))


def verify_tokens(trace: Trace) -> None:
    """The record of how the text became tokens is right, and ends in the ids that the model read and in their texts."""
    if trace.origin.tokenization is None:
        return
    try:
        tokenization = Tokenization.from_dict(trace.origin.tokenization)
    except ValueError as error:
        raise ReplayError(str(error)) from error
    tokenization.replay()
    read = "source" if "source" in trace.leaves else "tokens"
    ids = trace.tensor(read).tolist()
    read_text, text = (
        normalize("NFC", each) for each in (tokenization.text, trace.origin.text or "")
    )  # it may compose
    if tokenization.ids != ids or read_text != text:
        raise ReplayError(_("the ids of the tokens are not those that the prompt's text gives"))
    texts = trace.tokens[trace.past :] if read == "tokens" else [trace.token_text(i) for i in ids]
    for place, (token, said) in enumerate(zip(tokenization.tokens, texts, strict=False)):
        wrong = next((each for each in (said, trace.token_text(token.id)) if each != token.text), None)
        if wrong is not None:
            raise ReplayError(
                _(
                    "the token at position {place} is {text}, but the prompt's text gives {other}",
                    place=place,
                    text=cited(wrong),
                    other=cited(token.text),
                )
            )


def in_order(tensor: Array) -> Array:
    """The numbers without gaps, and at whole places in memory: in a file, a single number may make the next ones stand off."""
    return np.require(tensor, requirements=["C", "A"])


def done_again(trace: Trace, step: Step) -> Array:
    """The output of a step, computed from its inputs and weights once more; ReplayError where that can't be."""
    names = step.record.operands.values()
    arguments: list[Any] = [None if name is None else in_order(trace.tensor(name)) for name in names]

    def empty(shape: tuple[int, ...], dtype: npt.DTypeLike) -> Array:
        expect_like(step, shape, dtype)  # before there is memory for it: a file may name any size
        return np.empty(shape, dtype)

    try:
        return OPS[step.op].forward(*arguments, **step.settings, empty=empty)
    except (TypeError, ValueError, IndexError, MemoryError) as error:
        raise ReplayError(_("{name} can't be done again: {why}", name=step.name, why=error)) from error
