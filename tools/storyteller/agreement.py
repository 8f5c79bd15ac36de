"""Stories of animals that are one or many: the verb must agree with them, whatever stands in between."""

from __future__ import annotations

from storyteller.teller import Teller, apart, asking
from storyteller.words import ANIMALS, COLOURS, FRIENDS, LANDMARKS, SEATS, Noun

__all__ = ["animals"]

VERBS = {"IS": "[{n.IS}|{n.other.IS}]", "WAS": "[{n.was}|{n.other.was}]", "HAS": "[{n.has}|{n.other.has}]"}

FIRST = asking(
    VERBS,
    "The <{n}> near the {m} IS {colour}.",
    "The <{n}> behind the {m} IS {mood} today.",
    "The <{n}> by the old {m} WAS {mood} all day.",
    "The <{n}> that {p} saw near the {m} IS {colour}.",
    "The <{n}> that {p} saw this morning near the {m} IS {mood} now.",
    "The <{n}> that {p} and {p.his} {q.sibling} {q} saw near the {m} in the evening WAS {colour}.",
    "The <{n}> that the farmer keeps for the children in the little house behind the {m} HAS a new home.",
    "The <{n}> under the {m} HAS nothing to eat.",
    "The <{n}> from the farm with the {colour2} {m} IS {mood}, as {p} told {q} this morning.",
    "The <{n}> that came to the {m} with the two {colour2} wagons last summer IS {mood} again.",
)
SECOND = (
    "{n.They} sleep{n.s} all day and eat{n.s} at night.",
    "{n.They} like{n.s} to sit in the sun.",
    "{n.They} want{n.s} to play with {p}.",
    "{n.They} run{n.s} away when {p} comes.",
    "{n.They} {n.has} a warm place in the straw.",
    "{n.They} {n.IS} never far from {q}.",
    "{n.They} {n.does} not like the rain.",
    "{n.They} wait{n.s} for {p} every morning.",
    "{p} sees {n.them} every day and brings {n.them} food.",
)
THIRD = (
    "",
    "{p} likes {n.them} very much.",
    "{q} likes {n.their} {colour} tail{s}.",
    "Every night {p} says good night to {n.them}.",
    "In winter {n.they} stay{n.s} inside.",
    "When {q} calls, {n.they} come{n.s} at once.",
    "{n.These} {n} {n.was} a gift from {q}.",
)
SAT = (
    "The {n} sat on the {seat}.",
    "The {n} sat on the {seat} and looked at the {m}.",
    "The {n} slept on the {seat} near the {m}.",
    "One day the {n} sat on the {colour} {seat} in the sun.",
)
THEN = (
    "{p} came in and saw {n.them} there.",
    "{n.They} {n.was} {mood} and {mood2}.",
    "{n.They} {n.was} waiting for {p}.",
    "{n.They} {n.was} tired after a long day near the {m}.",
    "{n.They} did not see {p}, who stood behind the {m}.",
)
MOODS = ("hungry", "happy", "asleep", "tired", "quiet", "wet", "cold", "thirsty", "afraid", "awake")


def near(t: Teller) -> tuple[Noun, Noun]:
    """An animal and what it is near, two words that `held` allows together, each one or many."""
    while True:
        animal, word = t.choice(ANIMALS), t.choice(LANDMARKS)
        if apart(animal, word) == t.held_out:
            return t.noun(animal), t.noun(word)


def animals(t: Teller) -> str:
    """A story of one animal, or of many of its kind."""
    n, m = near(t)
    p = t.choice(FRIENDS)
    colour, mood = t.choice(COLOURS), t.choice(MOODS)
    slots: dict[str, object] = {
        "n": n,
        "m": m,
        "p": p,
        "q": t.friend(FRIENDS, (), (p,)),
        "colour": colour,
        "colour2": t.different(COLOURS, colour),
        "mood": mood,
        "mood2": t.different(MOODS, mood),
        "seat": t.choice(SEATS),
        "s": "" if n.s else "s",
    }
    if t.chances(4):
        return t.tell((SAT, THEN, SECOND, THIRD), slots)
    return t.tell((FIRST, SECOND, THIRD), slots)
