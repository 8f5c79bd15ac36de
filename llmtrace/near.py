"""What somebody may have meant by a name that there is not."""

import re
from collections.abc import Iterable
from difflib import SequenceMatcher

from llmtrace.errors import AddressError
from llmtrace.i18n import _, listed, n_
from llmtrace.text import cited

ALIKE = 0.7
"""So much of two names must be the same, in the same order, for one to be a slip of the other."""
BEGUN = 2
"""So many letters are the beginning of a name; one letter begins too many."""


def near(name: str, known: Iterable[str], count: int = 1) -> list[str]:
    """At most `count` of `known` that `name` is plausibly meant to be, the likeliest first; often there is none."""
    likely = [(likeness(name, each), _ratio(name.lower(), each.lower()), each) for each in known]
    likely.sort(
        key=lambda each: each[:2], reverse=True
    )  # of those whose last parts are as near, the whole that is nearest
    return [each for alike, _whole, each in likely if alike >= ALIKE][:count]


def likeness(name: str, other: str) -> float:
    """How much of two names is the same, from 0 to 1; also where `name` is the beginning of the other, or its last parts."""
    name, other = name.lower().strip(), other.lower()
    if len(name.strip("-")) >= BEGUN and other.startswith(name):
        return 1.0
    parts, all_parts = re.split("[._ -]", name.strip("-")), re.split("[._ -]", other.strip("-"))
    end = ".".join(all_parts[-len(parts) :])
    alike = max(_ratio(name.strip("-"), other.strip("-")), _ratio(".".join(parts), end))
    return alike if name == other or alike < 1 else 0.99


def _ratio(one: str, other: str) -> float:
    return SequenceMatcher(None, one, other, autojunk=False).ratio()


def no_such_step(name: str, known: Iterable[str]) -> AddressError:
    """What to say where no step or view has that name."""
    found = near(name, known, 3)
    if not found:
        return AddressError(_("nothing is named {name}; `llmtrace show` lists all names", name=cited(name)))
    text = n_(
        "nothing is named {name}; the nearest name is {near}",
        "nothing is named {name}; the nearest names are {near}",
        len(found),
    )
    return AddressError(text.format(name=cited(name), near=listed(found)))
