"""Activations that another program has written: files of arrays, and what programs call the steps of a GPT-2 or a Llama.

Known are llmtrace's own names, the modules of Hugging Face's `transformers`, and the hooks of TransformerLens: see
docs/experiments.md.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from llmtrace.arithmetic.bits import other_bits
from llmtrace.arithmetic.types import Array
from llmtrace.errors import EditError, LlmtraceError, ModelError
from llmtrace.i18n import _
from llmtrace.storage.files import open_regular
from llmtrace.storage.stored import open_tensors
from llmtrace.text import cited, shown
from llmtrace.trace import Trace

LARGEST = 8 << 30


Turn = Callable[[Trace, str, Array], Array]
"""How an array becomes what is called so here."""


def _same(trace: Trace, ours: str, array: Array) -> Array:
    return array


def _heads_first(trace: Trace, ours: str, array: Array) -> Array:
    """[position, head, feature] → [head, position, feature]."""
    return np.moveaxis(array, -2, -3) if array.ndim > 2 else array


def _split(trace: Trace, ours: str, array: Array) -> Array:
    """[position, C] → [head, position, feature]."""
    heads = trace.shape(ours)[-3] if trace.knows(ours) and len(trace.shape(ours)) > 2 else 1
    if not array.ndim or array.shape[-1] % heads:
        return array
    return _heads_first(trace, ours, array.reshape(*array.shape[:-1], heads, -1))


def _paired(turn: Turn) -> Turn:
    """Of what is turned by angles of positions, pairs as they are here; there, their halves stand behind each other."""

    def turned(trace: Trace, ours: str, array: Array) -> Array:
        split = turn(trace, ours, array)
        rotations = (step.record for step in trace.steps if step.op == "rotate")
        ways = [each.settings["interleaved"] for each in rotations if ours in {each.name, each.inputs[0]}]
        if not any(ways) or not split.ndim or split.shape[-1] % 2:
            return split
        return split.reshape(*split.shape[:-1], 2, -1).swapaxes(-1, -2).reshape(split.shape)

    return turned


def _once(trace: Trace, ours: str, array: Array) -> Array:
    """Of angles that stand there twice, one for each number of a pair."""
    return array[..., : array.shape[-1] // 2] if array.ndim else array


TRANSFORMER_LENS: dict[str, tuple[str, Turn]] = {
    "blocks.{n}.ln1.hook_out": ("block.{n}.ln_1", _same),
    "blocks.{n}.ln2.hook_out": ("block.{n}.ln_2", _same),
    "ln_final.hook_out": ("ln_f", _same),
    "hook_embed": ("embed.token", _same),
    "hook_pos_embed": ("embed.position", _same),
    "blocks.0.hook_resid_pre": ("embed", _same),
    "blocks.{n}.ln1.hook_normalized": ("block.{n}.ln_1", _same),
    "blocks.{n}.attn.hook_q": ("block.{n}.attn.q", _paired(_heads_first)),
    "blocks.{n}.attn.hook_k": ("block.{n}.attn.k", _paired(_heads_first)),
    "blocks.{n}.attn.hook_rot_q": ("block.{n}.attn.q.rotated", _paired(_heads_first)),
    "blocks.{n}.attn.hook_rot_k": ("block.{n}.attn.k.rotated", _paired(_heads_first)),
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
GATED: dict[str, tuple[str, Turn]] = {
    "hook_embed": ("embed", _same),
    "blocks.{n}.mlp.hook_pre": ("block.{n}.mlp.gate", _same),
    "blocks.{n}.mlp.hook_pre_linear": ("block.{n}.mlp.up", _same),
    "blocks.{n}.mlp.hook_post": ("block.{n}.mlp.product", _same),
}
"""What hooks of TransformerLens are where neurons have gates."""
TRANSFORMERS: dict[str, tuple[str, Turn]] = {
    "wte": ("embed.token", _same),
    "wpe": ("embed.position", _same),
    "drop": ("embed", _same),
    "h.{n}.ln_1": ("block.{n}.ln_1", _same),
    "h.{n}.attn.c_proj": ("block.{n}.attn.out", _same),
    "h.{n}.attn.c_proj.input": ("block.{n}.attn.mix", _split),
    "h.{n}.attn.resid_dropout": ("block.{n}.attn.out", _same),
    "h.{n}.attn": ("block.{n}.attn.out", _same),
    "h.{n}.ln_2": ("block.{n}.ln_2", _same),
    "h.{n}.mlp.c_fc": ("block.{n}.mlp.up", _same),
    "h.{n}.mlp.act": ("block.{n}.mlp.act", _same),
    "h.{n}.mlp.c_proj": ("block.{n}.mlp.down", _same),
    "h.{n}.mlp.dropout": ("block.{n}.mlp.down", _same),
    "h.{n}.mlp": ("block.{n}.mlp.down", _same),
    "h.{n}": ("block.{n}.residual_out", _same),
    "embed_tokens": ("embed", _same),
    "rotary_emb.cosine": ("rotary.cosine", _once),
    "rotary_emb.sine": ("rotary.sine", _once),
    "layers.{n}.input_layernorm": ("block.{n}.ln_1", _same),
    "layers.{n}.self_attn.q_proj": ("block.{n}.attn.q", _paired(_split)),
    "layers.{n}.self_attn.k_proj": ("block.{n}.attn.k", _paired(_split)),
    "layers.{n}.self_attn.v_proj": ("block.{n}.attn.v", _split),
    "layers.{n}.self_attn.o_proj": ("block.{n}.attn.out", _same),
    "layers.{n}.self_attn.o_proj.input": ("block.{n}.attn.mix", _split),
    "layers.{n}.self_attn": ("block.{n}.attn.out", _same),
    "layers.{n}.post_attention_layernorm": ("block.{n}.ln_2", _same),
    "layers.{n}.mlp.gate_proj": ("block.{n}.mlp.gate", _same),
    "layers.{n}.mlp.act_fn": ("block.{n}.mlp.act", _same),
    "layers.{n}.mlp.up_proj": ("block.{n}.mlp.up", _same),
    "layers.{n}.mlp.down_proj": ("block.{n}.mlp.down", _same),
    "layers.{n}.mlp.down_proj.input": ("block.{n}.mlp.product", _same),
    "layers.{n}.mlp": ("block.{n}.mlp.down", _same),
    "layers.{n}": ("block.{n}.residual_out", _same),
    "norm": ("ln_f", _same),
    "ln_f": ("ln_f", _same),
    "attentions.{n}": ("block.{n}.attn.pattern", _same),
    "lm_head": ("logits", _same),
}
FUSED = "h.{n}.attn.c_attn"
"""The module of `transformers` that makes q, k and v side by side."""
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


class Understood(NamedTuple):
    """What the arrays of a file are in a run."""

    steps: dict[str, Array]
    """By llmtrace's names, as it lays them out; of several that are one step, the first."""
    strange: list[str]
    """What is the matter with each that is a step of the run by its name, but not by its shape or type, or that is a second one
    of the same step with other numbers."""
    nameless: list[str]
    """Those that are no step of the run by their names."""


