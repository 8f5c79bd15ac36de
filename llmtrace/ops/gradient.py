"""What an op's `backward` is given: one step of a run that is walked backward, and a way to say its gradients as ops."""

from collections.abc import Mapping
from typing import Any, Protocol

from llmtrace.ops.op import Op
from llmtrace.ops.tensor import Tensor, Weight


class Gradient(Protocol):
    """One step, and `dout`: by how much the loss changes when an element of the step's output grows by a little.

    `backward` says the same of each input and weight, by ops that are done at once: `accumulate("x", multiply, g.dout, g.out)`.
    What nobody asks for (token ids, a bias that is absent) is passed over in silence.
    """

    settings: Mapping[str, Any]

    @property
    def out(self) -> Tensor:
        """What the step made."""

    @property
    def dout(self) -> Tensor:
        """The gradient of that."""

    def __getitem__(self, name: str) -> Tensor | Weight:
        """An input or a weight of the step, by the op's name for it."""

    def wants(self, *names: str) -> bool:
        """Whether the gradient of any of these is asked for: if not, work that leads to it alone can be left out."""

    def do(self, part: str, op: Op, *operands: Tensor | Weight | None, **settings: Any) -> Tensor:
        """An op on the way to a gradient; `part` is what it is called, after the step's name."""

    def accumulate(self, name: str, op: Op, *operands: Tensor | Weight | None, **settings: Any) -> None:
        """The gradient of the input or weight `name` is the result of `op`.

        Where the op takes an `initial` value (a sum over positions, whose total goes on from batch to batch) it is put last.
        """

    def pass_on(self, *names: str) -> None:
        """The gradient of each of these is `dout` itself."""
