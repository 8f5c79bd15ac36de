"""What every model is: weights by name, with a legend of what it does with them. Language models: `language_model.py`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

from llmtrace.display import Displayed, above
from llmtrace.ops import Weight
from llmtrace.trace import Trace
from llmtrace.trace.legend import Legend


class Model(Displayed, ABC):
    """A configuration, and weights by their names; one that is used in two places is one object under two names.

    `config` is a dataclass of its sizes and settings, `name` what it is called, `reference` what `llmtrace.load` takes to
    load it again.
    """

    legend: Legend
    """What the steps of its traces mean."""

    def __init__(self, config: Any, weights: Mapping[str, Weight], name: str = "", reference: str = "") -> None:
        self.config = config
        self.weights = weights
        self.name = name
        self.reference = reference
        self.notes: tuple[str, ...] = ()
        """What is to be known of the files that it came from: what was left out of them, or taken otherwise."""

    @abstractmethod
    def trace(self, inputs: Any) -> Trace:
        """Runs what comes in and records every step."""

    def parameters(self) -> int:
        """How many numbers it has learned; those of a weight with two names count once."""
        return sum({id(weight): weight.size for weight in self.weights.values()}.values())

    def document(self) -> Any:
        """Its settings and its weights."""
        return above("llmtrace.views.model").view(self)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name}: {self.parameters():,} parameters>".replace(" :", ":")
