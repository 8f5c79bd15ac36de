"""Lessons as one HTML file: pages in every language, explanations of the numbers in them, animations, exercises."""

from __future__ import annotations

import base64
import json
import zlib
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from html import escape
from typing import Any

import numpy as np

from llmtrace import i18n
from llmtrace.explain import Explanation
from llmtrace.lessons import load
from llmtrace.lessons.framework.lesson import Lesson
from llmtrace.lessons.framework.lesson_html import traces, written
from llmtrace.lessons.framework.pages import Pages
from llmtrace.lessons.framework.questions import Question, questions
from llmtrace.lessons.framework.text import lesson_text
from llmtrace.ops import OPS
from llmtrace.render.page_data import legend_of, messages, names_of_lines, translations
from llmtrace.render.page_file import put_together, shuffled
from llmtrace.render.page_run import as_page_numbers, explanation_data, run_record
from llmtrace.storage.digest import array_digest
from llmtrace.trace import Trace
from llmtrace.views.terms import AXES

VARIANTS = 10
"""So many of each exercise are in the file."""
MOST_EXPLAINED = 2500
"""Of a trace with more numbers, only those are explained that the pages lead to."""
LARGEST_TENSOR = 20_000
"""Larger tensors are left out."""


def lesson_page(names: Sequence[str], inputs: Mapping[str, Any]) -> str:
    """The file of some lessons, in every language; each is computed once for each. inputs: what is not as the lesson has it."""
    spoken, packed = i18n.language(), dict[str, str]()
    said: set[str] = {*messages(), *names_of_lines(), *AXES.values()}
    ops: dict[str, Any] = {}
    lessons: list[dict[str, Any]] = [{"name": name, "in": {}} for name in names]
    try:
        for language in i18n.languages():
            i18n.use(language)
            for each in lessons:
                each["in"][language] = one_lesson(load(each["name"], **inputs), packed, said, ops)
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
        "ops": ops,
        "lessons": lessons,
        "language": spoken,
        "languages": {name: translations(name, sorted(said)) for name in i18n.languages()},
    }
    return put_together(facts, f"<h1>{escape(title)}</h1>\n<p>{escape(first['summary'])}</p>", packed)


def one_lesson(lesson: Lesson, packed: dict[str, str], said: set[str], ops: dict[str, Any]) -> dict[str, Any]:
    """A lesson in the language that is spoken. What it needs beside its words is added to `packed`, `said` and `ops`."""
    text = lesson_text(lesson.name)
    pages = Pages(lesson, text)
    shown = [written(pages, number, f"{lesson.name}/").to_dict() for number in range(len(pages))]
    runs = {}
    for name, trace in traces(lesson, pages).items():
        runs[name] = lesson_run(trace, starts(pages, name), packed)
        said |= {words[key] for words in runs[name]["legend"].values() for key in ("what", "sentence", "section")}
        for op in {step.op for step in trace.steps}:
            ops[op] = {"formula": OPS[op].formula, "how": OPS[op].how}
            said |= {OPS[op].formula, OPS[op].how}
    drawn = [list(questions(lesson, seed)) for seed in range(VARIANTS)]
    return {
        "title": text.title,
        "summary": text.summary,
        "pages": shown,
        "runs": runs,
        "exercises": [[exercise(each) for each in variants] for variants in zip(*drawn, strict=True)],
    }


def lesson_run(trace: Trace, first: Sequence[Explanation], packed: dict[str, str]) -> dict[str, Any]:
    """A run of a lesson: its steps, tensors and explanations. Alike numbers are in the file once."""
    held = {name for name in trace.names() if trace.tensor(name).size <= LARGEST_TENSOR}
    record = run_record(trace, "", held)
    for each in record["tensors"]:
        if each["held"]:
            numbers = as_page_numbers(trace.tensor(each["name"]))
            each["digest"] = array_digest(numbers)
            each["id"] = f"n:{each['digest'][:24]}"
            packed.setdefault(each["id"], shuffled(numbers))
    text = json.dumps({each.address: explanation_data(each) for each in explained(trace, first)}, separators=(",", ":"))
    record["explanations"] = f"e:{sha256(text.encode()).hexdigest()[:24]}"
    packed.setdefault(record["explanations"], deflated(text))
    if not trace.labels and trace.tokens:
        record["labels"] = {axis: [str(token) for token in trace.tokens] for axis in ("position", "query", "key")}
    return record | {"legend": legend_of(trace)}


def explained(trace: Trace, first: Sequence[Explanation]) -> Iterator[Explanation]:
    """Explanations of every number that a step of a small trace made; of a large one, of those that the pages lead to."""
    if sum(trace[name].output.size for name in trace) <= MOST_EXPLAINED:
        for step in trace.steps:
            for place in every_place(step.output.shape):
                yield trace.explain(step.name, *place)
        return
    waiting, seen = deque(first), {each.address for each in first}
    for _count in range(MOST_EXPLAINED // 10):
        if not waiting:
            return
        found = waiting.popleft()
        yield found
        for element in found.leans_on(8):
            address = element.address()
            if element.tensor in trace and address not in seen:
                seen.add(address)
                waiting.append(trace.explain(element.tensor, *element.place()))


def every_place(shape: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    """All indexes of a tensor."""
    yield from np.ndindex(*shape)


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


def deflated(text: str) -> str:
    """A text as an element of the page holds it."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return base64.b64encode(packer.compress(text.encode()) + packer.flush()).decode()
