"""The page in a notebook's cell: closed off, not too large, and several on one page don't disturb each other."""

import re

import numpy as np
import pytest
from helpers.browser import Open
from helpers.small_models import small_gpt

import llmtrace
from llmtrace.models import Feedforward
from llmtrace.render import notebook_page
from llmtrace.render.notebook_page import LARGEST, framed, held


@pytest.fixture(scope="module")
def trace():
    return llmtrace.load().trace("The king had a child, a girl.")


def test_traces_steps_and_explanations_have_one(trace):
    for thing in (trace, trace["block.1.attn.pattern"], trace.explain("logits[-1, 3]")):
        bundle = thing._repr_mimebundle_()
        assert set(bundle) == {"text/plain", "text/html"}
        (frame,) = re.findall("<iframe[^>]*></iframe>", bundle["text/html"])
        assert len(frame) <= LARGEST
        assert 'sandbox="allow-scripts" srcdoc="&lt;!DOCTYPE html' in frame
        assert "allow-same-origin" not in frame
        assert "iframe" not in thing._repr_mimebundle_(include=["text/plain"]).get("text/html", "")
    assert framed(Feedforward.of(np.ones((1, 3), np.float32)).trace(np.ones(3, np.float32)))
    assert framed(3) == framed(small_gpt().trace([[1, 2], [2, 1]])) == ""


def test_what_is_wanted_comes_first_and_the_rest_as_far_as_it_fits(trace):
    assert held(trace, ["embed.token"], 4 * trace.tensor("embed.token").size) == ["embed.token"]
    assert set(held(trace, [], 10**9)) == {*trace, *trace.weights}


def test_it_is_as_small_as_is_asked(trace, monkeypatch):
    monkeypatch.setattr(notebook_page, "LARGEST", 700_000)
    assert 100_000 < len(framed(trace)) <= 700_000
    monkeypatch.setattr(notebook_page, "LARGEST", 1000)
    assert framed(trace) == ""


def test_several_in_a_browser(chromium, tmp_path, monkeypatch):
    trace = llmtrace.load("tiny").trace("the king has a girl")
    monkeypatch.setattr(notebook_page, "ROOM", 4000)
    things = [trace, trace["block.0.attn.pattern"], trace.explain("logits[-1, 3]")]
    (tmp_path / "notebook.html").write_text(
        "<!DOCTYPE html><meta charset=utf-8>" + "".join(map(framed, things)), "utf-8"
    )
    shown = Open(chromium, tmp_path / "notebook.html", width=1000, height=1800)
    frames = [shown.page.frame_locator("iframe").nth(i) for i in range(3)]
    titles = ["tiny reads 5 tokens", "block.0.attn.pattern", "logits[position=4, vocabulary=3]"]
    for frame, title in zip(frames, titles, strict=True):
        frame.locator("header nav").wait_for()
        assert frame.locator("h1").inner_text() == title
    assert "This page holds " in frames[0].locator("main").inner_text()
    frames[2].locator("td a").first.click()
    frames[2].locator("h1", has_text="ln_f[position=4, feature=0]").wait_for()
    assert frames[0].locator("h1").inner_text() == titles[0]
    assert shown.page.url.endswith("notebook.html")
    assert shown.said == []
    shown.close()
