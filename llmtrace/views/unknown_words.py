"""What of a prompt a model has no tokens for: words that are cut into many pieces, characters that are split into bytes."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from llmtrace.i18n import N_, _, listed, n_
from llmtrace.text import BYTE, quoted, split_characters
from llmtrace.trace import Trace
from llmtrace.views.document import Block, paragraph, quiet

WORDS = N_("Words that its {size} tokens cut into many pieces, and that it hardly knows: {words}.")
FETCH = N_("GPT-2 knows many more words; this fetches it, then it is the model gpt2:")
COMMAND = "llmtrace fetch gpt2"
MANY = 4
"""Words of so many tokens are hardly ever ones that the tokenizer was trained on."""
MOST = 3
"""Of more words or characters than this, the first ones are named."""
WORD = re.compile(r"[^\W\d_]+")
TOGETHER = ("CJK", "HIRAGANA", "KATAKANA", "THAI", "LAO", "KHMER", "MYANMAR", "TIBETAN")
"""Scripts that put no spaces between words."""


def note(trace: Trace, text: int = 0) -> Iterator[Block]:
    """What to know before reading on; nothing where the vocabulary has what the prompt consists of."""
    tokens = trace.tokens[text] if trace.batch else trace.tokens
    characters = list(dict.fromkeys(whole.strip() for _start, _end, whole in split_characters(tokens)))
    words = words_in_pieces(tokens)
    if not characters and not words:
        return
    known = [trace.token_text(index) for index in range(trace.origin.config.get("vocabulary", 0))]
    if characters:
        yield paragraph(quiet(_unknown_characters(characters, known)), hang=0)
    if words and any(len(each) > 1 for token in known for each in WORD.findall(token)):
        yield paragraph(quiet(_unknown_words(words, known)), hang=0)
        if trace.origin.reference.isidentifier():  # a bundled model, not a folder
            yield paragraph(quiet(_(FETCH)), hang=0)
            yield paragraph(quiet(COMMAND), indent=2)


def words_in_pieces(tokens: list[str]) -> dict[str, int]:
    """The words that are cut into `MANY` tokens or more, and into how many; no characters that are split into bytes."""
    found: dict[str, int] = {}
    text, ends = "", []
    for token in tokens:
        text += " " * len(token) if BYTE.search(token) else token
        ends.append(len(text))
    for word in WORD.finditer(text):
        count = sum(word.start() < end for end in ends) - sum(word.end() <= end for end in ends) + 1
        if count >= MANY and not _script(word[0]).startswith(TOGETHER):
            found[word[0]] = count
    return found


def _unknown_words(words: dict[str, int], known: list[str]) -> str:
    named = [f"{quoted(word)} ({count})" for word, count in words.items()]
    return _(WORDS, size=f"{len(known):,}", words=_first(named))


def _unknown_characters(characters: list[str], known: list[str]) -> str:
    size = f"{len(known):,}"
    whole = all(token != f"#{index}" for index, token in enumerate(known))  # a file has the likely tokens only
    if whole and all(map(_is_chinese, characters)) and not any(_is_chinese(each) for token in known for each in token):
        return _("None of its {size} tokens has a Chinese character: each is split into its bytes.", size=size)
    return n_(
        "None of its {size} tokens has the character {characters}: it is split into its bytes.",
        "None of its {size} tokens has the characters {characters}: each is split into its bytes.",
        len(characters),
        size=size,
        characters=_first(list(map(quoted, characters))),
    )


def _first(named: list[str]) -> str:
    return listed(named[:MOST] + ["…"] * (len(named) > MOST))


def _is_chinese(character: str) -> bool:
    return _script(character).startswith("CJK")


def _script(text: str) -> str:
    """The Unicode name of the first character, which begins with that of its script."""
    return unicodedata.name(text[0], "") if text else ""
