"""A lesson's text: Markdown, parsed into pages and blocks. Expressions in {braces} are computed when a page is shown."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from llmtrace import i18n
from llmtrace.frozen import frozen
from llmtrace.lessons.framework.lesson import Lesson
from llmtrace.render.terminal.cjk import has_wide
from llmtrace.views.numbers import rounded

FOLDERS = Path(__file__).parents[1]
"""The folder that holds a folder for each lesson."""
PLACEHOLDER = re.compile(r"\{([^{}]+?)(?::([-+,]?\.?\d*[a-z%]?))?\}")
"""An expression of the lesson's names, and its format, as in Python's f-strings."""
OPERATED = re.compile(r"[+−×÷·/] ?$")
"""What ends in a sign of arithmetic: a negative number that follows stands in brackets, as in school."""


@frozen
class Block:
    """A paragraph, an item of a list, `python` code, or a `show` block, which names what is to be seen."""

    kind: str
    text: str


@frozen
class PageText:
    """The text of one page."""

    title: str
    blocks: tuple[Block, ...]


@frozen
class ExerciseText:
    """The words of one exercise: the question, and what is said to a wrong answer, by the mistake that leads to it."""

    question: str
    helps: Mapping[str, str]


@frozen
class LessonText:
    """The whole text of a lesson in one language."""

    title: str
    summary: str
    pages: tuple[PageText, ...]
    exercises: Mapping[str, ExerciseText] = field(default_factory=dict)
    inputs: Mapping[str, str] = field(default_factory=dict)
    """What each input is."""


def languages() -> list[str]:
    """The languages that lessons are written in."""
    return sorted({path.stem for path in FOLDERS.glob("*/*.md")})


def lesson_text(name: str, language: str | None = None) -> LessonText:
    """The text of a lesson in a language, or the one that is spoken; in English where there is none."""
    folder = FOLDERS / name.replace("-", "_")
    wanted = folder / f"{language or i18n.language()}.md"
    path = wanted if wanted.is_file() else folder / f"{i18n.ENGLISH}.md"
    return parse(path.read_text(encoding="utf-8"))


@cache
def parse(text: str) -> LessonText:
    """A text in Markdown: `# title`, a summary, a page for each `## `; `# Inputs`, a list; `# Exercises`, each a `## name`."""
    lesson, *others = text.split("\n# ")
    rest = {heading.strip(): body for heading, _line, body in (other.partition("\n") for other in others)}
    head, *pages = re.split(r"^## ", lesson, flags=re.MULTILINE)
    title, _line, summary = head.removeprefix("# ").partition("\n")
    return LessonText(
        title.strip(),
        unwrapped(summary.strip().split("\n")),
        tuple(map(_page, pages)),
        _exercises(rest.get("Exercises", "")),
        _by_name(_blocks(rest.get("Inputs", ""))),
    )


def _page(text: str) -> PageText:
    title, _line, body = text.partition("\n")
    return PageText(title.strip(), tuple(_blocks(body)))


def _blocks(text: str) -> Iterator[Block]:
    for n, part in enumerate(re.split(r"^```", text, flags=re.MULTILINE)):
        if n % 2:
            kind, _line, code = part.partition("\n")
            yield Block(kind.strip(), code.rstrip("\n"))
            continue
        for paragraph in re.split(r"\n\s*\n", part.strip("\n")):
            for item in re.split(r"^(?=- )", paragraph, flags=re.MULTILINE):
                if item.strip():
                    kind = "item" if item.startswith("- ") else "paragraph"
                    yield Block(kind, unwrapped(item.removeprefix("- ").strip().split("\n")))


def _exercises(text: str) -> dict[str, ExerciseText]:
    found: dict[str, ExerciseText] = {}
    for part in re.split(r"^## ", text, flags=re.MULTILINE)[1:]:
        name, _line, body = part.partition("\n")
        question, *items = _blocks(body)
        found[name.strip()] = ExerciseText(question.text, _by_name(items))
    return found


def _by_name(items: Iterable[Block]) -> dict[str, str]:
    """Items such as `- name: text`, by name."""
    return dict(item.text.split(": ", 1) for item in items)


def unwrapped(lines: list[str]) -> str:
    """Wrapped lines as one; Chinese is joined without a space."""
    text = lines[0].strip()
    for line in map(str.strip, lines[1:]):
        text += line if has_wide(text[-1:]) or has_wide(line[:1]) else f" {line}"
    return text


def filled(text: str, lesson: Lesson, others: Mapping[str, Any] | None = None) -> str:
    """A text with its expressions computed."""

    def number(match: re.Match[str]) -> str:
        before = text[: match.start()]
        comma = ", " if before.endswith("(") else i18n._(", ")  # (3, 4) is a point
        said = formatted(lesson.value(match[1], others), match[2], comma)
        return f"({said})" if said.startswith("−") and OPERATED.search(before) else said

    return PLACEHOLDER.sub(number, text)


def formatted(value: Any, form: str | None, comma: str = ", ") -> str:
    """A value as text in a sentence, by a format specification or rounded; `comma` stands between the numbers of an array."""
    if isinstance(value, str):
        return value
    array = np.asarray(value)
    if array.ndim:
        return comma.join(formatted(each, form) for each in array)
    if not form:
        return rounded(array.astype(np.float32) if array.dtype.kind == "f" else array)
    text = format(array.item(), form)
    zero = not text.strip("-0.")  # −0.0 only says that it was a little less
    return text.lstrip("-") if zero else text.replace("-", "−")
