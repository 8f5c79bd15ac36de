"""Each value of a lesson is computed once in a process: what all lessons with the same inputs have in common is shared.

A value in which words of a language stand is computed for each lesson anew, as is all that is made from it, and as is
what its user changes.
"""

from contextlib import contextmanager
from dataclasses import astuple
from functools import cached_property
from unittest.mock import patch

from llmtrace import i18n
from llmtrace.lessons import LESSONS, lesson_class

VALUES = {}
CHANGED = {"play"}
APART = {"recipes"}
"""Made of what others than its own lesson change, and without words."""
OWN = "_own"
ASKED = [0]
"""How often the language was asked for, or a value taken that is a lesson's own."""


def counted(language):
    def asked():
        ASKED[0] += 1
        return language()

    return asked


class Once(cached_property):
    """A cached property whose value other lessons find, too; with `__set__`, no lesson's own value goes round it."""

    def __set__(self, lesson, value):
        vars(lesson)[self.attrname] = value

    def __get__(self, lesson, kind=None):
        if lesson is None:
            return self
        own, name = vars(lesson), self.attrname
        if name not in own:
            key = type(lesson), name, astuple(lesson)
            if key not in VALUES:
                before = ASKED[0]
                value = self.func(lesson)
                if name in APART:
                    ASKED[0] = before
                if ASKED[0] == before and name not in CHANGED:
                    VALUES[key] = value
                else:
                    own[name] = value
                    own.setdefault(OWN, set()).add(name)
            own.setdefault(name, VALUES.get(key))
        ASKED[0] += name in own.get(OWN, ())
        return own[name]


@contextmanager
def lessons_once():
    """Until the end, lessons find what others have computed."""
    before = []
    for kind in {base for name in LESSONS for base in lesson_class(name).__mro__[:-1]}:
        for name, value in list(vars(kind).items()):
            if type(value) is cached_property:
                once = Once(value.func)
                once.__set_name__(kind, name)
                before.append((kind, name, value))
                setattr(kind, name, once)
    try:
        with patch.object(i18n, "language", counted(i18n.language)):
            yield
    finally:
        for kind, name, value in before:
            setattr(kind, name, value)
