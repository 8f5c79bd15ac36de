"""Every sentence that a user reads passes through `_`, so that a catalogue can say it in another language."""

import gettext
from functools import cache
from pathlib import Path


@cache
def catalogue() -> gettext.NullTranslations:
    """The catalogue of the user's language (from LANGUAGE, LC_ALL, LC_MESSAGES, LANG), or English as written."""
    return gettext.translation("llmtrace", Path(__file__).parent / "locale", fallback=True)


def _(text: str) -> str:
    """`text` in the user's language."""
    return catalogue().gettext(text)


def N_(text: str) -> str:  # noqa: N802 - gettext's own name for it
    """Marks a text for the catalogue without translating it yet."""
    return text
