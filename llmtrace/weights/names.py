"""The names of a file's tensors as a family knows them: without what wrappers and versions put in front, and without heads that
are not used here.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from itertools import islice
from typing import Any, TypeVar

from llmtrace.errors import ModelError
from llmtrace.i18n import _, listed
from llmtrace.text import cited, shown

T = TypeVar("T")

NAMED = 8
"""So many names or problems are said in one sentence; the others are counted."""
ADAPTERS = (".lora_", "lora_A.", "lora_B.", ".ia3_", "prompt_embeddings")
"""What stands in the names of tensors that only change another model."""


class Renamed(dict[str, T]):
    """What a file holds, by the names that Hugging Face has for it."""

    def __init__(self, content: Mapping[str, T], own: Callable[[str], str]) -> None:
        super().__init__(content)
        self.own = own
        """What the file itself calls it, also where it lacks it."""


def own_name(held: Mapping[str, Any], name: str) -> str:
    """What a file calls that which is `name` in what was read of it: errors are for those who look into the file."""
    return held.own(name) if isinstance(held, Renamed) else name


Problem = str | Callable[[], str]
"""What is wrong with something; of what there may be many, put into words only when it is said."""


def some(names: Collection[str]) -> str:
    """The first few of some names that a file has."""
    return listed(shown(name, 80) for name in islice(names, NAMED)) + _more(len(names))


def together(problems: Sequence[Problem]) -> str:
    """The first few of what is wrong, in one line."""
    return "; ".join(each if isinstance(each, str) else each() for each in problems[:NAMED]) + _more(len(problems))


def _more(count: int) -> str:
    return _("; and {count} more", count=count - NAMED) if count > NAMED else ""


def unwrapped(stored: Mapping[str, T], endings: Iterable[str], notes: list[str]) -> Mapping[str, T]:
    """The tensors by their names without a prefix that all have, such as torch.compile's `_orig_mod.`.

    endings: what one of the names must end with, the most wanted first; what stands before it there is the prefix.
    """
    ends = [(name, ending) for ending in endings for name in stored if f".{name}".endswith(f".{ending}")]
    wrapper = ends[0][0].removesuffix(ends[0][1]) if ends else ""
    if not wrapper or not all(name.startswith(wrapper) for name in stored):
        return stored
    notes.append(_("the names of its tensors begin with {prefix}, which was taken off", prefix=cited(wrapper)))
    return {name.removeprefix(wrapper): tensor for name, tensor in stored.items()}


def must_be_whole(names: Iterable[str], where: str) -> None:
    """ModelError where the tensors are those of an adapter."""
    name = next((name for name in names if any(part in name for part in ADAPTERS)), None)
    if name is not None:
        raise ModelError(
            _(
                "{where} holds an adapter (LoRA or the like: {name}), which only changes another model; merge the two first",
                where=where,
                name=shown(name, 80),
            )
        )


def unused(names: Collection[str], notes: list[str]) -> None:
    """Says which tensors are left out."""
    if names:
        notes.append(_("{names}: not part of the language model, and not used", names=some(names)))
