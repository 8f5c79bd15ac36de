"""What is said before a training begins: how large the model is, how much text there is, and how long it will take."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from llmtrace.i18n import N_, _, n_

if TYPE_CHECKING:
    from llmtrace.training import LanguageTraining

LONG = 120
"""From so many seconds on, the reader is told of a quicker way."""
MODEL = N_("The model: {weights:,} numbers to learn, in {blocks} of width {width}, for {vocabulary:,} tokens.")
TIME = N_("This takes about {time} on this machine.")
QUICKER = N_("For a first look in seconds: --layers 2 --width 64 --context 64 --batch 8 --steps 300")
LOSSES = N_(
    "The loss in training is the mean over the steps since the last report; the one on held-out text is measured at the"
    " report, when the model is better already. So it may be the smaller one."
)


def paragraphs(training: LanguageTraining) -> Iterator[str]:
    """The sentences, of what is left to do."""
    plan, left = training.plan, training.plan.settings.steps - training.done
    model = plan.model
    blocks = n_("{count} block", "{count} blocks", model.blocks, count=model.blocks)
    yield _(MODEL, weights=training.size, blocks=blocks, width=model.width, vocabulary=model.vocabulary)
    read = left * plan.batch * model.context
    count = len(training.windows.tokens)
    text = n_(
        "The text: {count:,} tokens to learn from. {steps:,} step of {batch} × {context} tokens reads it about {passes} times.",
        "The text: {count:,} tokens to learn from. {steps:,} steps of {batch} × {context} tokens read it about {passes} times.",
        left,
    )
    yield text.format(count=count, steps=left, batch=plan.batch, context=model.context, passes=_few(read / count))
    seconds = training.seconds_left()
    if seconds is not None:
        from llmtrace.views.training import duration

        yield _(TIME, time=duration(float(f"{seconds:.2g}")))
        if seconds > LONG and not training.done:
            yield _(QUICKER)
    if training.held is not None:
        yield _(LOSSES)


def announce(training: LanguageTraining) -> None:
    """Says it."""
    from llmtrace.cli.output import print_document
    from llmtrace.views.document import Document, paragraph, quiet

    print_document(Document(tuple(paragraph(quiet(text), hang=0) for text in paragraphs(training))))


def _few(times: float) -> str:
    """With two digits."""
    return f"{times:.0f}" if times >= 10 else f"{times:.1f}" if times >= 1 else f"{times:.2g}"
