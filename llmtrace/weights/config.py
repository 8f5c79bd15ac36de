"""config.json, as Hugging Face has it: which family a model is of, and what is the same in all of them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from llmtrace.errors import ModelError
from llmtrace.i18n import _, listed
from llmtrace.storage.files import read_json
from llmtrace.text import shown
from llmtrace.weights.names import own_name

LARGEST, MOST_VALUES = 4 << 20, 1 << 17
"""Bytes of config.json, which has a few kilobytes, and values in it: some name 20,000 classes."""


def written(value: Any) -> str:
    """A value as config.json has it."""
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else shown(repr(value), 60)


def read_content(path: Path) -> dict[str, Any]:
    """What the file says."""
    data = read_json(path, LARGEST, MOST_VALUES)
    if not isinstance(data, dict):
        raise ModelError(_("{where} does not describe a model: it is not a JSON object", where=shown(path)))
    return data


def kind_of(data: Mapping[str, Any], where: str, known: Collection[str], begin: Callable[[str], str]) -> str:
    """Which of the `known` families a model is of, by how their architectures `begin`; ModelError where it is of none."""
    kind, architectures = data.get("model_type"), data.get("architectures")
    if kind is None and isinstance(architectures, list):  # files of 2019 have no model_type yet
        begun = (name for name in known for each in architectures if str(each).startswith(begin(name)))
        kind = next(begun, None)
    if kind is None:
        raise ModelError(_("{where} does not say what model it describes: it has no model_type", where=where))
    if kind not in [*known]:
        names = listed(map(repr, known))
        raise ModelError(
            _("{where} describes {kind}, but only {known} can be read", where=where, kind=written(kind), known=names)
        )
    return str(kind)


def size_in(data: Mapping[str, Any], name: str, limit: int, problems: list[str], aliases: Sequence[str] = ()) -> int:
    """The size of this name, or of its aliases; what is wrong with it goes to `problems`."""
    found, value = agreed({own_name(data, n): data.get(n) for n in (name, *aliases)}, problems)
    if value is None:
        problems.append(_("{name} is missing", name=own_name(data, name)))
        return 1
    if type(value) is not int or not 1 <= value <= limit:  # a bool is no size, though Python counts with it
        problems.append(
            _(
                "{found} must be a whole number from 1 to {limit:,}, not {value}",
                found=found,
                limit=limit,
                value=written(value),
            )
        )
        return 1
    return value


def agreed(stated: Mapping[str, Any], problems: list[str]) -> tuple[str, Any]:
    """Of the places where one setting may stand, the first where it does, and its value, or None where it stands nowhere.

    Programs differ in which of two places counts, so that both must say the same; else that goes to `problems`.
    """
    there = [(place, value) for place, value in stated.items() if value is not None]
    first, value = there[0] if there else ("", None)
    for place, other in there[1:]:
        if other != value:
            text = _("{first} is {value}, but {second} is {other}: which of them counts is not said")
            problems.append(text.format(first=first, value=written(value), second=place, other=written(other)))
    return first, value


def number_in(data: Mapping[str, Any], name: str, usual: float, largest: float, problems: list[str]) -> float:
    """The number of this name, or what is usual; what is wrong with it goes to `problems`."""
    return checked_number(own_name(data, name), data.get(name, usual), usual, largest, problems)


def checked_number(name: str, value: Any, usual: float, largest: float, problems: list[str]) -> float:
    """A number above 0, also as float32; of another value, which goes to `problems`, what is usual."""
    if type(value) in (int, float) and 0 < value <= largest and np.float32(value) > 0:
        return float(value)
    text = _("{name} must be a number above 0, at most {largest}, not {value}")
    if type(value) in (int, float) and 0 < value <= largest:
        text = _("{name} must be a number above 0, at most {largest}, and {value} is too small for a float32")
    problems.append(text.format(name=name, largest=f"{largest:g}", value=written(value)))
    return usual


def must_split(data: Mapping[str, Any], width: tuple[str, int], heads: tuple[str, int], problems: list[str]) -> None:
    """Adds to `problems` that the heads, whose name and number they are, can't share the width evenly."""
    if width[1] % heads[1] and not problems:
        text = _("a width ({width_name}) of {width} can't be split into {heads} heads ({heads_name})")
        names = {"width_name": own_name(data, width[0]), "heads_name": own_name(data, heads[0])}
        problems.append(text.format(width=width[1], heads=heads[1], **names))


def tied_or_not(data: Mapping[str, Any], problems: list[str]) -> bool | None:
    """Whether the output is tied to the token embedding: None where the file does not say."""
    tied = data.get("tie_word_embeddings")
    if tied is not None and not isinstance(tied, bool):
        problems.append(_("tie_word_embeddings must be true or false, not {found}", found=written(tied)))
    if data.get("quantization_config") is not None:
        problems.append(_("quantization_config: quantised weights can't be read"))
    return tied


def must_be_plain(data: Mapping[str, Any], where: str, title: str) -> None:
    """ModelError where a model has code of its own."""
    code = data.get("auto_map")
    if isinstance(code, dict) and any(str(name).startswith("AutoModel") for name in code):
        raise ModelError(
            _(
                "{where} describes a {family} with code of its own (auto_map); only the plain {family} can be read",
                where=where,
                family=title,
            )
        )
