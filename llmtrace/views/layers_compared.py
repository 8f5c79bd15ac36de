"""Two runs layer by layer: how many numbers of each differ and by how much, and at which token the residual streams part."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from llmtrace.experiments.compare import Comparison, Difference
from llmtrace.i18n import N_, _
from llmtrace.trace import StepKind
from llmtrace.views.document import Block, Column, Space, Table, Text, paragraph, quiet
from llmtrace.views.figures import Axis, Heatmap, Heatmaps, Place, Scale
from llmtrace.views.numbers import percent
from llmtrace.views.sections import parts

STREAM = N_(
    "How far the residual streams of both runs are apart, by layer (from above) and token: the largest distance of two numbers"
    " of a row, as a share of the largest number of both rows."
)


def rows(found: Comparison) -> list[tuple[str, list[Difference]]]:
    """The parts of the first run with those of their steps that were compared."""
    steps = {step.name: step for step in found.steps}
    known = [(part.title, [steps[each.name] for each in part.steps if each.name in steps]) for part in parts(found.a)]
    return [(title, compared) for title, compared in known if compared]


def facts(found: Comparison) -> dict[str, Any]:
    """The same as plain data, and the distances of the residual streams."""
    names, far = found.streams()
    layers = [
        {
            "title": title,
            "size": sum(step.size for step in steps),
            "differ": sum(step.differ for step in steps),
            "relative": _most(found, steps).relative,
            "most": _most(found, steps).name,
        }
        for title, steps in rows(found)
    ]
    return {"layers": layers, "streams": {"steps": names, "places": found.places, "distances": far}}


def blocks(found: Comparison) -> Iterator[Block]:
    """A table by layer, and a heatmap of the streams; nothing where nothing differs."""
    layers = rows(found)
    if not any(step.differ for _title, steps in layers for step in steps):
        return
    yield Space()
    yield _table(layers, [_most(found, steps) for _title, steps in layers])
    yield from _heatmap(found)


def _most(found: Comparison, steps: list[Difference]) -> Difference:
    """The step with the largest share; numbers that are names, such as those of tokens, have none."""
    real = [step for step in steps if found.a.dtype(step.name).kind == "f"]
    return max(real or steps, key=lambda step: step.relative)


def _table(layers: list[tuple[str, list[Difference]]], most: list[Difference]) -> Table:
    return Table(
        (
            Column(_("layer"), tuple(Text(title, "name") for title, _steps in layers)),
            Column(_("other bits"), tuple(f"{sum(s.differ for s in steps):,}" for _title, steps in layers), "right"),
            Column(_("of"), tuple(f"{sum(s.size for s in steps):,}" for _title, steps in layers), "right", rank=2),
            Column(_("share"), tuple(percent(each.relative, 3) if each.differ else "" for each in most), "right"),
            Column(_("most in"), tuple(each.name if each.differ else "" for each in most), rank=1),
        )
    )


def _stages(found: Comparison, names: list[str]) -> Iterator[str]:
    """What each stage of the stream is called beside its row."""
    after = {StepKind.AFTER_ATTENTION: _("attention"), StepKind.AFTER_MLP: _("MLP")}
    count = dict.fromkeys(after, 0)
    for each in names:
        kind = found.a.legend.kind(each)
        if kind not in after:
            yield each
            continue
        yield f"{after[kind]} {count[kind]}"
        count[kind] += 1


def _heatmap(found: Comparison) -> Iterator[Block]:
    names, far = found.streams()
    if len(names) < 2 or not far.size:
        return
    known = far[np.isfinite(far)]
    tokens = found.a.tokens[found.a.past :]
    places = tuple(Place(n, tokens[i]) for n, (i, _other) in enumerate(found.places))
    layers = Axis("", len(names), tuple(Place(n, name=each) for n, each in enumerate(_stages(found, names))))
    scale = Scale(0.0, float(known.max(initial=0.0)) or 1.0)
    columns = Axis("position", len(places), places)
    yield Space()
    yield paragraph(quiet(_(STREAM)), hang=0)
    yield Heatmaps((Heatmap(far, ~np.isfinite(far), scale, layers, columns, cells="shades"),))