def understood(trace: Trace, arrays: Mapping[str, Array]) -> Understood:
    """What the arrays are in this run."""
    known = KNOWN | GATED if any(step.op == "multiply" for step in trace.steps) else KNOWN
    found, first = Understood({}, [], []), dict[str, str]()
    for name, array in arrays.items():
        if _in_other_words(name, arrays):
            continue
        meant = [(ours, turned) for ours, turned in _named(trace, known, name, array) if trace.knows(ours)]
        if not meant:
            found.nameless.append(name)
        for ours, turned in meant:
            fitted = _fitted(turned, trace.tensor(ours))
            if fitted is None:
                wanted, has = (f"[{', '.join(map(str, shape))}]" for shape in (trace.shape(ours), turned.shape))
                words = {"type": array.dtype.name, "has": has, "ours": ours, "wanted": wanted}
                found.strange.append(_("{name} is {type} {has}, and {ours} is {wanted}", name=cited(name), **words))
            elif ours not in found.steps:
                found.steps[ours], first[ours] = fitted, name
            elif other_bits(fitted, found.steps[ours]).any():
                text = _("{name} has other numbers than {first}, and both are {ours}")
                found.strange.append(text.format(name=cited(name), first=cited(first[ours]), ours=ours))
    return found


def _in_other_words(name: str, arrays: Mapping[str, Array]) -> bool:
    """Whether it is a norm before its gain, and the norm itself is there, too."""
    return any(name.endswith(old) and name.removesuffix(old) + new in arrays for old, new in BEFORE_GAIN.items())


def nothing(trace: Trace, arrays: Mapping[str, Array], found: Understood) -> EditError:
    """That no array is a step of this run, and what was expected."""
    few = ", ".join(cited(name) for name in [*arrays][:5]) or _("it has no arrays")
    known = [
        *found.strange[:1],
        _("expected are names such as {name} (docs/experiments.md)", name=_example(trace)),
    ]
    return EditError(_("none of these arrays is a step of this run: {names}; {why}", names=few, why="; ".join(known)))


def _example(trace: Trace) -> str:
    """`block.0.attn.pattern [4, 20, 20]`."""
    names = [name for name in trace if name.endswith(".pattern")] or [*trace]
    return f"{names[0]} [{', '.join(map(str, trace.shape(names[0])))}]"


def _named(trace: Trace, known: Mapping[str, tuple[str, Turn]], name: str, array: Array) -> list[tuple[str, Array]]:
    """What an array is here, perhaps several things, by the names that are known."""
    if name in IDS:
        return [("tokens", array)]
    plain = re.sub(r"^(model\.|transformer\.)+", "", name)
    pattern, number = re.sub(r"\.\d+", ".{n}", plain, count=1), re.search(r"\.(\d+)", plain)
    n = number[1] if number else ""
    if pattern == FUSED and array.ndim and array.shape[-1] % 3 == 0:
        each = zip("qkv", np.split(array, 3, axis=-1), strict=True)
        return [(ours := f"block.{n}.attn.{letter}", _split(trace, ours, part)) for letter, part in each]
    ours, turn = known.get(plain, known.get(pattern, (name, _same)))
    ours = ours.replace("{n}", n)
    return [(ours, turn(trace, ours, array))]


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
