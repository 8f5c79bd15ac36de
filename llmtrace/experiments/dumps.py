"""Activations that another program has written: files of arrays, and the names that programs give to the steps of a GPT-2.

Known are llmtrace's own names, the modules of Hugging Face's `transformers`, and the hooks of TransformerLens: see
docs/experiments.md.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from llmtrace.arithmetic.types import Array
from llmtrace.errors import EditError, LlmtraceError, ModelError
from llmtrace.i18n import _
from llmtrace.storage.files import open_regular
from llmtrace.storage.stored import open_tensors
from llmtrace.text import cited, shown
from llmtrace.trace import Trace

LARGEST = 8 << 30


def _same(array: Array) -> Array:
    return array


def _heads_first(array: Array) -> Array:
    """[position, head, feature] → [head, position, feature]."""
    return np.moveaxis(array, -2, -3)


Turn = Callable[[Array], Array]

TRANSFORMER_LENS: dict[str, tuple[str, Turn]] = {
    "blocks.{n}.ln1.hook_out": ("block.{n}.ln_1", _same),
    "blocks.{n}.ln2.hook_out": ("block.{n}.ln_2", _same),
    "ln_final.hook_out": ("ln_f", _same),
    "hook_embed": ("embed.token", _same),
    "hook_pos_embed": ("embed.position", _same),
    "blocks.0.hook_resid_pre": ("embed", _same),
    "blocks.{n}.ln1.hook_normalized": ("block.{n}.ln_1", _same),
    "blocks.{n}.attn.hook_q": ("block.{n}.attn.q", _heads_first),
    "blocks.{n}.attn.hook_k": ("block.{n}.attn.k", _heads_first),
    "blocks.{n}.attn.hook_v": ("block.{n}.attn.v", _heads_first),
    "blocks.{n}.attn.hook_attn_scores": ("block.{n}.attn.scores", _same),
    "blocks.{n}.attn.hook_pattern": ("block.{n}.attn.pattern", _same),
    "blocks.{n}.attn.hook_z": ("block.{n}.attn.mix", _heads_first),
    "blocks.{n}.hook_attn_out": ("block.{n}.attn.out", _same),
    "blocks.{n}.hook_resid_mid": ("block.{n}.residual_mid", _same),
    "blocks.{n}.ln2.hook_normalized": ("block.{n}.ln_2", _same),
    "blocks.{n}.mlp.hook_pre": ("block.{n}.mlp.up", _same),
    "blocks.{n}.mlp.hook_post": ("block.{n}.mlp.act", _same),
    "blocks.{n}.hook_mlp_out": ("block.{n}.mlp.down", _same),
    "blocks.{n}.hook_resid_post": ("block.{n}.residual_out", _same),
    "ln_final.hook_normalized": ("ln_f", _same),
}
TRANSFORMERS: dict[str, tuple[str, Turn]] = {
    "wte": ("embed.token", _same),
    "wpe": ("embed.position", _same),
    "drop": ("embed", _same),
    "h.{n}.ln_1": ("block.{n}.ln_1", _same),
    "h.{n}.attn.c_proj": ("block.{n}.attn.out", _same),
    "h.{n}.ln_2": ("block.{n}.ln_2", _same),
    "h.{n}.mlp.c_fc": ("block.{n}.mlp.up", _same),
    "h.{n}.mlp.act": ("block.{n}.mlp.act", _same),
    "h.{n}.mlp.c_proj": ("block.{n}.mlp.down", _same),
    "h.{n}": ("block.{n}.residual_out", _same),
    "attentions.{n}": ("block.{n}.attn.pattern", _same),
    "lm_head": ("logits", _same),
}
FUSED = "h.{n}.attn.c_attn"
"""The module of `transformers` that makes q, k and v side by side."""
MIXED = "h.{n}.attn.c_proj.input"
"""What the module after attention is given: the mixes of all heads side by side."""
BEFORE_GAIN = {
    "ln1.hook_normalized": "ln1.hook_out",
    "ln2.hook_normalized": "ln2.hook_out",
    "ln_final.hook_normalized": "ln_final.hook_out",
}
"""From TransformerLens 4 on, the first is a norm before its gain and bias, and the second the whole of it."""
KNOWN = TRANSFORMER_LENS | TRANSFORMERS
IDS = ("tokens", "input_ids", "ids")


def read(path: Path) -> dict[str, Array]:
    """The arrays of a .npz or safetensors file, by the names that they have there; EditError where it is neither."""
    try:
        if path.suffix == ".npz":
            with open_regular(path) as there:  # NumPy would take any file for a pickle
                if not zipfile.is_zipfile(there):
                    raise ValueError(_("it is no .npz file"))
            with np.load(path, allow_pickle=False) as file:
                return {name: file[name] for name in file.files}
        tensors, _metadata = open_tensors(path)
        return {name: _widened(each.read) for name, each in tensors.items()}
    except ModelError as error:
        raise EditError(str(error)) from error
    except LlmtraceError:
        raise
    except OSError as error:
        why = error.strerror or str(error)
        raise EditError(_("{path} can't be read: {why}", path=shown(str(path)), why=why)) from error
    except (ValueError, zipfile.BadZipFile) as error:
        raise EditError(_("{path} can't be read: {why}", path=shown(str(path)), why=cited(str(error)))) from error


def _widened(numbers: Callable[[], Array]) -> Array:
    return np.array(numbers())


def understood(trace: Trace, arrays: Mapping[str, Array]) -> dict[str, Array]:
    """The arrays by llmtrace's names, as it lays them out; those that are none of this run's steps are left out."""
    found: dict[str, Array] = {}
    for name, array in arrays.items():
        if any(name.endswith(old) and name.removesuffix(old) + new in arrays for old, new in BEFORE_GAIN.items()):
            continue
        for ours, turned in _named(trace, name, array):
            if trace.knows(ours) and ours not in found:
                fitted = _fitted(turned, trace.tensor(ours))
                if fitted is not None:
                    found[ours] = fitted
    return found


def strange(trace: Trace, arrays: Mapping[str, Array]) -> list[str]:
    """What is the matter with each array that is a step of this run by its name, but not by its shape or type."""
    found = []
    for name, array in arrays.items():
        for ours, turned in _named(trace, name, array):
            if trace.knows(ours) and _fitted(turned, trace.tensor(ours)) is None:
                wanted, has = (f"[{', '.join(map(str, shape))}]" for shape in (trace.shape(ours), turned.shape))
                words = {"type": array.dtype.name, "has": has, "ours": ours, "wanted": wanted}
                found.append(_("{name} is {type} {has}, and {ours} is {wanted}", name=cited(name), **words))
    return found


def nothing(trace: Trace, arrays: Mapping[str, Array]) -> EditError:
    """That no array is a step of this run, and what was expected."""
    few = ", ".join(cited(name) for name in [*arrays][:5]) or _("it has no arrays")
    known = [
        *strange(trace, arrays)[:1],
        _("expected are names such as {name} (docs/experiments.md)", name=_example(trace)),
    ]
    return EditError(_("none of these arrays is a step of this run: {names}; {why}", names=few, why="; ".join(known)))


def _example(trace: Trace) -> str:
    """`block.0.attn.pattern [4, 20, 20]`."""
    names = [name for name in trace if name.endswith(".pattern")] or [*trace]
    return f"{names[0]} [{', '.join(map(str, trace.shape(names[0])))}]"


def _named(trace: Trace, name: str, array: Array) -> list[tuple[str, Array]]:
    """What an array is here, perhaps several things."""
    if name in IDS:
        return [("tokens", array)]
    plain = re.sub(r"^(model\.|transformer\.)+", "", name)
    pattern, number = re.sub(r"\.\d+", ".{n}", plain, count=1), re.search(r"\.(\d+)", plain)
    n = number[1] if number else ""
    if pattern == FUSED and array.shape[-1] % 3 == 0:
        parts = np.split(array, 3, axis=-1)
        return [(f"block.{n}.attn.{letter}", _split(trace, n, part)) for letter, part in zip("qkv", parts, strict=True)]
    if pattern == MIXED:
        return [(f"block.{n}.attn.mix", _split(trace, n, array))]
    ours, turn = KNOWN.get(plain, KNOWN.get(pattern, (name, _same)))
    return [(ours.replace("{n}", n), turn(array))] if array.ndim > 1 or turn is _same else []


def _split(trace: Trace, n: str, part: Array) -> Array:
    """[position, C] → [head, position, feature]."""
    heads = trace.shape(f"block.{n}.attn.q")[-3] if trace.knows(f"block.{n}.attn.q") else 1
    return _heads_first(part.reshape(*part.shape[:-1], heads, -1)) if part.shape[-1] % heads == 0 else part


def _fitted(array: Array, ours: Array) -> Array | None:
    """The array in the shape and type of ours, without axes of one text; None where it is another."""
    while array.ndim > ours.ndim and array.shape[0] == 1:
        array = array[0]
    if array.shape != ours.shape or array.dtype.kind not in "fiu":
        return None
    whole = ours.dtype.kind != "f"
    if whole and array.dtype.kind == "f" and not (np.isfinite(array) & (array == np.floor(array))).all():
        return None
    with np.errstate(over="ignore"):
        return np.ascontiguousarray(array, np.int64 if whole else ours.dtype)
