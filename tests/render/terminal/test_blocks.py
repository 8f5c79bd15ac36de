"""Blocks that Rich prints: plain sentences fill their lines in Chinese as well."""

import io

import pytest
from rich.cells import cell_len
from rich.console import Console

from llmtrace.display import speak_plainly
from llmtrace.render.terminal.blocks import Printed
from llmtrace.views.document import paragraph

WIDTH = 40


@pytest.fixture(autouse=True)
def plainly():
    speak_plainly(True)
    yield
    speak_plainly(None)


@pytest.mark.parametrize(
    "text", ["llmtrace 自带的模型读到这句话，" * 6, "一行一行地写，" * 9, "换掉 28 个词元（词和片段），" * 5]
)
def test_plain_chinese_breaks_only_where_a_line_is_full(text):
    console = Console(file=io.StringIO(), width=WIDTH)
    console.print(Printed((paragraph(text),)))
    lines = console.file.getvalue().splitlines()
    widest = max(cell_len(word) for word in text.replace("，", " ").split() if word.isascii()) if " " in text else 0
    assert len(lines) > 1
    assert all(WIDTH - widest - 4 <= cell_len(line) <= WIDTH for line in lines[:-1])
    assert all(line[0] not in "，。）" for line in lines)
