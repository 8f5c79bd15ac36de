"""Numbers as shades: the background of spaces where there are colours, and otherwise characters that grow darker.

Only backgrounds are coloured, and what is written on them has a colour of its own, so that both light and dark terminals
show the same picture. The colours are of the 256 that nearly every terminal knows; each is brighter than the one before.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from rich.color import Color
from rich.console import Console, ConsoleOptions
from rich.style import Style

from llmtrace.arithmetic.types import Array

COLOURS = (54, 56, 62, 67, 37, 78, 150, 186, 221, 227)
"""From purple by blue and green to yellow, as numbers of the 256 colours; luminance rises from each to the next."""
DARK = 3
"""How many of them, from the first, are so dark that white can be read on them better than black."""
CHARACTERS = ".:-=+*#%@"
BLANK, UNKNOWN = -1, -2
"""The level of a place where nothing is, and of one that holds no number (NaN)."""
_BLACK, _WHITE = Color.from_rgb(0, 0, 0), Color.from_rgb(255, 255, 255)


def in_colour(console: Console, options: ConsoleOptions) -> bool:
    """Whether backgrounds can be coloured: a terminal with 256 colours, and nobody asked for none."""
    return console.color_system in {"256", "truecolor"} and not console.no_color and not options.ascii_only


def levels(values: Array, low: float, high: float, count: int, blank: Array | None = None) -> Any:
    """For each value its level from 0 (`low`) to `count` − 1 (`high`); BLANK where `blank` says so, UNKNOWN for NaN."""
    numbers = np.asarray(values, np.float64)
    with np.errstate(all="ignore"):
        share = (numbers - low) / (high - low) if high > low else np.where(numbers > low, 1.0, 0.0)
        found = np.clip(np.nan_to_num(share, nan=0.0, posinf=1.0, neginf=0.0), 0, 1) * count
    result = np.minimum(found.astype(np.int64), count - 1)
    result[np.isnan(numbers)] = UNKNOWN
    if blank is not None:
        result[blank] = BLANK
    return result


@cache
def background(level: int) -> Style:
    """The background of a level, with black or white writing on it, whichever can be read."""
    ink = _WHITE if level < DARK else _BLACK
    return Style(color=ink, bgcolor=Color.from_ansi(COLOURS[level]))


def character(level: int) -> str:
    """The character of a level, where there are no colours."""
    return CHARACTERS[level] if level >= 0 else " " if level == BLANK else "?"
