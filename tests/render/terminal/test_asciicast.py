"""Animations as asciicast: every frame in its turn, in a form that players read."""

import json
import re

import pytest
from helpers.cli_run import said
from helpers.inert import texts
from hypothesis import given, settings

from llmtrace.render import Sheet
from llmtrace.render.terminal.asciicast import CLEAR, asciicast
from llmtrace.views.document import Document, paragraph

OURS = re.compile(r"\x1b\[[\d;]*m")


def read(content):
    header, *events = map(json.loads, content.decode("ascii").splitlines())
    return header, events


@settings(max_examples=20)
@given(texts)
def test_every_frame_in_its_turn_and_inert(text):
    header, events = read(asciicast([Document((paragraph(text),)), Document((paragraph("b"),))], Sheet(40), 0.5))
    assert (header["version"], header["width"]) == (2, 40)
    assert [(time, kind) for time, kind, _data in events] == [(0.0, "o"), (0.5, "o")]
    for _time, _kind, data in events:
        assert data.startswith(CLEAR)
        shown = OURS.sub("", data.removeprefix(CLEAR)).replace("\r\n", "")
        assert shown.isprintable()
    assert "b" in events[1][2]


@pytest.mark.usefixtures("own_state")
def test_a_product_of_a_lesson(tmp_path):
    file = tmp_path / "product.cast"
    assert "written" in said("learn", "matrices-as-projections", "-o", str(file), "--width", "80")
    header, events = read(file.read_bytes())
    assert len(events) > 5
    assert all(data.count("\n") < header["height"] for _time, _kind, data in events)
    assert "nothing to play" in said("learn", "perceptron", "-o", str(tmp_path / "a.cast"), code=2)
    assert ".cast" in said("learn", "perceptron", "-o", str(tmp_path / "a.foo"), code=2)


@pytest.mark.usefixtures("own_state")
def test_the_playground_is_a_film(tmp_path):
    file = tmp_path / "playground.cast"
    said("learn", "playground", "--set", "epochs=2", "-o", str(file), "--width", "80")
    header, events = read(file.read_bytes())
    assert 3 <= len(events) <= 61
    assert len({data for _time, _kind, data in events}) == len(events)
    assert all(data.count("\n") < header["height"] for _time, _kind, data in events)
    assert events[1][0] == pytest.approx(1 / 12, abs=1e-3)
