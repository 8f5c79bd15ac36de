"""Lessons: chapters of school mathematics that run. To add one: its program here, its line below, and its text in each language.

A lesson's program is a class: its fields are what `--set` changes, its properties the numbers, traces and pictures that its
text names. The text is Markdown, in text/LANGUAGE/NAME.md; docs/lessons.md says how it is written.
"""

from __future__ import annotations

from difflib import get_close_matches
from importlib import import_module
from typing import Any

from llmtrace import i18n
from llmtrace.errors import LessonError
from llmtrace.i18n import _
from llmtrace.lessons.lesson import Article, Exercise, Lesson

LESSONS = {
    "perceptron": "llmtrace.lessons.perceptron.Perceptron",
    "leaf-or-flower": "llmtrace.lessons.leaf_or_flower.LeafOrFlower",
    "training": "llmtrace.lessons.training.Training",
    "vectors-and-spaces": "llmtrace.lessons.vectors_and_spaces.VectorsAndSpaces",
    "matrices-as-projections": "llmtrace.lessons.matrices_as_projections.MatricesAsProjections",
    "next-character": "llmtrace.lessons.next_character.NextCharacter",
    "embeddings": "llmtrace.lessons.embeddings.Embeddings",
    "tokenizers": "llmtrace.lessons.tokenizers.Tokenizers",
    "playground": "llmtrace.lessons.playground.Playground",
}
"""The programs, in the order in which they are learned; each is imported when it is used."""

__all__ = ["LESSONS", "Article", "Exercise", "Lesson", "lesson_class", "load"]


def lesson_class(name: str) -> type[Lesson]:
    """The program of a lesson."""
    if name not in LESSONS:
        near = get_close_matches(name, LESSONS, n=1, cutoff=0.4)
        text = _("there is no lesson {name}; the lessons are {names}")
        if near:
            text = _("there is no lesson {name}; did you mean {near}?")
        raise LessonError(text.format(name=repr(name), near=", ".join(near), names=", ".join(LESSONS)))
    module, _dot, own = LESSONS[name].rpartition(".")
    program: type[Lesson] = getattr(import_module(module), own)
    return program


def load(name: str, language: str | None = None, **inputs: Any) -> Lesson:
    """A lesson with its numbers and traces: `load("perceptron", sunny=5).everything.explain("output.sum[0]")`.

    inputs: what is to be other than the lesson has it. With a language ("zh"), llmtrace speaks that from now on.
    """
    if language is not None:
        i18n.use(language)
    return lesson_class(name).given(inputs)
