"""What the steps of training mean, in words: by their roles, whatever model is trained."""

from __future__ import annotations

from llmtrace.i18n import N_
from llmtrace.trace.legend import StepWords

ROLES = {
    "gradient": StepWords(
        what=N_("the gradient of {base}"),
        sentence=N_(
            "the gradient of {what}: how much the loss would grow if that number grew by a little, divided by that little"
        ),
    ),
    "part": StepWords(
        what=N_("the part of the gradient of {base} that comes from {via}"),
        sentence=N_(
            "a part of the gradient of {what}: how much the loss would grow by way of {via} alone if that number grew by a"
            " little, divided by that little"
        ),
    ),
    "sum": StepWords(
        what=N_("the first {via} parts of the gradient of {base}, added up"),
        sentence=N_("the first {via} parts of the gradient of {what}, added up"),
    ),
    "start": StepWords(
        what=N_("the gradient of {base} from the texts read before"),
        sentence=N_("the gradient of {what} from the texts read before, which the sum for these texts goes on from"),
    ),
    "way": StepWords(
        what=N_("on the way to the gradients of what {base} is made of"),
        sentence=N_("a number on the way to the gradients of all that {base} is made of"),
    ),
    "squares.total": StepWords(
        what=N_("the squares of all gradients so far, added up"),
        sentence=N_("the squares of all gradients from the first weights to {base}, added up"),
    ),
    "squares": StepWords(
        what=N_("the squares of the gradient of {base}, added up row by row"),
        sentence=N_("the squares of one row of the gradient of {base}, added up"),
    ),
    "norm": StepWords(
        what=N_("the length of the gradient of all weights together"),
        sentence=N_("the length of the gradient of all weights together: the root of the sum of all squares"),
    ),
    "clip": StepWords(
        what=N_("what all gradients are multiplied by, so that they are not too long"),
        sentence=N_("what all gradients are multiplied by, so that together they are no longer than allowed"),
    ),
    "clipped": StepWords(
        what=N_("the gradient of {base}, shortened like all others"),
        sentence=N_("the gradient of this weight, shortened like all others"),
    ),
    "penalised": StepWords(
        what=N_("the gradient of {base}, with a pull of the weights towards 0"),
        sentence=N_("the gradient of this weight, with a pull of the weight towards 0"),
    ),
    "mean": StepWords(
        what=N_("the mean of the gradients of {base}, in which the last steps count most"),
        sentence=N_("the mean of this weight's gradients, in which the last steps count most"),
    ),
    "square": StepWords(
        what=N_("the mean of their squares: how large they usually are"),
        sentence=N_(
            "the mean of this weight's squared gradients, in which the last steps count most: how large they usually are"
        ),
    ),
    "velocity": StepWords(
        what=N_("how the weights {base} are moving"),
        sentence=N_("how this weight is moving: its gradient, and what is left of the steps before"),
    ),
    "before": StepWords(what=N_("the same before this step")),
    "new": StepWords(what=N_("the weights {base} after this step"), sentence=N_("the weight after this step")),
}
"""By the kind of a role. {base} and {via} are names, {what} is the sentence of the number whose gradient it is."""
BEFORE = {
    "mean": N_("the mean of this weight's gradients, as it was before this step"),
    "square": N_("the mean of this weight's squared gradients, as it was before this step"),
    "velocity": N_("how this weight was moving before this step"),
}
"""Of what the optimiser remembered, by what it is now."""
ON_THE_WAY = {
    "merged": N_("the same number as in {source}: only the heads now stand side by side"),
    "beside": N_("the gradient of what the heads have gathered, which still stand side by side here"),
    "normalised": N_(
        "feature {feature} of {token}, brought to mean 0 and spread 1: the number that the gain multiplies"
    ),
    "q.sum": N_("feature {feature} of the gradient of what {token} asks in head {head}, before it is divided by √D"),
    "k.sum": N_("feature {feature} of the gradient of the label of {token} in head {head}, before it is divided by √D"),
}
"""Of numbers on the way to a gradient, by the last part of their names."""
THIS = N_("this weight")
REALLY = N_(" (really follows: {target})")
OF_WEIGHT = N_("how much the loss would grow if this weight grew by a little, divided by that little (its gradient)")
OF_LOSS = N_("the loss grows by just as much as itself: from this 1, all gradients are computed backward")
WEIGHT = N_("a weight: a number that the model learned in training")
