"""Chats: the question of a user as the tokens that a model was trained to answer, each with the role of who says it.

Models bring a template for that, a program in the language Jinja. None is executed: those that are common are known by the
checksum of their text, and what they would write around a question stands here.
"""

from __future__ import annotations

import hashlib
import re
from typing import Any, NamedTuple

from llmtrace.errors import ModelError, PromptError
from llmtrace.i18n import _
from llmtrace.text import cited, shown


class Format(NamedTuple):
    """What is written around a question, for the model to go on with its answer."""

    name: str
    turns: tuple[tuple[str, str], ...]
    """Each role with its text; `{}` is the question."""
    special: tuple[str, ...]
    """The special tokens in it, or behind the answer."""
    end: str
    """The special token that ends the answer."""
    stripped: bool = False
    """Whether white space around the question is left out."""


def _chatml(name: str, system: str = "") -> Format:
    begin, end = "<|im_start|>", "<|im_end|>"
    said = (("system", f"{begin}system\n{system}{end}\n"),) if system else ()
    turns = (*said, ("user", f"{begin}user\n{{}}{end}\n"), ("assistant", f"{begin}assistant\n"))
    return Format(name, turns, (begin, end), end)


CHATML = _chatml("ChatML")
SMOLLM2 = _chatml("SmolLM2", "You are a helpful AI assistant named SmolLM, trained by Hugging Face")
QWEN2 = _chatml("Qwen2", "You are a helpful assistant.")
LLAMA2 = Format("Llama 2", (("user", "<s>[INST] {} [/INST]"),), ("<s>", "</s>"), "</s>", stripped=True)
MISTRAL = Format("Mistral", (("user", "<s>[INST] {} [/INST]"),), ("<s>", "</s>"), "</s>")
ZEPHYR = Format("Zephyr", (("user", "<|user|>\n{}</s>\n"), ("assistant", "<|assistant|>\n")), ("</s>",), "</s>")
LLAMA3 = Format(
    "Llama 3",
    (
        ("user", "<|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\n{}<|eot_id|>"),
        ("assistant", "<|start_header_id|>assistant<|end_header_id|>\n\n"),
    ),
    ("<|begin_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"),
    "<|eot_id|>",
    stripped=True,
)
KNOWN = {
    "153280e3ff55d19da1398bdb3914ee2a51b80429bfaedde11d7d216c39db80f3": CHATML,
    "fcf7a096fe99a48fd9ad2b250bf9237e96e8f48bffec1c7ea4d3f225176cd40e": CHATML,
    "872be49dbb638044ad01b60388f48d469ff2980e5f0dccdc22ec907db54d0788": SMOLLM2,
    "de9cde7d1b0ca0cc87459a6673e0d12fb89c070bdb24e4a30b6e4d187b226221": SMOLLM2,
    "793202280c0910ab26bc6eb57c8212c2417324c6d8c4efd0d10d59092ab3e3eb": QWEN2,
    "f0206845c9ebc3abb4735d44f286eb81ce99238ad2accc710c6fc60e6cb8ccc8": QWEN2,
    "e8d5b5a546d3f19df16a5320c614fab05bdc4edd50e850f1afd947b503ea41cf": LLAMA2,
    "9780fae5bfea3cfd7be37d328c6edfd296a8869be8131495bbe7eb37e780c88c": LLAMA2,
    "ba03a121d097859c7b5b9cd03af99aafe95275210d2876f642ad9929a150f122": LLAMA3,
    "4f46ecd43418f216df8c26936c60e5d04bcc81db47db5d86fbe889f64212dd4c": LLAMA3,
    "b48c47f6443892716176eb200bf4ef108f64e06ca26ed0fa8ebc0a4b3992fcb2": LLAMA3,
    "b75e17085cfc511ead6d4fab84b86ab3c168ec7a332568a91d0889cdcba94394": LLAMA3,
    "66291cf0045c2425a3a667cf3cbb7af2b11f09e025c02f97245323ab79119362": ZEPHYR,
    "4f39e3a4b9e3d369b42fd00d93a78f171914bb4e58ec84fc420433d7a153288a": ZEPHYR,
    "7e995b379ec01747807246483647cd99030abf331653f1119e16d7ac041a3495": MISTRAL,
    "26a59556925c987317ce5291811ba3b7f32ec4c647c400c6cc7e3a9993007ba7": MISTRAL,
}
"""The templates that are known, by their SHA-256. Most are there twice: a line break may be written as one, or as \\n."""


class Chat(NamedTuple):
    """A question as a model reads it."""

    ids: list[int]
    roles: list[str]
    """Who says each of these tokens: system, user or assistant."""
    end: int
    """The token that ends the answer."""


def format_of(template: str | None) -> Format:
    """What is known of a template; ModelError shows one that is not known."""
    if template is None:
        raise ModelError(_("this model has no chat template: it goes on with texts, and was not trained to answer"))
    digest = hashlib.sha256(template.encode("utf-8", "surrogatepass")).hexdigest()
    if digest not in KNOWN:
        text = _("the chat template of this model is not one of those that are known, and none is executed: {template}")
        raise ModelError(text.format(template=shown(repr(template), 700)))
    return KNOWN[digest]


def chat(question: str, template: str | None, tokenizer: Any) -> Chat:
    """A question in the way of a model's template; its text counts as text, so one with special tokens in it is refused."""
    layout = format_of(template)
    if tokenizer is None:
        raise PromptError(_("this model has no tokenizer, which a chat needs"))
    special = {**tokenizer.added, **tokenizer.special}
    for text in layout.special:
        if text not in special:
            raise ModelError(
                _(
                    "the chat template {name} needs the token {token}, which is not there",
                    name=layout.name,
                    token=cited(text),
                )
            )
    asked = question.strip() if layout.stripped else question
    turns = [(role, text.replace("{}", asked)) for role, text in layout.turns]
    whole = tokenizer.explain("".join(text for _role, text in turns), special=True)
    pieces = [piece for piece in whole.pieces if not piece.is_framing]
    meant = _special_in("".join(text for _role, text in layout.turns), layout.special)
    found = [piece.text for piece in pieces if piece.text in tokenizer.special or piece.text in layout.special]
    if found != meant:
        other = next((text for text in tokenizer.special if text in question), question)
        raise PromptError(_("the question contains {token}, which is a special token", token=cited(other)))
    ids, roles = _with_roles(pieces, turns, tokenizer)
    return Chat(ids, roles, special[layout.end])


def _special_in(text: str, special: tuple[str, ...]) -> list[str]:
    return re.findall("|".join(map(re.escape, special)), text)


def _with_roles(pieces: Any, turns: list[tuple[str, str]], tokenizer: Any) -> tuple[list[int], list[str]]:
    """The ids, and the role of each: that of the turn in which its first byte stands."""
    ends: list[tuple[str, int]] = []
    for role, text in turns:
        ends.append((role, (ends[-1][1] if ends else 0) + len(text.encode())))
    ids, roles, start = [], [], 0
    for piece in pieces:
        own = len(piece.text.encode())
        place = start - (len(piece.data) - own)  # a space that the tokenizer adds stands before it
        for token in piece.tokens:
            ids.append(token.id)
            roles.append(next(role for role, end in ends if max(start, place) < end or role == ends[-1][0]))
            place += len(tokenizer.decode_bytes([token.id]))
        start += own
    return ids, roles
