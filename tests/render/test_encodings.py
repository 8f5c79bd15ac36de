"""What an encoding lacks is escaped or, where it is llmtrace's own sign, a plain one; nobody's text becomes another text."""

import re
from pathlib import Path

import pytest
from helpers.fresh import quick
from helpers.inert import texts
from helpers.printing import as_text, printed
from helpers.terminal import piped
from hypothesis import given
from hypothesis import strategies as st

import llmtrace
from llmtrace.encodings import SIGNS, in_encoding, writable
from llmtrace.text import inert, quoted
from llmtrace.views.document import Document, Token, paragraph


def said(*arguments, encoding, **env):
    """What a command writes to both of its outputs in an encoding."""
    written = piped(*arguments, PYTHONIOENCODING=encoding, **{"LLMTRACE_LANG": "en", **env})
    return tuple(each.decode(encoding) for each in written)


ENCODINGS = ["ascii", "latin-1", "cp1252", "gbk", "cp936", "gb18030", "big5", "shift_jis", "koi8-r", "utf-8"]


@given(texts, st.sampled_from(ENCODINGS), st.booleans(), st.booleans())
def test_everything_can_be_written(text, encoding, plain_signs, typed):
    shown = in_encoding(inert(text), encoding, plain_signs, typed)
    assert writable(shown, encoding)
    if writable(inert(text), encoding) and not plain_signs:
        assert shown == inert(text)
    if encoding == "ascii":
        assert shown.isascii()


@given(texts, texts, st.sampled_from(ENCODINGS), st.booleans())
def test_two_texts_never_look_alike(one, other, encoding, plain_signs):
    def shown(text):
        return in_encoding(quoted(text), encoding, plain_signs, typed=True)

    assert (shown(one) == shown(other)) == (one == other)


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("plain_signs", [False, True])
def test_a_sign_in_quotes_is_never_its_plain_name(encoding, plain_signs):
    for sign in SIGNS:
        shown = in_encoding(f"✓ a token '{sign}' →", encoding, plain_signs).split("'")[1]
        if not sign.isalpha():
            escaped = sign.encode("ascii", "backslashreplace").decode()
            assert shown in ({sign, escaped} if writable(sign, encoding) else {escaped}), sign


def test_own_signs_have_plain_names():
    own = "(Σ q · k) / √D, √100, √Σx², √(2/π), Xᵀ, φ, β₁, 10⁻⁸, −1 × 2, FILE…, “so”, 0 → ∞"
    assert in_encoding(own, "ascii") == (
        '(sum q * k) / sqrt(D), sqrt(100), sqrt(sum x^2), sqrt(2/pi), X^T, phi, beta1, 10^-8, -1 * 2, FILE..., "so", 0 -> inf'
    )
    assert in_encoding("' wor… 4 % ' a' → é 中", "ascii") == r"' wor... 4 % ' a' -> \xe9 \u4e2d"


def test_plain_signs_leave_letters():
    assert in_encoding("得到 √x → é，'✓é'", "utf-8", True) == r"得到 sqrt(x) -> é，'\u2713é'"
    shown = as_text(Document((paragraph("… ", Token("✓ 中")),)), 80, only_ascii=True)
    assert shown == r"... '\u2713 中'"


@pytest.mark.parametrize(
    ("turn", "command"),
    list(enumerate([["learn", "--help"], ["learn", "perceptron"], ["tokenize", "中华"], ["show", "nothing"]])),
)
def test_chinese_is_written_where_the_encoding_has_it(turn, command):
    """In a quick run, in one encoding by turns."""
    encodings = ("gbk", "gb18030", "cp936")
    for encoding in encodings[turn % 3 :: 3] if quick() else encodings:
        both = "".join(said("--lang", "zh", *command, encoding=encoding))
        assert "\\u" not in both
        assert any("\u4e00" <= character <= "\u9fff" for character in both)


def test_where_chinese_cannot_be_written_it_is_english_and_says_so():
    for options, language in (["--lang", "zh"], "en"), ([], "zh"):
        written, note = said(*options, "learn", "perceptron", encoding="ascii", LLMTRACE_LANG=language)
        assert written.startswith("Three questions")
        assert "this is English" in note
    written, note = said("--lang", "en", "learn", "perceptron", encoding="ascii", LLMTRACE_LANG="zh")
    assert (written.startswith("Three questions"), note) == (True, "")


def test_a_sign_that_was_typed_is_not_replaced():
    assert said("tokenize", "✓", encoding="ascii")[0].startswith(r"'\u2713'")


def test_what_is_explained_can_be_written_in_any_encoding():
    explanation = llmtrace.load().trace("é ✓ 中").explain("block.0.attn.scores", 0, 3, 1)
    for encoding in ENCODINGS:
        assert printed(explanation, 60, encoding)


def test_every_greek_letter_that_is_written_has_a_name():
    package = Path(llmtrace.__file__).parent
    files = [*package.rglob("*.py"), *package.rglob("*.md"), *package.rglob("*.po")]
    used = {letter for file in files for letter in re.findall("[\u0370-\u03ff]", file.read_text("utf-8"))}
    assert {"λ", "π", "ε"} <= used
    assert used <= set(SIGNS)
