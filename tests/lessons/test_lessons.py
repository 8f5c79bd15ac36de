"""Lessons: in every language the same pages and numbers, all of them computed; exercises that help."""

import ast
import math
import re
import sys
from pathlib import Path
from urllib.parse import quote, unquote

import article_numbers
import numpy as np
import pytest
from helpers.fresh import some
from helpers.javascript import packed
from helpers.javascript import run as javascript
from helpers.lessons_once import LONG
from helpers.printing import drawn
from rich.cells import cell_len

from llmtrace import i18n
from llmtrace.errors import LessonError
from llmtrace.explain import explain_element
from llmtrace.explain.describe import sentence, what
from llmtrace.lessons import LESSONS, lesson_class, load
from llmtrace.lessons.framework.lesson_html import linkable, named, written
from llmtrace.lessons.framework.lesson_runs import Runs
from llmtrace.lessons.framework.pages import Pages
from llmtrace.lessons.framework.questions import parse_numbers, questions
from llmtrace.lessons.framework.text import PLACEHOLDER, filled, languages, lesson_text, parse
from llmtrace.render.page_data import translations
from llmtrace.render.page_run import as_page_numbers
from llmtrace.trace import Trace

NAMES = list(LESSONS)


pytestmark = pytest.mark.usefixtures("own_state")


# ---- what is seen ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", languages())
@pytest.mark.parametrize("name", NAMES)
def test_pages_fit_the_screen(pages_of, name, language):
    pages = pages_of(name, language)
    for n in range(len(pages)):
        lines = drawn(pages[n]).rstrip("\n").split("\n")
        assert max(map(cell_len, lines)) <= 80
        assert len(lines) <= 23, lines[0]
        prose = [line for line in lines if not re.search(r"[.:\-=+*#%@ox]{8}", line)]  # and not the rows of a picture
        assert not [line for line in prose if PLACEHOLDER.search(line) or "**" in line]


CHANGES = {
    "perceptron": {"sunny": 3, "threshold": 9.5, "habit_affordable": 7, "people": 500},
    "vectors-and-spaces": {
        "plane": (-1, 4),
        "scores": (3, 1, 2),
        "cat": (0.3, 0.7),
        "token": 7,
        "short": (2, 0),
        "last": 4,
    },
    "matrices-as-projections": {
        "a": "3 1; -2 4",
        "b": "5; 0.5",
        "theta": 200,
        "points": "1 1; 2 0; 0 2",
        "screen": "1 0; 0 1; 0.25 1",
        "token": 7,
        "x": "2 2",
        "activation": "tanh",
    },
    "next-character": {"letters": 9, "start": "had a grea", "neurons": 20, "steps": 300},
    "training": {"leaf": (30, 90, 50, 20), "wanted": (1, 0), "rate": 0.00002, "layers": 5, "noise": 0.2},
    "leaf-or-flower": {"green": 90, "bias": -2, "flower": (1, 2, 3, 4)},
    "playground": {"data": "xor", "noise": 10, "hidden": "3", "rate": 0.2, "epochs": 4, "seed": 1},
    "tokenizers": {
        "text": "she sells sea shells, he sells seashells",
        "word": "shell",
        "merges": 9,
        "pieces": 20,
        "character": "é",
    },
    "softmax-and-sampling": {
        "sure": (9, 2),
        "start": "sat on a",
        "temperature": 2,
        "top_k": 3,
        "top_p": 0.4,
        "seed": 1,
    },
    "residual-connections": {"layers": 5, "deep": 3, "prompt": "The king had a child", "feature": 9, "seed": 1},
    "layer-normalisation": {"marks": (1, 2, 3, 4, 10), "gain": 3, "layers": 4, "prompt": "A cat", "seed": 1},
    "dropout": {"leaf": (100, 50, 20, 30), "rate": 0.2, "curve_rate": 0.4, "noise": 0.1, "seed": 1},
    "multi-head-attention": {"first": (0, 1), "second": (2, 0), "sentence": "A cat sat on a", "seed": 1},
    "positions": {"text": "abcab", "width": 6, "words": 5, "prompt": "A cat", "theta": 1, "seed": 1},
    "gpt": {"prompt": "A cat sat on", "vocabulary": 300, "width": 32, "blocks": 3, "block": 0},
    "llama": {"row": (1, 2, -3, 0), "prompt": "the dog", "kv_heads": 4, "steps": 20, "seed": 1},
    "transformer": {"sentence": "Wann arbeitet Tom in Wien?", "block": 0, "head": 1, "place": 2, "seed": 1},
    "why-one-by-one": {"prompt": "我爱", "steps": 5, "temperature": 2, "seed": 7},
    "words": {"weights": (2, 1), "first": (1, 1), "rate": 0.3, "pull": 0.1, "noise": 0.1, "seed": 1},
    "training-is-compression": {"parameters": 7, "cards": 100, "sentences": 80, "steps": 30, "seed": 1},
    "self-attention": {"other": "cat", "mix": (0.1, 0.2, 0.7), "order_steps": 10, "seed": 1},
    "embeddings": {"numbers": 4, "context": 8, "sentences": 40, "word_steps": 30, "letter_steps": 20, "seed": 1},
}


