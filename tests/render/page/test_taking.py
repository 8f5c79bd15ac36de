"""What a reader takes along from a view: pictures, tables for other programs, sheets of paper; and the view for a class."""

import csv
import io
import re
import struct
import zlib
from xml.etree import ElementTree

import pytest
from helpers.browser import FRAMES, Open
from helpers.fresh import some

import llmtrace
from llmtrace.render.page_file import page as page_of

HOSTILE = '</text><script>alert(1)</script> =1+1 & "quoted"'
PLACES = ["", "block.1", "block.2.attn.pattern[head=2]", "logits[-1, 3]", "what-if", "help"]


@pytest.fixture(scope="module")
def shown(chromium, tmp_path_factory):
    model = llmtrace.load()
    path = tmp_path_factory.mktemp("taking") / "x.html"
    path.write_text(page_of(model.trace(HOSTILE), model.tokenizer), encoding="utf-8")
    opened = Open(chromium, path).ready()
    yield opened
    opened.close()


def taken(shown, name):
    with shown.page.expect_download() as found:
        shown.page.get_by_role("button", name=name).first.click()
    with open(found.value.path(), "rb") as file:
        return found.value.suggested_filename, file.read()


@pytest.mark.parametrize("place", PLACES)
def test_any_view_as_svg(shown, place):
    shown.go(place)
    name, content = taken(shown, "this view as an SVG file")
    assert re.fullmatch(r"[\w.=-]+\.svg", name)
    picture = ElementTree.fromstring(content)
    assert {element.tag.rpartition("}")[2] for element in picture.iter()} <= {"svg", "rect", "text"}
    words = [element.text for element in picture.iter() if element.tag.endswith("text")]
    heading = shown.page.inner_text("h1").split()
    assert all(word in words for word in heading)
    assert len(words) > 20
    width, height = float(picture.get("width")), float(picture.get("height"))
    for element in picture.iter():
        if element.tag.endswith("text"):
            assert -1 <= float(element.get("x")) <= width + 1500  # what a table hides to the right
            assert 0 <= float(element.get("y")) <= height


def test_any_view_as_png(shown):
    for place in some(PLACES[:3], 2):
        shown.go(place)
        name, content = taken(shown, "this view as a PNG file")
        assert name.endswith(".png")
        assert content[:8] == b"\x89PNG\r\n\x1a\n"
        width, height = struct.unpack(">II", content[16:24])
        assert width > 1000
        assert height > 300
        start = content.index(b"IDAT")
        (length,) = struct.unpack(">I", content[start - 4 : start])
        assert len(zlib.decompressobj().decompress(content[start + 4 : start + 4 + length])) > 1000


def test_any_table_as_csv(shown):
    shown.go("")
    name, content = taken(shown, "next token as a CSV file")
    assert name == "next_token.csv"
    rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))
    seen = shown.page.locator("table").first.locator("tr").all()
    assert rows[0][:3] == ["token", "score", "probability"]
    assert [row[0] for row in rows[1:]] == [row.locator("td").first.inner_text() for row in seen[1:]]
    shown.go("sentence")
    _name, content = taken(shown, "as a CSV file")
    rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))
    assert not [
        cell for row in rows for cell in row if re.match(r"[=+@-]", cell) and not re.fullmatch(r"-?[\d.e-]+", cell)
    ]


def test_other_programs_read_the_numbers(shown):
    shown.go("block.2.attn.pattern[head=2]")
    _name, content = taken(shown, "Scores and shares as a CSV file")
    scores = [float(row[1]) for row in list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))[1:]]
    assert len(scores) > 20
    assert min(scores) < 0


def test_on_paper_there_is_only_what_is_explained(shown):
    shown.go("logits[-1, 3]")
    shown.page.emulate_media(media="print", color_scheme="dark")
    for hidden in ("header", "button", "form", ".trail"):
        assert not shown.page.locator(f"{hidden}:visible").count(), hidden
    assert shown.page.locator("table").first.is_visible()
    paper, ink = shown.page.evaluate(
        "() => ['backgroundColor', 'color'].map((p) => getComputedStyle(document.body)[p])"
    )
    assert (paper, ink) == ("rgb(255, 255, 255)", "rgb(0, 0, 0)")
    terms = shown.page.locator(".terms tbody tr")
    assert terms.count() == 64
    assert "the first 64 of 128 terms" in shown.text
    shown.page.pdf()
    assert terms.count() == 128
    assert "the first 64" not in shown.text
    shown.page.emulate_media(media="screen", color_scheme="light")


GRIDS = [
    ("block.0.mlp.up", 640, r"On paper: rows 0 to \d\d of 38\. On paper: columns 0 to \d\d of 512\."),
    ("embed.token.weight", 640, r"On paper: rows 0 to \d\d of 768\. On paper: columns 0 to \d\d of 128\."),
    ("tokens", 1200, ""),
]
"""Each with the width of a window, and what is said on paper."""


def test_on_paper_a_grid_says_which_part_it_is(shown):
    """The part in sight, no wider than the paper."""
    for name, width, said in some(GRIDS, 2):
        shown.go(name)
        part = shown.page.locator(".on-paper")
        assert not part.is_visible()
        shown.page.emulate_media(media="print")
        shown.page.set_viewport_size({"width": width, "height": 800})
        assert re.fullmatch(said, part.inner_text().strip()), name
        assert shown.page.evaluate("() => document.documentElement.scrollWidth - innerWidth") <= 0
        box, canvas = (shown.page.locator(f".grid{each}").bounding_box() for each in ("", " canvas"))
        assert canvas["x"] + canvas["width"] <= box["x"] + box["width"] + 1
        shown.page.set_viewport_size({"width": 1280, "height": 800})
        shown.page.emulate_media(media="screen")


def test_step_by_step(shown):
    shown.go("logits[-1, 3]")
    size = shown.page.evaluate("() => getComputedStyle(document.body).fontSize")
    shown.page.keyboard.press("p")
    parts = shown.page.locator("main > :not(.trail):not(.take)")
    visible = shown.page.locator("main > :not(.trail):not(.take):visible").count
    assert visible() == 1
    assert shown.page.evaluate("() => getComputedStyle(document.body).fontSize") != size
    for key, count in (("ArrowRight", 2), ("Space", 3), ("PageDown", 4), ("ArrowLeft", 3), ("PageUp", 2)):
        shown.page.keyboard.press(key)
        assert visible() == count, key
    for _unused in range(parts.count()):
        shown.page.keyboard.press("ArrowRight")
    assert visible() == parts.count()
    shown.page.evaluate("() => { location.hash = 'block.1' }")
    shown.page.evaluate(FRAMES)
    assert visible() == 1
    shown.page.keyboard.press("Escape")
    assert visible() == parts.count()
    assert shown.said == []
