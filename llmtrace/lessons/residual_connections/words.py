"""What the steps of the lesson residual-connections mean, in words."""

from __future__ import annotations

from llmtrace.i18n import N_
from llmtrace.lessons.nets_words import NETS
from llmtrace.lessons.training.words import LEGEND as TRAINING
from llmtrace.models.gpt_words import GPT_LEGEND
from llmtrace.trace.legend import Legend, StepWords

LEGEND = Legend(
    {
        "box.sum": StepWords(sentence=N_("what neuron {output} of the box adds up")),
        "box.act": StepWords(sentence=N_("what neuron {output} of the box gives")),
        "box.out": StepWords(sentence=N_("number {number} of what went in, plus what the box gives there")),
        "hidden.{n}.out": StepWords(
            sentence=N_("number {number} after layer {n}: what went in, plus what the layer gives")
        ),
        "output.out": StepWords(
            sentence=N_("number {number} after the last layer: what went in, plus what the layer gives")
        ),
        "stream.{n}": StepWords(sentence=N_("number {feature} of the stream after part {n} has been added")),
    },
    bases=(TRAINING, NETS, GPT_LEGEND),
)