@pytest.mark.parametrize("name", NAMES)
def test_both_languages_show_the_same_numbers(numbers_of, name):
    for changes in (None, CHANGES.get(name)):
        assert numbers_of(name, "en", changes) == numbers_of(name, "zh", changes)


@pytest.mark.parametrize("name", CHANGES)
def test_what_is_changed_is_followed(numbers_of, name):
    before = numbers_of(name, "en", {} if name in LONG else None)
    after = numbers_of(name, "en", CHANGES[name])
    assert sum(a != b for a, b in zip(before, after, strict=True)) >= 6


def places(shape, stride=1):
    """Every so many-th place of an array of this shape."""
    return [tuple(map(int, np.unravel_index(n, shape))) for n in range(0, math.prod(shape), stride)]


@pytest.mark.parametrize("name", NAMES)
def test_every_number_of_every_trace_is_explained(pages_of, name):
    lesson = pages_of(name).lesson
    traces = {key: value for key in dir(lesson) if isinstance(value := getattr(lesson, key), Trace)}
    assert len(traces) >= 5
    for trace in traces.values():
        assert trace.legend in lesson.legend.all()
        for step in trace.steps:
            for place in some(places(step.output.shape, max(1, step.output.size // 20)), 4):
                explanation = explain_element(trace, step.name, place)  # which has been replayed
                assert explanation.sentence != step.name
            assert explanation.replay() == step.output[place]


@pytest.mark.parametrize("name", NAMES)
def test_a_page_says_of_every_number_what_the_terminal_says(pages_of, name):
    """Also of gradients and of what optimisers do."""
    runs, cases, said = Runs(), [], []
    lesson = pages_of(name).lesson
    for trace in dict.fromkeys(value for key in dir(lesson) if isinstance(value := getattr(lesson, key), Trace)):
        record = runs.described(trace)
        held = [each["name"] for each in record["tensors"] if each["held"]]
        asked = [(name, place) for name in held for place in places(trace.shape(name), 997)]
        tensors = {name: packed(as_page_numbers(trace.tensor(name))) for name in held}
        cases.append({"record": record, "asked": asked, "tensors": tensors})
        said.append([])
        for language in languages():
            i18n.use(language)
            said[-1].append([[what(trace, name), sentence(trace, name, place)] for name, place in asked])
    known = {language: translations(language, sorted(runs.said)) for language in languages()}
    assert javascript("sentences.mjs", {**runs.shared, "languages": known, "cases": cases}) == said


def adds_up(explanation):
    """Whether the terms of each sum of an explanation, added one after the other, give what it says."""
    for line in explanation.lines:
        if line.operation not in {"sum", "dot"}:
            continue
        real = np.asarray(line.values).dtype.type
        values = [real(operand.values) for operand in line.operands]
        terms = values[0] if line.operation == "sum" else values[0] * values[1]
        total = real(0)
        for term in terms.ravel():
            total = total + term
        if total != line.values:
            return False
    return True


@pytest.mark.parametrize("name", NAMES)
def test_numbers_of_a_page_lead_to_sums_that_add_up(pages_of, name):
    """In the file of a lesson, numbers in tables and pictures and commands that explain one are links, and all are explained."""
    pages = pages_of(name)
    shown = [written(pages, number, "").html for number in range(len(pages))]
    links = {unquote(link) for html in shown for link in re.findall(r'<a href="#([^"]*)"', html)}
    for number in range(len(pages)):
        links |= {f"{trace} {address}" for trace, address in named(pages.lesson, pages[number])}
    sums = 0
    for link in sorted(links):
        trace, _space, address = link.partition(" ")
        assert linkable(pages.lesson, trace) or f'href="#{quote(link, safe="")}"' not in "".join(shown), link
        explanation = pages.lesson.trace(trace).explain(address)
        assert adds_up(explanation), link
        sums += any(line.operation in {"sum", "dot"} for line in explanation.lines)
    assert sums, "no number of a run leads to its sum"


def test_recorded_numbers_know_their_places():
    lesson = load("positions")
    last = lesson.recorded("turns.4", "turned.product", 0, 0, -1)
    assert last == lesson.turned.tensor("turned.product")[0, 0, 0]
    assert last.place == "turns.4 turned.product[head=0, query=0, key=0]"
    rows = lesson.recorded("free", "mix")
    assert np.array(rows).tobytes() == lesson.free.tensor("mix").tobytes()
    assert rows[1][0].place == f"free {lesson.free.address('mix', (1, 0))}"
    for name in ("turns", "turns.5", "turns.-1", "query", "query.0", "_report"):
        with pytest.raises(LessonError, match="has no trace"):
            lesson.trace(name)


def test_code_goes_on_from_the_block_before_and_shows_what_it_prints():
    text = parse(
        "# T\ns\n\n## A\n\n```python\na = 2 * sunny\n```\n\n## B\n\n```python\nprint(a + 1)\nprint([a for _n in 'ab'])\n```"
    )
    second = drawn(Pages(load("perceptron"), text)[1])
    assert ">>> print(a + 1)\n  17.0\n" in second
    assert "[16.0, 16.0]" in second


def test_numbers_in_sentences():
    lesson = load("perceptron")
    assert filled("{sunny} {-sunny:.1f} {weights} {(0 - sunny) / 3:.2f} {-0.001:.1f} {people:,}", lesson) == (
        "8 −8.0 8, 4, 4 −2.67 0.0 10,000"
    )


# ---- the two lessons ---------------------------------------------------------------------------------------------------


def test_the_perceptron_finds_what_decides():
    lesson = load("perceptron")
    assert [case[3:] for case in lesson.cases] == [(16, 1), (12, 1), (12, 1), (8, 0), (8, 0), (4, 0), (4, 0), (0, 0)]
    assert lesson.willing == [(4, 5, 1, 1), (8, 3, 0, 1), (12, 1, 0, 0)]
    assert (lesson.decides, lesson.ignored) == ("company", "affordable")
    assert lesson.share_right > 85
    other = load("perceptron", habit_company=0, habit_affordable=6)
    assert (other.decides, other.ignored) == ("affordable", "company")
    assert load("perceptron", mood=0).share_right == 100


def test_the_leaf_has_the_numbers_of_the_article():
    lesson = load("leaf-or-flower")
    assert lesson.sums.round(1).tolist() == pytest.approx([-26.6, 2.5, -47.1])
    assert lesson.outputs.round(1).tolist() == pytest.approx([0.8, 0.2])
    assert (lesson.larger(lesson.outputs), lesson.larger(lesson.flower_outputs)) == ("leaf", "flower")
    matrix = lesson.collapse["one.weight"].output
    assert matrix == pytest.approx(lesson.output @ lesson.hidden, rel=1e-5)
    assert not lesson.even


def test_vectors_have_shares_and_directions():
    lesson = load("vectors-and-spaces")
    assert [np.round(lesson.shares_of(*scores), 2).tolist() for scores in ((1, 2, 3), (-9, -8, -7))] == [
        pytest.approx([0.09, 0.24, 0.67])
    ] * 2
    assert np.round(lesson.shares_of(1, 2, 5), 2).tolist() == pytest.approx([0.02, 0.05, 0.94])
    assert lesson.cosines.diagonal() == pytest.approx(np.ones(4))
    assert (lesson.cosines[0, 1:3] > lesson.cosines[0, 3]).all()
    assert lesson.same_way["cosine"].output[0] == pytest.approx(1)


def test_the_page_of_the_articles_numbers_is_up_to_date(tmp_path, monkeypatch, capsys):
    assert article_numbers.main(["--check"]) == 0
    monkeypatch.setattr(article_numbers, "PAGE", tmp_path / "page.md")
    assert article_numbers.main(["--check"]) == 1
    wrong = lesson_class("perceptron").articles[0].__class__("sum", "17", "sum_of(1, 1, 1):.0f")
    monkeypatch.setattr(lesson_class("perceptron"), "articles", (wrong,))
    with pytest.raises(SystemExit, match="say who is right"):
        article_numbers.page()


# ---- inputs ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "inputs", "message"),
    [
        ("perceptrn", {}, "there is no lesson 'perceptrn'; did you mean perceptron\\?"),
        ("xyz", {}, "there is no lesson 'xyz'; the lessons are perceptron, leaf-or-flower,"),
        ("perceptron", {"suny": 1}, "has no input 'suny'; did you mean sunny\\?"),
        ("perceptron", {"zzz": 1}, "has no input 'zzz'; its inputs are sunny, affordable"),
        ("perceptron", {"sunny": "x"}, "sunny can't be 'x': give a number, such as 8"),
        ("perceptron", {"sunny": "nan"}, "sunny can't be 'nan'"),
        ("perceptron", {"sunny": "inf"}, "sunny can't be 'inf'"),
        ("perceptron", {"people": "2.5"}, "give a whole number, such as 10000"),
        ("perceptron", {"people": "5"}, "from 100 to 100000, not 5"),
        ("leaf-or-flower", {"red": 256}, "red must be from 0 to 255, not 256"),
        ("training", {"rate": "x"}, "give a number, such as 0.00003"),
        ("leaf-or-flower", {"flower": "1,2"}, "give 4 numbers with commas, such as 241,200,4,59.5"),
        ("leaf-or-flower", {"flower": 5}, "give 4 numbers"),
        ("vectors-and-spaces", {"token": 60_000}, "token must be from 0 to 50256"),
        ("vectors-and-spaces", {"cat": (0, 0)}, "cat must not be all 0"),
    ],
)
def test_wrong_inputs(name, inputs, message):
    with pytest.raises(LessonError, match=message):
        load(name, **inputs)


@pytest.mark.parametrize("name", [name for name in NAMES if "seed" in lesson_class(name).inputs()])
@pytest.mark.parametrize("seed", ["-1", "2147483647", "9007199254740993"])
def test_every_seed_is_bounded(name, seed):
    with pytest.raises(LessonError, match=f"seed must be from 0 to 2147483646, not {seed}"):
        load(name, seed=seed)


def test_inputs_are_read_like_their_defaults():
    assert load("leaf-or-flower", flower="1, 2,3,4", bias="-1").flower == (1.0, 2.0, 3.0, 4.0)
    assert load("perceptron", people="200").people == 200


# ---- exercises ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", languages())
@pytest.mark.parametrize("name", NAMES)
def test_exercises_take_the_right_answer_and_help_with_mistakes(pages_of, name, language):
    lesson = pages_of(name, language).lesson
    assert [q.exercise.name for q in questions(lesson)] == list(lesson_text(name).exercises)
    for seed in some(range(30), 10):
        for question in questions(lesson, seed):
            assert not PLACEHOLDER.search(question.question)
            right = question.check(str(round(question.exercise.answer, 2)))
            assert right.right
            assert question.solution in right.text
            assert question.answer in question.solution
            assert set(question.exercise.mistakes) == set(question.text.helps) - {"solution", "hint"}
            told = {question.check(f"{wrong:.3f}").text for wrong in question.exercise.mistakes.values()}
            assert len(told) == len(set(np.round(list(question.exercise.mistakes.values()), 2)))
            assert not any(question.check(str(wrong)).right for wrong in question.exercise.mistakes.values())
            other = question.check("987654")
            assert not other.right
            assert not PLACEHOLDER.search(other.text)


def test_an_answer_that_nobody_foresaw_gets_the_hint_of_its_exercise():
    told = [question.check("-17").text for question in questions(load("perceptron"), 1)]
    assert len(set(told)) == 3
    assert "is it above" in told[1]
    assert not any(question.check("many").is_answer for question in questions(load("perceptron")))


def test_exercises_are_the_same_for_the_same_seed_only():
    lesson = load("leaf-or-flower")
    first, again, other = ([q.question for q in questions(lesson, seed)] for seed in (1, 1, 2))
    assert first == again != other


def test_the_bias_is_missed():
    question = next(questions(load("leaf-or-flower"), 3))
    assert question.check(str(question.exercise.mistakes["forgot-bias"])).text.startswith("You forgot the bias")


@pytest.mark.parametrize(
    ("typed", "numbers"),
    [
        ("3.5", [3.5]),
        ("−3,5", [-3.5]),
        (" 4 ", [4]),
        ("１２", [12]),
        ("－３．５", [-3.5]),
        ("负3，5", [-3.5]),
        ("　７　", [7]),
        ("1/3", [1 / 3]),
        ("－１／４", [-0.25]),
        ("1,208", [1.208, 1208]),
        ("１，２０８，０００", [1208000]),
        ("-0", [0]),
        (".5", [0.5]),
        ("1e3", [1000]),
        *(
            (typed, [])
            for typed in (
                "four",
                "三",
                "",
                " ",
                "nan",
                "inf",
                "1e99",
                "1/0",
                "1/2/3",
                "1_000",
                "0x10",
                "½",
                "10²",
                "١٢",
            )
        ),
    ],
)
def test_answers_as_people_type_them(typed, numbers):
    assert parse_numbers(typed) == numbers


def test_every_program_is_a_class_with_defaults():
    for name in NAMES:
        kind = lesson_class(name)
        assert kind.name == name
        assert kind.inputs()
        assert ast.get_docstring(ast.parse(Path(sys.modules[kind.__module__].__file__).read_text()))
