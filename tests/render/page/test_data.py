"""The numbers in a page: whatever byte of them is changed, the tensor is named, and none of its numbers is shown."""

import random
import string

from helpers.javascript import run

import llmtrace
from llmtrace.render.page_file import page

CHARACTERS = string.ascii_letters + string.digits + "+/= \n<\x00é中"


def test_any_changed_byte_names_its_tensor():
    model, chance = llmtrace.load("tiny"), random.Random(0)
    changes = [
        {"which": chance.randrange(99), "share": chance.random(), "character": chance.choice(CHARACTERS)}
        for _unused in range(600)
    ]
    html = page(model.trace("the king has a girl"), model.tokenizer)
    answers = run("damage.mjs", {"html": html, "changes": changes})
    assert len({name for name, _said, _same in answers}) > 10
    for name, said, same in answers:
        assert said == ("" if same else name)
    assert sum(same for _name, _said, same in answers) < 60  # bits of base64 that no byte takes, or no change
