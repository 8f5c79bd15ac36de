"""Each value of a lesson is computed once in a process: all lessons share it that have the inputs from which it is made.

A value in which words of a language stand is computed for each lesson anew, as is all that is made from it, and as is
what changes after it was made.
"""

from contextlib import contextmanager
from dataclasses import fields
from functools import cached_property
from unittest.mock import patch

from llmtrace import i18n
from llmtrace.lessons import LESSONS, lesson_class
from llmtrace.lessons.framework.lesson import Lesson

VALUES = {}
"""What was computed, by the lesson's class and the value's name: each with the inputs from which it was made."""
CHANGED = {"play", "descent"}
"""Trained by what takes them."""
APART = {"recipes"}
"""Made of what others than its own lesson change, and without words."""
OWN, MADE_FROM = "_own", "_made_from"
ASKED = [0]
"""How often the language was asked for, or a value taken that is a lesson's own."""
OPEN = []
"""The values that are being computed, from the outermost on: the lesson of each, and the inputs that it has read so far."""
STEPS, STRIDE = "_steps", 10
LONG = dict.fromkeys(("training", "words", "dropout", "residual-connections", "layer-normalisation"), 200)
LONG["playground"] = 250
"""Lessons with trainings whose length is no input, and from what on they are long; they show of them round numbers of steps."""
SHORT = [False]
"""Whether of these long trainings only each tenth step is done: an input of all that is trained."""


def counted(language):
    def asked():
        ASKED[0] += 1
        return language()

    return asked


def read(lesson, *names):
    """The values of this lesson that are being computed are made from these inputs, too."""
    for other, inputs in OPEN:
        if other is lesson:
            inputs.update(names)


def input_of(lesson, name):
    return SHORT[0] if name == STEPS else vars(lesson)[name]


class Input:
    """An input of a lesson that notes who reads it."""

    def __init__(self, name, default):
        self.name, self.default = name, default

    def __get__(self, lesson, kind=None):
        if lesson is None:
            return self.default
        read(lesson, self.name)
        return vars(lesson).get(self.name, self.default)

    def __set__(self, lesson, value):
        vars(lesson)[self.name] = value


class Once(cached_property):
    """A cached property whose value other lessons find, too; with `__set__`, no lesson's own value goes round it."""

    def __set__(self, lesson, value):
        vars(lesson)[self.attrname] = value

    def __get__(self, lesson, kind=None):
        if lesson is None:
            return self
        own, name = vars(lesson), self.attrname
        made_from = own.setdefault(MADE_FROM, {})
        if name not in own:
            known = VALUES.setdefault((type(lesson), name), [])
            found = (each for each in known if all(input_of(lesson, key) == was for key, was in each[0].items()))
            inputs, own[name] = next(found, None) or self._computed(lesson, known)
            made_from[name] = tuple(inputs)
        read(lesson, *made_from.get(name, ()))
        ASKED[0] += name in own.get(OWN, ())
        return own[name]

    def _computed(self, lesson, known):
        """The value with the inputs from which it is made: from now on known to all, or the lesson's own."""
        before, name, names = ASKED[0], self.attrname, set()
        OPEN.append((lesson, names))
        try:
            value = self.func(lesson)
        finally:
            OPEN.pop()
        made = {key: input_of(lesson, key) for key in sorted(names)}, value
        if name in APART:
            ASKED[0] = before
        if ASKED[0] == before and name not in CHANGED:
            known.append(made)
        else:
            vars(lesson).setdefault(OWN, set()).add(name)
        return made


def tracked(whole):
    """The steps of a training that a lesson goes through."""

    def steps(lesson, count):
        if count <= LONG.get(lesson.name, count):
            return whole(lesson, count)
        read(lesson, STEPS)
        return iter(range(0, count, STRIDE)) if SHORT[0] else whole(lesson, count)

    return steps


@contextmanager
def lessons_once():
    """Until the end, lessons find what others have computed."""
    before = []
    for kind in {base for name in LESSONS for base in lesson_class(name).__mro__[:-1]}:
        own = dict(vars(kind))
        others = {each.name: Input(each.name, own[each.name]) for each in fields(kind) if each.name in own}
        others |= {name: Once(value.func) for name, value in own.items() if type(value) is cached_property}
        for name, other in others.items():
            if isinstance(other, Once):
                other.__set_name__(kind, name)
            before.append((kind, name, own[name]))
            setattr(kind, name, other)
    try:
        with (
            patch.object(i18n, "language", counted(i18n.language)),
            patch.object(Lesson, "tracked", tracked(Lesson.tracked)),
        ):
            yield
    finally:
        for kind, name, value in before:
            setattr(kind, name, value)


@contextmanager
def short_trainings():
    """Until the end, long trainings have a tenth of their steps: where it is asked what follows from what, not how well."""
    SHORT[0] = True
    try:
        yield
    finally:
        SHORT[0] = False
