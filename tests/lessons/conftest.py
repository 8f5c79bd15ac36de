"""What the tests of lessons share."""

import re
from contextlib import nullcontext
from functools import cache

import pytest
from helpers.lessons_once import lessons_once, short_trainings
from helpers.printing import drawn

from llmtrace import i18n
from llmtrace.lessons import load
from llmtrace.lessons.framework.pages import Pages
from llmtrace.views.numbers import LOWERED


@pytest.fixture(scope="module", autouse=True)
def computed_once():
    """What lessons compute is computed once for all tests and languages."""
    with lessons_once():
        yield


@pytest.fixture(scope="session")
def pages_of():
    """The pages of a lesson in a language, which is spoken from then on: made once for all tests."""

    @cache
    def made(name, language):
        return Pages(load(name, language))

    def pages(name, language="en"):
        i18n.use(language)
        return made(name, language)

    return pages


def in_billions(text):
    """A Chinese text with its 亿 and 万 (10^8 and 10^4) as the billions and millions that other languages say."""
    for unit, count in (("亿", 10), ("万", 100)):
        text = re.sub(
            rf"([\d,.]*\d) {unit}", lambda found, by=count: f"{float(found[1].replace(',', '')) / by:g}", text
        )
    return text


@pytest.fixture(scope="session")
def numbers_of(pages_of):
    """All numbers of all pages of a lesson, page by page and sorted, as their order in a sentence may differ.

    changes: {} or inputs; its trainings are short then. Without, the pages are those that all tests share.
    """

    @cache
    def found(name, language, changes):
        pages = pages_of(name, language) if changes is None else Pages(load(name, language, **dict(changes)))
        texts = [in_billions(drawn(pages[n], 200).replace("、", " ")) for n in range(len(pages))]
        powers = [
            re.sub("×10([⁰¹²³⁴-⁹⁻]+)", lambda found: f"e{int(found[1].translate(LOWERED)):03}", text) for text in texts
        ]
        return [sorted(re.findall(r"−?\d[\d.,]*\d|\d", text.replace("e-", "e−"))) for text in powers]

    def numbers(name, language="en", changes=None):
        i18n.use(language)
        with nullcontext() if changes is None else short_trainings():
            return found(name, language, changes if changes is None else tuple(changes.items()))

    return numbers
