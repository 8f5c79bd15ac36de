"""The files of tokenizers: all formats, saving and reading again, and what is refused in one line."""

import json

import pytest
from helpers.small_tokenizer import BYTES, END, MERGES, SPLIT, TOKENIZER, VOCABULARY

from llmtrace.errors import ModelError
from llmtrace.tokenizers import ByteLevelBPE, CharacterTokenizer, load_tokenizer
from llmtrace.tokenizers.json_format.added import MOST_ADDED
from llmtrace.tokenizers.splitting import GPT2_SPLIT, Splitter

NEXT = len(VOCABULARY)


def write_json(folder, added=(), **changes):
    """A tokenizer.json of the small tokenizer; `changes` go into the model, or, with their names, beside it."""
    beside = {name: changes.pop(name) for name in ("pre_tokenizer", "decoder", "normalizer") if name in changes}
    model = {"type": "BPE", "vocab": VOCABULARY, "merges": MERGES, **changes}
    data = {"added_tokens": list(added), "pre_tokenizer": dict(GPT2_SPLIT), "model": model, **beside}
    (folder / "tokenizer.json").write_text(json.dumps(data), encoding="utf-8")
    return folder


def special_token(**changes):
    return {"id": VOCABULARY[END], "content": END, "special": True, **changes}


def same(one, other, text="hello the 12 中 hellhe"):
    return one.encode(text) == other.encode(text) and len(one) == len(other) and one.special == other.special


@pytest.mark.parametrize("names", [("vocab.json", "merges.txt"), ("encoder.json", "vocab.bpe")])
@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_vocabulary_and_merges(tmp_path, names, ends):
    (tmp_path / names[0]).write_text(json.dumps(VOCABULARY))
    (tmp_path / names[1]).write_bytes(ends.join(["#version: 0.2", *MERGES, ""]).encode())
    assert same(load_tokenizer(tmp_path), TOKENIZER)


@pytest.mark.parametrize("merges", [MERGES, [m.split() for m in MERGES]], ids=["texts", "pairs"])
def test_tokenizer_json(tmp_path, merges):
    assert same(load_tokenizer(write_json(tmp_path, [special_token()], merges=merges)), TOKENIZER)


def test_no_tokenizer(tmp_path):
    assert load_tokenizer(tmp_path) is None


def test_added_tokens_that_are_not_special_are_always_found(tmp_path):
    tokenizer = load_tokenizer(write_json(tmp_path, [{"id": NEXT, "content": "he the", "special": False}]))
    assert tokenizer.encode("12he the") == [VOCABULARY["12"], NEXT]
    assert (tokenizer.decode([NEXT]), len(tokenizer)) == ("he the", NEXT + 1)


def test_the_longest_added_token_is_found(tmp_path):
    added = [{"id": NEXT + n, "content": text} for n, text in enumerate(["aa", "aaa", "a."])]
    found = load_tokenizer(write_json(tmp_path, added)).encode("aaaaaxa.")
    assert found == [NEXT + 1, NEXT, VOCABULARY["x"], NEXT + 2]


def test_whole_pieces_are_looked_up(tmp_path):
    """`ignore_merges`: " hello" is in the vocabulary, but no merges lead there."""
    vocabulary = {**VOCABULARY, "Ġhello": 999}
    merged = load_tokenizer(write_json(tmp_path, vocab=vocabulary))
    looked_up = load_tokenizer(write_json(tmp_path, vocab=vocabulary, ignore_merges=True))
    assert len(merged.encode(" hello")) == 2
    assert looked_up.encode(" hello") == [999] == looked_up.explain(" hello").ids
    looked_up.explain(" hello hello12").replay()
    looked_up.save(tmp_path)
    assert load_tokenizer(tmp_path).encode(" hello") == [999]


def test_saved_and_loaded(tmp_path):
    added = {"he the": 600}
    splitter = Splitter({"type": "Sequence", "pretokenizers": [SPLIT, BYTES]})
    tokenizer = ByteLevelBPE(VOCABULARY, TOKENIZER.merges, splitter, added, {END: VOCABULARY[END], "<s> é": 700})
    assert tokenizer.save(tmp_path / "new").name == "tokenizer.json"
    again = load_tokenizer(tmp_path / "new")
    text = f"hello he the 12345 {END}<s> é中"
    assert (again.vocabulary, again.merges, again.added, again.special) == (
        {**VOCABULARY, **added, "<s> é": 700},  # so that `tokenizers` does not give them the next ids
        TOKENIZER.merges,
        added,
        tokenizer.special,
    )
    assert again.encode(text, special=True) == tokenizer.encode(text, special=True)
    assert again.decode(again.encode(text, special=True)) == text
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["tokenizer.json"]


def test_characters_saved_and_loaded(tmp_path):
    CharacterTokenizer({"A": 0, "\n": 1, "中": 2}).save(tmp_path)
    again = load_tokenizer(tmp_path)
    assert isinstance(again, CharacterTokenizer)
    assert again.encode("中A\n") == [2, 0, 1]


