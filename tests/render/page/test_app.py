"""Pages of models that are no storytellers, in a real browser: a Llama, Chinese idioms, whole words."""

import json

import numpy as np
import pytest
from click.testing import CliRunner
from helpers.browser import Open
from helpers.fresh import some
from helpers.small_llamas import small_llama

import llmtrace
from llmtrace.cli import main
from llmtrace.models import Sampling
from llmtrace.render.page_file import page
from llmtrace.tokenizers.characters import CharacterTokenizer
from llmtrace.trace.checksum import checksum


def llama():
    """A Llama that reads letters."""
    model = small_llama("ABCDE")
    model.tokenizer = CharacterTokenizer({letter: i for i, letter in enumerate("ABCDE")})
    return model


MODELS = {
    "llama": (llama, "ABCADE", "EDCBA", "x"),
    "jielong": (lambda: llmtrace.load("jielong"), "中华人民共和国的首都是", "一心一意", "x"),
    "tiny": (lambda: llmtrace.load("tiny"), "the king has a girl", "the boy gives her a ring", " the king"),
}
PLACES = ["", "sentence", "next", "what-if", "help", "block.0", "block.0.mlp", "block.0.attn.pattern[head=1]"]
NEW = ("block.0.mlp", "sentence")
"""The views that differ between families."""
PLACES += ["block.0.attn.scores[head=1, query=2, key=1]", "logits[-1, 3]"]


@pytest.fixture(scope="module", params=list(MODELS))
def written(request, tmp_path_factory):
    """A model, a page of it, and a text that it can read and one that it can't."""
    load, first, other, wrong = MODELS[request.param]
    model = load()
    path = tmp_path_factory.mktemp("pages") / f"{request.param}.html"
    path.write_text(page(model.trace(first), model.tokenizer), encoding="utf-8")
    return model, path, other, wrong


@pytest.fixture(scope="module")
def opened(chromium, written):
    shown = Open(chromium, written[1]).ready()
    yield shown
    assert shown.said == []
    shown.close()


@pytest.fixture
def several(written):
    """Gives all of some places or links for the family that the other files know nothing of, and so many for the others."""
    return (lambda items, _count: items) if "llama" in written[1].name else some


def test_every_view_is_there(opened, several):
    assert "✓ The numbers of the first sentence have the bits" in opened.text
    for place in several(PLACES, 5):
        opened.go(place)
        assert len(opened.text) > 100
        assert opened.page.locator("[role=alert]:not(:empty)").count() == 0, (place, opened.text)
        if place in NEW and "llama" in opened.page.url:
            assert not opened.findings(), place
    assert "✓ same bits" in opened.text


def test_every_link_leads_somewhere(opened, several):
    opened.go("block.0.attn.pattern[head=1]")
    links = opened.page.eval_on_selector_all("main li a", "links => links.map((each) => each.hash.slice(1))")
    assert len(links) >= 6
    for place in several(links, 3):
        opened.page.evaluate("place => { location.hash = place }", place)
        opened.page.wait_for_selector("main [role=grid], main table")
        assert opened.page.locator("[role=alert]:not(:empty)").count() == 0, place


def test_my_own_sentence_and_what_follows(opened, written):
    model, _path, other, wrong = written
    opened.go("sentence")
    opened.page.fill("textarea", wrong)
    assert opened.page.locator("main [role=alert]").count() == 1
    opened.run(other)
    opened.page.wait_for_selector("#own-sum")
    assert checksum(model.trace(other)) in opened.page.inner_text("#own-sum")
    opened.go("next")
    opened.press("Space", "Space", "Space")
    chosen = [choice.id for choice in model.generate(other, 3, Sampling())]
    assert opened.page.locator("mark").all_inner_texts() == [model.token_text(index) for index in chosen]
    opened.go("")
    assert checksum(model.trace([*model.tokenizer.encode(other), *chosen])) in opened.page.inner_text("#own-sum")


def test_a_recipe_switches_a_neuron_off(opened, written, tmp_path):
    model, _path, _other, _wrong = written
    first = MODELS[_path.stem][1]
    trace = model.trace(first)
    opened.run(first)
    opened.go("what-if")
    recipe = json.loads(opened.page.input_value("textarea"))
    recipe["edits"] = [{"at": "neuron:0.3", "value": "0.0"}]
    opened.page.fill("textarea", json.dumps(recipe))
    opened.page.get_by_role("button", name="follow the recipe").click()
    opened.page.wait_for_selector("main ol > li")
    opened.go("logits[-1, 3]")
    changed = trace.edited({"neuron:0.3": 0.0})
    shown = opened.page.inner_text(".value").split()[0]
    assert np.float32(shown) == changed.tensor("logits")[-1, 3]


def test_an_encoder_and_decoder_is_refused_in_one_line(tmp_path):
    done = CliRunner().invoke(
        main, ["page", "Wo wohnst du?", "--model", "translator", "-o", str(tmp_path / "page.html")]
    )
    assert done.exit_code == 2
    assert "and no others" in done.output
