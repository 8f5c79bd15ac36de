"""German sentences with their English translations, put together at random by rules, with pairs of words held out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from llmtrace.rng import Chance, derive
from translator.words import (
    ADJECTIVES,
    ENDING,
    MODALS,
    NONE,
    PLACES,
    PLURAL,
    SUBJECTS,
    THE,
    THINGS,
    THIRD,
    TIMES,
    TOMORROW,
    VERBS,
    A,
    Subject,
    Verb,
)

__all__ = ["Pair", "pairs"]

HELD = 10
"""One in so many pairs of words never stands together in a training sentence."""


@dataclass(frozen=True)
class Pair:
    """A sentence in both languages, and whether it has two words together that training never shows together."""

    german: str
    english: str
    held: bool


@dataclass(frozen=True)
class Part:
    """A part of a sentence; denied: the same where the sentence is denied, if the denial stands in it."""

    german: str = ""
    english: str = ""
    denied: str = ""


def pairs(seed: int, count: int) -> Iterator[Pair]:
    """So many pairs, all different, held ones among them."""
    chance, seen = Chance(derive(seed, "sentences")), set[str]()
    while len(seen) < count:
        pair = _pair(chance)
        if pair.german not in seen:
            seen.add(pair.german)
            yield pair


def _held(*words: str) -> bool:
    return derive(0, "held", *words) % HELD == 0


def _pair(chance: Chance) -> Pair:
    subject, verb = chance.choice(SUBJECTS), chance.choice(VERBS)
    what, noun = _object(chance, verb) if verb.kind else (Part(), "")
    place = Part(*chance.choice(PLACES)) if _placed(chance, verb) else Part()
    time = Part()
    if chance.below(3) == 0:
        time = Part(*(TOMORROW if chance.below(5) == 0 else chance.choice(TIMES)))
    held = any(_held(verb.english, word) for word in (noun, place.english) if word)
    if subject.person in {THIRD, PLURAL}:  # the others have forms of their own, which must be seen
        held |= _held(subject.english, verb.english)
    denied = chance.below(4) == 0
    parts = what, place, time
    kind = chance.below(5)
    if kind == 0:
        german, english = _asked_with_word(chance, subject, verb, parts)
    elif kind == 1 and time.german != TOMORROW[0]:
        german, english = _modal(chance, subject, verb, parts, denied)
    else:
        german, english = _simple(chance, subject, verb, parts, denied)
    return Pair(_sentence(german), _sentence(english), held)


def _placed(chance: Chance, verb: Verb) -> bool:
    """Whether a place is named: mostly where something is done to nothing, and always where somebody lives."""
    return verb is VERBS[0] or chance.below(4 if verb.kind else 2) == 0


def _object(chance: Chance, verb: Verb) -> tuple[Part, str]:
    thing = chance.choice([thing for thing in THINGS if thing.kind == verb.kind])
    if not thing.gender:
        return Part(
            thing.german, thing.english, f"keinen {thing.german}" if thing.german in {"Tee", "Kaffee"} else ""
        ), (thing.english)
    definite = bool(chance.below(2))
    adjective, english = chance.choice(ADJECTIVES) if chance.below(2) else ("", "")
    tail = f"{adjective + ENDING[thing.gender, definite] + ' ' if adjective else ''}{thing.german}"
    whole = f"{english} {thing.english}".strip()
    if definite:
        return Part(f"{THE[thing.gender]} {tail}", f"the {whole}"), thing.english
    article = "an" if whole[0] in "aeiou" else "a"
    return Part(f"{A[thing.gender]} {tail}", f"{article} {whole}", f"{NONE[thing.gender]} {tail}"), thing.english


def _middle(parts: tuple[Part, Part, Part], denied: bool, *, fronted: bool = False) -> str:
    """What stands behind the verb and the subject in German: a known thing, the time, "nicht" or a thing, the place."""
    what, place, time = parts
    definite = what.german.split(" ")[0] in THE.values() and bool(what.german)
    when = "" if fronted else time.german
    no = "nicht" if denied and not what.denied else ""
    if denied and what.denied:
        return _joined(when, what.denied, place.german)
    if definite or (denied and what.german):
        return _joined(what.german, when, no, place.german)
    return _joined(when, no, what.german, place.german)


def _simple(
    chance: Chance, subject: Subject, verb: Verb, parts: tuple[Part, Part, Part], denied: bool
) -> tuple[str, str]:
    """A statement, one that begins with the time, or a question for yes or no."""
    what, place, time = parts
    form = verb.german[subject.person]
    kind = chance.below(3)
    if kind == 0:
        german = _joined(form, subject.german, _middle(parts, denied)) + "?"
    elif kind == 1 and time.german:
        german = _joined(time.german, form, subject.german, _middle(parts, denied, fronted=True)) + "."
    else:
        german = _joined(subject.german, form, _middle(parts, denied)) + "."
    tail = (what.english, place.english, time.english)
    no, future = "not" if denied else "", time.german == TOMORROW[0]
    helper = "will" if future else subject.does
    if kind == 0:
        english = _joined(helper, subject.english, no, verb.english, *tail) + "?"
    elif denied or future:
        english = _joined(subject.english, helper, no, verb.english, *tail) + "."
    else:
        english = _joined(subject.english, verb.third if subject.person == THIRD else verb.english, *tail) + "."
    return german, english


def _modal(
    chance: Chance, subject: Subject, verb: Verb, parts: tuple[Part, Part, Part], denied: bool
) -> tuple[str, str]:
    """With can, must or want: in German, the verb stands at the end."""
    forms, plain, third = chance.choice(MODALS)
    what, place, time = parts
    asked = bool(chance.below(2))
    denied = denied and plain != "must"  # "muss nicht" is not "must not"
    middle, form = _middle(parts, denied), forms[subject.person]
    start = (form, subject.german) if asked else (subject.german, form)
    german = _joined(*start, middle, verb.german[5]) + ("?" if asked else ".")
    tail = (verb.english, what.english, place.english, time.english)
    no = "not" if denied else ""
    if plain == "want to" and (asked or denied):
        helped = (subject.does, subject.english) if asked else (subject.english, subject.does)
        english = _joined(*helped, no, plain, *tail)
    elif asked:
        english = _joined(plain, subject.english, no, *tail)
    else:
        english = _joined(subject.english, third if subject.person == THIRD else plain, no, *tail)
    return german, english + ("?" if asked else ".")


def _asked_with_word(chance: Chance, subject: Subject, verb: Verb, parts: tuple[Part, Part, Part]) -> tuple[str, str]:
    """Who, what, where, when or why."""
    what, place, time = parts
    words = ["Wer", "Warum"]
    words += [] if time.german else ["Wann"]
    words += ["Wo"] if verb is VERBS[0] or not place.german else []
    words += ["Was"] if verb.kind else []
    word = chance.choice(words)
    if word == "Was":
        what = Part()
    if word == "Wo":
        place = Part()
    english_word = {"Wer": "who", "Warum": "why", "Wann": "when", "Wo": "where", "Was": "what"}[word]
    tail = (what.english, place.english, time.english)
    future = time.german == TOMORROW[0]
    middle = _middle((what, place, time), denied=False)
    if word == "Wer":
        says = f"will {verb.english}" if future else verb.third
        return _joined(word, verb.german[2], middle) + "?", _joined(english_word, says, *tail) + "?"
    helper = "will" if future else subject.does
    english = _joined(english_word, helper, subject.english, verb.english, *tail) + "?"
    return _joined(word, verb.german[subject.person], subject.german, middle) + "?", english


def _joined(*parts: str) -> str:
    return " ".join(part for part in parts if part)


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:]
