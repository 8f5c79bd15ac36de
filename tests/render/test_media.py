"""Every medium shows every view: all its numbers, nothing of others' texts as anything but text."""

import re
from html.parser import HTMLParser

import numpy as np
import pytest

import llmtrace
from llmtrace.render import document_of, media, render
from llmtrace.render.markdown.words import escaped
from llmtrace.render.plain.words import spoken
from llmtrace.views.document import Document, Number, Paragraph, Token, walk

PROMPT = "The king had a child, a girl."
HOSTILE = [
    "</script><b>x",
    "<!--",
    "\x1b[31m",
    "\u202eabc",
    "a|b`c`",
    "*_[x](y)",
    "\u2028",
    "e" + "\u0301" * 40,
    "&amp;",
    "\ud800",
    "]]>",
    "'\"",
]
TEXTS = ("html", "markdown", "plain")


@pytest.fixture(scope="module")
def trace():
    return llmtrace.load().trace(PROMPT)


@pytest.fixture(scope="module")
def documents(trace):
    """A document of every kind of thing."""
    model = llmtrace.load()
    things = [
        trace,
        trace.explain("logits", -1, " her", depth=3),
        trace.explain("block.0.attn.scores", 1, 4, 2),
        trace.explain("block.0.ln_1", 3, 5),
        trace.explain("next_token", 4),
        *(trace[name] for name in ("embed", "block.0.attn.pattern", "block.1.attn.scores", "block.0.mlp.up", "logits")),
        model.tokenizer.explain(PROMPT),
    ]
    return [document_of(thing) for thing in things]


class Well(HTMLParser):
    """HTML whose elements are closed as they were opened, with its text, ids and links."""

    EMPTY = frozenset({"circle", "rect", "path", "polyline", "br", "meta"})

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.open, self.words, self.ids, self.links, self.tags = [], [], [], [], set()

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        known = dict(attrs)
        assert not [name for name in known if name.startswith("on") or name in {"src", "srcset"}]
        if "id" in known:
            self.ids.append(known["id"])
        if tag == "a":
            self.links.append(known["href"])
        if tag not in self.EMPTY:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in self.EMPTY:
            assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open[-1:] != ["style"]:
            self.words.append(data)


def parsed(text):
    page = Well()
    page.feed(text)
    page.close()
    assert not page.open
    return page


def test_the_media_are_the_folders():
    assert {"html", "json", "markdown", "plain", "terminal"} <= set(media())
    with pytest.raises(ValueError, match="there is no medium 'paper'"):
        render(Document(()), "paper")


@pytest.mark.parametrize("medium", TEXTS)
def test_every_number_of_a_document_is_there(documents, medium):
    """As it is read, whatever else stands around it."""
    for document in documents:
        text = render(document, medium)
        if medium == "html":
            text = "".join(parsed(text).words)
        for number in (each for each in walk(document) if isinstance(each, Number)):
            shown = number.text.strip()
            assert {"plain": spoken, "markdown": escaped}.get(medium, str)(shown) in text


def test_links_lead_to_places_that_are_there(documents):
    linked = 0
    for document in documents:
        page = parsed(render(document, "html"))
        assert len(set(page.ids)) == len(page.ids)
        assert {link.removeprefix("#") for link in page.links} <= set(page.ids)
        linked += len(page.links)
    assert linked > 5


def test_html_has_tables_headings_and_folds_and_asks_for_nothing(documents):
    tags = set().union(*(parsed(render(document, "html")).tags for document in documents))
    assert {"table", "th", "h3", "details", "summary", "dl", "a"} <= tags
    assert not tags & {"script", "link", "img", "iframe", "object", "form", "input"}
    for document in documents:
        assert not re.search(r"https?:|url\(|@import", render(document, "html").partition("</style>")[2])


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("medium", TEXTS)
def test_texts_of_others_are_only_texts(medium, text):
    document = Document(
        (Paragraph(("before ", Token(text), text, Number(np.float32(1), text, address=text), " after")),)
    )
    shown = render(document, medium)
    shown.encode()
    assert all(line.isprintable() for line in shown.partition("</style>")[2 if medium == "html" else 0].splitlines())
    if medium == "html":
        assert parsed(shown).tags <= {"article", "style", "p", "span", "q"}
    if medium == "markdown":
        assert not re.search(r"(?<!\\)[<`|]", shown)


def test_plain_has_no_art(documents):
    for document in documents:
        text = render(document, "plain")
        assert not set("█▁▂▃─│├└") & set(text)
        assert not re.search(" {2,}", text)
        assert not re.search(r"−[\d∞.]", text)
