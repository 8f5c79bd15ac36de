"""The checksum of a tokenizer: the same for the same one, wherever it was read, another for another."""

import copy
import subprocess
import sys

import pytest
from helpers.small_tokenizer import TOKENIZER

import llmtrace
from llmtrace.tokenizers import ByteLevelBPE, CharacterTokenizer, UnigramTokenizer, load_tokenizer
from llmtrace.tokenizers.fingerprint import tokenizer_hash
from llmtrace.tokenizers.framing import Framing


def framed(tokenizer, *before):
    other = copy.copy(tokenizer)
    other.framing = Framing(before)
    return other


DIFFERENT = {
    "none": None,
    "characters": CharacterTokenizer({"a": 0, "b": 1}),
    "characters in another order": CharacterTokenizer({"a": 1, "b": 0}),
    "merges": TOKENIZER,
    "fewer merges": ByteLevelBPE(
        TOKENIZER.vocabulary, TOKENIZER.merges[:-1], TOKENIZER.splitter, special=TOKENIZER.special
    ),
    "a beginning": framed(TOKENIZER, 1),
    "another beginning": framed(TOKENIZER, 2),
    "flags": copy.copy(TOKENIZER).flagged({text: frozenset({"lstrip"}) for text in TOKENIZER.special}),
    "scores": UnigramTokenizer([("<unk>", 0.0), ("a", -1.0)], unknown=0),
    "other scores": UnigramTokenizer([("<unk>", 0.0), ("a", -1.5)], unknown=0),
}


def test_each_has_its_own():
    hashes = {name: tokenizer_hash(tokenizer) for name, tokenizer in DIFFERENT.items()}
    assert len(set(hashes.values())) == len(hashes)
    assert all(len(found) == 64 or name == "none" for name, found in hashes.items())


def test_it_is_the_same_where_it_was_saved_and_read(tmp_path):
    TOKENIZER.save(tmp_path)
    assert tokenizer_hash(load_tokenizer(tmp_path)) == tokenizer_hash(TOKENIZER) == tokenizer_hash(copy.copy(TOKENIZER))


@pytest.mark.parametrize("name", ["storyteller", "jielong"])
def test_it_depends_on_no_order_of_sets(name):
    code = "import llmtrace, sys; from llmtrace.tokenizers.fingerprint import tokenizer_hash as h; "
    code += f"print(h(llmtrace.load({name!r}).tokenizer))"
    found = {
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={"PYTHONHASHSEED": seed}
        ).stdout.strip()
        for seed in ("1", "2")
    }
    assert found == {tokenizer_hash(llmtrace.load(name).tokenizer)}
