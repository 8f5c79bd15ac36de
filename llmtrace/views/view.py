"""How a view says what it is for: `llmtrace show`, its options, its completion and its refusals are made from this.

A file of this folder that holds a `View` is a view of `llmtrace show`; nothing else has to know of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass, field, replace
from typing import Any

from llmtrace.explain.not_finite import counted
from llmtrace.frozen import frozen
from llmtrace.i18n import N_
from llmtrace.trace import Trace
from llmtrace.views.document import Document
from llmtrace.views.not_finite import warned


@frozen
class Option:
    """A number with which a view is asked for something of its own: its name, its help, and which names it is for."""

    name: str
    help: str
    uses: str
    least: int | None = None


HEAD = Option(
    "head",
    N_("Only this head, large and with its numbers."),
    N_("steps with heads, such as block.0.attn.pattern"),
    least=0,
)
POSITION = Option(
    "position",
    N_("The place in the text, from 0 (-1: the last), for residual and logits."),
    N_("residual, logits, probabilities and next_token"),
)
NEURON = Option(
    "neuron",
    N_("One neuron of an MLP: NAME is block.0.mlp.up."),
    N_("steps with neurons, such as block.0.mlp.up"),
    least=0,
)


@dataclass(frozen=True, eq=False)
class View:
    """Something to see in a trace.

    `accepts(trace, name, options)` says whether this is the view of a name (None stands for the whole trace) for which these
    options are given; of several that accept one, the first by `order` is taken. `build(trace, name, **options)` makes it;
    `every` is always among the options. `called`: the name that is only its own, in a trace for which it says True.
    """

    accepts: Callable[[Trace, Any, Set[str]], bool]
    build: Callable[..., Document]
    options: tuple[Option, ...] = ()
    order: int = 1
    called: Mapping[str, Callable[[Trace], bool]] = field(default_factory=dict)

    def __call__(self, trace: Trace, name: str | None, options: Mapping[str, Any], every: bool) -> Document:
        """The document for a name, with the options that were given."""
        document = self.build(trace, name, every=every, **options)
        if name is None or (name in trace and not counted(trace.tensor(name), trace[name])):
            return document  # the list of steps says it itself
        return replace(document, blocks=(*document.blocks, *warned(trace)))
