"""The page in a real browser, opened from a file, without a network and by keyboard alone."""

import json
import random

import numpy as np
import pytest
from click.testing import CliRunner
from helpers.browser import FRAMES, Open
from helpers.fresh import some
from helpers.small_models import small_config, tensors
from helpers.small_tokenizer import TOKENIZER, VOCABULARY

import llmtrace
from llmtrace.cli import main
from llmtrace.models import GPT
from llmtrace.render.page_file import page as page_of
from llmtrace.trace.checksum import checksum
from llmtrace.views.grid import sizes
from llmtrace.weights.gpt import GPT2

SENTENCE = "The king had a child, a girl, and the old lamp will belong to"
PLACES = [
    "",
    "block.1",
    "block.1.mlp",
    "block.2.attn.pattern[head=2]",
    "block.0.mlp.up",
    "embed.token.weight",
    "ln_f.gain",
    "logits[-1, 3]",
    "probabilities[2, 7]",
    "block.0.ln_1[position=3, feature=5]",
    "next_token[3]",
    "tokens[1]",
    "embed.token[0, 1]",
    "sentence",
    "next",
    "what-if",
    "help",
    "nothing[1]",
]


@pytest.fixture(scope="module")
def brief(tmp_path_factory):
    """The page of a small model."""
    model = llmtrace.load("tiny")
    path = tmp_path_factory.mktemp("page") / "tiny.html"
    path.write_text(page_of(model.trace("the king has a girl"), model.tokenizer), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def read(chromium, king):
    """A page that all look at: those who change nothing come first."""
    shown = Open(chromium, king).ready()
    yield shown
    shown.close()


@pytest.fixture
def opened(read):
    """The same page, for those who change something: whoever needs the first sentence runs it."""
    return read


DAMAGED = [
    ('id="block.0.mlp.up.weight">', 200, "block.0.mlp.up.weight", ("the numbers of", "里的数")),
    ('id="manifest">', 20, "", ("its description has changed", "说明")),
]
"""Where a file is damaged, and what is named and said then, in English and in Chinese."""


def test_damage_is_named_in_every_language(chromium, brief, tmp_path):
    text = brief.read_text("utf-8")
    shown, broken = Open(chromium, brief), tmp_path / "broken.html"
    for begins, further, named, said in DAMAGED:
        start = text.index(begins) + len(begins) + further
        broken.write_text(text[:start] + ("A" if text[start] != "A" else "B") + text[start + 1 :], "utf-8")
        shown.page.goto(broken.as_uri())
        shown.page.wait_for_function("() => document.getElementById('fallback').innerText.includes('damaged:')")
        assert named in shown.text
        for language, words in zip(("en", "zh"), said, strict=True):
            assert words in shown.page.inner_text(f"#fallback [lang={language}]")
        assert shown.page.locator("header").count() == 0
    shown.close()


def test_without_programs_the_page_says_so_in_every_language(chromium, brief):
    shown = Open(chromium, brief)
    developer = shown.context.new_cdp_session(shown.page)
    developer.send("Emulation.setScriptExecutionDisabled", {"value": True})
    shown.page.reload()
    assert "needs a program" in shown.page.inner_text("#fallback [lang=en]")
    assert "程序" in shown.page.inner_text("#fallback [lang=zh]")
    developer.detach()
    shown.close()


def test_hostile_texts_do_nothing(chromium, tmp_path):
    text = "</script><img src=x onerror=alert(1)><!-- \u2028 \u202e {{7*7}} e" + "\u0301" * 10
    config = small_config(vocabulary=len(VOCABULARY), context=len(TOKENIZER.encode(text)))
    model = GPT(config, GPT2.weights(config, tensors(config), "random"), TOKENIZER, "small")
    path = tmp_path / "hostile.html"
    path.write_text(page_of(model.trace(text), model.tokenizer), encoding="utf-8")
    shown = Open(chromium, path).ready()
    for place in ("", "sentence", "next", "what-if", "block.0.attn.pattern[head=0]"):
        shown.go(place)
        assert shown.page.locator("img").count() == 0
    assert shown.said == []
    shown.close()


VIEWS = ["", *PLACES[1:6], *PLACES[7:8], *PLACES[13:]]
"""One place of each view."""
DARK = VIEWS[:7:2]
"""Those whose colours axe looks at in the dark, too."""


def too_wide(shown):
    """By how many pixels the page is wider than the screen."""
    return max(0, shown.page.evaluate("() => document.documentElement.scrollWidth - innerWidth"))


def test_everywhere_it_is_silent_fits_and_axe_finds_nothing(read, king):
    widths = [1280, 3840, 360]
    for place in PLACES:
        read.go(place)
        assert len(read.text) > 100
        assert not too_wide(read), place
        if place not in VIEWS:
            continue
        for width in widths:
            read.page.set_viewport_size({"width": width, "height": 800})
            assert not too_wide(read), (width, place)
        assert not read.findings(), place
        if place in DARK:
            read.page.emulate_media(color_scheme="dark")
            assert not read.findings("color-contrast"), ("dark", place)
            read.page.emulate_media(color_scheme="light")
        widths.reverse()  # to change the width takes long
    read.page.set_viewport_size({"width": 1280, "height": 800})
    assert read.said == []
    assert read.asked == [king.as_uri()]


def test_letters_are_large_on_a_projector(read):
    read.page.set_viewport_size({"width": 3840, "height": 800})
    size = read.page.evaluate("() => parseFloat(getComputedStyle(document.body).fontSize)")
    assert size >= 28  # it is read from afar
    read.page.set_viewport_size({"width": 1280, "height": 800})


def test_it_has_the_bits_of_the_command_line(read):
    read.go("")
    assert "✓ The numbers of the first sentence have the bits" in read.text
    trace = llmtrace.load().trace(SENTENCE)
    for address in PLACES[7:13]:
        read.go(address)
        explanation = trace.explain(address)
        assert explanation.sentence in read.text
        assert read.page.inner_text(".value").split()[0] == exact_text(explanation.value)
    assert "✓ same bits" in read.text


def exact_text(value):
    from llmtrace.arithmetic.bits import exact

    text = exact(value)
    if isinstance(value, np.integer):
        return text
    return text if "." in text or "e" in text else f"{text}.0"


def test_it_says_things_as_the_command_line_does(read):
    """Sizes with their plurals, numbers of tokens without a point, what is counted, and brackets around what is below 0."""
    trace = llmtrace.load().trace(SENTENCE)
    assert (
        sizes(trace.shape("block.0.attn.mix"), trace.axes("block.0.attn.mix")) == "4 heads × 17 positions × 32 features"
    )
    for language, said in (("zh", "4 个头 × 17 个位置 × 32 个特征"), ("en", "4 heads × 17 positions × 32 features")):
        read.page.select_option("#language", language)
        read.go("block.0.attn.mix")
        assert said in read.text
    read.go("next_token[3]")
    assert f"the place of the largest of 768 numbers = {trace.tensor('next_token')[3]}\n" in read.text
    read.go("block.0.mlp.up[1, 2]")
    heads = read.page.locator("main th").all_inner_texts()
    assert heads == ["feature", "block.0.ln_2", "block.0.mlp.up.weight", "product", "running total"]
    read.go("probabilities[3, 4]")
    heads = read.page.locator("main th").all_inner_texts()
    assert heads[:6] == ["vocabulary", "logits", "− maximum", "= shifted", "exp(shifted)", "= exponential"]
    read.go("block.0.mlp.act[1, 2]")
    x = exact_text(trace.tensor("block.0.mlp.up")[1, 2])
    assert x.startswith("-")
    assert f"{x} × ({x}) = " in read.text


def test_it_says_when_it_was_seen_and_ready(read):
    """What benchmarks/page.py reads: the first screen is there before anything is decoded."""
    first, ready = read.page.evaluate(
        "() => ['first-contentful-paint', 'ready'].map((name) => performance.getEntriesByName(name)[0]?.startTime ?? 0)"
    )
    assert 0 < first < ready


def test_a_grid_is_walked_by_keys_and_spoken(read):
    read.go("block.0.mlp.up")
    read.tab_to("DIV", "block.0.mlp.up")
    read.press("ArrowRight", "ArrowRight", "ArrowDown")
    trace = llmtrace.load().trace(SENTENCE)
    said = read.page.inner_text("[role=gridcell]")
    assert said.startswith("block.0.mlp.up[position=1, feature=2] = ")
    assert trace.explain("block.0.mlp.up", 1, 2).sentence in said
    assert read.page.get_attribute("[role=gridcell]", "aria-colindex") == "3"
    read.press("End")
    assert "feature=511" in read.page.inner_text(".readout")
    read.press("Enter")
    read.page.wait_for_selector(".value")
    assert read.page.inner_text("h1") == "block.0.mlp.up[position=1, feature=511]"


def test_odd_places_are_named(read):
    for place in ("%zz", "toString", "constructor", "__proto__", "block.99", "logits[", "a" * 5000):
        read.page.evaluate("place => { location.hash = place }", place)
        read.page.evaluate(FRAMES)
        assert read.page.locator("[role=alert]").count() == 1, place
    assert read.said == []


def test_any_sentence_has_the_bits_of_the_command_line(opened):
    model = llmtrace.load()
    for text in ("The girl", "A king, a king!", 'Émile 中 🙂 said "no"\n\nand left.', "x" * 60):
        opened.go("sentence")
        opened.page.fill("textarea", text)
        opened.page.keyboard.press("Tab")
        opened.page.keyboard.press("Enter")
        opened.page.wait_for_selector("#own-sum")
        assert checksum(model.trace(text)) in opened.page.inner_text("#own-sum"), text


def test_one_token_at_a_time(opened):
    expected = [choice.id for choice in llmtrace.load().generate(SENTENCE, 3)]
    opened.run(SENTENCE)
    opened.go("next")
    opened.press("Space", "ArrowRight", "Space")
    texts = opened.page.locator("mark").all_inner_texts()
    assert texts == [llmtrace.load().token_text(index) for index in expected]
    opened.press("ArrowLeft")
    assert opened.page.locator("mark").count() == 2
    opened.go("choice.1.probabilities[vocabulary=3]")
    assert "✓ same bits" in opened.text
    generated = llmtrace.load().generate(SENTENCE, 2)
    assert list(generated)
    assert generated.trace().explain("choice.1.probabilities", 3).sentence in opened.text


def test_a_change_stays_while_the_text_grows(opened):
    opened.run(SENTENCE)
    opened.go("block.2.attn.pattern[head=2]")
    opened.page.get_by_role("button", name="Switch this head off").click()
    opened.go("next")
    opened.press("Space", "Space")
    opened.go("block.2.attn.mix[head=2]")
    assert "nan" not in opened.text
    opened.go("block.2.attn.mix[head=2, position=18, feature=5]")
    assert opened.page.inner_text(".value").split()[0] == "0.0"
    opened.run(SENTENCE)
    opened.go("what-if")
    assert "Nothing is changed yet." in opened.text


PIECES = [
    "</script>",
    "<!--",
    "-->",
    "<img src=x onerror=alert(1)>",
    "\u2028",
    "\u2029",
    "\u202e",
    "\u2066",
    "\u2069",
    "e" + "\u0301" * 12,
]
PIECES += [
    "&lt;",
    "{x}",
    "${1}",
    "<svg/onload=alert(1)>",
    "javascript:alert(1)",
    "\x00",
    "\ufeff",
    "\U0001f468\u200d\U0001f469",
    "]]>",
    "'\"`",
    "<style>",
]


def test_hostile_texts_stay_texts(opened):
    """Each is typed, cut into tokens, and shown; some are run as well."""
    chance = random.Random(0)
    texts = some(["".join(chance.choices(PIECES, k=chance.randint(1, 6))) for _ in range(500)], 100)
    opened.go("sentence")
    usual = "script, style, img, svg, iframe, object, [onerror], [onload]"
    before = opened.page.locator(usual).count()
    wrong = opened.page.evaluate(
        """([texts, usual, before]) => texts.filter((text) => {
          const area = document.querySelector("textarea");
          area.value = text;
          area.dispatchEvent(new Event("input"));
          return document.querySelectorAll(usual).length !== before || !document.querySelector("main td, main [role=alert]");
        })""",
        [texts, usual, before],
    )
    assert wrong == []
    for text in some(texts[:5], 3):
        opened.run(text)
        assert opened.page.locator(usual).count() == before
    assert opened.said == []


def test_a_recipe_of_the_command_line_does_the_same_here(opened, tmp_path):
    file = tmp_path / "recipe.json"
    done = CliRunner().invoke(
        main, ["what-if", SENTENCE, "--off", "head:2.1", "--swap", "1=ing", "--recipe", str(file)]
    )
    assert done.exit_code == 0, done.output
    opened.go("what-if")
    opened.page.fill("textarea", file.read_text("utf-8"))
    opened.page.get_by_role("button", name="follow the recipe").click()
    opened.page.wait_for_selector("main ol > li")
    assert json.loads(opened.page.input_value("textarea")) == json.loads(file.read_text("utf-8"))
    last = len(llmtrace.load().tokenizer.encode(SENTENCE)) - 1
    address = f"logits[{last}, 3]"
    opened.go(address)
    changed = llmtrace.load().trace(SENTENCE).edited({"head:2.1": 0.0, "token:1": "ing"})
    assert opened.page.inner_text(".value").split()[0] == exact_text(changed.explain(address).value)
