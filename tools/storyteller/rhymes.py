"""Short nonsense rhymes of our own: two lines, and two lines; the last word of each pair of lines rhymes."""

from __future__ import annotations

from storyteller.teller import AN, Teller, apart
from storyteller.words import HEROES, RHYMES

__all__ = ["rhyme"]

PAIRS = (
    ("{h} sat upon a <{x}>,", "{h} wished to have a [{y}|{z}]."),
    ("{h} one day saw a <{x}>,", "{h} gave it to a [{y}|{z}]."),
    ("{h} had a little <{x}>,", "and put it next to a [{y}|{z}]."),
    ("{h} dreamed about a <{x}>,", "and sang a song about a [{y}|{z}]."),
    ("{h} found a yellow <{x}>,", "{h} lost a purple [{y}|{z}]."),
    ("{h} fell over a <{x}>,", "and then fell over a [{y}|{z}]."),
    ("{h} went to get a <{x}>,", "but all they had was a [{y}|{z}]."),
    ("{h} could not find the <{x}>,", "{h} asked a [{y}|{z}]."),
)
MORE = (
    ("Then came a very happy {v},", "who said hello to a big {w}."),
    ("Oh, said {h}, where is my {v}?", "I only see a silly {w}!"),
    ("Up the tower went a {v},", "and down the tower came a {w}."),
    ("Nobody knew about the {v},", "and nobody saw the little {w}."),
    ("First came a {v},", "then came a {w}."),
)
LAST = (
    ("Ten brown cows and ten grey geese", "gave poor {h} no more peace."),
    ("All day long it rained and rained,", "and {h} never once complained."),
    ("Round and round and up and down,", "{h} walked about the town."),
    ("One, two, three, and four, and five,", "{h} is still alive."),
    ("All the children came to play,", "{h} laughed the whole long day."),
    ("The wind began to blow and blow,", "and {h} said: I have to go."),
    ("When the night was dark and deep,", "{h} fell fast asleep."),
)


def two(t: Teller, hero: str, decisive: bool) -> tuple[str, str]:
    """Two words that rhyme. Where it is `decisive`, the second may be a word that training text keeps from the hero."""
    while True:
        x, y = t.sample(t.choice(RHYMES), 2)
        if t.held_out and not decisive:
            return x, y
        if apart(hero, y) == t.held_out and (t.held_out or not apart(hero, x)):
            return x, y


def rhyme(t: Teller) -> str:
    """A rhyme of four lines."""
    hero = t.choice(HEROES)
    x, y = two(t, hero, True)
    lines = list(t.choice(PAIRS))
    if t.chances(2):
        lines += t.choice(MORE)
    v, w = two(t, hero, False)
    slots = {"h": hero, "x": x, "y": y, "v": v, "w": w, "z": t.stranger(RHYMES, y)}
    if len(lines) == 2 or t.chances(2):
        lines += t.choice(LAST)
    text = "\n".join(line.format_map(slots) for line in lines)
    return AN.sub(r"\1n ", text)
