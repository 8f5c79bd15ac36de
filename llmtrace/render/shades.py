"""The shades of heatmaps where they are pictures: the terminal's own colours, with those between them."""

from __future__ import annotations

import numpy as np
from rich.color import Color

from llmtrace.render.terminal.palette import COLOURS, DARK
from llmtrace.views.figures import Scale

RGB = np.array([Color.from_ansi(colour).get_truecolor() for colour in COLOURS], np.float64)
UNKNOWN = (128, 128, 128)
"""Of what is no number."""


def shade(value: float, scale: Scale) -> tuple[tuple[int, int, int], bool]:
    """The colour of a number, and whether it is so dark that white can be read on it better than black."""
    if value != value:
        return UNKNOWN, True
    span = float(scale.high) - float(scale.low)
    share = min(1.0, max(0.0, (float(value) - scale.low) / span)) if span else float(value > scale.low)
    place = share * (len(COLOURS) - 1)
    below = min(int(place), len(COLOURS) - 2)
    red, green, blue = RGB[below] + (place - below) * (RGB[below + 1] - RGB[below])
    return (round(red), round(green), round(blue)), place < DARK - 0.5
