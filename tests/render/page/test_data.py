"""What is in a page, and only once. Whatever byte of its numbers is changed, the tensor is named, and nothing of it is shown."""

import random
import string

import pytest
from helpers.fresh import examples
from helpers.javascript import run
from helpers.small_models import small_gpt

import llmtrace
from llmtrace import i18n
from llmtrace.lessons.framework.lesson_page import lesson_page
from llmtrace.models import KVCache
from llmtrace.render.page_data import aliases, family, messages, translations
from llmtrace.render.page_file import page
from llmtrace.render.page_parts import page_of_parts

CHARACTERS = string.ascii_letters + string.digits + "+/= \n<\x00é中"


def of_model():
    model = llmtrace.load("tiny")
    return page(model.trace("the king has a girl"), model.tokenizer)


def of_parts():
    return page_of_parts(llmtrace.load("tiny").trace("the king has a girl"), ["logits", "next_token"], [0])


def of_lesson():
    return lesson_page(["perceptron"], {})


@pytest.mark.parametrize("make", [of_model, of_parts, of_lesson])
def test_any_changed_byte_names_its_tensor(make):
    chance = random.Random(0)
    changes = [
        {"which": chance.randrange(9999), "share": chance.random(), "character": chance.choice(CHARACTERS)}
        for _unused in range(examples(600))
    ]
    answer = run("damage.mjs", {"html": make(), "changes": changes})
    assert answer["count"] >= answer["texts"] > 4
    assert len({name for name, _said, _same in answer["said"]}) > 5
    for name, said, same in answer["said"]:
        assert said == ("" if same else name)
    unchanged = sum(same for _name, _said, same in answer["said"])  # bits of base64 that no byte takes, or no change
    assert unchanged < 0.15 * len(changes)


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
