"""The stories: the same everywhere, grammatical, consistent, and never telling what the probes ask."""

import hashlib
import re
from itertools import islice

import pytest
from helpers.fresh import quick, some
from storyteller import END, KINDS, probes, stories, story
from storyteller.teller import Teller, plain
from storyteller.telling import TOLD
from storyteller.words import (
    ACTORS,
    ANIMALS,
    COUNTED,
    FRIENDS,
    HEROES,
    LANDMARKS,
    NUMBERS,
    RHYMES,
    THINGS,
    held,
    plural,
)

from llmtrace.rng import Chance

SHA256 = "132911f363c8d63a9e684eb94ecfec15a62987f0a4faf1607b277439f4058c7e"

SINGULAR = {"is", "was", "has"}
NUMBER = "|".join(NUMBERS[1:])
VERBS = SINGULAR | {"are", "were", "have"}
PLURALS = {plural(word): word for word in (*ANIMALS, *LANDMARKS, *THINGS, *COUNTED)}


def told(kind, seeds):
    """Stories of one kind, as training has them."""
    return [plain(TOLD[kind][0](Teller(Chance(seed)))) for seed in seeds]


def words(text):
    """The words of a text, those that are many as one."""
    return {PLURALS.get(word, word) for word in re.findall(r"[A-Za-z]+", text)}


@pytest.fixture(scope="module")
def many():
    return list(stories(20, 3000 if quick() else 12_000))


def test_stories_are_the_same_everywhere():
    assert hashlib.sha256(END.join(stories(1, 500)).encode()).hexdigest() == SHA256


def test_a_story_depends_on_its_seed_and_number_only(many):
    assert story(20, 77) == many[77] == next(stories(20, 1, first=77)) != story(21, 77)
    assert len(set(many)) > 0.99 * len(many)


def flaws(text):
    """What a reader of one story would call a mistake, of what can be seen without knowing how it was made."""
    if not text.isascii() or any(not c.isprintable() and c != "\n" for c in text) or "\n\n" in text:
        yield "characters"
    if re.search(r"[][<>|{}]|  |\s[.,?!]|\.\.|^\s|\s$", text):
        yield "marks or blanks"
    if re.search(r"\b[Aa] [aeiou]|\b[Aa]n (?!hour)[^aeiou]|\b(\w+) \1\b", text):
        yield "article or a word twice"
    if re.search(r"[.!?] [a-z]", text) or not text[0].isupper():
        yield "a small letter begins a sentence"
    for amounts in re.findall(rf"\b({NUMBER}) [^.]*\. [^.]*\b({NUMBER}) more\b.*?\bhas ({NUMBER})\b", text):
        first, second, total = map(NUMBERS.index, amounts)
        if first + second != total:
            yield "sum"
    subject = re.match(r"The (\w+) (?:near|behind|by|that|under|from|sat|slept)", text)
    if subject and (subject[1] in ANIMALS or subject[1] in PLURALS):
        verb = re.search(rf"\b({'|'.join(VERBS)})\b", text)
        they = re.search(r"\. (It|They) ", text)
        if verb and (verb[1] in SINGULAR) != (subject[1] in ANIMALS):
            yield "number of the verb"
        if they and (they[1] == "It") != (subject[1] in ANIMALS):
            yield "number of the pronoun"
    child = re.search(r"\ba (?:\w+ )?(girl|boy)\b", text)
    heir = re.search(r"(?:will belong to|given to|gave the \w+ to) (her|him)\b", text)
    if child and heir and (child[1] == "girl") != (heir[1] == "her"):
        yield "her or him"


def test_stories_have_no_flaws(many):
    assert not [(text, *found) for text in many if (found := list(flaws(text)))]


@pytest.mark.parametrize(
    "text",
    [
        "The cats near the barn is black.",
        "The cat that Mia saw near the barns are black.",
        "The mice near the barn are black. It likes milk.",
        "The king had a child, a girl. The orb will belong to him.",
        "Mia had a orb.",
        "Mia had an red orb.",
        "Mia had three eggs. Her friend Tom gave her two more. Now she has six eggs.",
        "Mia had an egg. she ate it.",
        "Mia had [an|a] egg.",
        "Mia had a caf\u00e9.",
    ],
)
def test_a_flaw_is_seen(text):
    assert list(flaws(text))


def apart(kind, text):
    """The pairs in a story that training keeps apart."""
    found = words(text)
    if kind == "rhyme":
        rhyming = [word for family in RHYMES for word in family if word in found]
        return [(hero, word) for hero in HEROES if hero in text for word in rhyming if held(hero, word)]
    if kind == "animals":
        return [(a, b) for a in ANIMALS if a in found for b in LANDMARKS if b in found and held(a, b)]
    people = {person.key for person in ACTORS} & found
    return [(a, b) for a in people for b in (*THINGS, *COUNTED) if b in found and held(a, b)]


@pytest.mark.parametrize("kind", KINDS)
def test_held_out_pairs_are_never_told(kind):
    assert not [text for text in told(kind, some(range(4000), 500)) if apart(kind, text)]


@pytest.mark.parametrize("kind", KINDS)
def test_probes_ask_for_held_out_pairs(kind, many):
    asked = list(probes(3, 150, kind))
    assert len({probe.prompt for probe in asked}) == 150
    corpus = END.join(many)
    for probe in asked:
        assert apart(kind, f"{probe.prompt} {probe.right}"), probe
        assert f"{probe.prompt} {probe.right}" not in corpus
        assert probe.right != probe.wrong
        assert probe.prompt[-1] not in " \n"
    assert list(probes(3, 20, kind)) == asked[:20]


def test_probes_cannot_be_answered_from_anything_but_the_child():
    asked = list(islice(probes(4, 600, "heir", range(12, 31)), 600))
    hers = {"her", "hers"}
    for probe in asked:
        before = re.findall(r"[\w']+", probe.prompt)
        last = max(i for i, word in enumerate(before) if word == probe.decider)
        assert probe.distance == len(before) - last
        assert 12 <= probe.distance <= 30
        assert (probe.right in hers) == (probe.decider in {"girl", "daughter"})
    # Whoever owns the thing, the last pronoun and the last name say nothing: each agrees about half of the time.
    girls = {person.name for person in FRIENDS if person.he == "she"}
    for guess in (
        lambda p: "her" in re.findall(r"\b(?:his|her|him)\b", p)[-1:],
        lambda p: bool({re.findall(r"[A-Z]\w+", p)[-1]} & girls),
    ):
        rightly = sum(guess(probe.prompt) == (probe.right in hers) for probe in asked)
        assert 0.35 * len(asked) < rightly < 0.65 * len(asked)


def test_probes_that_cannot_be_are_refused():
    with pytest.raises(ValueError, match="there are only 0 of 3 heir probes"):
        list(probes(1, 3, "heir", range(500, 501)))


def test_people_are_known_by_one_word():
    assert len(ACTORS) == len({person.key for person in ACTORS})


def test_a_rhyme_word_has_one_family():
    together = [word for family in RHYMES for word in family]
    assert len(together) == len(set(together))
