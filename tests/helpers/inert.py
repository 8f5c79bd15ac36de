"""Hostile texts, and what every shown text must be."""

from hypothesis import strategies as st

NASTY = [
    "\x1b[31mred\x1b[0m",
    "\x1b]0;title\x07",
    "\x9b31m",
    "\x00",
    "a\rb",
    "a\nb\u2028c",
    "[bold]x[/bold]",
    "[/]",
    "[link=https://example.org]x[/link]",
    ":smile:",
    "\u202eabc\u202c",
    "\u200b\u200d\ufeff",
    "\ud800",
    "\udcff",
    "\x7f",
    "中文字",
    "e\u0301",
    " cat",
    "\t",
    "\\x1b",
    "'\"",
    "\U000e0041",
    "",
]
texts = st.one_of(st.sampled_from(NASTY), st.text(max_size=12), st.text(st.characters(codec=None), max_size=6))


def harmless(text):
    """No control character but the line break, nothing that turns or joins text, and nothing that can't be encoded."""
    assert text.replace("\n", "").isprintable(), [c for c in text if c != "\n" and not c.isprintable()]
    text.encode()
