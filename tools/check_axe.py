"""axe-core over every page of every lesson and every view of a run, in every language, light and dark; and what is too wide.

python tools/check_axe.py                        the course, each lesson alone, a model's page, a trace's page, and a server
python tools/check_axe.py course.html one.html   files that `llmtrace learn -o` and `llmtrace page -o` have written
python tools/check_axe.py course.html --lessons llama gpt

Looked at are the contents, each page with its boxes opened, the exercises with an answer, and of each run a number's
explanation and the tensor that holds it. Needs Chromium, playwright and axe-playwright-python.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import unquote

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from helpers.browser import Open, chromium  # noqa: E402 - of this checkout

import llmtrace  # noqa: E402
from llmtrace.lessons import LESSONS  # noqa: E402
from llmtrace.lessons.framework.lesson_page import lesson_page  # noqa: E402
from llmtrace.models.language_model import as_language_model  # noqa: E402
from llmtrace.render.page_file import page  # noqa: E402
from llmtrace.render.page_parts import page_of_parts  # noqa: E402
from llmtrace.render.page_server import PageServer  # noqa: E402
from llmtrace.render.page_service import Service  # noqa: E402

SENTENCE = "The king had a child, a girl."
WIDTHS = (360, 1280, 3840)
OPENED = """() => {
  for (const box of document.querySelectorAll("details")) box.open = true;
  for (const button of document.querySelectorAll("main li form button:nth-of-type(2)")) button.click();
}"""
"""Opens what is folded and has each exercise tell its answer."""


def lesson_places(facts: dict[str, Any], language: str, chosen: list[str]) -> Iterator[str]:
    """Every view of the lessons: pages, exercises, and of each run one number and its tensor."""
    yield ""
    for lesson in facts["lessons"]:
        if chosen and lesson["name"] not in chosen:
            continue
        text, seen = lesson["in"][language], set()
        for number, each in enumerate(text["pages"], 1):
            yield f"lesson/{lesson['name']}/{number}"
            for link in re.findall(r'href="#([^"]*)"', each["html"]):
                run, _space, address = unquote(link).partition(" ")
                if run not in seen:
                    seen.add(run)
                    yield from (f"{run} {address}", f"{run} {address.partition('[')[0]}")
        yield f"lesson/{lesson['name']}/exercises"


def run_places(shown: Open) -> Iterator[str]:
    """Every view of a run: all that have a name, and outside of further blocks one number of each tensor."""
    yield from ("", "help")
    for tab in ("sentence", "next", "what-if"):
        if shown.page.locator(f"header a[href='#{tab}']").count():
            yield tab
    for name in shown.page.evaluate("() => [...document.querySelectorAll('#names option')].map((each) => each.value)"):
        block = re.match(r"block\.(\d+)\.ln_1$", name)
        if block:
            yield from (f"block.{block[1]}", f"block.{block[1]}.mlp", f"block.{block[1]}.attn.pattern[head=0]")
        if not re.match(r"block\.[^0]", name):
            yield from (name, number_in(shown, name))


def number_in(shown: Open, name: str) -> str:
    """The first number of a tensor."""
    for rank in (1, 2, 3):
        address = f"{name}[{', '.join('0' * rank)}]"
        visit(shown, address)
        if shown.page.locator("main .value").count():
            break
    return address


def visit(shown: Open, place: str) -> None:
    """Goes to a place, and waits until it is there: a server may have to be asked first."""
    if unquote(shown.page.evaluate("() => location.hash.slice(1)")) == place:
        return
    shown.page.evaluate("() => document.querySelector('main').firstElementChild.setAttribute('data-before', '')")
    shown.go(place)
    shown.page.wait_for_selector("main > [data-before]", state="detached")


def findings(shown: Open) -> list[str]:
    """What is wrong with the place that is shown."""
    shown.page.evaluate(OPENED)
    found = []
    for scheme, rules in (("light", ()), ("dark", ("color-contrast",))):
        shown.page.emulate_media(color_scheme=scheme)
        found += [f"{scheme}: {rule} {elements}" for rule, elements in shown.findings(*rules)]
    for width in WIDTHS:
        shown.page.set_viewport_size({"width": width, "height": 800})
        wider = shown.page.evaluate("() => document.documentElement.scrollWidth - innerWidth")
        if wider > 0:
            found.append(f"{wider} pixels wider than {width}")
    shown.page.set_viewport_size({"width": 1280, "height": 800})
    return found


def check(browser: Any, name: str, path: Path | str, chosen: list[str], few: bool = False) -> tuple[int, int]:
    """How many views a file or a server has, and how many findings. Few: of lessons the first views and the last ones."""
    shown = Open(browser, path).ready()
    facts = json.loads(shown.page.text_content("#manifest"))
    languages = [each.get_attribute("value") for each in shown.page.query_selector_all("header #language option")]
    begun, views, bad = time.monotonic(), 0, 0
    for language in languages:
        shown.page.select_option("header #language", language)
        lessons = "lessons" in facts
        every = list(lesson_places(facts, language, chosen) if lessons else run_places(shown))
        for place in (every[:2] + every[-1:]) if few else every:
            visit(shown, place)
            found = findings(shown)
            views, bad = views + 1, bad + len(found)
            for each in found:
                print(f"{name} {language} #{place}: {each}", flush=True)
            if views % 25 == 0:
                print(f"{name}: {views:,} views, {language}, after {time.monotonic() - begun:,.0f} s", flush=True)
    for each in shown.said:
        print(f"{name} console: {each}", flush=True)
    bad += len(shown.said)
    shown.close()
    print(f"{name}: {views:,} views, light and dark, {bad:,} findings", flush=True)
    return views, bad


def written(folder: Path) -> Iterator[tuple[str, Path | str, bool]]:
    """What is checked where nothing is named: each has a name, and where it is; and whether few of its views are enough."""
    model = as_language_model(llmtrace.load())
    trace = model.trace(SENTENCE)
    pages: dict[str, Callable[[], str]] = {
        "course": lambda: lesson_page(list(LESSONS), {}),
        "page": lambda: page(trace, model.tokenizer),
        "parts": lambda: page_of_parts(trace, ["logits", "*.pattern"], [0]),
        **{name: partial(lesson_page, [name], {}) for name in LESSONS},
    }
    for name, made in pages.items():
        path = folder / f"{name}.html"
        path.write_text(made(), encoding="utf-8")
        yield name, path, name in LESSONS
    server = PageServer(Service(trace, model))
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield "server", server.url, False
    server.shutdown()
    server.server_close()


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("files", nargs="*", type=Path, help="written by llmtrace; all kinds of them by default")
    parser.add_argument("--lessons", nargs="*", default=[], help="only these of each file")
    chosen = parser.parse_args()
    views = bad = 0
    with tempfile.TemporaryDirectory() as folder, chromium() as browser:
        for name, path, few in [(file.name, file, False) for file in chosen.files] or written(Path(folder)):
            seen, found = check(browser, name, path, chosen.lessons, few)
            views, bad = views + seen, bad + found
    print(f"{views:,} views, {bad:,} findings")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
