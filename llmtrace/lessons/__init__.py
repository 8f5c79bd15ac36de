"""Lessons: chapters of school mathematics that run. To add one, add its folder; nothing else is edited.

A folder holds the program (`lesson.py`), the text in each language (`en.md`, `zh.md`), and in its `__init__.py` the number
ORDER, by which the lessons are sorted. The program is a class: its fields are what `--set` changes, its properties the
numbers, traces and pictures that the text names. docs/lessons.md says more.
"""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules
from typing import Any

from llmtrace import i18n
from llmtrace.errors import LessonError
from llmtrace.i18n import _, listed
from llmtrace.lessons.framework.exercises import Exercise
from llmtrace.lessons.framework.lesson import Article, Lesson
from llmtrace.near import near


def _folders() -> dict[str, str]:
    """The packages of the lessons by the lessons' names, in the order in which they are learned. No program is imported."""
    found = [
        f"{__name__}.{entry.name}" for entry in iter_modules(__path__) if entry.ispkg and entry.name != "framework"
    ]
    found.sort(key=lambda package: (import_module(package).ORDER, package))
    return {package.rpartition(".")[2].replace("_", "-"): package for package in found}


LESSONS = _folders()

__all__ = ["LESSONS", "Article", "Exercise", "Lesson", "lesson_class", "load"]


def lesson_class(name: str) -> type[Lesson]:
    """The program of a lesson: the class derived from `Lesson` in its `lesson.py`."""
    if name not in LESSONS:
        meant = near(name, LESSONS)
        text = _("there is no lesson {name}; the lessons are {names}")
        if meant:
            text = _("there is no lesson {name}; did you mean {near}?")
        raise LessonError(text.format(name=repr(name), near=listed(meant), names=listed(LESSONS)))
    module = import_module(f"{LESSONS[name]}.lesson")
    (program,) = (
        each
        for each in vars(module).values()
        if isinstance(each, type) and issubclass(each, Lesson) and each.__module__ == module.__name__
    )
    return program


def load(name: str, language: str | None = None, **inputs: Any) -> Lesson:
    """A lesson with its numbers and traces: `load("perceptron", sunny=5).everything.explain("output.sum[0]")`.

    inputs: what is to be other than the lesson has it. With a language ("zh"), llmtrace speaks that from now on.
    """
    if language is not None:
        i18n.use(language)
    return lesson_class(name).with_inputs(inputs)
