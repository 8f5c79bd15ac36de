"""Lessons as one HTML file: pages in every language, explanations of the numbers in them, animations, exercises."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from llmtrace import i18n
from llmtrace.explain import Explanation
from llmtrace.lessons import load
from llmtrace.lessons.framework.lesson import Lesson
from llmtrace.lessons.framework.lesson_html import led_to, written
from llmtrace.lessons.framework.lesson_runs import Runs
from llmtrace.lessons.framework.pages import Pages
from llmtrace.lessons.framework.questions import Question, questions
from llmtrace.lessons.framework.text import lesson_text
from llmtrace.render.page_data import translations
from llmtrace.render.page_file import put_together
from llmtrace.views.grid import SIZES

VARIANTS = 10
"""So many of each exercise are in the file."""


def lesson_page(names: Sequence[str], inputs: Mapping[str, Any]) -> str:
    """The file of some lessons, in every language; each is computed once for each. inputs: what is not as the lesson has it."""
    spoken, runs = i18n.language(), Runs()
    lessons: list[dict[str, Any]] = [{"name": name, "in": {}} for name in names]
    try:
        for language in i18n.languages():
            i18n.use(language)
            for each in lessons:
                each["in"][language] = one_lesson(load(each["name"], **inputs), runs)
    finally:
        i18n.use(spoken)
    first = lessons[0]["in"][spoken]
    title = first["title"] if len(lessons) == 1 else "llmtrace"
    facts = {
        "kind": "lessons",
        "text": title,
        "config": {},
        "vocabulary": [],
        "tokenizer": None,
        "model": "",
        "legend": {},
        "ids": [],
        "ops": runs.ops,
        "sizes": SIZES,
        **runs.shared,
        "lessons": lessons,
        "language": spoken,
        "languages": {name: translations(name, sorted(runs.said)) for name in i18n.languages()},
    }
    return put_together(facts, f"<h1>{escape(title)}</h1>\n<p>{escape(first['summary'])}</p>", runs.packed)


def one_lesson(lesson: Lesson, runs: Runs) -> dict[str, Any]:
    """A lesson in the language that is spoken. What it needs beside its words is added to `runs`."""
    text = lesson_text(lesson.name)
    pages = Pages(lesson, text)
    drawn = [list(questions(lesson, seed)) for seed in range(VARIANTS)]
    return {
        "title": text.title,
        "summary": text.summary,
        "pages": [written(pages, number, f"{lesson.name}/").to_dict() for number in range(len(pages))],
        "runs": {name: added(pages, name, addresses, runs) for name, addresses in led_to(pages).items()},
        "exercises": [[exercise(each) for each in variants] for variants in zip(*drawn, strict=True)],
    }


def added(pages: Pages, name: str, addresses: Sequence[str], runs: Runs) -> int:
    """The number of a run of a lesson, which is added. addresses: what the pages lead to, beside what they explain."""
    trace = pages.lesson.trace(name)
    return runs.add(trace, [*starts(pages, name), *map(trace.explain, addresses)])


def starts(pages: Pages, name: str) -> list[Explanation]:
    """The explanations of a trace that stand on the pages."""
    made = (each for n in range(len(pages)) for made in pages[n].made if isinstance(made, list) for each in made)
    trace = pages.lesson.trace(name)
    return [each.thing for each in made if getattr(each, "kind", "") == "explain" and each.thing.source is trace]


def exercise(question: Question) -> dict[str, Any]:
    """A question with the replies to what may be answered."""
    return {
        "question": question.question,
        "value": float(question.exercise.answer),
        "answer": question.answer,
        "solution": question.solution,
        "mistakes": [list(each) for each in question.mistakes],
        "hint": question.hint,
    }