def sequence(rule):
    return {"type": "Sequence", "pretokenizers": [rule, BYTES]}


BROKEN = {
    "words": ({"type": "WordLevel"}, "'WordLevel'; only 'BPE', 'Unigram' and 'WordPiece' are supported"),
    "no vocabulary": ({"vocab": None}, "no vocabulary"),
    "an id that is a text": ({"vocab": {"a": "1"}}, "id of the token 'a' is '1'"),
    "an id below 0": ({"vocab": {"a": -1}}, "id of the token 'a' is -1, not a whole number from 0 to 2,147,483,646"),
    "an id beyond all": ({"vocab": {"a": 1 << 40}}, "is 1099511627776, not a whole number from 0 to 2,147,483,646"),
    "an id that is true": ({"vocab": {"a": True}}, "id of the token 'a' is True"),
    "an id twice": ({"vocab": {**VOCABULARY, "xy": 5}}, "id 5 stands for two tokens"),
    "no merges": ({"merges": None}, "no list of merges"),
    "a merge of three": ({"merges": ["a b c"]}, "merge 0 is 'a b c', not two symbols"),
    "a merge of numbers": ({"merges": [["h", "e"], [1, 2]]}, r"merge 1 is \[1, 2\]"),
    "a merge of nothing": ({"merges": [3]}, "merge 0 is 3"),
    "a merge of unknown tokens": ({"merges": ["h zz"]}, "'zz' is not in the vocabulary"),
    "a merge into nothing": ({"merges": ["e h"]}, "'eh' is not in the vocabulary"),
    "merges without end": ({"merges": ["h e"] * 1_000_000}, "1000000 merges, more than its vocabulary"),
    "dropout": ({"dropout": 0.1}, "dropout = 0.1"),
    "suffixes": ({"end_of_word_suffix": "</w>"}, "end_of_word_suffix"),
    "SentencePiece": ({"byte_fallback": True}, "byte_fallback"),
    "a normalizer": ({"normalizer": {"type": "Lowercase"}}, "normalizer 'Lowercase'"),
    "another splitter": ({"pre_tokenizer": {"type": "Whitespace"}, "decoder": {"type": "ByteLevel"}}, "'Whitespace'"),
    "no bytes": ({"pre_tokenizer": None}, "no ByteLevel in it"),
    "another behaviour": ({"pre_tokenizer": sequence({**SPLIT, "behavior": "Mirrored"})}, "'Mirrored'"),
    "a bad pattern": ({"pre_tokenizer": sequence({**SPLIT, "pattern": {"Regex": "("}})}, r"pattern '\('"),
    "a decoder of numbers": ({"pre_tokenizer": None, "decoder": {"decoders": 3}}, "no ByteLevel in it"),
}


@pytest.mark.parametrize(("changes", "message"), BROKEN.values(), ids=BROKEN)
def test_broken_and_unsupported_files_are_refused(tmp_path, changes, message):
    with pytest.raises(ModelError, match=f"tokenizer.json can't be used as a tokenizer: .*{message}") as caught:
        load_tokenizer(write_json(tmp_path, **changes))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        (special_token(id=3), "has the id 3, but"),
        (special_token(lstrip=3), "lstrip = 3"),
        ({"content": "", "id": 3}, "needs a content and an id"),
        ("x", "needs a content and an id"),
        (special_token(id=None), "needs a content and an id"),
        (special_token(id=-1), "is -1, not a whole number from 0 to 2,147,483,646"),
    ],
)
def test_added_tokens_that_are_refused(tmp_path, entry, message):
    with pytest.raises(ModelError, match=message):
        load_tokenizer(write_json(tmp_path, [entry]))


def test_more_added_tokens_than_any_model_has(tmp_path):
    entries = [special_token(id=10 + n, content=f"<{n}>") for n in range(MOST_ADDED + 1)]
    with pytest.raises(ModelError, match="32,769 special or added tokens are too many: at most 32,768 are supported"):
        load_tokenizer(write_json(tmp_path, entries))


@pytest.mark.parametrize("content", [b"[]", b"null", b'{"model": 3}', b'{"model": {"type": "BPE"}}'])
def test_what_is_no_tokenizer_file(tmp_path, content):
    (tmp_path / "tokenizer.json").write_bytes(content)
    with pytest.raises(ModelError, match="can't be used as a tokenizer"):
        load_tokenizer(tmp_path)


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"[" * 100_000, b'{"a": "\\ud800"}'])
def test_what_is_no_json(tmp_path, content):
    (tmp_path / "tokenizer.json").write_bytes(content)
    with pytest.raises(ModelError, match=r"tokenizer.json is (not valid JSON|empty)"):
        load_tokenizer(tmp_path)


@pytest.mark.parametrize(("there", "lacking"), [("vocab.json", "merges.txt"), ("vocab.bpe", "encoder.json")])
def test_half_of_a_tokenizer(tmp_path, there, lacking):
    (tmp_path / there).write_text("{}")
    with pytest.raises(ModelError, match=f"{there} can't be used as a tokenizer: it needs {lacking} beside it"):
        load_tokenizer(tmp_path)
