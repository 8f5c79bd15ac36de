"""Files of documents: texts of others are nothing but texts, and pictures have the colours of their numbers."""

import io
import re
import struct
import xml.etree.ElementTree as ET
import zlib

import numpy as np
import pytest
from helpers.inert import texts
from helpers.looks import LOOKS
from helpers.small_models import small_gpt
from hypothesis import given, settings
from hypothesis import strategies as st

from llmtrace.errors import LlmtraceError
from llmtrace.render import Sheet, endings, png, standalone
from llmtrace.render.latex import PREAMBLE
from llmtrace.render.latex.words import SIGNS, escaped
from llmtrace.render.shades import UNKNOWN, shade
from llmtrace.text import inert
from llmtrace.views import document as d
from llmtrace.views import figures as f
from llmtrace.views.catalog import look

READ = {written: sign for sign, written in SIGNS.items()}
ATOM = re.compile(
    r"\\ensuremath\{[^{}]*\}|\\letter\{([0-9A-F]+)\}|\\[A-Za-z]+\{\}|\\[{}$&#%_]|-\{\}|,\{\}|[A-Za-z0-9 .:;=+*/()\[\]@!?]"
)


def read_latex(text):
    """What TeX shows, read atom by atom; AssertionError at anything that is not known to be inert."""
    shown, place = [], 0
    while place < len(text):
        atom = ATOM.match(text, place)
        assert atom, text[place:]
        shown.append(chr(int(atom[1], 16)) if atom[1] else READ.get(atom[0], atom[0]))
        place = atom.end()
    return "".join(shown)


@given(texts)
def test_texts_in_latex_are_read_back(text):
    read = inert(text).replace("✓", "√")  # one sign for both
    assert read_latex(escaped(text)) == read


HOSTILE = "\\input{/etc/passwd} \\end{document} $x^2$ %& #1 ^^41 ~ </text><script> ]]> &amp; \x1b[31m \ud800 \uffff {{7}} {0} 中"


def hostile(text):
    """A document with a text wherever there can be one."""
    places = (f.Place(0, text), f.Place(1, name=text))
    axis = f.Axis("key", 2, places)
    number = d.Number(np.float32(1), "1", address=text)
    inlines = (text, d.Token(text), d.Ref(text), d.Text(text, "name"), number, d.Tokens((text, text)), d.Run((text,)))
    table = d.Table((d.Column(text, (d.Token(text), text)), d.Column("b", (number, number), "number")))
    values = np.array([[0.0, 1.0], [0.5, 0.25]], np.float32)
    heat = f.Heatmap(
        values, values > 2, f.Scale(0, 1), axis, axis, title=text, address=text.replace("{", "").replace("}", "")
    )
    return d.Document(
        (
            d.Paragraph(inlines),
            d.Heading((text,)),
            d.Item((text,)),
            d.Code(text, text),
            d.Definitions(((d.name(text), (text,)),)),
            table,
            heat,
            f.Heatmaps((heat,)),
            f.TokenRows({text: (text,)}),
            d.Calculation(text, (text,), (text,), number),
            d.Tree(text, d.paragraph(text), (d.paragraph(text),), text, (d.Tree("", d.paragraph(text)),)),
        )
    )


@settings(max_examples=25, deadline=None)
@given(st.one_of(st.just(HOSTILE), texts))
def test_texts_of_others_do_nothing_in_any_file(text):
    document = hostile(text)
    for ending in endings():
        if ending == ".dot":
            continue
        content = standalone(document, ending, Sheet(60))
        if ending == ".png":
            assert content.startswith(b"\x89PNG")
            continue
        shown = content.decode()
        assert all(line.isprintable() or ending == ".tex" for line in shown.replace("\xa0", " ").split("\n"))
        if ending == ".svg":
            tags = {each.tag.rpartition("}")[2] for each in ET.fromstring(content).iter()}
            assert tags <= {"svg", "style", "defs", "clipPath", "rect", "g", "text", "circle"}
        if ending == ".tex":
            body = shown.removeprefix(PREAMBLE)
            commands = set(re.findall(r"\\([A-Za-z]+)", body))
            assert not commands & {"input", "write", "def", "include", "catcode", "immediate", "openout"}
            assert body.count(r"\end{document}") == 1
            assert shown.isascii()
        if ending == ".html":
            assert "<script" not in shown


def pixels(content):
    """The pixels of a PNG without filters, and a check of every chunk."""
    stream = io.BytesIO(content)
    assert stream.read(8) == b"\x89PNG\r\n\x1a\n"
    chunks = {}
    while head := stream.read(4):
        name, data = stream.read(4), None
        data = stream.read(struct.unpack(">I", head)[0])
        assert struct.unpack(">I", stream.read(4))[0] == zlib.crc32(name + data)
        chunks[name] = data
    width, height = struct.unpack(">II", chunks[b"IHDR"][:8])
    lines = np.frombuffer(zlib.decompress(chunks[b"IDAT"]), np.uint8).reshape(height, 1 + 3 * width)
    assert not lines[:, 0].any()
    return lines[:, 1:].reshape(height, width, 3)


def test_a_png_has_the_colour_of_every_number():
    values = np.array([[0, 0.3, 1], [np.nan, 2, -1]], np.float32)
    blank = np.zeros((2, 3), bool)
    blank[0, 2] = True
    scale = f.Scale(0, 1)
    heat = f.Heatmap(values, blank, scale, f.axis("query", 2), f.axis("key", 3))
    picture = pixels(png.render(d.Document((heat, heat))))
    assert picture.shape == (2 * 2 * png.SIDE + png.GAP, 3 * png.SIDE, 3)
    for (row, column), value in np.ndenumerate(values):
        square = picture[row * png.SIDE : (row + 1) * png.SIDE, column * png.SIDE : (column + 1) * png.SIDE]
        expected = (255, 255, 255) if blank[row, column] else shade(value, scale)[0]
        assert (square == expected).all()
    assert shade(np.nan, scale)[0] == UNKNOWN
    assert [shade(v, scale)[1] for v in (0, 1)] == [True, False]


def test_a_png_is_never_huge():
    values = np.zeros((3000, 3), np.float32)
    heat = f.Heatmap(values, values > 0, f.Scale(0, 1), f.axis("query", 3000), f.axis("key", 3))
    assert max(pixels(png.render(d.Document((heat,)))).shape) <= png.LARGEST


def test_what_has_no_heatmap_is_refused_as_png():
    with pytest.raises(LlmtraceError, match="no heatmap"):
        png.render(d.Document((d.paragraph("a"),)))


def test_an_ending_that_nobody_knows():
    with pytest.raises(ValueError, match="there is no medium for files"):
        standalone(d.Document(()), ".doc")


@pytest.mark.parametrize("ending", sorted(set(endings()) - {".png", ".dot"}))
def test_every_view_is_written_in_chinese(ending, own_state, monkeypatch):
    monkeypatch.setenv("LLMTRACE_LANG", "zh")
    trace = small_gpt().trace([0, 1, 2, 1])
    shown = [look(trace, name, **options) for name, options in LOOKS]
    for thing in (*shown, trace.explain("logits", -1, 0, depth=3), trace.explain("ln_f", -1, 0, depth=2)):
        written = standalone(thing, ending).decode()
        assert written.isascii() == (ending in (".tex", ".json"))
