"""The READMEs show what the program prints, to the letter; the Chinese one shows the same things."""

import re
import shlex
from pathlib import Path

import pytest
from helpers.cli_run import run

from llmtrace.cli import COMMANDS

ROOT = Path(__file__).parents[2]
PAGES = ("README.md", "README.zh.md", "docs/zh/guide.md")
LANGUAGES = {"README.md": "en"}
BLOCK = re.compile(r"<!-- output: llmtrace (?P<command>.*?) -->\n```text\n(?P<text>.*?)```\n<!-- end -->", re.DOTALL)


def shown(page, command):
    environment = {"COLUMNS": "100", "NO_COLOR": "1", "LLMTRACE_LANG": LANGUAGES.get(page, "zh")}
    output = run(*shlex.split(command), env=environment).output
    return "".join(line.rstrip() + "\n" for line in output.splitlines())


def blocks(page):
    return list(BLOCK.finditer((ROOT / page).read_text(encoding="utf-8")))


@pytest.mark.parametrize(
    ("page", "block"), [(page, block) for page in PAGES for block in blocks(page)], ids=lambda each: str(each)[-60:]
)
def test_output_blocks_are_what_is_printed(page, block):
    assert block["text"] == shown(page, block["command"])


@pytest.mark.parametrize("page", PAGES)
def test_there_is_an_output_block(page):
    assert blocks(page)


def test_the_chinese_readme_shows_what_the_english_one_shows():
    """The same commands, for texts of their own language where another model reads them."""
    english, chinese = (
        [block["command"].replace(" --model storyteller", "") for block in blocks(page)] for page in PAGES[:2]
    )
    assert set(english) <= set(chinese)
    headings = [re.findall("^## ", (ROOT / page).read_text(encoding="utf-8"), re.MULTILINE) for page in PAGES[:2]]
    assert len(headings[0]) == len(headings[1])


@pytest.mark.parametrize("page", PAGES[:2])
def test_a_readme_names_every_command_and_every_model(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    assert set(COMMANDS) <= set(re.findall(r"^\| `llmtrace ([a-z-]+)", text, re.MULTILINE))
    assert all(folder.parent.name in text for folder in (ROOT / "llmtrace/data").glob("*/config.json"))


if __name__ == "__main__":  # writes the blocks anew: PYTHONPATH=tests python tests/house/test_readme.py
    for page in PAGES:
        text = (ROOT / page).read_text(encoding="utf-8")
        (ROOT / page).write_text(
            BLOCK.sub(
                lambda b, page=page: b[0].replace(
                    f"```text\n{b['text']}```", f"```text\n{shown(page, b['command'])}```"
                ),
                text,
            ),
            encoding="utf-8",
        )
