"""Stories that count: things come and things go, and the number that is left is asked for."""

from __future__ import annotations

from storyteller.teller import Teller
from storyteller.words import COUNTED, FRIENDS, NUMBERS, plural

__all__ = ["counting"]

HAD = (
    "{p} had {first}.",
    "{p} found {first} in the {place}.",
    "One morning {p} had {first} in {p.his} bag.",
    "There was a {p.kid} called {p} who had {first}.",
)
MORE = (
    "{p.His} friend {q} gave {p.him} {second} more.",
    "{q} came and gave {p.him} {second} more.",
    "Then {p.he} found {second} more near the {spot}.",
    "{p.His} {q.parent} gave {p.him} {second} more.",
)
LESS = (
    "{p.He} gave {second} to {q}.",
    "{q} was hungry, so {p} gave {q.him} {second}.",
    "On the way to the {place2} {p.he} lost {second}.",
    "{p.He} ate {second} of them.",
)
SUM = (
    "Now {p.he} has [{total}|{wrong}] {total_noun}.",
    "How many {things} does {p} have now? {p.He} has [{total}|{wrong}].",
    "So {p} has [{total}|{wrong}] {total_noun} now.",
)
AFTER = (
    "",
    "",
    "{p.He} puts them on the table and counts them again.",
    "{q} counts them too, and {q.he} says that it is right.",
)
COUNT = (
    "{p} counts the {things}: {row}.",
    "{p} can count {things}: {row}.",
    "Let us count the {things} of {p}: {row}.",
)
COUNTED_ALL = ("{p} has [{total}|{wrong}] {things}.", "So there are [{total}|{wrong}] {things}.")


def amount(number: int, word: str) -> str:
    """So many of it, in words: one apple, two apples."""
    return f"{NUMBERS[number]} {word if number == 1 else plural(word)}"


def counting(t: Teller) -> str:
    """A story of a sum, of a difference, or of counting from one."""
    p, word = t.hero(FRIENDS, COUNTED)
    slots = t.scene() | {"p": p, "q": t.friend(FRIENDS, (word,), (p,)), "things": plural(word)}
    way = t.below(5)
    if way == 0:
        last = 2 + t.below(9)
        slots |= {"row": ", ".join([*NUMBERS[1:last], f"<{NUMBERS[last]}>"])}
        slots |= {"total": NUMBERS[last], "wrong": NUMBERS[last + 1]}
        return t.tell((COUNT, COUNTED_ALL, AFTER), slots)
    if way < 4:
        first, second = 1 + t.below(8), 1 + t.below(8)
        total = first + second
    else:
        first = 2 + t.below(11)
        second = 1 + t.below(first - 1)
        total = first - second
    wrong = total + (1 if total < 2 or t.chances(2) else -1)
    slots |= {
        "first": amount(first, word).replace(NUMBERS[first], f"<{NUMBERS[first]}>"),
        "second": NUMBERS[second],
        "total": NUMBERS[total],
        "wrong": NUMBERS[wrong],
        "total_noun": amount(total, word).split()[1],
    }
    return t.tell((HAD, MORE if way < 4 else LESS, SUM, AFTER), slots)
