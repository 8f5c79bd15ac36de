"""The page's tokenizer cuts, merges and numbers as Python's does, whatever letters the browser knows."""

import pytest
from helpers.javascript import edited, run
from hypothesis import given
from hypothesis import strategies as st

import llmtrace
from llmtrace.render.page_tokenizer import code_points, tokenizer_data
from llmtrace.testing import steady
from llmtrace.tokenizers.bpe import ByteLevelBPE
from llmtrace.tokenizers.byte_symbols import SYMBOLS
from llmtrace.tokenizers.characters import CharacterTokenizer
from llmtrace.tokenizers.splitting import Splitter

OF_PAIRS = ByteLevelBPE(
    {symbol: i for i, symbol in enumerate([*SYMBOLS, "aa", "ab", "aab", "aaaa", "Ġa"])},
    [("a", "a"), ("a", "b"), ("a", "ab"), ("aa", "aa"), ("Ġ", "a")],
)
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


def drawn():
    """Texts of all kinds."""
    found = list(HARD)
    alphabet = st.one_of(st.sampled_from("aab  '\n\t1é中"), st.characters(exclude_categories=["Cs"]))

    @steady(300, shrink=False)
    @given(st.text(alphabet, max_size=40))
    def collect(text):
        found.append(text)

    collect()
    return found


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
            }
            for piece in tokenizer.explain(text).pieces
        ]
        assert answer == expected, repr(text)


@pytest.mark.parametrize("tokenizer", [llmtrace.load().tokenizer, OF_PAIRS], ids=["storyteller", "pairs"])
def test_pieces_merges_and_ids(tokenizer):
    compare(tokenizer, drawn())


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
    assert tokenizer_data(CharacterTokenizer({"a": 0})) is None
    spaced = Splitter({"type": "ByteLevel", "add_prefix_space": True, "use_regex": True})
    assert tokenizer_data(ByteLevelBPE(OF_PAIRS.vocabulary, OF_PAIRS.merges, spaced)) is None
    assert tokenizer_data(ByteLevelBPE(OF_PAIRS.vocabulary, OF_PAIRS.merges, added={"<|end|>": 300})) is None


def test_runs_of_characters():
    runs = code_points(r"\p{N}")
    assert runs[:4] == [0x30, 10, 0xB2 - 0x3A, 2]
