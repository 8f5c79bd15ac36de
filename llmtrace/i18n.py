"""Every sentence that a user reads passes through here, so that a catalogue can say it in another language.

Texts are translated when they are used, never when a module is imported: `use` changes the language at any time.
`tools/catalogue.py` collects what is marked with `_`, `n_`, `N_` and `NN_`.
"""

import gettext
import os
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache, reduce
from pathlib import Path
from string import Formatter
from typing import Any

from llmtrace.text import cited, shown

LOCALE = Path(__file__).parent / "locale"
"""Where the catalogues are: `<language>/LC_MESSAGES/llmtrace.mo`."""
ENGLISH = "en"
VARIABLES = ("LLMTRACE_LANG", "LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG")
"""Where the language is looked for, in this order; a variable may name several, with colons between them."""

NAMES = {"中文": "zh", "汉语": "zh", "chinese": "zh", "english": "en"}
"""What languages are called by those who speak them."""
QUOTED = 80
"""So many characters of a text from outside are enough to know it."""
WIDE = (("“", "”"), ("\u3000", "\u303f"), ("\u4e00", "\u9fff"), ("\uff00", "\uffef"))
"""The first and the last of characters of Chinese: no space stands between two of them."""
MARKS, HAN = "，。；：！？、", "\u4e00-\u9fff"
SPACED = (
    f"(?P<quoted>'[^']*')|(?<=[{MARKS}（“]) +| +(?=[{MARKS}）”])"
    f"|(?<=[{HAN}'])(?P<stop>[.]) +(?=[{HAN}])|(?<=[{HAN}]) +(?=[{HAN}])"
)
"""A space that Chinese has not: beside a full-width mark, or between two characters; also a full stop of half the width.

A pattern that `re` compiles when a text in Chinese is first joined: that takes milliseconds, for thousands of characters.
"""

_chosen: str | None = None


def languages() -> list[str]:
    """The languages there are: English, in which everything is written, and those that have a catalogue."""
    return sorted({ENGLISH, *(path.parts[-3] for path in LOCALE.glob("*/LC_MESSAGES/llmtrace.mo"))})


def use(language: str | None) -> None:
    """Speaks `language` from now on ("zh", "zh_CN.UTF-8", "en"), or with None the language of the environment."""
    global _chosen
    if language is not None and _known(language) is None:
        raise ValueError(
            _(
                "there is no language {language}; there are {known}",
                language=cited(language),
                known=listed(languages()),
            )
        )
    _chosen = language


def language() -> str:
    """The language that is spoken: what `use` chose, else the first one of the environment that there is."""
    if _chosen is not None:
        return _spoken(LOCALE, _chosen)
    return _spoken(LOCALE, next((value for name in VARIABLES if (value := os.environ.get(name))), ""))


@cache
def _spoken(folder: Path, wanted: str) -> str:
    return next((found for name in wanted.split(":") if (found := _known(name))), ENGLISH)


def _known(wanted: str) -> str | None:
    """The language of `languages()` that a name such as "zh_CN.UTF-8" or "zh-Hans" means."""
    name = re.split("[.@]", wanted)[0].replace("-", "_").lower()
    there = {language.lower(): language for language in languages()}
    return next((there[each] for each in (name, name.partition("_")[0], NAMES.get(name, "")) if each in there), None)


@contextmanager
def for_others() -> Iterator[None]:
    """Until the end, libraries that use gettext as it comes (click does) find their texts, in `messages.mo`, with ours.

    The environment is asked for its language once, here.
    """
    global _chosen
    chosen, before = _chosen, os.environ.get("LANGUAGE")
    _chosen = language()
    gettext.bindtextdomain("messages", LOCALE)
    tell_others()
    try:
        yield
    finally:
        _chosen = chosen
        if before is None:
            del os.environ["LANGUAGE"]
        else:
            os.environ["LANGUAGE"] = before


def tell_others() -> None:
    """Lets these libraries know the language that is spoken; they look for it in the environment."""
    os.environ["LANGUAGE"] = language()


def catalogue() -> gettext.NullTranslations:
    """The catalogue of the language that is spoken; English needs none."""
    return of_language(language())


def of_language(name: str) -> gettext.NullTranslations:
    """The catalogue of one of `languages()`."""
    return _catalogue(LOCALE, name)


@cache
def _catalogue(folder: Path, language: str) -> gettext.NullTranslations:
    if language == ENGLISH:
        return gettext.NullTranslations()
    return gettext.translation("llmtrace", folder, [language])


class Filling(Formatter):
    """Fills the places of a text. What stands in quotes, `{name!r}`, was typed or read: it is escaped, and not endless."""

    def vformat(self, format_string: str, args: Any, kwargs: Any) -> str:
        """The text with its values."""
        said = ""
        for words, name, form, conversion in self.parse(format_string):
            said = beside(said, words)
            if name is not None:
                said = beside(said, format(self.convert_field(kwargs[name], conversion), form or ""))
        return said

    def convert_field(self, value: Any, conversion: Any) -> Any:
        """A value for its place."""
        return shown(repr(value), QUOTED) if conversion == "r" else super().convert_field(value, conversion)


FILLING = Filling()


def _(text: str, /, **values: Any) -> str:
    """`text` in the user's language, with `values` at the places of their names: `_("no {what}", what="weight")`."""
    translated = catalogue().gettext(text) if text else ""
    return FILLING.vformat(translated, (), values) if values else translated


def beside(before: str, after: str) -> str:
    """Two parts of a sentence in one, without the space between them where both are Chinese."""
    if touching(before, after):
        return before.rstrip(" ") + after.lstrip(" ")
    return before + after


def touching(before: str, after: str) -> bool:
    """Whether two parts of a sentence have a space between them that Chinese has not."""
    spaced = before.endswith(" ") != after.startswith(" ")
    return spaced and _is_wide(before.rstrip(" ")[-1:]) and _is_wide(after.lstrip(" ")[:1])


def _is_wide(character: str) -> bool:
    return any(first <= character <= last for first, last in WIDE)


def unspaced(text: str) -> str:
    """A sentence that was joined elsewhere, without spaces beside Chinese marks; what stands in quotes is as it was typed."""
    if language() == ENGLISH:
        return text
    return re.sub(SPACED, lambda found: found["quoted"] or ("。" if found["stop"] else ""), text)


def listed(items: Iterable[object]) -> str:
    """`a, b, c`: a list in a sentence."""
    return _(", ").join(map(str, items))


def clauses(parts: Iterable[str]) -> str:
    """Parts of a sentence: `step 3 of 10, loss 2.1`."""
    return reduce(lambda before, after: _("{before}, {after}", before=before, after=after), parts)


def n_(one: str, many: str, count: int, /, **values: Any) -> str:
    """`one` or `many`, as the user's language counts: `n_("{count} token", "{count} tokens", 3, count="3")`."""
    translated = catalogue().ngettext(one, many, count)
    return FILLING.vformat(translated, (), values) if values else translated


def N_(text: str) -> str:  # noqa: N802 - gettext's own name for it
    """Marks a text that is translated where it is used."""
    return text


def NN_(one: str, many: str) -> tuple[str, str]:  # noqa: N802 - as N_
    """Marks a pair for `n_`."""
    return one, many
