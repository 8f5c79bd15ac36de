"""What is in a page, and only once. Whatever byte of its numbers is changed, the tensor is named, and nothing of it is shown."""

import random
import string

import pytest
from helpers.javascript import run
from helpers.small_models import small_gpt

import llmtrace
from llmtrace import i18n
from llmtrace.models import KVCache
from llmtrace.render.page_data import aliases, family, messages, translations
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


def test_only_a_weight_under_the_name_of_another_has_an_alias():
    assert aliases(small_gpt().trace("AB")) == {"logits.weight": "embed.token.weight"}


def test_a_page_runs_only_what_it_can_run_again():
    model, cache = small_gpt(), KVCache()
    assert family(model.trace("AB")) == family(model.trace("AB", cache)) == "gpt"
    assert family(model.trace("C", cache)) is None  # it needs what the cache holds
    assert family(model.trace(["AB", "BC"])) is None


@pytest.mark.parametrize("language", sorted(i18n.languages()))
def test_a_page_has_no_text_twice(language):
    said = ["", *messages()]
    found = translations(language, said)
    assert "" not in found
    assert all(text != other for text, other in found.items())
    assert bool(found) == (language != "en")
