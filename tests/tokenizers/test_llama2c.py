"""The tokenizer of llama2.c gives the ids that its run.c gives."""

import struct

import pytest
from helpers.llama2c_files import write_tokenizer
from helpers.refusing import expect_refused
from hypothesis import example, given, settings
from hypothesis import strategies as st

from llmtrace.errors import ModelError
from llmtrace.tokenizers.llama2c import read_llama2c_tokenizer, tokenizer_beside

BYTES = [(f"<0x{byte:02X}>", 0.0) for byte in range(256)]
SPECIAL = [("<unk>", 0.0), ("\n<s>\n", 0.0), ("\n</s>\n", 0.0)]
WORDS = ["th", " th", "the", " the", "he", " a", "an", "in", "ing", " t", "é", "中", " 中", "  ", "    "]
SINGLE = [" ", *"thean ig<x0A>s"]
PIECES = [
    *SPECIAL,
    *BYTES,
    *((text, -float(rank)) for rank, text in enumerate(WORDS)),
    *((text, -100.0 - rank) for rank, text in enumerate(dict.fromkeys(SINGLE))),
]


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory):
    return read_llama2c_tokenizer(write_tokenizer(tmp_path_factory.mktemp("t") / "t.bin", PIECES), len(PIECES))


def by_run_c(text):
    """The way of run.c: characters, or their bytes behind the first three ids; then the best pair, the leftmost of equals."""
    vocabulary = [piece for piece, _score in PIECES]
    ids = [1] + ([vocabulary.index(" ")] if text else [])
    for character in text:
        ids += [vocabulary.index(character)] if character in vocabulary else [3 + byte for byte in character.encode()]
    while True:
        best, found = -1e10, None
        for place in range(len(ids) - 1):
            pair = vocabulary[ids[place]] + vocabulary[ids[place + 1]]
            if pair in vocabulary and PIECES[vocabulary.index(pair)][1] > best:
                best, found = PIECES[vocabulary.index(pair)][1], (place, vocabulary.index(pair))
        if found is None:
            return ids
        ids[found[0] : found[0] + 2] = [found[1]]


@settings(max_examples=60)
@given(text=st.text(st.sampled_from("the an in g é中😀\n\t xs"), max_size=14))
@example("the thing  in    an é 中 😀\n")
@example("")
def test_the_ids_of_run_c(tokenizer, text):
    ids = tokenizer.encode(text)
    assert ids == by_run_c(text)
    assert tokenizer.decode(ids) == text
    assert tokenizer.explain(text).ids == ids


def test_special_tokens(tokenizer):
    assert (tokenizer.special["<s>"], tokenizer.special["</s>"], tokenizer.special["<unk>"]) == (1, 2, 0)
    assert 2 not in tokenizer.encode("</s>")
    assert tokenizer.encode("</s>", special=True)[-1] == 2


def test_which_one_is_beside_a_model(tmp_path):
    model = tmp_path / "m.bin"
    assert tokenizer_beside(model, len(PIECES)) is None
    write_tokenizer(tmp_path / "tokenizer.bin", PIECES)
    assert len(tokenizer_beside(model, len(PIECES))) == len(PIECES)
    with pytest.raises(ModelError, match="it has more than the 9 tokens of the model"):
        tokenizer_beside(model, 9)
    write_tokenizer(tmp_path / "tok9.bin", PIECES[:9])
    assert len(tokenizer_beside(model, 9)) == 9


def entry(length, text=b"", score=0.0):
    return struct.pack("<fI", score, length) + text


def hostile():
    """Contents of a file for four tokens, and what is the matter with them."""
    good = [entry(5, b"<unk>"), entry(3, b"<s>"), entry(4, b"</s>"), entry(1, b"a")]
    head = struct.pack("<I", 5)
    whole = head + b"".join(good)
    for length in (0, 1, 3, 4, 11, 12, 16, len(whole) - 1):
        yield f"cut off after {length}", whole[:length]
    yield "a token more", whole + entry(1, b"b")
    yield "a byte more", whole + b"\0"
    for length in (0, 2, 5, 6, 1 << 16, 1 << 24, (1 << 31) - 1, 1 << 31, (1 << 32) - 1):
        yield f"a token of {length} bytes", head + b"".join(good[:3]) + entry(length, b"a")
        yield f"the first of {length} bytes", head + entry(length, b"<unk>?"[:6]) + b"".join(good[2:])
    for longest in (0, 1, 4):
        yield f"a longest token of {longest}", struct.pack("<I", longest) + b"".join(good)
    for said, raw in {"no UTF-8": b"\xff", "half a character": b"\xed\xa0\x80", "a part of one": b"\xe4"}.items():
        yield said, head + b"".join(good[:3]) + entry(len(raw), raw)
    yield "a token twice", head + b"".join(good[:3]) + entry(3, b"<s>")
    for score in ("nan", "inf", "-inf"):
        yield f"a score of {score}", head + b"".join(good[:3]) + entry(1, b"a", float(score))
    yield "much", head + bytes(33 << 20)
    yield "a token of 30 MB", struct.pack("<I", 1 << 31) + b"".join(good[:3]) + entry(30 << 20, bytes(30 << 20)) + b"\0"


def test_hostile_files(tmp_path):
    path = tmp_path / "t.bin"
    count = 0
    for said, raw in hostile():
        path.write_bytes(raw)
        expect_refused(said, lambda path: read_llama2c_tokenizer(path, 4), path, len(raw))
        count += 1
    assert count > 35


@pytest.mark.parametrize("count", [1, 2, 1 << 21, (1 << 31) - 1])
def test_models_of_no_or_too_many_tokens(tmp_path, count):
    path = write_tokenizer(tmp_path / "t.bin", PIECES[:2])
    expect_refused(str(count), lambda path: read_llama2c_tokenizer(path, count), path, 0)
