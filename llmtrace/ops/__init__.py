"""All operations, by name. To add one: its file, its line here, and its kernel in csrc/."""

from collections.abc import Iterator, Mapping

from llmtrace.lazy import attribute
from llmtrace.ops.op import Op
from llmtrace.ops.tensor import Tensor, Weight, by_name

__all__ = ["OPS", "Op", "Tensor", "Weight", "by_name"]

FILES = {
    "attention.attention_back": "attention_back",
    "attention.attention_mix": "attention_mix",
    "attention.attention_products": "attention_products",
    "attention.attention_scores": "attention_scores",
    "attention.causal_softmax": "causal_softmax causal_softmax_gradient",
    "attention.full_back": "full_back",
    "attention.full_mix": "full_mix full_products",
    "attention.full_scores": "full_scores",
    "attention.heads": "merge_heads split_heads",
    "attention.repeat_heads": "repeat_heads sum_heads",
    "attention.rotate": "rotate",
    "elementwise.add": "add",
    "elementwise.cos": "cos cos_gradient",
    "elementwise.divide": "divide",
    "elementwise.divide_by": "divide_by",
    "elementwise.dropout": "dropout",
    "elementwise.edit": "edit",
    "elementwise.erf": "erf erf_gradient",
    "elementwise.exp": "exp",
    "elementwise.gelu_erf": "gelu_erf gelu_erf_gradient",
    "elementwise.gelu_tanh": "gelu_tanh gelu_tanh_gradient",
    "elementwise.identity": "identity",
    "elementwise.log": "log",
    "elementwise.multiply": "multiply",
    "elementwise.multiply_scalar": "multiply_scalar",
    "elementwise.relu": "relu relu_gradient",
    "elementwise.scale": "scale",
    "elementwise.sigmoid": "sigmoid sigmoid_gradient",
    "elementwise.silu": "silu silu_gradient",
    "elementwise.sin": "sin sin_gradient",
    "elementwise.sqrt": "sqrt",
    "elementwise.subtract": "subtract",
    "elementwise.tanh": "tanh tanh_gradient",
    "linear.embedding": "embedding embedding_gradient",
    "linear.linear": "linear",
    "linear.linear_from_heads": "linear_from_heads",
    "linear.linear_to_heads": "linear_to_heads",
    "linear.sum_outer_products": "sum_outer_products",
    "linear.sum_positions": "sum_positions",
    "linear.sum_products": "sum_products",
    "losses.absolute_error": "absolute_error absolute_error_gradient",
    "losses.cross_entropy": "cross_entropy cross_entropy_gradient",
    "losses.cross_entropy_v1": "cross_entropy_v1",
    "losses.squared_error": "squared_error squared_error_gradient",
    "optimisers.adam_mean": "adam_mean",
    "optimisers.adam_square": "adam_square",
    "optimisers.adam_update": "adam_update",
    "optimisers.clip_factor": "clip_factor",
    "optimisers.momentum": "momentum",
    "optimisers.regularise": "regularise",
    "optimisers.sgd_step": "sgd_step",
    "rows.broadcast": "broadcast",
    "rows.concatenate": "concatenate",
    "rows.layer_norm": "layer_norm layer_norm_gradient",
    "rows.normalise": "normalise",
    "rows.rms_norm": "rms_norm rms_norm_gradient rms_scaled",
    "rows.select": "select",
    "rows.slice_positions": "slice_positions",
    "rows.softmax": "softmax softmax_gradient",
    "rows.squared_norm": "squared_norm",
    "rows.sum_all": "sum_all",
    "sampling.argmax": "argmax",
    "sampling.repetition_penalty": "repetition_penalty",
    "sampling.sample": "sample",
    "sampling.top_k": "top_k",
    "sampling.top_p": "top_p",
}
"""The files of ops, and the ops in each."""


class Ops(Mapping[str, Op]):
    """Ops by name. A file is imported when one of its ops is first asked for: a run needs a dozen of them, not all."""

    def __init__(self, files: Mapping[str, str]) -> None:
        """files: the names of the ops in each, with spaces between them."""
        self._homes = {op: file for file, ops in files.items() for op in ops.split()}
        self.imported: dict[str, Op] = {}
        """Those that were asked for."""

    def __getitem__(self, name: str) -> Op:
        if name not in self.imported:
            self.imported[name] = attribute(f"{__name__}.{self._homes[name]}.{name}")
        return self.imported[name]

    def __contains__(self, name: object) -> bool:
        return name in self._homes

    def __iter__(self) -> Iterator[str]:
        return iter(self._homes)

    def __len__(self) -> int:
        return len(self._homes)


OPS = Ops(FILES)
