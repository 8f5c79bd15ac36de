"""Patterns of a tokenizer.json: what is not surely safe and the same is refused by its name, and no text takes too long."""

import json
import time

import pytest
from helpers.small_tokenizer import BYTES, LLAMA3, VOCABULARY

from llmtrace.errors import ModelError, PromptError
from llmtrace.tokenizers import load_tokenizer, patterns
from llmtrace.tokenizers.patterns import Pattern
from llmtrace.tokenizers.splitting import GPT2_PATTERN

REFUSED = {
    r"(a+)+b": "a group that repeats",
    r"(?:a|a)*b": "a group that repeats",
    r"(?:(?:a*)*)*": "a group that repeats",
    r"(?:\s{1,9}){1,9}": "a group that repeats",
    r"(?=a)*": "a repetition of nothing",
    r"a**": "one repetition after another",
    r"a{1,100000}": "a brace",
    r"a{3,2}": "a brace",
    r"a{x": "a brace",
    r"a{2}+": "a plus sign",
    r"a{2}?": "a question mark",
    r"*a": "a repetition of nothing",
    r"(?m)a": "unusual kind",
    r"(?q)a": "unusual kind",
    r"(?P<x>a)": "unusual kind",
    r"(?<x>a)": "unusual kind",
    r"(a": "not closed",
    r"a)": "not opened",
    r"[a": "ends too early",
    r"[]a]": r"begins with \]",
    r"[a[b]]": "a class in a class",
    r"[a&&b]": "a class in a class",
    r"[b-a]": "a range that is none",
    r"[\s-a]": "a range that is none",
    "a\\": "ends too early",
    r"\1": "unusual escape",
    r"\b": "unusual escape",
    r"\X": "unusual escape",
    r"\p{Lx}": "unusual property",
    r"\p{L": "unusual property",
    r"^a": r"\^ or \$",
    r"a$": r"\^ or \$",
    r"(?<=a+)b": "a look behind",
    r"(?i:é)": "without regard to case",
    r"(?i:[a-z])": "without regard to case",
    "(" * 30 + ")" * 30: "nested too deeply",
    "a" * 5000: "too long",
}


@pytest.mark.parametrize(("expression", "why"), REFUSED.items(), ids=[text[:20] for text in REFUSED])
def test_what_is_refused(expression, why):
    with pytest.raises(ModelError, match=why) as caught:
        Pattern(expression)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 250


@pytest.mark.parametrize("expression", [GPT2_PATTERN, LLAMA3])
@pytest.mark.parametrize("unit", [" ", "a", "1", "\n", "'s ", "中", "a " * 3 + "\n"])
def test_the_known_patterns_are_quick_on_everything(expression, unit):
    text = unit * (50_000 // len(unit))
    start = time.process_time()
    assert sum(end - begin for begin, end in Pattern(expression).find(text)) == len(text)
    assert time.process_time() - start < 3  # it takes 0.1, and 7 where it goes over the text again and again


def folder_with(folder, expression):
    rule = {"type": "Split", "pattern": {"Regex": expression}, "behavior": "Isolated", "invert": False}
    data = {"pre_tokenizer": {"type": "Sequence", "pretokenizers": [rule, BYTES]}, "decoder": {"type": "ByteLevel"}}
    data["model"] = {"type": "BPE", "vocab": VOCABULARY, "merges": []}
    (folder / "tokenizer.json").write_text(json.dumps(data))
    return load_tokenizer(folder)


@pytest.mark.parametrize("expression", [r"a*a*a*a*b|c", r"(?=(?:.?a*)?b).", r"(?:.?.?.?.?.?.?.?.?.?.?.?.?x)?"])
def test_a_text_that_takes_too_long_is_refused(tmp_path, monkeypatch, expression):
    monkeypatch.setattr(patterns, "PATIENCE", 0.1)
    monkeypatch.setattr(patterns, "PATIENCE_EACH", 0)
    tokenizer = folder_with(tmp_path, expression)
    text = "a" * 20_000
    start = time.process_time()
    for method in (tokenizer.encode, tokenizer.explain):
        with pytest.raises(PromptError, match="takes too long on the text '") as caught:
            method(text)
        assert "\n" not in str(caught.value)
        assert len(str(caught.value)) < 300
    assert time.process_time() - start < 10
    assert tokenizer.encode("ab") == [VOCABULARY["a"], VOCABULARY["b"]]
