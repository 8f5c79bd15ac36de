"""How quick the page is in Chromium: first paint, start, one number explained, a sentence of 20 tokens, one token more.

python benchmarks/page.py

Needs Chromium and playwright: python -m pip install -e ".[test]"; apt-get install chromium.
"""

from __future__ import annotations

import shutil
import statistics
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

import llmtrace
from llmtrace.render.page_file import page

SENTENCE = "The king had a child, a girl, and the old lamp will belong to"
TIMES = 7
LONG = 90
"""Tokens that are written before one more is measured again."""
TO_PLACE = """async (place) => {
  const start = performance.now();
  location.hash = encodeURIComponent(place);
  await new Promise((done) => addEventListener("hashchange", done, { once: true }));
  document.body.offsetHeight; // laid out
  return performance.now() - start;
}"""
CLICK = """async (selector) => {
  const start = performance.now();
  document.querySelector(selector).click();
  await new Promise((done) => setTimeout(done, 0));
  document.body.offsetHeight;
  return performance.now() - start;
}"""


def middle(measure: Callable[[], float]) -> float:
    return statistics.median(measure() for _ in range(TIMES))


def opened(browser: Any, path: Path) -> Any:
    shown = browser.new_page()
    shown.goto(path.as_uri())
    shown.wait_for_selector("header nav")
    return shown


def measured(browser: Any, path: Path) -> dict[str, float]:
    paint = "() => performance.getEntriesByName('first-contentful-paint')[0].startTime"
    ready = "() => performance.getEntriesByName('ready')[0].startTime"
    starts = [opened(browser, path) for _ in range(TIMES)]
    figures = {
        "first paint": statistics.median(shown.evaluate(paint) for shown in starts),
        "ready": statistics.median(shown.evaluate(ready) for shown in starts),
    }
    shown = starts[-1]
    numbers = iter(range(TIMES))
    figures["a logit explained"] = middle(lambda: shown.evaluate(TO_PLACE, f"logits[-1, {next(numbers)}]"))
    shown.evaluate(TO_PLACE, "sentence")
    shown.fill("textarea", "The king had a child, a girl, and the old lamp will belong to her. The girl")
    figures["a new sentence of 20 tokens"] = shown.evaluate(CLICK, "main form button")
    shown.evaluate(TO_PLACE, "next")
    figures["one token more"] = middle(lambda: shown.evaluate(CLICK, "#step"))
    while shown.locator("mark").count() < LONG:
        shown.evaluate(CLICK, "#step")
    figures[f"one more after {20 + LONG} tokens"] = middle(lambda: shown.evaluate(CLICK, "#step"))
    figures["one token back"] = shown.evaluate(CLICK, "#back")
    return figures


def main() -> int:
    program = shutil.which("chromium")
    if program is None:
        print("needs Chromium: apt-get install chromium")
        return 1
    model = llmtrace.load()
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as driver:
        path = Path(folder) / "king.html"
        path.write_text(page(model.trace(SENTENCE), model.tokenizer), encoding="utf-8")
        browser = driver.chromium.launch(executable_path=program, args=["--no-sandbox"])
        print(f"{'size':28} {path.stat().st_size / 1e6:8.2f} MB")
        for name, figure in measured(browser, path).items():
            print(f"{name:28} {figure:8.0f} ms")
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
