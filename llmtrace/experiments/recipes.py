"""Recipes: the edits of a run in a small JSON file, by which anybody makes them again to the same bits."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from llmtrace.errors import AddressError, EditError, ModelError
from llmtrace.experiments.what_if import WhatIf, what_if
from llmtrace.i18n import _
from llmtrace.storage import weights_hash
from llmtrace.storage.files import read_json
from llmtrace.storage.replace import replacing
from llmtrace.text import cited, shown
from llmtrace.trace import Trace

VERSION = 1
LARGEST = 64 << 20
"""No recipe is larger, in bytes."""


def write(path: Path, found: WhatIf) -> None:
    """Writes the edits to a file, whole or not at all; raises EditError where it can't."""
    content = {
        "llmtrace": "recipe",
        "version": VERSION,
        "model": found.before.model,
        "weights_hash": weights_hash(found.before.weights),
        "text": found.before.origin.text,
        "ids": found.before.tensor("tokens").tolist(),
        "edits": found.recipe,
    }
    with replacing(path, EditError) as new:
        new.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def read(path: Path) -> list[Any]:
    """The edits of a file; raises EditError where it is no recipe."""
    return _content(path)["edits"]


def read_ids(path: Path) -> list[int]:
    """The tokens of the run to which a file's edits are made; raises EditError where it is no recipe or has none."""
    ids = _content(path).get("ids")
    if not isinstance(ids, list) or not all(type(each) is int for each in ids):
        raise EditError(_("{path} is no recipe: {why}", path=shown(str(path)), why="ids"))
    return ids


def _content(path: Path) -> dict[str, Any]:
    try:
        content = read_json(path, LARGEST)
        known = isinstance(content, dict) and (content.get("llmtrace"), content.get("version")) == ("recipe", VERSION)
        edits = content.get("edits") if known else None
    except ModelError as error:
        raise EditError(str(error)) from error
    except (ValueError, RecursionError) as error:
        raise EditError(_("{path} is no recipe: {why}", path=shown(str(path)), why=cited(str(error)))) from error
    if not isinstance(edits, list):
        raise EditError(_("{path} is no recipe of version {version}", path=shown(str(path)), version=VERSION))
    return content


def replayed(before: Trace, edits: Any) -> WhatIf:
    """The edits of a recipe, done to a run; EditError where they are none, or do not fit."""
    found: dict[str, Any] = {}
    try:
        for entry in edits:
            found[str(entry["at"])] = _value(entry)
    except (TypeError, ValueError, LookupError, AttributeError) as error:
        raise EditError(_("this is no recipe: {why}", why=cited(str(error)))) from None
    try:
        return what_if(before, found)
    except AddressError as error:
        raise EditError(_("the recipe does not fit this run: {why}", why=error)) from error


def _value(entry: Any) -> Any:
    """What stands there afterwards."""
    if "token" in entry:
        return int(entry["token"])
    if "values" in entry:
        return np.array([float(number) for number in entry["values"]]).reshape(entry["shape"])
    return float(entry["value"])
