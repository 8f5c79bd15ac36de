"""The page's tokenizer cuts, merges and numbers as Python's does, whatever letters the browser knows."""

import random
from functools import cache

import numpy as np
import pytest
import regex
from helpers.fresh import examples
from helpers.javascript import edited, run
from hypothesis import given
from hypothesis import strategies as st

import llmtrace
from llmtrace.errors import PromptError
from llmtrace.render.page_tokenizer import code_points, tokenizer_data
from llmtrace.testing import steady
from llmtrace.tokenizers.bpe import ByteLevelBPE
from llmtrace.tokenizers.byte_symbols import SYMBOLS
from llmtrace.tokenizers.characters import CharacterTokenizer
from llmtrace.tokenizers.framing import Framing
from llmtrace.tokenizers.splitting import Splitter
from llmtrace.tokenizers.unigram import BYTES, UnigramTokenizer

OF_PAIRS = ByteLevelBPE(
    {symbol: i for i, symbol in enumerate([*SYMBOLS, "aa", "ab", "aab", "aaaa", "Ġa"])},
    [("a", "a"), ("a", "b"), ("a", "ab"), ("aa", "aa"), ("Ġ", "a")],
)
OF_LETTERS = CharacterTokenizer({letter: i for i, letter in enumerate("ab '1é中🙂")})
ENTRIES = [("a", -2.0), ("b", -2.0), ("ab", -3.0), ("aa", -4.0), ("▁", -2.5), ("▁a", -3.0), ("▁ab", -3.2)]
ENTRIES += [("b▁a", -3.5), ("中", -5.0), ("🙂b", -4.0)]
OF_PARTS = {
    "words": UnigramTokenizer(ENTRIES, adds_space=True),
    "whole": UnigramTokenizer(ENTRIES, by_words=False),
    "bytes": UnigramTokenizer([("<unk>", 0.0), *((name, -9.0) for name in BYTES), *ENTRIES], unknown=0, in_bytes=True),
}
"""Tokenizers of probabilities; many partings are equally good."""
HARD = [
    "",
    " ",
    "a  b",
    "aaaaa aaab",
    "it's we'll 'S",
    "12 ½ Ⅷ x²",
    "\x85\ufeff\u2028\u200b\u3000 a",
    "e\u0301" * 9,
    "\U0001e030",
]


@cache
def drawn():
    """Texts of all kinds."""
    found = list(HARD)
    alphabet = st.one_of(st.sampled_from("aab  '\n\t1é中"), st.characters(exclude_categories=["Cs"]))

    @steady(examples(300), shrink=False)
    @given(st.text(alphabet, max_size=40))
    def collect(text):
        found.append(text)

    collect()
    return found


def of_pieces(tokenizer):
    """Texts that are put together from tokens."""
    entries = (
        tokenizer.entries if isinstance(tokenizer, UnigramTokenizer) else [(text, 0) for text in tokenizer.vocabulary]
    )
    pieces = [*(text.replace("▁", " ") for text, _score in entries), " ", "x"]
    chance = random.Random(0)
    texts = ["".join(chance.choices(pieces, k=chance.randint(1, 8))) for _unused in range(examples(300))]
    return [*texts[::2], *(text.lstrip() for text in texts[1::2])]


def compare(tokenizer, texts, **options):
    """AssertionError where the two sides differ."""
    answers = run("tokenizer.mjs", {"tokenizer": tokenizer_data(tokenizer), "texts": texts}, **options)
    for text, answer in zip(texts, answers, strict=True):
        expected = [
            {
                "piece": piece.text,
                "symbols": list(piece.symbols),
                "merges": [[m.rank, m.left, m.right, m.where] for m in piece.merges],
                "ids": [token.id for token in piece.tokens],
                **({"partings": [[list(p.parts), list(p.scores)] for p in piece.partings]} if piece.partings else {}),
            }
            for piece in tokenizer.explain(text).pieces
        ]
        assert answer == expected, repr(text)


def written_by(tokenizer, texts):
    """Those that the tokenizer can write, and the others."""
    found, others = [], []
    for text in texts:
        try:
            tokenizer.encode(text)
            found.append(text)
        except PromptError:
            others.append(text)
    return found, others


@pytest.mark.parametrize("tokenizer", [llmtrace.load().tokenizer, OF_PAIRS], ids=["storyteller", "pairs"])
def test_pieces_merges_and_ids(tokenizer):
    compare(tokenizer, drawn())


@pytest.mark.parametrize(
    "tokenizer",
    [OF_LETTERS, *OF_PARTS.values(), *(llmtrace.load(name).tokenizer for name in ("jielong", "tiny"))],
    ids=["characters", *OF_PARTS, "jielong", "tiny"],
)
def test_those_that_can_not_write_everything(tokenizer):
    found, others = written_by(tokenizer, [*drawn(), *of_pieces(tokenizer)])
    assert len(found) > 30
    compare(tokenizer, found)
    refused = run("tokenizer.mjs", {"tokenizer": tokenizer_data(tokenizer), "texts": others, "refused": True})
    assert refused == [True] * len(others)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("b.score - a.score", "a.score - b.score"),
        ("end - this.longest", "end - this.longest + 1"),
        ("start === end - 1 ?", "start === end - 2 ?"),
        ("word.slice(1)", "word"),
        ("word.replaceAll", "text.replaceAll"),
    ],
)
def test_a_planted_error_in_partings_is_caught(before, after, tmp_path):
    found, _others = written_by(OF_PARTS["words"], [*drawn(), *of_pieces(OF_PARTS["words"])])
    with pytest.raises(AssertionError):
        compare(OF_PARTS["words"], found, page=edited(tmp_path, "partings.js", before, after))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("rank < best.rank", "rank <= best.rank"),
        ("|[${spaces}]+(?![^${spaces}])", ""),
        ("?[${numbers}]+", "?[0-9]+"),
        ("let next = 0x100;", "let next = 0x101;"),
        ("best.place).join", "best.place + 1).join"),
    ],
)
def test_a_planted_error_is_caught(before, after, tmp_path):
    with pytest.raises(AssertionError):
        compare(OF_PAIRS, drawn(), page=edited(tmp_path, "tokenizer.js", before, after))


def test_what_the_page_can_not_do_is_left_out():
    assert tokenizer_data(None) is None
    framed = UnigramTokenizer(ENTRIES)
    framed.framing = Framing((0,))
    assert tokenizer_data(framed) is None
    spaced = Splitter({"type": "ByteLevel", "add_prefix_space": True, "use_regex": True})
    assert tokenizer_data(ByteLevelBPE(OF_PAIRS.vocabulary, OF_PAIRS.merges, spaced)) is None
    assert tokenizer_data(ByteLevelBPE(OF_PAIRS.vocabulary, OF_PAIRS.merges, added={"<|end|>": 300})) is None


def test_runs_of_characters():
    runs = code_points(r"\p{N}")
    assert runs[:4] == [0x30, 10, 0xB2 - 0x3A, 2]
    behind = np.arange(0x40000, 0x110000, dtype="<u4").tobytes().decode("utf-32-le")
    assert not regex.search(r"[\p{L}\p{N}\s]", behind)
