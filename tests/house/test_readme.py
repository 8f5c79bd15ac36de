"""The README shows what the program prints, to the letter."""

import re
import shlex
from pathlib import Path

import pytest
from helpers.cli_run import run

README = Path(__file__).parents[2] / "README.md"
BLOCK = re.compile(r"<!-- output: llmtrace (?P<command>.*?) -->\n```text\n(?P<text>.*?)```\n<!-- end -->", re.DOTALL)


def shown(command):
    output = run(*shlex.split(command), env={"COLUMNS": "100", "NO_COLOR": "1"}).output
    return "".join(line.rstrip() + "\n" for line in output.splitlines())


def blocks():
    return list(BLOCK.finditer(README.read_text(encoding="utf-8")))


@pytest.mark.parametrize("block", blocks(), ids=lambda block: block["command"])
def test_output_blocks_are_what_is_printed(block):
    assert block["text"] == shown(block["command"])


def test_there_is_an_output_block():
    assert blocks()


if __name__ == "__main__":  # writes the blocks anew: PYTHONPATH=tests python tests/house/test_readme.py
    text = README.read_text(encoding="utf-8")
    README.write_text(
        BLOCK.sub(lambda b: b[0].replace(f"```text\n{b['text']}```", f"```text\n{shown(b['command'])}```"), text),
        encoding="utf-8",
    )
