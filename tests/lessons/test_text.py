"""The lessons' texts: in every language the same pages, code and expressions; no number typed; one glossary."""

import re

import pytest
from helpers.lesson_words import glossary, prose

from llmtrace.lessons import LESSONS, lesson_class
from llmtrace.lessons.framework.text import FOLDERS, PLACEHOLDER, languages, lesson_text, parse

NAMES = list(LESSONS)


def expressions(text):
    """What is computed in a text, however it is said: the words in it, which differ by language, are left out."""
    found = PLACEHOLDER.finditer(in_one_unit(text))
    return sorted(re.sub(r'"[^"]*"', '""', "".join(match.groups(""))) for match in found)


def in_one_unit(text):
    """Chinese counts in 亿 and 万 (10^8 and 10^4) what other languages say in billions and millions."""
    tenfold = r"\{(?:round\(([^{}]*)\)|([^{}]*?)) \* (?:10:[,g]+\} 亿|100:[,g]+\} 万)"
    text = re.sub(tenfold, lambda number: f"{{{number[1] or number[2]}}}", text)
    return re.sub(r"\{([^{}:]*):[^{}]*\}(?= [mb]illion)", r"{\1}", text)


def test_other_units_are_the_same_number_but_other_factors_are_not():
    assert expressions("{round(x / 1e9) * 10:,} 亿") == expressions("{x / 1e9:.0f} billion")
    assert expressions("{x * 100:g} 万") == expressions("{x:g} million")
    assert expressions("{x * 100:,} 亿") != expressions("{x:g} billion") != expressions("{y * 10:,} 亿")


def shape(text):
    """What must be the same in every language."""
    pages = [
        [
            (block.kind, block.text if block.kind == "python" else shown(block) or expressions(block.text))
            for block in page.blocks
        ]
        for page in text.pages
    ]
    titles = [expressions(page.title) for page in text.pages]
    exercises = {
        name: (expressions(each.question), {help: expressions(said) for help, said in each.helps.items()})
        for name, each in text.exercises.items()
    }
    return pages, titles, exercises, {name: expressions(said) for name, said in text.inputs.items()}


def shown(block):
    """Of a show block, all but the titles; of code in a list, the commands."""
    if block.kind != "show":
        return []
    lines = [line.split("|") for line in block.text.split("\n")]
    return [
        (first.strip(), [title.partition(":")[2] for title in titles if first.startswith("table")], len(titles))
        for first, *titles in lines
    ]


@pytest.mark.parametrize("name", NAMES)
def test_all_languages_have_the_same_pages_code_and_numbers(name):
    assert languages() == ["en", "zh"]
    first, second = (lesson_text(name, language) for language in languages())
    assert shape(first) == shape(second)
    assert first.title
    assert first.summary
    assert first.title != second.title


def test_a_difference_is_seen():
    text = (FOLDERS / "perceptron" / "en.md").read_text()
    for old, new in [
        ("{threshold}", "8"),
        ("print(1 * sunny", "print(2 * sunny"),
        ("- other:", "- others:"),
        ("\n## ", "\n### "),
        (":.2f", ":.1f"),
        ("input=2", "input=1"),
        ("- mood:", "- moods:"),
    ]:
        assert shape(parse(text.replace(old, new, 1))) != shape(parse(text)), old


@pytest.mark.parametrize("language", languages())
@pytest.mark.parametrize("name", NAMES)
def test_no_number_is_typed(name, language):
    """0 and 1 are words for no and yes, and the bounds of things."""
    for text in prose(lesson_text(name, language)):
        left = re.sub(r"`[^`]*`", "", PLACEHOLDER.sub("", text))
        assert not set(re.findall(r"[\d.,]*\d", left)) - {"0", "1"}, text


@pytest.mark.parametrize("name", NAMES)
def test_every_input_is_told(name):
    assert list(lesson_text(name).inputs) == list(lesson_class(name).inputs())


@pytest.mark.parametrize("name", NAMES)
def test_every_exercise_has_a_hint(name):
    assert all("hint" in exercise.helps for exercise in lesson_text(name).exercises.values())


@pytest.mark.parametrize("name", NAMES)
def test_chinese_uses_the_words_of_the_glossary(name):
    english, chinese = (" ".join(prose(lesson_text(name, language))) for language in ("en", "zh"))
    plain = re.sub(r"`[^`]*`", "", PLACEHOLDER.sub("", chinese)).replace("**", "").lower()
    for term, word in glossary().items():  # 词元（token）, where a word is met for the first time
        plain = re.sub(rf"{word}（{term}(?=[）；，])", word, plain)
    for term, word in glossary().items():
        if re.search(rf"\b{term}s?\b", re.sub(r"`[^`]*`", "", PLACEHOLDER.sub("", english)), re.IGNORECASE):
            assert word in chinese, term
        if term != word:
            assert not re.search(rf"\b{term}\b", plain, re.ASCII), term


def test_the_glossary_has_the_words():
    assert glossary()["residual stream"] == "残差流"
    assert glossary()["layer normalisation"] == "层归一化"
    assert len(glossary()) > 20


BESIDE = {"mask_table", "both_ways", "shadows", "cubes", "two_heads"}
"""Tables that say the same of two things beside each other, in groups."""


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("name", NAMES)
def test_the_columns_of_a_table_have_names_of_their_own(name, language):
    """Read row by row, as a narrow window or a screen reader does, each number is told apart."""
    shows = "\n".join(block.text for page in lesson_text(name, language).pages for block in page.blocks)
    for table, columns in re.findall(r"^table (\w+) \|(.*)$", shows, re.M):
        titles = [title for column in columns.split("|") if (title := column.partition(":")[0].strip())]
        assert table in BESIDE or len(titles) == len(set(titles)), (table, titles)
