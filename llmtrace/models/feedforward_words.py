"""What the steps and weights of a feed-forward net mean, in words."""

from __future__ import annotations

from llmtrace.i18n import N_
from llmtrace.trace.legend import Legend, StepWords

FEEDFORWARD = Legend(
    {
        "input": StepWords(sentence=N_("the number that goes in as {input}")),
        "hidden.{layer}.sum": StepWords(
            sentence=N_("what neuron {neuron} of layer {layer} adds up: every number that comes in, times a weight")
        ),
        "hidden.{layer}.act": StepWords(
            sentence=N_("what neuron {neuron} of layer {layer} passes on: its sum after the activation function")
        ),
        "hidden.{layer}.weight": StepWords(
            sentence=N_("a weight of neuron {neuron} of layer {layer}: what it multiplies number {place} by")
        ),
        "hidden.{layer}.bias": StepWords(
            sentence=N_("the bias of neuron {neuron} of layer {layer}: a number that it adds, whatever comes in")
        ),
        "output.sum": StepWords(
            sentence=N_("what output {output} adds up: every number that comes in, times a weight")
        ),
        "output.act": StepWords(sentence=N_("what output {output} says: its sum after the activation function")),
        "output.weight": StepWords(sentence=N_("a weight of output {output}: what it multiplies number {place} by")),
        "output.bias": StepWords(sentence=N_("the bias of output {output}: a number that it adds, whatever comes in")),
    },
    "feedforward",
    labelled=frozenset({"input", "output"}),
)
