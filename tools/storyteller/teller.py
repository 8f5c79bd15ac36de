"""The teller: draws the words of one story and writes its sentences.

A story is written with marks that the training text doesn't have: `<girl>` is a word that decides something later,
and `[her|him]` a place that it decides, with the right word first and a wrong one after it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache

from llmtrace.rng import Chance
from storyteller.words import (
    ANIMALS,
    COLOURS,
    LANDMARKS,
    PLACES,
    QUALITIES,
    SPOTS,
    Noun,
    Person,
    held,
    many,
    one,
)

__all__ = ["Teller", "asking", "plain"]

NOUNS = {word: (one(word), many(word)) for word in ANIMALS + LANDMARKS}
AN = re.compile(r"\b([Aa]) (?=<?[aeiou])")
DECIDER = re.compile(r"<(\w+)>")
ANSWER = re.compile(r"\[(\w+)\|(\w+)\]")
MARKS = re.compile(r"<(\w+)>|\[(\w+)\|\w+\]")
CAPITALS = re.compile(r"\b[A-Z]{2,}\b")


def asking(places: Mapping[str, str], *lines: str) -> tuple[str, ...]:
    """The lines with the places that ask, which are written as words in capitals, such as HIM."""
    return tuple(CAPITALS.sub(lambda word: places[word[0]], line) for line in lines)


def plain(text: str) -> str:
    """The story as it is read: without marks, the right word in every place that asks."""
    return MARKS.sub(r"\1\2", text)


@cache
def apart(actor: str, prop: str) -> bool:
    """The rule of `held`, remembered."""
    return held(actor, prop)


class Teller:
    """Tells one story. `held_out` turns the rule around: its hero and its first prop are a pair never trained on."""

    def __init__(self, chance: Chance, held_out: bool = False) -> None:
        self.chance = chance
        self.below = chance.below
        self.choice = chance.choice
        self.held_out = held_out

    def hero(self, actors: Sequence[Person], props: Sequence[str]) -> tuple[Person, str]:
        """Somebody and a prop that may be in one story."""
        while True:
            person, prop = self.choice(actors), self.choice(props)
            if apart(person.key, prop) == self.held_out:
                return person, prop

    def friend(self, actors: Sequence[Person], props: Sequence[str], known: Sequence[Person]) -> Person:
        """Somebody else for the same story. In training, nobody in it may be apart from a prop in it."""
        while True:
            person = self.choice(actors)
            if person in known or (not self.held_out and any(apart(person.key, prop) for prop in props)):
                continue
            return person

    def prop(self, props: Sequence[str], people: Sequence[Person], known: Sequence[str] = ()) -> str:
        """One more prop for a story whose people are known."""
        while True:
            word = self.choice(props)
            if word in known or (not self.held_out and any(apart(person.key, word) for person in people)):
                continue
            return word

    def different(self, options: Sequence[str], *known: str) -> str:
        """One of the words that is none of the known ones."""
        while True:
            word = self.choice(options)
            if word not in known:
                return word

    def sample(self, options: Sequence[str], count: int) -> list[str]:
        """So many different ones."""
        return self.chance.sample(options, count)

    def stranger(self, families: Sequence[Sequence[str]], word: str) -> str:
        """A word of a family that the word doesn't belong to."""
        while True:
            family = self.choice(families)
            if word not in family:
                return self.choice(family)

    def noun(self, word: str) -> Noun:
        """The word in one of its two numbers."""
        return NOUNS[word][self.below(2)]

    def chances(self, one_in: int) -> bool:
        """True once in so many times."""
        return self.below(one_in) == 0

    def scene(self) -> dict[str, object]:
        """Words that any story can use: two colours, a quality, and some places."""
        colour, place = self.choice(COLOURS), self.choice(PLACES)
        return {
            "colour": colour,
            "colour2": self.different(COLOURS, colour),
            "quality": self.choice(QUALITIES),
            "spot": self.choice(SPOTS),
            "place": place,
            "place2": self.different(PLACES, place),
        }

    def tell(self, parts: Iterable[Sequence[str]], slots: dict[str, object]) -> str:
        """A story: one sentence (or none) of every part, with its slots filled."""
        sentences = [self.choice(part).format_map(slots) for part in parts]
        text = " ".join([sentence[0].upper() + sentence[1:] for sentence in sentences if sentence])
        return AN.sub(r"\1n ", text)
