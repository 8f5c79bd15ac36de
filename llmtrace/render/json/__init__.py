"""Documents and facts as JSON: one derivation for everything that programs read.

`to_data` turns anything into plain data by its structure alone: the fields of a dataclass, the items of a mapping, the
numbers of an array, exactly (every float32 is a float64), with text for those that are not finite. What has a form of its own
in which it can be read back, such as an Explanation, says it by `to_dict`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np

from llmtrace.render import Sheet
from llmtrace.views.document import Document

MIME = "application/json"
ENDING = ".json"
BLOCKS = {"llmtrace.views.document", "llmtrace.views.figures"}
"""Where blocks and inlines are defined."""


def render(document: Document) -> str:
    """What a document is about, or where it says nothing of that, its blocks."""
    return dumps(to_data(document.facts if document.facts is not None else document)) + "\n"


def standalone(document: Document, sheet: Sheet) -> bytes:
    """The same as a file."""
    return render(document).encode()


def dumps(data: Any, indent: int | None = 1) -> str:
    """Plain data as JSON in ASCII, without any control character."""
    return json.dumps(data, allow_nan=False, indent=indent).replace("\x7f", "\\u007f")


def to_data(thing: Any) -> Any:
    """Plain data: None, truth values, numbers, texts, lists, and dictionaries of these."""
    if thing is None or isinstance(thing, bool | int | str):
        return thing
    if isinstance(thing, float):
        return thing if math.isfinite(thing) else str(thing)
    if isinstance(thing, np.ndarray | np.generic):
        plain = thing.tolist()
        return plain if thing.dtype.kind in "iub" or np.isfinite(thing).all() else to_data(plain)
    if isinstance(thing, Mapping):
        return {str(key): to_data(each) for key, each in thing.items()}
    if isinstance(thing, Document):
        return {"kind": "Document", "blocks": to_data(thing.blocks)}
    if hasattr(thing, "to_dict"):
        return to_data(thing.to_dict())
    if is_dataclass(thing):
        return _fields(thing)
    if callable(thing):
        return to_data(thing())
    if isinstance(thing, Iterable):
        return [to_data(each) for each in thing]
    raise TypeError(f"a {type(thing).__name__} is no data")


def _fields(thing: Any) -> dict[str, Any]:
    """A dataclass by its fields; blocks and inlines, whose kinds differ where they stand, with the name of their kind."""
    kind = {"kind": type(thing).__name__} if type(thing).__module__ in BLOCKS else {}
    return {**kind, **{field.name: to_data(getattr(thing, field.name)) for field in fields(thing)}}
