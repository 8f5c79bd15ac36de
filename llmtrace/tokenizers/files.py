"""Reading the tokenizer of a model folder, in whichever of its formats the folder has it."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeGuard

from llmtrace.errors import ModelError
from llmtrace.i18n import _
from llmtrace.storage.files import read_json, read_text
from llmtrace.text import cited, shown
from llmtrace.tokenizers.beside import CONFIG, Beside, BesideError
from llmtrace.tokenizers.byte_symbols import SYMBOLS
from llmtrace.tokenizers.json_format.added import expect_few, is_id
from llmtrace.tokenizers.json_format.fields import quote
from llmtrace.tokenizers.json_format.merges import read_merges, read_vocabulary
from llmtrace.tokenizers.json_format.read import Tokenizer, read_tokenizer_json
from llmtrace.tokenizers.splitting import GPT2_SPLIT

PAIRS = (("vocab.json", "merges.txt"), ("encoder.json", "vocab.bpe"))
"""Vocabulary and merges, as Hugging Face and as OpenAI call them."""
GPT2_CLASSES = ("", "GPT2Tokenizer", "CodeGenTokenizer", "PreTrainedTokenizer")
"""The classes of transformers whose vocabulary and merges mean what GPT-2's do."""
GPT2_SPECIAL = "<|endoftext|>"
PIECES = "tokenizer.model"
"""SentencePiece's own file."""
LLAMA_CLASSES = ("LlamaTokenizer", "CodeLlamaTokenizer")
"""The classes of transformers that were made for it; they add a space in front by what tokenizer_config.json says."""
PIECES_CLASSES = ("", *LLAMA_CLASSES, "PreTrainedTokenizer")
WORDS = "vocab.txt"
"""BERT's vocabulary, a token in each line."""
BERT_CLASSES = ("", "BertTokenizer", "PreTrainedTokenizer")
BERT_SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")


def load_tokenizer(folder: Path | str) -> Tokenizer | None:
    """The tokenizer of a model folder, or None where it has none; ModelError where it has one that can't be read.

    The first that is there counts: tokenizer.json; vocab.json with merges.txt; encoder.json with vocab.bpe; tokenizer.model;
    vocab.txt. What added_tokens.json, special_tokens_map.json and tokenizer_config.json say belongs to it.
    """
    folder = Path(folder)
    path = folder / "tokenizer.json"
    if os.path.lexists(path):
        data, beside = read_json(path), Beside(folder)
        with _about(path):
            return read_tokenizer_json(_completed(data, beside))
    for names in PAIRS:
        vocabulary, merges = (folder / name for name in names)
        there = [os.path.lexists(path) for path in (vocabulary, merges)]
        if all(there):
            return _read_pair(vocabulary, merges, Beside(folder))
        if any(there):
            path, other = (vocabulary, merges) if there[0] else (merges, vocabulary)
            with _about(path):
                raise ModelError(_("it needs {other} beside it", other=other.name))
    if os.path.lexists(folder / PIECES):
        return _read_pieces(folder / PIECES, Beside(folder))
    if os.path.lexists(folder / WORDS):
        return _read_words(folder / WORDS, Beside(folder))
    return None


@contextmanager
def _about(path: Path) -> Iterator[None]:
    """Errors name the file, unless one beside it is at fault."""
    try:
        yield
    except BesideError:
        raise
    except ModelError as error:
        raise ModelError(_("{path} can't be used as a tokenizer: {error}", path=shown(path), error=error)) from error
    except RecursionError as error:
        why = _("it is nested too deeply")
        raise ModelError(_("{path} can't be used as a tokenizer: {error}", path=shown(path), error=why)) from error


def _completed(data: Any, beside: Beside) -> Any:
    """The contents of tokenizer.json with the tokens that are added beside it."""
    model = data.get("model") if isinstance(data, dict) else None
    if not isinstance(model, dict):
        return data
    vocabulary, rule = model.get("vocab"), data.get("pre_tokenizer")
    if isinstance(vocabulary, list):
        texts = [entry[0] if isinstance(entry, list) and entry else None for entry in vocabulary]
        vocabulary = {text: index for index, text in enumerate(texts) if isinstance(text, str)}
    if not isinstance(vocabulary, dict) or not all(is_id(index) for index in vocabulary.values()):
        return data
    _expect_space(beside, rule.get("add_prefix_space") if _is_of(rule, "ByteLevel") else _adds_space(data, beside))
    return {**data, "added_tokens": beside.with_added(data.get("added_tokens"), vocabulary)}


def _is_of(rule: Any, kind: str) -> TypeGuard[dict[str, Any]]:
    return isinstance(rule, dict) and rule.get("type") == kind


