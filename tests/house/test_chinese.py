"""Chinese as textbooks write it: its marks, its terms, and an English word of an address is told where it is first met."""

import re

import catalogue
import pytest
from helpers.lesson_words import glossary, prose

from llmtrace.lessons import LESSONS
from llmtrace.lessons.framework.text import PLACEHOLDER, lesson_text

HAN = "\u4e00-\u9fff"
OTHER = re.compile(r"`[^`]*`|\"[^\"]*\"|'[^']*'|\{[^{}]*\}")
"""What is no Chinese: code, quotations, placeholders."""
POINT = re.compile(r"\([^()" + HAN + r"]*\)")
"""(3, 4), and f(x)."""
FORMULA = re.compile(r"[·√Σ]|/\(|exp\(x − ")
MARKS = {
    "a half-width mark beside Chinese": rf"[{HAN}。，：；、] ?[,:;()?!]|[,:;()?!] ?[{HAN}]",
    "a space beside a quotation mark": r" [“”]|[“”] ",
    "a space after a full-width mark": r"[，。：；？！、）》] ",
    "a space before a full-width mark": r" [，。：；？！、（）《》]",
    "和 for a sum": r"(?<![总之方求])(?<!^)和(?=[是＝：，。；）]|$| =|大于|小于|的对数|从这里)"
    r"|的和(?=[，。：；）]|$)|这个和|把和|先算和|算出的和",
}


def catalogued():
    """What is said in Chinese, beside the English."""
    for file in ("llmtrace.po", "messages.po"):
        with (catalogue.LOCALE / "zh" / "LC_MESSAGES" / file).open("rb") as stream:
            for message in catalogue.read_po(stream, locale="zh"):
                if message.id:
                    said = message.string if isinstance(message.string, str) else message.string[-1]
                    yield said, "".join(message.id)


def lessons():
    """What the lessons say in Chinese."""
    for name in LESSONS:
        text = lesson_text(name, "zh")
        for said in (text.title, text.summary, *prose(text)):
            yield PLACEHOLDER.sub("{}", said), name
            yield from (
                (words, name) for each in PLACEHOLDER.finditer(said) for words in re.findall('"([^"]*)"', each[1])
            )
        for page in text.pages:
            tables = (line for block in page.blocks for line in block.text.split("\n") if line.startswith("table "))
            yield from ((title.partition(":")[0].strip(), name) for line in tables for title in line.split("|")[1:])


def wrong(said, english=""):
    """What is not as Chinese is written; brackets of formulas are those of mathematics."""
    plain = POINT.sub("x", OTHER.sub("x", said.replace("**", "").replace("英文字母", "")))
    plain = re.sub(r"[()]", "", plain) if FORMULA.search(english) else plain
    found = [f"{what}: {plain}" for what, pattern in MARKS.items() if re.search(pattern, plain)]
    return found + [f"{word}, not {right}: {said}" for word, right in glossary(1).items() if word in plain]


@pytest.mark.parametrize("texts", [catalogued, lessons])
def test_chinese_is_written_as_in_textbooks(texts):
    found = [(each, where) for said, where in texts() for each in wrong(said, where)]
    assert not found


WRONG = ["一个,两个", "一个, 两个", "名字: 甲", "甲（乙) ", "说 “去”", "“去” 了", "好。 不好", "好 （不好）"]
WRONG += ["的和是 3", "它的和", "离散程度"]
RIGHT = ["一个、两个", "猫在 (3, 4)，狗在 f(x)", "“去”和“不去”", "`a, b` 和 c", "总和是 3", "平方和", "甲和乙"]


@pytest.mark.parametrize("said", WRONG)
def test_what_is_wrong_is_seen(said):
    assert wrong(said)


@pytest.mark.parametrize("said", RIGHT)
def test_what_is_right_is_not(said):
    assert not wrong(said)
