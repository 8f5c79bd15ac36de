"""axe-core over every page of every lesson, in every language, light and dark; and whether anything is too wide.

python tools/check_axe.py                        the whole course, which is made first
python tools/check_axe.py course.html one.html   files that `llmtrace learn -o` has written
python tools/check_axe.py course.html --lessons llama gpt

Looked at are the contents, each page with its boxes opened, the exercises with an answer, and of each run of a lesson a
number's explanation and the tensor that holds it. Needs Chromium, playwright and axe-playwright-python.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from helpers.browser import Open, chromium  # noqa: E402 - of this checkout

from llmtrace.lessons import LESSONS  # noqa: E402
from llmtrace.lessons.framework.lesson_page import lesson_page  # noqa: E402

WIDTHS = (360, 1280, 3840)
OPENED = """() => {
  for (const box of document.querySelectorAll("details")) box.open = true;
  for (const button of document.querySelectorAll("main li form button:nth-of-type(2)")) button.click();
}"""
"""Opens what is folded and has each exercise tell its answer."""


def places(facts: dict[str, Any], language: str, chosen: list[str]) -> Iterator[str]:
    """Every view of the lessons: pages, exercises, and of each run one number and its tensor."""
    yield ""
    for lesson in facts["lessons"]:
        if chosen and lesson["name"] not in chosen:
            continue
        text, seen = lesson["in"][language], set()
        for number, page in enumerate(text["pages"], 1):
            yield f"lesson/{lesson['name']}/{number}"
            for link in re.findall(r'href="#([^"]*)"', page["html"]):
                run, _space, address = unquote(link).partition(" ")
                if run not in seen:
                    seen.add(run)
                    yield from (f"{run} {address}", f"{run} {address.partition('[')[0]}")
        yield f"lesson/{lesson['name']}/exercises"


def findings(shown: Open) -> list[str]:
    """What is wrong with the place that is shown."""
    shown.page.evaluate(OPENED)
    found = []
    for scheme in ("light", "dark"):
        shown.page.emulate_media(color_scheme=scheme)
        found += [f"{scheme}: {rule} {elements}" for rule, elements in shown.findings()]
    for width in WIDTHS:
        shown.page.set_viewport_size({"width": width, "height": 800})
        wider = shown.page.evaluate("() => document.documentElement.scrollWidth - innerWidth")
        if wider > 0:
            found.append(f"{wider} pixels wider than {width}")
    shown.page.set_viewport_size({"width": 1280, "height": 800})
    return found


def check(browser: Any, path: Path, chosen: list[str]) -> tuple[int, int]:
    """How many views a file has, and how many findings."""
    facts = json.loads(re.findall(r'id="manifest">(.*?)</script>', path.read_text("utf-8"), re.DOTALL)[0])
    views = bad = 0
    for language in facts["lessons"][0]["in"]:
        shown = Open(browser, path, bypass_csp=True).ready()
        shown.page.select_option("header select", language)
        for place in places(facts, language, chosen):
            shown.go(place)
            found = findings(shown)
            views, bad = views + 1, bad + len(found)
            for each in found:
                print(f"{language} #{place}: {each}", flush=True)
        for each in shown.said:
            print(f"{language} console: {each}", flush=True)
        bad += len(shown.said)
        shown.context.close()
    return views, bad


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("files", nargs="*", type=Path, help="written by llmtrace learn -o; the whole course by default")
    parser.add_argument("--lessons", nargs="*", default=[], help="only these of each file")
    chosen = parser.parse_args()
    bad = 0
    with tempfile.TemporaryDirectory() as folder, chromium() as browser:
        if not chosen.files:
            chosen.files = [Path(folder) / "course.html"]
            chosen.files[0].write_text(lesson_page(list(LESSONS), {}), encoding="utf-8")
        for path in chosen.files:
            views, found = check(browser, path, chosen.lessons)
            print(f"{path.name}: {views:,} views, light and dark, {found:,} findings", flush=True)
            bad += found
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
