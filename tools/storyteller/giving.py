"""Stories of things that are given away: who gave what to whom, and who has it now."""

from __future__ import annotations

from storyteller.teller import Teller
from storyteller.words import FRIENDS, THINGS

__all__ = ["giving"]

HAD = (
    "{a} had a {colour} {thing}.",
    "{a} had a {quality} {thing}, and {b} had nothing.",
    "One day {a} found a {colour} {thing} near the {spot}.",
    "{a} made a {quality} {thing} for {a.his} friend.",
    "At the {place} {a} bought a {colour} {thing}.",
)
GAVE = (
    "{a.He} gave the {thing} to <{b}>.",
    "{a} gave it to <{b}>, because {b} was sad.",
    "{a.He} gave it to {a.his} friend <{b}>.",
    "On Sunday {a} went to the {place2} and gave the {thing} to <{b}>.",
)
THANKED = (
    "",
    "{b} thanked {a.him} and went home.",
    "{b} was glad and thanked {a.him}.",
    "{b} gave {a.him} a kiss and ran to the {place2}.",
    "{a} was happy to see {b.him} smile.",
    "{c} saw it and wanted a {thing} too.",
)
NOW = (
    "Now [{b}|{a}] has the {thing}.",
    "Who has the {thing} now? [{b}|{a}] has it.",
    "Who gave it away? {a} gave it away. Who has it now? [{b}|{a}] has it.",
    "So the {thing} belongs to [{b}|{a}] now.",
)
AGAIN = (
    "The next day {b} gave the {thing} to <{c}>.",
    "Then {b} met {c} at the {place2} and gave the {thing} to <{c}>.",
    "But {b} did not need it, so {b.he} gave it to <{c}>.",
    "In the evening {b} gave it to {b.his} friend <{c}>.",
)
THEN = (
    "Now [{c}|{b}] has the {thing}.",
    "Who has the {thing} now? [{c}|{a}] has it.",
    "Who had the {thing} first? {a} had it first. Who has it now? [{c}|{b}] has it.",
    "So the {thing} belongs to [{c}|{a}] now, and {c.he} likes it very much.",
)
SWAP = (
    "{a} gave <{b}> a {colour} {thing}, and {b} gave {a} a {colour2} {thing2}.",
    "{a} had a {thing} and <{b}> had a {thing2}, but {a} gave {b.him} the {thing}, and {b} gave {a.him} the {thing2}.",
)
SWAPPED = (
    "Now {a} has the {thing2} and [{b}|{a}] has the {thing}.",
    "Who has the {thing} now? [{b}|{a}] has the {thing}, and {a} has the {thing2}.",
    "Who has the {thing2} now? {a} has it. Who has the {thing}? [{b}|{a}] has it.",
)
AFTER = ("", "", "They are still good friends.", "{b} and {a} laughed and played until the evening.")


def giving(t: Teller) -> str:
    """A story of one gift, of a gift given on, or of two things that change hands."""
    a, thing = t.hero(FRIENDS, THINGS)
    b = t.friend(FRIENDS, (thing,), (a,))
    c = t.friend(FRIENDS, (thing,), (a, b))
    thing2 = t.prop(THINGS, (a, b, c), (thing,))
    slots = t.scene() | {"a": a, "b": b, "c": c, "thing": thing, "thing2": thing2}
    way = t.below(5)
    if way < 2:
        return t.tell((HAD, GAVE, THANKED, NOW, AFTER), slots)
    if way < 4:
        return t.tell((HAD, GAVE, THANKED, AGAIN, THEN, AFTER), slots)
    return t.tell((SWAP, SWAPPED, AFTER), slots)
