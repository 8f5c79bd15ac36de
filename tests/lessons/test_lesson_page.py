"""A lesson as one HTML file: its pages in every language, its numbers with their explanations, its exercises."""

import base64
import json
import random
import re
import zlib

import numpy as np
import pytest
from click.testing import CliRunner
from helpers.browser import Open
from helpers.fresh import some
from helpers.javascript import run

from llmtrace import i18n
from llmtrace.cli import main
from llmtrace.lessons import load
from llmtrace.lessons.framework.lesson_page import VARIANTS, lesson_page
from llmtrace.lessons.framework.lesson_runs import Runs
from llmtrace.lessons.framework.questions import questions
from llmtrace.lessons.framework.text import lesson_text
from llmtrace.render.page_data import CHOOSING, FAMILY

NAMES = ["perceptron", "multi-head-attention", "matrices-as-projections", "gpt"]


LONG_NAME = """(kind) => {
  const element = document.createElement(kind);
  element.textContent = "d.hidden.1.out.from.hidden.2.sum".repeat(5);
  document.querySelector("main").append(element);
  return document.documentElement.scrollWidth - innerWidth;
}"""
"""How much wider than the screen the page is with a long name in an element of a kind."""


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    path = tmp_path_factory.mktemp("lessons") / "course.html"
    path.write_text(lesson_page(NAMES, {}), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def facts(file):
    return json.loads(re.search(r'id="manifest">(.*?)</script>', file.read_text("utf-8"), re.DOTALL)[1])


@pytest.fixture(scope="module")
def once(chromium, file):
    """The page of the file: a browser takes long to open four lessons."""
    shown = Open(chromium, file).ready()
    yield shown
    shown.close()


@pytest.fixture
def opened(once):
    """The same page for all tests, at its contents on a usual screen, as it is when it has been opened."""
    once.page.set_viewport_size({"width": 1280, "height": 800})
    once.go("")
    once.said.clear()
    return once


def test_all_pages_are_there_in_every_language(facts):
    assert [each["name"] for each in facts["lessons"]] == NAMES
    for lesson in facts["lessons"]:
        assert set(lesson["in"]) == set(i18n.languages())
        english, chinese = lesson["in"]["en"], lesson["in"]["zh"]
        assert len(english["pages"]) == len(chinese["pages"]) == len(lesson_text(lesson["name"]).pages)
        assert all(re.search("[\u4e00-\u9fff]", page["html"]) for page in chinese["pages"])
        assert not [
            page["html"] for page in english["pages"] if re.search(r'<script|<style| style=| on\w+="', page["html"])
        ]


def test_exercises_have_variants_and_the_replies_of_the_terminal(facts):
    answers = ["x", "", "−3,5", "1e3", "99", "０"]
    cases, said = [], []
    for lesson in facts["lessons"]:
        for kind, variants in enumerate(lesson["in"]["en"]["exercises"]):
            assert len(variants) == VARIANTS
            assert len({json.dumps(each) for each in variants}) > 1
            for seed in (0, 3):
                question = list(questions(load(lesson["name"]), seed))[kind]
                shown = variants[seed]
                typed = [
                    *answers,
                    str(shown["value"]),
                    str(-shown["value"]),
                    *(str(wrong) for wrong, _said in shown["mistakes"]),
                ]
                assert shown["question"] == question.question
                cases.append({"asked": shown, "typed": typed})
                said.append([question.check(each).text for each in typed])
    assert run("lessons.mjs", {"cases": cases}) == said


LETTERS = list("0123456789") * 2 + list("０１３５９.．,，+-−－负/／eE%。 　\u00a0\n一½²٣_∞")
"""Answers are made of these."""


def typed_at_random(count, shown):
    """Answers of a few letters, and the right and the wrong ones with letters put in or written otherwise."""
    chance = random.Random(5)
    wide = str.maketrans("0123456789.,-/", "０１２３４５６７８９．，－／")
    known = [shown["value"], -shown["value"], *(wrong for wrong, _said in shown["mistakes"])]
    for n in range(count):
        if n % 2:
            yield "".join(chance.choices(LETTERS, k=chance.randrange(8)))
            continue
        text = chance.choice([f"{chance.choice(known):.{chance.randrange(5)}f}", f"{chance.choice(known):,.2f}"])
        place = chance.randrange(len(text) + 1)
        text = text[:place] + chance.choice(["", "", *LETTERS]) + text[place:]
        yield text.translate(wide) if chance.random() < 0.5 else text


def test_answers_are_judged_as_on_the_terminal(facts):
    """Whatever is typed, in each exercise and in both languages."""
    cases, said = [], []
    for language in ("en", "zh"):
        i18n.use(language)
        for lesson in facts["lessons"]:
            asked = list(questions(load(lesson["name"]), 0))
            for question, (shown, *_others) in zip(asked, lesson["in"][language]["exercises"], strict=True):
                typed = list(typed_at_random(60, shown))
                cases.append({"asked": shown, "typed": typed, "language": language})
                said.append([question.check(each).text for each in typed])
    assert run("lessons.mjs", {"languages": facts["languages"], "cases": cases}) == said
    begun = {
        (case["language"], re.split("[：:]", each)[0][:12])
        for case, own in zip(cases, said, strict=True)
        for each in own
    }
    assert len(begun) > 30


def test_every_number_that_is_a_link_is_explained(opened, facts):
    """From the pages of a lesson, a link to a number leads to its explanation, whose numbers are links again."""
    for name in NAMES[:2]:
        pages = enumerate(facts["lessons"][NAMES.index(name)]["in"]["en"]["pages"], 1)
        links = [(number, found[1]) for number, page in pages if (found := re.search(r'href="#([^"]*)"', page["html"]))]
        for number, link in some(links, 3):
            opened.go(f"lesson/{name}/{number}")
            opened.page.locator(f'main .llmtrace a[href="#{link}"]').first.click()
            opened.page.wait_for_selector(".value")
            assert opened.page.locator("[role=alert]").count() == 0
            deeper = opened.page.locator(".line a, td a").first
            if deeper.count():
                deeper.click()
                opened.page.wait_for_selector(".value, .grid, [role=alert]")
                assert opened.page.locator("[role=alert]").count() == 0, opened.page.url
    assert opened.said == []


ADDED_UP = """() => {
  const rows = [...document.querySelectorAll("main table tbody tr")].map((row) =>
    [...row.cells].slice(1).map((cell) => Math.fround(Number(cell.innerText))));
  let total = 0;
  return rows.length > 1 && rows.every(([a, b, product, running]) => {
    total = Math.fround(total + product);
    return Math.fround(a * b) === product && running === total;
  });
}"""
"""Whether each row of the table is a product, and the products add up to the running totals."""


def test_numbers_in_tables_lead_to_sums_that_add_up(opened):
    opened.go("lesson/gpt/5")
    opened.page.locator("main td a").first.click()
    opened.page.wait_for_selector(".value .mark")
    assert "alone.down[last=0, feature=0]" in opened.page.inner_text("h1")
    opened.page.get_by_role("button", name="show all").click()
    assert opened.page.evaluate(ADDED_UP)
    opened.go("lesson/gpt/6")
    opened.page.locator("main td a").first.click()
    opened.page.wait_for_selector(".value .mark")
    assert "after.0.shares[vocabulary=" in opened.page.inner_text("h1")
    assert re.search(r"probability|' \w+'", opened.text)
    assert opened.said == []


def test_commands_lead_to_what_is_in_the_file(opened):
    opened.go("lesson/gpt/4")
    opened.page.get_by_role("link", name="llmtrace learn gpt --explain").click()
    opened.page.wait_for_selector(".value .mark")
    assert opened.page.inner_text("h1") == "bent.gelu[input=1]"
    opened.go("lesson/gpt/1")
    table = opened.page.locator("main table")
    assert table.get_by_role("link").all_inner_texts() == ["multi-head-attention"]  # the others are not in this file
    assert "self-attention, multi-head-attention" in table.inner_text()
    table.get_by_role("link").click()
    opened.page.wait_for_selector("h1")
    assert "multi-head-attention/1" in opened.page.url.replace("%2F", "/")


def test_a_number_of_a_lesson_has_its_bits_and_words(opened):
    trace = load("perceptron").alone
    for step in trace.steps:
        place = [0] * len(step.axes)
        explanation = trace.explain(step.name, *place)
        opened.go(f"perceptron/alone {explanation.address}")
        opened.page.wait_for_selector(".value")
        assert float(opened.page.inner_text(".value").split()[0]) == float(explanation.value)
        assert explanation.sentence in opened.text
        assert "✓ same bits" in opened.text


def test_a_grid_is_drawn_again_while_the_view_of_another_run_is_made(opened):
    """Its numbers are still those of its own run; the other one has a tensor of the same name, too, not read yet."""
    opened.page.reload()
    opened.ready().go("multi-head-attention/small x")
    opened.page.wait_for_selector(".grid")
    opened.page.evaluate(
        """() => {
          const grid = document.querySelector(".grid");
          addEventListener("hashchange", () => grid.dispatchEvent(new Event("scroll")), { once: true });
        }"""
    )
    opened.go("multi-head-attention/extra own.v[0, 0]")
    opened.page.wait_for_selector(".value .mark")
    assert opened.said == []


def test_contents_pages_and_languages(opened):
    assert opened.page.locator("main ol.contents > li").count() == len(NAMES)
    opened.page.get_by_role("link", name="Shall I go? One neuron decides").click()
    opened.page.wait_for_function("() => document.querySelector('h1').textContent === 'Three questions'")
    opened.press("l")
    assert re.search("[\u4e00-\u9fff]", opened.page.inner_text("h1"))
    opened.press("l")
    opened.page.get_by_role("link", name="Multiply and add →").click()
    opened.page.wait_for_function("() => document.querySelector('h1').textContent === 'Multiply and add'")
    assert set(opened.asked) == {opened.page.url.partition("#")[0]}


def test_an_exercise_is_checked(opened, facts):
    opened.go("lesson/perceptron/exercises")
    first = facts["lessons"][0]["in"]["en"]["exercises"][0]
    box = opened.page.locator("main ol > li").first
    for answer, said in ((first[0]["value"], "Right: "), ("x", "Answer with a number")):
        box.get_by_role("textbox").fill(str(answer))
        opened.press("Enter")
        assert box.locator("[aria-live]").inner_text().startswith(said)
    box.get_by_role("button", name="show the answer").click()
    assert box.locator("[aria-live]").inner_text().startswith("Answer: ")
    box.get_by_role("button", name="other numbers").click()
    assert first[1]["question"].replace("**", "")[:40] in opened.text


def test_what_a_lesson_tells_to_type_and_to_press_does_it(opened, facts):
    """`e` asks for a number by trace and address, `a` plays; code stands after the prompt that the first lesson speaks of."""
    opened.go("lesson/matrices-as-projections/2")
    opened.press("e")
    opened.page.keyboard.type("product product[1, 0]")
    opened.follow()
    opened.page.wait_for_selector(".value .mark")
    assert opened.page.inner_text("h1") == "product[row=1, column=0]"
    opened.go("lesson/matrices-as-projections/15")  # “press e and type word word.scores[0, …]”, which is a link too
    opened.page.locator("main p a", has_text="word word.scores[0,").click()
    opened.page.wait_for_selector(".value .mark")
    number = next(n for n, page in enumerate(facts["lessons"][2]["in"]["en"]["pages"], 1) if page["frames"])
    opened.go(f"lesson/matrices-as-projections/{number}")
    opened.press("a")
    opened.page.wait_for_function("() => document.querySelector('input[type=range]').value >= 1")
    opened.go("lesson/perceptron/2")
    assert opened.page.locator("pre code").first.inner_text().startswith(">>> print(")
    opened.press("e")
    opened.page.keyboard.type("nobody x[0]")
    opened.follow()
    assert '--explain "nobody x[0]"' in opened.page.locator("[role=alert]").inner_text()
    opened.press("?")
    opened.page.wait_for_selector("main table")
    assert "what if" not in opened.page.inner_text("main")
    assert opened.said == []


def test_names_in_a_picture_of_points_stand_within_it(opened):
    opened.go("lesson/matrices-as-projections/7")
    outside = opened.page.evaluate(
        """() => [...document.querySelectorAll("main svg text")].filter((text) => {
          const [own, all] = [text.getBoundingClientRect(), text.ownerSVGElement.getBoundingClientRect()];
          return own.left < all.left || own.right > all.right;
        }).map((text) => text.textContent)"""
    )
    assert outside == []


def test_products_are_played(opened, facts):
    number = next(n for n, page in enumerate(facts["lessons"][2]["in"]["en"]["pages"], 1) if page["frames"])
    opened.go(f"lesson/matrices-as-projections/{number}")
    shown = opened.page.locator(".frame")
    before = shown.inner_text()
    opened.page.get_by_role("button", name="→").click()
    assert shown.inner_text() != before
    opened.page.get_by_role("button", name="play").click()
    opened.page.wait_for_function("() => document.querySelector('input[type=range]').value >= 3")


def test_axe_finds_nothing_and_nothing_is_too_wide(opened):
    places = [
        "",
        "lesson/perceptron/2",
        "lesson/multi-head-attention/6",
        "lesson/matrices-as-projections/3",
        "lesson/matrices-as-projections/5",
        "lesson/perceptron/exercises",
        "lesson/nobody/1",
        "lesson/matrices-as-projections/4",
        "perceptron/alone nothing[0]",
    ]
    opened.page.emulate_media(color_scheme="dark")
    widths = [1280, 3840, 360]
    for place in places:
        opened.go(place)
        for width in widths:
            opened.page.set_viewport_size({"width": width, "height": 800})
            assert opened.page.evaluate("() => document.documentElement.scrollWidth - innerWidth") <= 0, (place, width)
        assert not opened.findings(), place
        widths.reverse()  # to change the width takes long
    opened.page.set_viewport_size({"width": 360, "height": 800})
    for kind in ("dd", "dt", "li", "p", "summary"):
        wide = opened.page.evaluate(LONG_NAME, kind)
        assert wide <= 0, kind
    opened.page.emulate_media(color_scheme="light")


def test_words_in_pictures_are_legible_on_a_phone(opened, facts):
    number = next(n for n, page in enumerate(facts["lessons"][2]["in"]["en"]["pages"], 1) if "<text" in page["html"])
    opened.page.set_viewport_size({"width": 360, "height": 800})
    opened.go(f"lesson/matrices-as-projections/{number}")
    sizes = opened.page.evaluate(
        """() => [...document.querySelectorAll("main svg text")].map((text) => {
          const { width } = text.ownerSVGElement.getBoundingClientRect();
          return (parseFloat(getComputedStyle(text).fontSize) * width) / text.ownerSVGElement.viewBox.baseVal.width;
        })"""
    )
    assert sizes
    assert min(sizes) >= 11


def test_numbers_that_the_page_can_not_do_are_explained_in_the_file():
    """Of a small run every one of them, and once for all languages."""
    trace, runs = load("training").slope, Runs()
    record = runs.shared["runs"][runs.add(trace, [])]
    found = json.loads(zlib.decompress(base64.b64decode(runs.packed[record["explanations"]]), -15))
    others = [step for step in trace.steps if step.op not in FAMILY | CHOOSING]
    values = {
        trace.address(step.name, place): step.output[place]
        for step in others
        for place in np.ndindex(step.output.shape)
    }
    assert {address: np.float32(each["value"]) for address, each in found.items()} == values
    assert {step.op for step in trace.steps} - {step.op for step in others}
    before = dict(runs.packed)
    i18n.use("zh")
    assert runs.shared["runs"][runs.add(load("training").slope, [])]["explanations"] == record["explanations"]
    assert runs.packed == before
    assert runs.shared["runs"][runs.add(load("training").first_step, [])]["explanations"] != record["explanations"]


def test_command(tmp_path, own_state):
    file = tmp_path / "x.html"
    done = CliRunner().invoke(main, ["learn", "perceptron", "--set", "sunny=20", "-o", str(file)])
    assert done.exit_code == 0, done.output
    assert "20 for sunny" in file.read_text("utf-8")
    more = [["perceptron", "--all", "-o", "x.html"], ["--all", "-o", "x.md"], ["--all", "--inputs", "-o", "x.html"]]
    for wrong in (["--all"], *more):
        assert CliRunner().invoke(main, ["learn", *wrong]).exit_code == 2, wrong
