"""The words that the stories are made of: people, animals, things, places, colours, numbers and rhymes.

A pair of an actor and a prop may be *held out*: the text for training never has both in one story, and the probes are
made of nothing else (`held`).
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass

__all__ = ["Noun", "Person", "held"]

ONE_IN = 8  # of the pairs is held out


def listed(words: str) -> tuple[str, ...]:
    """The words of a line."""
    return tuple(words.split())


def held(actor: str, prop: str) -> bool:
    """Whether training text never puts the two into one story: a checksum of the pair decides, so it never changes."""
    return zlib.crc32(f"{actor} and {prop}".encode()) % ONE_IN == 0


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody in a story, with the words that speak of her or him."""

    name: str
    he: str
    him: str
    his: str
    own: str
    self: str
    He: str
    His: str
    kid: str
    kind: str
    heir: str
    sibling: str
    parent: str

    @property
    def key(self) -> str:
        """The word that names the person, without its article: what `held` looks at."""
        return self.name.rsplit(" ", 1)[-1]

    @property
    def other(self) -> Person:
        """The words that speak of somebody of the other gender."""
        return MAN if self.he == "she" else WOMAN

    def __str__(self) -> str:
        return self.name

    def called(self, name: str) -> Person:
        """A person of this gender, of this name."""
        return Person(name, *(getattr(self, field) for field in FIELDS))


FIELDS = ("he", "him", "his", "own", "self", "He", "His", "kid", "kind", "heir", "sibling", "parent")
MAN = Person("", *listed("he him his his himself He His boy man son brother father"))
WOMAN = Person("", *listed("she her her hers herself She Her girl woman daughter sister mother"))

GIRL_NAMES = listed("Mia Anna Lucy Rosa Emma Nora Lily Ruth Clara Ida Jane Wendy")
BOY_NAMES = listed("Tom Ben Max Leo Sam Jack Finn Peter Hugo Adam Oscar Damian")
FRIENDS = tuple([WOMAN.called(name) for name in GIRL_NAMES] + [MAN.called(name) for name in BOY_NAMES])
ROLES = tuple(
    [MAN.called(f"the {role}") for role in ("king", "wizard", "farmer", "baker", "captain")]
    + [WOMAN.called(f"the {role}") for role in ("queen", "witch", "duchess", "dancer", "teacher")]
)
ACTORS = FRIENDS + ROLES
CHILDREN = (WOMAN.called("the girl"), MAN.called("the boy"))


@dataclass(frozen=True, slots=True)
class Noun:
    """One or more of a kind, with the words that agree with it; `other` is the same in the other number."""

    text: str
    IS: str
    was: str
    has: str
    does: str
    s: str
    They: str
    they: str
    them: str
    their: str
    These: str
    other: Noun | None = None

    def __str__(self) -> str:
        return self.text


SINGULAR = ("is", "was", "has", "does", "s", "It", "it", "it", "its", "This")
PLURAL = ("are", "were", "have", "do", "", "They", "they", "them", "their", "These")
IRREGULAR = {"goose": "geese", "mouse": "mice", "scarf": "scarves"}


def plural(word: str) -> str:
    """More than one of it."""
    if word in IRREGULAR:
        return IRREGULAR[word]
    if word.endswith("y") and word[-2] not in "aeiou":
        return word[:-1] + "ies"
    return word + ("es" if word.endswith(("x", "s", "sh", "ch")) else "s")


def one(word: str) -> Noun:
    """One of it."""
    return Noun(word, *SINGULAR, other=Noun(plural(word), *PLURAL))


def many(word: str) -> Noun:
    """Several of it."""
    return Noun(plural(word), *PLURAL, other=Noun(word, *SINGULAR))


THINGS = listed(
    "orb crown ring book drum kite lamp hat coat ball bell boat key map cup sword flute clock doll basket "
    "blanket mirror necklace whistle lantern violin scarf puppet"
)
COUNTED = listed("apple egg nut plum pear cherry cookie bun carrot berry grape tart")
ANIMALS = listed(
    "cat dog cow pig hen duck goose mouse fox frog bird bee horse pony goat rabbit bear owl lamb puppy kitten"
)
SEATS = listed("mat rug roof chair bench table bed cushion stone")
LANDMARKS = listed("barn gate tree pond wall hedge well bridge mill tower stable bush")
PLACES = listed("garden barn forest farm market school tower castle village field park town")
SPOTS = listed("river lake hill bridge sea forest village mill castle road")
COLOURS = listed("red blue green yellow white black brown pink grey orange")
QUALITIES = listed("magical golden silver old little beautiful wonderful strange shiny precious tiny heavy")
NATURES = listed("kind brave clever little happy quiet cheerful gentle funny careful")
NUMBERS = listed(
    "no one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen"
)
DAYS = listed("Monday Tuesday Wednesday Thursday Friday Saturday Sunday")
PETS = listed("Spot Fluffy Pepper Biscuit Muffin Daisy Rusty Snowy")

# Words of one line rhyme with each other and with no word of another line. Each stands after "a".
RHYMES = tuple(
    listed(line)
    for line in (
        "cat hat mat rat bat",
        "goat boat coat note",
        "house mouse",
        "bee tree key pea",
        "dog log frog",
        "ring string wing swing",
        "moon spoon tune",
        "clock sock rock",
        "bear chair pear hare",
        "star jar car",
        "bed shed sled",
        "lake cake snake rake",
        "bell well shell",
        "fish dish",
        "nose rose hose",
        "duck truck",
        "book hook cook brook",
        "hen pen den",
        "plate gate",
        "hill mill",
        "kite light knight",
        "pie fly sky",
    )
)
HEROES = tuple(
    f"{first} {second}"
    for first, second in (
        ("Tumble", "Bumble"),
        ("Wibble", "Wobble"),
        ("Pitter", "Potter"),
        ("Diddle", "Doddle"),
        ("Jolly", "Golly"),
        ("Flipper", "Flapper"),
        ("Hoppy", "Poppy"),
        ("Nibble", "Nobble"),
    )
)
