"""Stories of ordinary days: somebody, a friend, an animal or a thing, something that happens, and a good end."""

from __future__ import annotations

from storyteller.plots import PLOTS
from storyteller.teller import Teller
from storyteller.words import ANIMALS, COUNTED, DAYS, FRIENDS, NATURES, PETS, THINGS, plural

__all__ = ["day"]

WEATHERS = ("sunny", "rainy", "windy", "cold", "warm", "snowy", "foggy", "bright")
FOODS = ("bread", "soup", "cheese", "honey", "milk", "porridge", "jam", "rice", "salad", "pudding")


def day(t: Teller) -> str:
    """A story of an ordinary day."""
    p, thing = t.hero(FRIENDS, THINGS)
    q = t.friend(FRIENDS, (thing,), (p,))
    animal, food, pet, when = t.choice(ANIMALS), t.choice(FOODS), t.choice(PETS), t.choice(DAYS)
    counted = t.prop(COUNTED, (p, q))
    slots = t.scene() | {
        "p": p,
        "q": q,
        "thing": thing,
        "animal": animal,
        "animal2": t.different(ANIMALS, animal),
        "food": food,
        "food2": t.different(FOODS, food),
        "pet": pet,
        "pet2": t.different(PETS, pet),
        "day": when,
        "nature": t.choice(NATURES),
        "weather": t.choice(WEATHERS),
        "fruits": plural(counted),
    }
    return t.tell(t.choice(PLOTS), slots)
