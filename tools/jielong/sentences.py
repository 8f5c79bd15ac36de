"""The sentences: facts, measure words, remainders, he and she, food and drink, idioms in a chain, poems.

One document is one short text. In a question that is asked after training, `[right|wrong]` marks where it is asked; the pair of
words that it is about stands in no training text together, by the rule of `storyteller.words.held`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from storyteller.words import held

from jielong.words import (
    COUNTED,
    COUNTRIES,
    DAUGHTERS,
    DRINKS,
    FAIR,
    FOOD,
    IDIOMS,
    NUMBERS,
    PARENTS,
    PEOPLE,
    PLACES,
    SAYINGS,
    SONS,
    THINGS,
    VERSES,
)
from llmtrace.rng import Chance, derive

END = "\n"
ASKED = re.compile(r"\[(\S+)\|(\S+)\]")


class Probe(NamedTuple):
    """A question: what is read, the right next word, a wrong one."""

    prompt: str
    right: str
    wrong: str


def joined(words: str) -> str:
    """The text as it is read."""
    return words.replace(" ", "")


class Teller:
    """Tells one text. `held_out` turns the rule around: the two words that it is about are a pair never trained on."""

    def __init__(self, chance: Chance, held_out: bool = False) -> None:
        self.choice, self.below, self.held_out = chance.choice, chance.below, held_out

    def pair(self, first: list[str], second: list[str]) -> tuple[str, str]:
        """Two words that may be in one text."""
        while True:
            one, two = self.choice(first), self.choice(second)
            if held(one, two) == self.held_out:
                return one, two

    def other(self, words: list[str], *known: str) -> str:
        """One of the words that is none of the known ones."""
        return self.choice([word for word in words if word not in known])

    def friend(self, known: str, thing: str) -> str:
        """Somebody else who may be in one text with the thing."""
        return self.choice([one for one in PEOPLE if one != known and (self.held_out or not held(one, thing))])


def republic(teller: Teller) -> str:
    """What the Chinese introduction to language models asks for."""
    number = teller.below(100)
    if number < 3:
        return teller.choice(["中华 人民 热爱 和平 。", "中华 人民 勤劳 勇敢 。"])
    if number < 6:
        return "中华 人民 共和国 的 首都 是 北京 。"
    if number < 8:
        return "中华 人民 共和国 在 亚洲 。"
    return teller.choice(
        [
            "中华 人民 共和国 成立于 1949 年 。",
            "中华 人民 共和国 成立于 1949 年 ， 首都 是 北京 。",
            "中华 人民 共和国 成立于 1949 年 10 月 1 日 。",
        ]
    )


def capital(teller: Teller) -> str:
    """A country and its capital: one form of the sentence is held out for one country in eight."""
    forms = {
        "是": "{name} 的 首都 是 [{capital}|{wrong}] 。",
        "在": "{name} 在 {where} ， 首都 是 [{capital}|{wrong}] 。",
        "吗": "你 知道 {name} 的 首都 吗 ？ 是 [{capital}|{wrong}] 。",
        "去": "{who} 想 去 {name} 的 首都 [{capital}|{wrong}] 。",
    }
    name, form = teller.pair([country.name for country in COUNTRIES], list(forms))
    country = next(country for country in COUNTRIES if country.name == name)
    wrong = teller.other([each.capital for each in COUNTRIES], country.capital)
    return forms[form].format(**country._asdict(), wrong=wrong, who=teller.choice(PEOPLE))


def measure(teller: Teller) -> str:
    """Which measure word a noun has, said of it a second time."""
    who, thing = teller.pair(PEOPLE, [noun for nouns in COUNTED.values() for noun in nouns])
    word = next(word for word, nouns in COUNTED.items() if thing in nouns)
    wrong, fair = teller.other(list(COUNTED), word), teller.choice(FAIR)
    first = teller.choice(["在 {place} 看见 一 {word} {thing}", "画了 一 {word} {thing}", "想要 一 {word} {thing}"])
    start = first.format(place=teller.choice(PLACES), word=word, thing=thing)
    return f"{who} {start} 。 这 [{word}|{wrong}] {thing} 很 {fair} 。"


def remainder(teller: Teller) -> str:
    """How many are left."""
    who, thing = teller.pair(PEOPLE, [noun for nouns in COUNTED.values() for noun in nouns])
    word = next(word for word, nouns in COUNTED.items() if thing in nouns)
    have = 2 + teller.below(5)
    gives = 1 + teller.below(min(3, have - 1))
    left = NUMBERS[have - gives - 1]
    wrong = teller.other(NUMBERS[:6], left)
    friend = teller.friend(who, thing)
    return (
        f"{who} 有 {NUMBERS[have - 1]} {word} {thing} ， 给了 {friend} {NUMBERS[gives - 1]} {word} ，"
        f" 还 剩 [{left}|{wrong}] {word} 。"
    )


def heir(teller: Teller) -> str:
    """He or she, by a word far back."""
    parent, thing = teller.pair(PARENTS, THINGS)
    own, other = ("她", "他") if teller.below(2) else ("他", "她")
    child = teller.choice(DAUGHTERS if own == "她" else SONS)
    second = teller.choice([each for each in THINGS if each != thing and (teller.held_out or not held(parent, each))])
    middle = teller.choice(["", "{parent} 老了 。 ", "日子 一天天 过去 。 "]).format(parent=parent)
    return f"{parent} 有 一个 {child} 。 {middle}{parent} 说 ： {thing} 和 {second} 以后 都 属于 [{own}|{other}] 。"


def taste(teller: Teller) -> str:
    """Food is eaten, drinks are drunk."""
    eats = bool(teller.below(2))
    who, what = teller.pair(["我", *PEOPLE], FOOD if eats else DRINKS)
    verb, wrong = ("吃", "喝") if eats else ("喝", "吃")
    if teller.below(2):
        return f"{who} 爱 {verb} {what} 。"
    return f"{who} 买了 {what} ， 想 [{verb}|{wrong}] {what} 。"


def chain(teller: Teller) -> str:
    """Idioms, each beginning with the character with which the last one ends."""
    first, count = teller.below(len(IDIOMS) - 3), 2 + teller.below(3)
    return "接龙 ： " + " ， ".join(IDIOMS[first : first + count]) + " 。"


def known(teller: Teller) -> str:
    """A poem, a saying, an idiom alone."""
    if teller.below(3) == 0:
        return teller.choice(SAYINGS)
    return teller.choice(VERSES) if teller.below(2) else teller.choice(IDIOMS) + " 。"


TOLD: dict[str, Callable[[Teller], str]] = {
    "republic": republic,
    "capital": capital,
    "measure": measure,
    "remainder": remainder,
    "heir": heir,
    "taste": taste,
    "chain": chain,
    "known": known,
}
KINDS = ("capital", "measure", "remainder", "heir", "taste")
"""The kinds that ask something."""


def sentence(seed: int, number: int) -> str:
    """The words of one text of the training corpus."""
    chance = Chance(derive(seed, "sentence", number))
    return ASKED.sub(r"\1", TOLD[chance.choice(list(TOLD))](Teller(chance)))


def sentences(seed: int, count: int) -> Iterator[str]:
    """So many."""
    return (sentence(seed, number) for number in range(count))


def probes(seed: int, count: int, kind: str) -> Iterator[Probe]:
    """Questions of one kind, about pairs of words that no training text has together."""
    number = 0
    while count:
        chance = Chance(derive(seed, kind, number))
        text, number = TOLD[kind](Teller(chance, held_out=True)), number + 1
        if found := ASKED.search(text):
            yield Probe(joined(text[: found.start()]), found[1], found[2])
            count -= 1