def _adds_space(data: dict[str, Any], beside: Beside) -> bool | None:
    """Whether a tokenizer.json like SentencePiece's adds a space in front, which Llama's class does by the file beside it; None
    where that is not asked.
    """
    if beside.tokenizer_class() not in LLAMA_CLASSES:
        return None
    rule, normalizer = data.get("pre_tokenizer"), data.get("normalizer")
    if _is_of(rule, "Metaspace"):
        return rule.get("prepend_scheme", "always") != "never" and rule.get("add_prefix_space") is not False
    parts = normalizer.get("normalizers") if _is_of(normalizer, "Sequence") else [normalizer]
    return isinstance(parts, list) and any(_is_of(part, "Prepend") for part in parts)


def _expect_space(beside: Beside, adds: Any) -> None:
    """ModelError where the file beside it says otherwise whether a space is added in front; None: it is not asked."""
    if adds is not None and beside.setting("add_prefix_space", adds) is not adds:
        raise ModelError(
            _("{name} is {value} in it, but not in {file}", name="add_prefix_space", value=quote(adds), file=CONFIG)
        )


def _read_pair(vocabulary: Path, merges: Path, beside: Beside) -> Tokenizer:
    """GPT-2's kind of tokenizer; without other files, special are the tokens that no merge makes and no byte is."""
    entries, lines = read_json(vocabulary), _lines(merges)
    with _about(vocabulary):
        known = read_vocabulary(entries)
    with _about(merges):
        pairs = read_merges(lines, sum(map(len, known)))
    with _about(vocabulary):
        _expect_class(beside, GPT2_CLASSES)
        added = beside.with_added(None, known, GPT2_SPECIAL)
        there = {entry["content"] for entry in added}
        made = {left + right for left, right in pairs}.union(SYMBOLS)
        apart = [text for text in known if text not in made and text not in there]
        expect_few(len(apart))
        added = [{"id": known[text], "content": text, "special": True} for text in apart] + added
        rule = {**GPT2_SPLIT, "add_prefix_space": beside.setting("add_prefix_space", False)}
        model = {"type": "BPE", "vocab": known, "merges": [list(pair) for pair in pairs]}
        return read_tokenizer_json(
            {"added_tokens": added, "pre_tokenizer": rule, "decoder": GPT2_SPLIT, "model": model}
        )


def _read_words(path: Path, beside: Beside) -> Tokenizer:
    """BERT's kind of tokenizer."""
    lines = read_text(path).replace("\r\n", "\n").replace("\r", "\n").split("\n")
    with _about(path):
        _expect_class(beside, BERT_CLASSES)
        known: dict[str, int] = {}
        for index, text in enumerate(lines):
            if known.setdefault(text, index) != index and text:
                raise ModelError(_("the token {text} is in the vocabulary twice", text=cited(text)))
        known.pop("", None)
        beside.must_not_set("never_split")
        cleaning = {
            "lowercase": beside.setting("do_lower_case", True),
            "strip_accents": beside.setting("strip_accents", None),
            "handle_chinese_chars": beside.setting("tokenize_chinese_chars", True),
            "clean_text": beside.setting("clean_text", True),
        }
        added = [{"id": known[text], "content": text, "special": True} for text in BERT_SPECIAL if text in known]
        unknown = beside.config.get("unk_token", beside.map.get("unk_token", "[UNK]"))
        unknown = unknown.get("content") if isinstance(unknown, dict) else unknown
        return read_tokenizer_json(
            {
                "added_tokens": beside.with_added(added, known),
                "normalizer": {"type": "BertNormalizer", **cleaning},
                "pre_tokenizer": {"type": "BertPreTokenizer"},
                "model": {"type": "WordPiece", "unk_token": unknown, "vocab": known},
            }
        )


def _read_pieces(path: Path, beside: Beside) -> Tokenizer:
    """SentencePiece's kind of tokenizer."""
    from llmtrace.tokenizers.sentencepiece import read_sentencepiece

    found = read_sentencepiece(path, beside.setting("add_bos_token", True), beside.setting("add_eos_token", False))
    with _about(path):
        _expect_class(beside, PIECES_CLASSES)
        _expect_space(beside, found.space == "before")
        whole = {**found.added, **found.special}
        added = (entry["content"] for entry in beside.with_added(None, found.vocabulary))
        more = next((text for text in added if text not in whole), None)
        if more is not None:
            raise ModelError(_("the files beside it add the token {text}, which is not supported", text=cited(more)))
    return found


def _expect_class(beside: Beside, classes: Collection[str]) -> None:
    """ModelError where the files say that the tokenizer is of another class."""
    if beside.tokenizer_class() not in classes:
        kind = cited(beside.tokenizer_class())
        raise ModelError(_("{file} says that it is a {kind}, which is not supported", file=CONFIG, kind=kind))


def _lines(path: Path) -> list[str]:
    """One merge per line, two symbols with a space between them; a first line that begins with #version is left out."""
    lines = [line.rstrip("\r") for line in read_text(path).split("\n")]
    return [line for line in lines[lines[0].startswith("#version") :] if line]
