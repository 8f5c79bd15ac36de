"""The README shows what the program prints, to the letter."""

import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from llmtrace.cli import main

README = Path(__file__).parents[2] / "README.md"
BLOCK = re.compile(r"<!-- output: llmtrace (?P<command>.*?) -->\n```text\n(?P<text>.*?)```\n<!-- end -->", re.DOTALL)


def printed(command):
    result = CliRunner().invoke(main, shlex.split(command), env={"COLUMNS": "100", "NO_COLOR": "1"})
    assert result.exit_code == 0, result.output
    return "".join(line.rstrip() + "\n" for line in result.output.splitlines())


def blocks():
    return list(BLOCK.finditer(README.read_text(encoding="utf-8")))


@pytest.mark.parametrize("block", blocks(), ids=lambda block: block["command"])
def test_output_blocks_are_what_is_printed(block):
    assert block["text"] == printed(block["command"])


def test_there_is_an_output_block():
    assert blocks()


if __name__ == "__main__":  # writes the blocks anew: python tests/house/test_readme.py
    text = README.read_text(encoding="utf-8")
    README.write_text(
        BLOCK.sub(lambda b: b[0].replace(f"```text\n{b['text']}```", f"```text\n{printed(b['command'])}```"), text),
        encoding="utf-8",
    )
