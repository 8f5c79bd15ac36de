"""A tokenizer.json of any rules gives the ids that the `tokenizers` library gives, or is refused."""

import json
import unicodedata

import pytest
from helpers.fresh import THOROUGH, examples
from helpers.small_tokenizer import LLAMA3, MERGES, VOCABULARY
from helpers.unicode import characters
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from llmtrace.errors import ModelError, PromptError
from llmtrace.tokenizers.json_format.read import read_tokenizer_json
from llmtrace.tokenizers.patterns import Pattern
from llmtrace.tokenizers.splitting import GPT2_PATTERN, Cut

tokenizers = pytest.importorskip("tokenizers", "0.20", reason="the library that is compared with is not installed")

ODD = (
    "²¼½éſıİʕ中の　\u200c\u200d\u0300\u0301\u0323e\u2028가ᄀ\u1161\u11a8\u212b\x1c\x85\xa0\u0558\U0003fc3f😀🇩🇪٣Ⅷǅ\r\n\t"
)
TEXTS = st.text(st.sampled_from("helo th12'sS<>[]_.,!-ab " * 2 + ODD), max_size=20) | st.text(max_size=8)
PATTERNS = st.sampled_from(
    [
        *[GPT2_PATTERN, LLAMA3, r"\w+|[^\w\s]+", r"\W+", r"[^\W\d_]+", r"\s+", r"\d", r"l*", "", r"\p{Lu}?\p{Ll}*+"],
        *[
            r"(?<=e)l",
            r".",
            r"[\w\-']+",
            r"(?>he|h)e?",
            r"\p{N}{1,3}(?=\s)",
            r"(?i:'S|th)|o",
            r"[^e]",
            r"\S{2,}?",
            "]|}",
        ],
    ]
)
SPLITS = st.fixed_dictionaries(
    {
        "type": st.just("Split"),
        "pattern": st.builds(lambda text: {"Regex": text}, PATTERNS)
        | st.builds(lambda text: {"String": text}, st.sampled_from([" ", "l", "he", ".", "", "²"])),
        "behavior": st.sampled_from(["Isolated", "Removed", "Contiguous", "MergedWithPrevious", "MergedWithNext"]),
        "invert": st.booleans(),
    }
)
DIGITS = st.fixed_dictionaries({"type": st.just("Digits"), "individual_digits": st.booleans()})
BYTE_LEVEL = st.fixed_dictionaries(
    {
        **{name: st.booleans() for name in ("add_prefix_space", "trim_offsets", "use_regex")},
        "type": st.just("ByteLevel"),
    }
)
OTHERS = st.sampled_from(
    [{"type": kind} for kind in ("Whitespace", "WhitespaceSplit", "Punctuation", "BertPreTokenizer", "UnicodeScripts")]
    + [{"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": True}]
)
RULE = SPLITS | SPLITS | DIGITS | BYTE_LEVEL | OTHERS
SEQUENCE = st.builds(lambda parts: {"type": "Sequence", "pretokenizers": parts}, st.lists(RULE, max_size=3))
ENDED = st.builds(
    lambda parts, end: {"type": "Sequence", "pretokenizers": [*parts, end]},
    st.lists(SPLITS | DIGITS, max_size=2),
    BYTE_LEVEL,
)
NORMALIZERS = st.sampled_from(
    [None] * 8
    + [{"type": form} for form in ("NFC", "NFC", "NFD", "NFKC", "NFKD")]
    + [{"type": "Sequence", "normalizers": [{"type": "NFD"}, {"type": "NFKC"}]}]
    + [{"type": "Lowercase"}, {"type": "Prepend", "prepend": "x"}]
)
PROCESSORS = st.sampled_from(
    [None] * 8
    + [
        {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": False, "use_regex": True},
        {"type": "BertProcessing", "sep": ["a", VOCABULARY["a"]], "cls": ["b", VOCABULARY["b"]]},
        {
            "type": "TemplateProcessing",
            "single": [{"SpecialToken": {"id": "a", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
            "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
            "special_tokens": {"a": {"id": "a", "ids": [VOCABULARY["a"]], "tokens": ["a"]}},
        },
    ]
)
TRUNCATION = {"direction": "Right", "max_length": 3, "strategy": "LongestFirst", "stride": 0}
FLAGS = {name: st.sampled_from([False] * 9 + [True]) for name in ("single_word", "lstrip", "rstrip")}
ADDED = st.lists(
    st.fixed_dictionaries(
        {
            "content": st.sampled_from(["<s>", "he", "hello", "<s>h", "l l", "lo", "12", "s>", "é", " t"]),
            "id": st.integers(0, 3),
            **{name: st.booleans() for name in ("special", "normalized")},
            **FLAGS,
        }
    ),
    max_size=3,
    unique_by=lambda entry: entry["content"],
)
MODELS = st.fixed_dictionaries(
    {
        "unk_token": st.sampled_from([None, None, None, "<unk>", "h", "nowhere"]),
        "dropout": st.sampled_from([None] * 9 + [0.0]),
        "fuse_unk": st.booleans(),
        "byte_fallback": st.sampled_from([False] * 9 + [True]),
        "ignore_merges": st.booleans(),
        "continuing_subword_prefix": st.sampled_from([None] * 8 + ["", "##"]),
        "end_of_word_suffix": st.sampled_from([None] * 8 + ["", "</w>"]),
    }
)


@st.composite
def files(draw):
    """The contents of a tokenizer.json: some bytes may have no token, some pieces one of their own."""
    lacking = draw(st.sampled_from([(), (), (), ("h",), ("1", "Ã"), ("Ġ", "l")]))
    vocabulary = {text: n for text, n in VOCABULARY.items() if not set(text) & set(lacking)}
    vocabulary |= {"<unk>": 900, "Ġhello": 901}
    merges = [merge for merge in [*MERGES, "h e"] if not set(merge) & set(lacking)]
    added = draw(ADDED)
    next_id = len(vocabulary)
    for entry in added:
        lies = entry["id"] == 3
        entry["id"] = vocabulary.get(entry["content"], next_id + lies)
        next_id += entry["content"] not in vocabulary
    return {
        "version": "1.0",
        "truncation": draw(st.sampled_from([None] * 9 + [TRUNCATION])),
        "padding": None,
        "added_tokens": added,
        "normalizer": draw(NORMALIZERS),
        "pre_tokenizer": draw(ENDED | ENDED | BYTE_LEVEL | SEQUENCE | RULE | st.none()),
        "post_processor": draw(PROCESSORS),
        "decoder": {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True},
        "model": {"type": "BPE", **draw(MODELS), "vocab": vocabulary, "merges": merges},
    }


def ours(data, text, special):
    """The ids, or None where the file or the text is refused; the explanation must lead to the same."""
    try:
        tokenizer = read_tokenizer_json(json.loads(json.dumps(data)))
    except ModelError:
        return None
    try:
        ids = tokenizer.encode(text, special)
    except PromptError:
        return None
    explanation = tokenizer.explain(text, special)
    explanation.replay()
    assert explanation.ids == ids
    return ids


@settings(max_examples=examples(60), suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(files(), TEXTS, st.booleans())
def test_the_same_ids_or_a_refusal(data, text, special):
    found = ours(data, text, special)
    assume(found is not None)
    theirs = tokenizers.Tokenizer.from_str(json.dumps(data))
    theirs.encode_special_tokens = not special
    assert found == theirs.encode(text).ids


BEHAVIORS = {
    "Isolated": "isolated",
    "Removed": "removed",
    "Contiguous": "contiguous",
    "MergedWithPrevious": "merged_with_previous",
    "MergedWithNext": "merged_with_next",
}
ATOMS_WRITTEN = r"""
a b 1 ' é ² 中 \s \S \w \W \d \D \p{L} \P{N} \p{Lu} \. . \n \- [ab] [^ab] [a-z\d] [\w'] [^\W_] [^\s\p{L}]
(?:a|b) (?=a) (?!\s) (?<=a) (b) (?i:s|'T) (?>a|ab) [-a] [a-]
"""
ATOMS = st.sampled_from(ATOMS_WRITTEN.split())
COUNTS = st.sampled_from(["", "", "", "?", "*", "+", "??", "*?", "+?", "*+", "++", "{2}", "{1,2}", "{1,}", "{0,2}?"])
EXPRESSIONS = st.recursive(
    st.lists(st.tuples(ATOMS, COUNTS).map("".join), max_size=4).map("".join),
    lambda inner: (
        st.tuples(inner, st.sampled_from(["|", ""]), inner).map("".join)
        | inner.map(lambda text: f"(?:{text})")
        | inner.map(lambda text: f"(?:{text})?")
    ),
    max_leaves=3,
)


@settings(max_examples=examples(100))
@given(EXPRESSIONS, TEXTS, st.sampled_from(sorted(BEHAVIORS)), st.booleans())
@example(r"\w+|[^\w\s]+", "x²¼\u200c_é", "Isolated", False)
@example(r"\p{Lo}+", "ʕ\u0558中", "Isolated", False)
def test_patterns_cut_as_oniguruma_does(expression, text, behavior, inverted):
    try:
        cut = Cut(expression, behavior, inverted)
    except ModelError:
        assume(False)
    assume(text)
    try:
        theirs = tokenizers.pre_tokenizers.Split(tokenizers.Regex(expression), BEHAVIORS[behavior], inverted)
    except Exception as error:  # the library has no class of its own for it
        assume("Oniguruma error" not in str(error))
        raise
    wanted = [piece for piece, _place in theirs.pre_tokenize_str(text)]
    assert list(cut.pieces([text])) == wanted
    assert [text[start:end] for start, end, kept in cut.spans(text) if kept] == wanted
    assert "".join(text[start:end] for start, end, _kept in cut.spans(text)) == text


def test_every_character_by_itself():
    """Each character of Unicode, and some of those that are none, between a letter and a number: what it belongs to."""
    theirs = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    pattern = Pattern(GPT2_PATTERN)
    codes = list(map(ord, characters()))
    kinds = [unicodedata.category(c) for c in characters()]
    alike = {"Cn", "Co"}  # nine of ten codes, all treated alike
    if settings().max_examples < THOROUGH:  # of the others, most are letters without case: the ends of their ranges do
        ranges = zip(["", *kinds], kinds, [*kinds[1:], ""], strict=False)
        kinds = ["Cn" if before == kind == after == "Lo" else kind for before, kind, after in ranges]
    codes = [code for code, kind in zip(codes, kinds, strict=True) if code % 97 == 0 or kind not in alike]
    for start in range(0, len(codes), 4096):
        text = "".join(f"a{chr(code)}1" for code in codes[start : start + 4096])
        assert [*pattern.find(text)] == [place for _piece, place in theirs.pre_tokenize_str(text)]
