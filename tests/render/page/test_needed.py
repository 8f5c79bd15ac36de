"""What can't be shown is not: of a file in which a byte has changed, and in a browser that lacks something."""

import random

import pytest
from helpers.browser import FRAMES, Open
from helpers.fresh import examples

import llmtrace
from llmtrace.render.page_file import FALLBACK, page

CHARACTERS = b"aZ09+/=<>\"' &{};-\x00\xff"
SAID = ["This file is damaged: the numbers of ", "This file is damaged: its description has changed.", FALLBACK]


@pytest.fixture(scope="module")
def whole():
    model = llmtrace.load("tiny")
    return page(model.trace("the king has a girl"), model.tokenizer).encode()


def regions(whole):
    """Where the parts of a file begin and end."""
    manifest = whole.index(b'id="manifest">')
    tensors = whole.index(b'<script type="application/octet-stream"')
    program = whole.index(b'<script type="module"')
    return [(0, manifest), (manifest, tensors), (tensors, program), (program, len(whole))]


def seen(shown, path, changed):
    """What the start and a number say; or, where the program does not run, what is said instead."""
    if changed is not None:
        path.write_bytes(changed)
        shown.said.clear()
        shown.page.goto(path.as_uri())
    for _unused in range(25):
        begun = shown.page.evaluate("() => performance.getEntriesByName('ready').length > 0")
        if begun or "damaged: " in shown.text or any("inline script" in said for said in shown.said):
            break
        shown.page.evaluate(FRAMES)
    if not begun:
        return None, shown.text
    shown.page.evaluate(FRAMES)
    start = shown.page.text_content("main")
    shown.go("logits[-1, 3]")
    return start, shown.page.text_content("main")


def test_any_changed_byte_of_the_file_is_noticed_or_does_not_matter(chromium, whole, tmp_path):
    chance = random.Random(0)
    path = tmp_path / "broken.html"
    path.write_bytes(whole)
    shown = Open(chromium, path)
    right = seen(shown, path, None)
    outcomes = []
    for begin, end in regions(whole) * examples(4):
        place = chance.randrange(begin, end)
        changed = whole[:place] + bytes([chance.choice(CHARACTERS)]) + whole[place + 1 :]
        start, text = found = seen(shown, path, changed)
        assert found == right or (start is None and any(said in text for said in SAID)), (place, found)
        outcomes.append(start is None)
    assert len(outcomes) / 4 < sum(outcomes) < len(outcomes)
    shown.close()


LACKING = {
    **{
        name: f"globalThis.{name}" for name in ("BigInt", "TextEncoder", "TextDecoder", "ResizeObserver", "Math.fround")
    },
    **{f"Array.{name}": f"Array.prototype.{name}" for name in ("at", "findLast", "findLastIndex", "flatMap", "with")},
    **{f"String.{name}": f"String.prototype.{name}" for name in ("isWellFormed", "matchAll", "replaceAll")},
    **{f"Object.{name}": f"Object.{name}" for name in ("fromEntries", "hasOwn")},
    "DecompressionStream deflate-raw": "globalThis.DecompressionStream",
    "Element.replaceChildren": "Element.prototype.replaceChildren",
}


def test_old_browsers_are_told_what_they_lack(chromium, whole, tmp_path):
    path = tmp_path / "x.html"
    path.write_bytes(whole)
    shown = Open(chromium, path)
    several = [list(LACKING)[i::3] for i in range(3)]  # each is named, whatever else is lacking
    kept = "; ".join(
        f"if (location.search === '?{i}') {{ {'; '.join(f'delete {LACKING[name]}' for name in names)} }}"
        for i, names in enumerate(several)
    )
    developer = shown.context.new_cdp_session(shown.page)
    developer.send("Page.enable")
    developer.send("Page.addScriptToEvaluateOnNewDocument", {"source": kept})
    for i, names in enumerate(several):
        shown.page.goto(f"{path.as_uri()}?{i}")
        said = shown.page.inner_text("#fallback [lang=en]")
        listed = said.removeprefix("This browser is too old: it lacks ").removesuffix(".")
        assert set(listed.split(", ")) == set(names)
        assert shown.page.inner_text("#fallback [lang=zh]").rstrip("。").endswith(f"缺少 {listed}")
        assert shown.page.locator("header").count() == 0
    developer.detach()
    shown.close()
