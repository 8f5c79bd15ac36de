"""Stories of colours and owners: everybody's thing has a colour, and a question asks for one of them."""

from __future__ import annotations

from storyteller.teller import Teller
from storyteller.words import COLOURS, FRIENDS, THINGS, plural

__all__ = ["owners"]

INTRO = (
    "",
    "{a} and {b} played near the {spot}.",
    "{a} and {b} were friends, and both of them had a {thing}.",
    "There were two {things} on the table.",
)
BELONGS = (
    "The <{colour}> {thing} belongs to {a}. The {colour2} {thing} belongs to {b}.",
    "The {colour2} {thing} belongs to {b}. The <{colour}> {thing} belongs to {a}.",
    "{a} has a <{colour}> {thing}, and {b} has a {colour2} {thing}.",
    "{b} has a {colour2} {thing}, but {a} has a <{colour}> {thing}.",
    "{a}'s {thing} is <{colour}> and {b}'s {thing} is {colour2}.",
    "{b}'s {thing} is {colour2} and {a}'s {thing} is <{colour}>.",
)
BETWEEN = (
    "",
    "They go to the {place2} together.",
    "{c} likes both of them very much.",
    "On {a}'s birthday they both went to the {place2} to show them to {c}.",
)
ASK = (
    "What colour is {a}'s {thing}? It is [{colour}|{colour2}].",
    "What colour is the {thing} of {a}? The {thing} of {a} is [{colour}|{colour2}].",
    "{c} asked what colour {a}'s {thing} was, and {a} said that it was [{colour}|{colour2}].",
)
ALSO = (
    "",
    "",
    "And {b}'s {thing}? It is {colour2}.",
    "Whose {thing} is {colour2}? It is {b}'s.",
    "Whose {thing} is {colour}? It is {a}'s.",
)


def owners(t: Teller) -> str:
    """A story of two people with the same thing in two colours."""
    a, thing = t.hero(FRIENDS, THINGS)
    b = t.friend(FRIENDS, (thing,), (a,))
    colour = t.choice(COLOURS)
    slots = t.scene() | {"a": a, "b": b, "c": t.friend(FRIENDS, (thing,), (a, b)), "thing": thing, "colour": colour}
    slots |= {"colour2": t.different(COLOURS, colour), "things": plural(thing)}
    return t.tell((INTRO, BELONGS, BETWEEN, ASK, ALSO), slots)
