"""Stories and probes by number: story `index` of a seed is a function of the two and of nothing else."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from llmtrace.rng import Chance, derive
from storyteller.agreement import animals
from storyteller.counting import counting
from storyteller.days import day
from storyteller.giving import giving
from storyteller.heirs import heir
from storyteller.owners import owners
from storyteller.rhymes import rhyme
from storyteller.teller import ANSWER, DECIDER, Teller, plain

__all__ = ["END", "KINDS", "Kind", "Probe", "probes", "stories", "story"]

Kind = Literal["heir", "day", "giving", "owners", "counting", "animals", "rhyme"]

WORD = re.compile(r"[\w']+")
END = "\n\n"  # after every story; no story has it inside

# Each kind of story and how many of twenty are of it.
TOLD: dict[Kind, tuple[Callable[[Teller], str], int]] = {
    "heir": (heir, 8),
    "day": (day, 3),
    "giving": (giving, 2),
    "owners": (owners, 2),
    "counting": (counting, 2),
    "animals": (animals, 2),
    "rhyme": (rhyme, 1),
}
KINDS: tuple[Kind, ...] = tuple(TOLD)
LOTS = tuple(tell for tell, share in TOLD.values() for _ in range(share))


@dataclass(frozen=True)
class Probe:
    """A place in a story that training never tells, where an earlier word decides between two ways to go on.

    The prompt ends before the space in front of `right` and `wrong`; `decider` is the word that decides, and `distance`
    says how many words after it the answer stands (the next word is at distance 1).
    """

    kind: Kind
    prompt: str
    right: str
    wrong: str
    decider: str
    distance: int


def story(seed: int, index: int) -> str:
    """One story, without the marker of its end."""
    return next(stories(seed, 1, index))


def stories(seed: int, count: int, first: int = 0) -> Iterator[str]:
    """The stories number `first` and so on."""
    start = derive(seed, "story") << 32
    for index in range(first, first + count):
        chance = Chance(start | index)
        yield plain(chance.choice(LOTS)(Teller(chance)))


def probes(seed: int, count: int, kind: Kind = "heir", distances: range = range(1, 100)) -> Iterator[Probe]:
    """So many different probes of one kind, at such distances. Their stories have pairs that training keeps apart.

    ValueError where 1,000 stories a probe are not enough to find them.
    """
    tell, start, seen = TOLD[kind][0], derive(seed, "probe", kind) << 32, set[str]()
    for index in range(1000 * count):
        if len(seen) == count:
            return
        teller = Teller(Chance(start | index), held_out=True)
        probe = asked(kind, tell(teller), teller)
        if probe and probe.distance in distances and probe.prompt not in seen:
            seen.add(probe.prompt)
            yield probe
    if len(seen) < count:
        raise ValueError(f"there are only {len(seen)} of {count} {kind} probes at such distances")


def asked(kind: Kind, marked: str, teller: Teller) -> Probe | None:
    """A probe at one of the marked places of a story, if it has any."""
    places = list(ANSWER.finditer(marked))
    if not places:
        return None
    place = teller.choice(places)
    before = marked[: place.start()]
    deciders = list(DECIDER.finditer(before))
    if not deciders:
        return None
    between = WORD.findall(plain(before[deciders[-1].end() :]))
    return Probe(kind, plain(before).rstrip(" "), place[1], place[2], deciders[-1][1], len(between) + 1)
