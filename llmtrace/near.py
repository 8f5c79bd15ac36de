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
    likely = [(alike, each) for each in known if (alike := likeness(name, each)) >= ALIKE]
    # Of those whose last parts are as near, the whole that is nearest.
    likely.sort(key=lambda each: (each[0], _matcher(name.lower(), each[1].lower()).ratio()), reverse=True)
    return [each for _alike, each in likely][:count]


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
    """How much of two texts is the same; 0 where their lengths or letters alone show that it is less than `ALIKE`."""
    matcher = _matcher(one, other)
    likely = matcher.real_quick_ratio() >= ALIKE and matcher.quick_ratio() >= ALIKE
    return matcher.ratio() if likely else 0


def _matcher(one: str, other: str) -> SequenceMatcher[str]:
    return SequenceMatcher(None, one, other, autojunk=False)


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
