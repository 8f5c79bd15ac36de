"""A question in the way of a chat: its tokens, turn by turn, each turn with the role of who says it."""

from __future__ import annotations

from collections.abc import Callable
from itertools import groupby
from typing import TYPE_CHECKING

from llmtrace.i18n import N_, _
from llmtrace.views.document import Document, Tokens, label, name, paragraph

if TYPE_CHECKING:
    from llmtrace.tokenizers.chat import Chat

ROLES = {"system": N_("system"), "user": N_("user"), "assistant": N_("assistant")}


def view(chat: Chat, text_of: Callable[[int], str]) -> Document:
    """The turns; the last one is for the model to go on with. `text_of` gives the text of a token."""
    tokens = [(role, index, text_of(index)) for index, role in zip(chat.ids, chat.roles, strict=True)]
    blocks = [
        paragraph(name(label(_(ROLES[role]))), Tokens(tuple(text for _role, _index, text in turn), most=60, lines=6))
        for role, turn in groupby(tokens, key=lambda token: token[0])
    ]
    return Document(
        tuple(blocks), {"chat": [{"role": role, "id": index, "text": text} for role, index, text in tokens]}
    )
