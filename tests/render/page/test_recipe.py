"""A reader with a keyboard and nothing else: every task of the page, and what is shared with the command line."""

import json
import re

import pytest
from click.testing import CliRunner
from helpers.browser import FRAMES, Open

import llmtrace
from llmtrace.cli import main
from llmtrace.trace.checksum import checksum

SENTENCE = "The king had a child, a girl, and the old lamp will belong to"


@pytest.fixture
def reader(chromium, king):
    shown = Open(chromium, king).ready()
    yield shown
    assert shown.said == []
    assert shown.asked == [king.as_uri()]
    shown.close()


def seek(reader, address):
    """Goes to an address by the search field."""
    reader.press("/")
    reader.page.keyboard.type(address)
    reader.follow()


def back(reader, to):
    reader.page.go_back()  # Alt ← is a key of the browser's window, which there is none of here
    reader.page.wait_for_function("to => decodeURIComponent(location.hash).includes(to)", arg=to)
    reader.page.evaluate(FRAMES)


def replace_text(reader, text, button):
    """Writes over what a field holds, and goes on to the button that takes it."""
    reader.tab_to("TEXTAREA", ".*")
    reader.press("Control+a")
    reader.page.keyboard.insert_text(text)
    reader.tab_to("BUTTON", button)
    reader.press("Enter")
    reader.page.evaluate(FRAMES)


def on_the_command_line(*arguments):
    done = CliRunner().invoke(main, list(arguments), env={"NO_COLOR": "1"})
    assert done.exit_code == 0, done.output
    return done.output


def sum_in(text):
    (found,) = re.findall("checksum of all its numbers: ([0-9a-f]{64})", text)
    return found


def test_every_task_by_keyboard_alone(reader, tmp_path):
    """What a head looks at, its sum, a term's sum, back, a change, undo, another sentence, Chinese, a weight, and sharing."""
    look_and_go_back(reader)
    reader.tab_to("INPUT", "another value")
    reader.press("Control+a", "0", "Enter")
    assert "set by you: it was 0.95" in reader.text
    reader.press("w")
    reader.page.wait_for_selector("main ol > li")
    assert re.search(r"[\d,]+ numbers have other bits, [\d,]+ have the same", reader.text)
    reader.press("u")
    assert "Nothing is changed yet." in reader.text
    assert "\n0 numbers have other bits, " in reader.text
    type_a_sentence(reader)
    change_a_weight(reader)
    share(reader, tmp_path)
    take_over(reader, tmp_path)


def look_and_go_back(reader):
    reader.tab_to("A", "block 2")
    reader.follow()
    reader.tab_to("A", "head 2")
    reader.follow()
    assert "' girl'" in reader.text
    reader.tab_to("A", r"95\.26 %")
    reader.follow()
    assert "how much ' to' looks at ' girl', head 2: a share of 1" in reader.text
    reader.tab_to("A", r"-?\d+\.\d+")
    reader.follow()
    assert "how well the question of ' to' fits the label of" in reader.text
    reader.tab_to("A", r"-?\d+\.\d+")
    reader.follow()
    back(reader, "attn.scores[")
    back(reader, "attn.pattern[")


def type_a_sentence(reader):
    """In Chinese: by its key, and back by the field of languages."""
    reader.tab_to("A", "my sentence")
    reader.follow()
    reader.press("l")
    assert reader.page.inner_text("h1") == "我自己的句子"
    replace_text(reader, "The girl had a dog", "运行模型")
    reader.page.wait_for_selector(".tokens")
    reader.tab_to("SELECT", "语言")
    reader.press("ArrowUp")
    reader.page.wait_for_function("() => document.documentElement.lang === 'en'")
    model = llmtrace.load()
    assert checksum(model.trace("The girl had a dog")) == reader.page.inner_text("#own-sum").split()[-1]


def change_a_weight(reader):
    reader.press("Tab")
    seek(reader, "block.1.mlp.up.weight[in=3, out=5]")
    reader.tab_to("INPUT", "another value")
    reader.press("Control+a")
    reader.page.keyboard.type("1.5")
    reader.press("Enter", "w")
    reader.page.wait_for_selector("main ol > li")
    assert reader.page.inner_text("main ol > li") == "block.1.mlp.up.weight[in=3, out=5] = 1.5"


def share(reader, folder):
    """The recipe of the page, followed by the command line: to the same bits."""
    recipe = reader.page.input_value("main textarea")
    assert len(recipe) < 1000
    (folder / "page.json").write_text(recipe, "utf-8")
    told = on_the_command_line("trace", "--recipe", str(folder / "page.json"))
    assert sum_in(told) == sum_in(reader.page.inner_text("#sum"))


def take_over(reader, folder):
    """A recipe of the command line, followed by the page."""
    file = folder / "line.json"
    edits = ["--off", "head:2.1", "--swap", "1=ing", "--set", "block.0.ln_1.gain[3]=0.5"]
    told = on_the_command_line("what-if", SENTENCE, *edits, "--recipe", str(file))
    replace_text(reader, file.read_text("utf-8"), "follow the recipe")
    assert reader.page.locator("main ol > li").count() == 3
    assert json.loads(reader.page.input_value("main textarea")) == json.loads(file.read_text("utf-8"))
    assert sum_in(reader.page.inner_text("#sum")) == sum_in(told)
    reader.press("Tab", "u")
