"""What a model is: its settings, how many numbers it has learned, and its weights, those of all blocks in one line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any

from llmtrace.i18n import _
from llmtrace.ops import Weight
from llmtrace.views.document import (
    Block,
    Column,
    Document,
    Heading,
    Space,
    Table,
    heading,
    name,
    paragraph,
    quiet,
    said,
)
from llmtrace.views.grid import sizes

NUMBERED = re.compile(r"\.\d+\.")


def view(model: Any) -> Document:
    """The settings and the weights of a model."""
    return Document(tuple(_blocks(model)), lambda: _facts(model))


def _blocks(model: Any) -> Iterator[Block]:
    count = f"{model.parameters():,}"
    text = _("{model}: a {kind} that has learned {count} numbers")
    yield Heading((said(text, "heading", model=model.name or _("a model"), kind=type(model).__name__, count=count),), 1)
    settings = _settings(model)
    if settings:
        yield Table(
            (
                Column(_("setting"), tuple(settings), role="name"),
                Column(_("value"), tuple(map(str, settings.values())), "right"),
            )
        )
    for note in model.notes:
        yield paragraph(quiet(_("Note: {text}", text=note)), hang=0)
    yield Space()
    yield Heading((heading(_("Weights")),))
    yield _weights(model)
    if any(map(NUMBERED.search, model.weights)):
        yield paragraph(quiet(_("N: each of the blocks, which have weights of the same sizes.")), hang=0)


def _settings(model: Any) -> dict[str, Any]:
    config = model.config
    return {field.name: getattr(config, field.name) for field in fields(config)} if is_dataclass(config) else {}


def _weights(model: Any) -> Table:
    found: dict[tuple[str, str], list[Weight]] = {}
    first: dict[int, str] = {}
    for key, weight in model.weights.items():
        of = first.setdefault(id(weight), key)
        size = sizes(weight.shape, weight.axes) if of == key else _("the same as {name}", name=of)
        found.setdefault((NUMBERED.sub(".N.", key), size), []).append(weight)
    return Table(
        (
            Column(_("name"), tuple(name(pattern) for pattern, _size in found)),
            Column(_("how many"), tuple(f"{len(weights):,}" for weights in found.values()), "right", rank=1),
            Column(_("size of each"), tuple(size for _pattern, size in found)),
            Column(
                _("numbers in all"),
                tuple(f"{sum(weight.size for weight in weights):,}" for weights in found.values()),
                "right",
                rank=2,
            ),
        )
    )


def _facts(model: Any) -> dict[str, Any]:
    return {
        "name": model.name,
        "kind": type(model).__name__,
        "parameters": model.parameters(),
        "settings": _settings(model),
        "weights": [{"name": key, "axes": each.axes, "shape": each.shape} for key, each in model.weights.items()],
        "notes": list(model.notes),
    }
