"""The files beside a tokenizer: what they add is added, and no damage in any of them is more than one line."""

import copy
import json
from contextlib import suppress

import pytest
from helpers.small_tokenizer import BYTES, MERGES, SPLIT, TOKENIZER, VOCABULARY
from hypothesis import given
from hypothesis import strategies as st

from llmtrace.errors import LlmtraceError, ModelError
from llmtrace.tokenizers import CharacterTokenizer, UnigramTokenizer, WordPieceTokenizer, load_tokenizer
from llmtrace.tokenizers.json_format import write as formats
from llmtrace.tokenizers.json_format.read import read_tokenizer_json

LETTERS = {letter: index for index, letter in enumerate("abcdefgh")}
MAP, ADDED, CONFIG = "special_tokens_map.json", "added_tokens.json", "tokenizer_config.json"


def write(folder, vocabulary=LETTERS, **files):
    (folder / "vocab.json").write_text(json.dumps(vocabulary))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    for name, content in files.items():
        (folder / f"{name}.json").write_text(json.dumps(content))
    return folder


def special_token(text, **flags):
    return {"content": text, "special": True, **flags}


PAD, SPEAKER, END = "[PAD]", "<speaker>", "<|endoftext|>"
SAID = {
    "as ids and names": (
        {ADDED: {PAD: 8, SPEAKER: 9}, MAP: {"pad_token": PAD, "additional_special_tokens": [SPEAKER]}},
        (8, 9),
    ),
    "as a decoder": (
        {CONFIG: {"added_tokens_decoder": {"9": special_token(SPEAKER), "8": special_token(PAD)}}},
        (8, 9),
    ),
    "as names only": ({MAP: {"additional_special_tokens": [SPEAKER], "pad_token": PAD}}, (9, 10)),
    "as names in the other file": (
        {CONFIG: {"pad_token": {"content": PAD}, "extra_special_tokens": {"x": SPEAKER}}},
        (9, 10),
    ),
}
"""What transformers 5.24 makes of them; without ids, the end of a text gets its own first."""


@pytest.mark.parametrize(("files", "ids"), SAID.values(), ids=SAID)
def test_special_tokens_that_other_files_name(tmp_path, files, ids):
    tokenizer = load_tokenizer(write(tmp_path, **{name.removesuffix(".json"): data for name, data in files.items()}))
    assert tokenizer.encode(f"ab{SPEAKER}c{PAD}", special=True) == [0, 1, ids[1], 2, ids[0]]
    assert [tokenizer.token(index) for index in ids] == [PAD, SPEAKER]
    assert {PAD: ids[0], SPEAKER: ids[1]}.items() <= tokenizer.special.items()


def test_ordinary_added_tokens_are_always_found(tmp_path):
    tokenizer = load_tokenizer(write(tmp_path, added_tokens={PAD: 8, SPEAKER: 9}))
    assert tokenizer.encode(f"a{SPEAKER}b") == [0, 9, 1]
    assert tokenizer.added == {PAD: 8, SPEAKER: 9}


def test_a_tokenizer_json_gets_them_too(tmp_path):
    TOKENIZER.save(tmp_path)
    (tmp_path / ADDED).write_text(json.dumps({SPEAKER: len(VOCABULARY)}))
    assert load_tokenizer(tmp_path).encode(f"he{SPEAKER}") == [VOCABULARY["he"], len(VOCABULARY)]


def test_a_space_may_be_added(tmp_path):
    tokenizer = load_tokenizer(write(tmp_path, {**LETTERS, "Ġ": 8}, tokenizer_config={"add_prefix_space": True}))
    assert tokenizer.encode("ab") == [8, 0, 1]


def test_a_token_may_take_the_spaces_before_it(tmp_path):
    there = write(tmp_path, special_tokens_map={"mask_token": special_token("<m>", lstrip=True)})
    assert load_tokenizer(there).encode("a  <m>b", special=True) == [0, 9, 1]


CONTRADICTIONS = {
    "an id that is another's": ({"added_tokens": {PAD: 3}}, r"'\[PAD\]' has the id 3, but 8"),
    "an id after a gap": ({"added_tokens": {PAD: 20}}, r"'\[PAD\]' has the id 20, but 8"),
    "a class of another kind": ({"tokenizer_config": {"tokenizer_class": "CLIPTokenizer"}}, "a 'CLIPTokenizer'"),
    "a token that is none": ({"special_tokens_map": {"mask_token": 5}}, "a special token is 5, not a text"),
    "a setting that is none": ({"tokenizer_config": {"add_prefix_space": "x"}}, "add_prefix_space = 'x'"),
    "a list": ({"added_tokens": [PAD]}, "is not a JSON object"),
}


@pytest.mark.parametrize(("files", "message"), CONTRADICTIONS.values(), ids=CONTRADICTIONS)
def test_what_is_refused(tmp_path, files, message):
    with pytest.raises(ModelError, match=message):
        load_tokenizer(write(tmp_path, **files))


AT_FAULT = {
    "an id that is a text": (ADDED, {"zz": "y"}, "the id of the token 'zz' is 'y', not a whole number from 0 to 2,147"),
    "an id below 0": (ADDED, {"zz": -1}, "is -1, not a whole number from 0"),
    "an id that another has": (ADDED, {"zz": 3}, "'zz' has the id 3, but "),
    "a decoder without ids": (CONFIG, {"added_tokens_decoder": {"-1": special_token("x")}}, "'x' is '-1', not a whole"),
    "a decoder of nothing": (CONFIG, {"added_tokens_decoder": {"abc": 5}}, "a special token is 5"),
    "a flag that is none": (CONFIG, {"pad_token": special_token("x", lstrip="y")}, "it has lstrip = 'y'"),
    "a setting that is none": (CONFIG, {"add_prefix_space": "x"}, "it has add_prefix_space = 'x'"),
    "a name that is none": (MAP, {"mask_token": 5}, "a special token is 5"),
    "a name in a list": (MAP, {"additional_special_tokens": ["a", 5]}, "a special token is 5"),
}


@pytest.mark.parametrize(("file", "content", "message"), AT_FAULT.values(), ids=AT_FAULT)
@pytest.mark.parametrize("save", [TOKENIZER.save, write], ids=["tokenizer.json", "vocab.json"])
def test_the_file_that_is_wrong_is_named(tmp_path, save, file, content, message):
    save(tmp_path)
    load_tokenizer(tmp_path)
    (tmp_path / file).write_text(json.dumps(content))
    with pytest.raises(ModelError) as caught:
        load_tokenizer(tmp_path)
    assert str(caught.value).startswith(f"{tmp_path / file} can't be used: ")
    assert message in str(caught.value)


def test_what_is_never_to_be_split_is_refused_by_the_file_that_says_so(tmp_path):
    (tmp_path / "vocab.txt").write_text("[UNK]\na\n")
    (tmp_path / CONFIG).write_text('{"never_split": ["a"]}')
    with pytest.raises(ModelError, match=rf"{CONFIG} can't be used: its setting never_split"):
        load_tokenizer(tmp_path)


def test_two_files_that_contradict_each_other(tmp_path):
    TOKENIZER.save(tmp_path)
    (tmp_path / CONFIG).write_text('{"add_prefix_space": true}')
    with pytest.raises(ModelError, match=r"add_prefix_space is False in it, but not in tokenizer_config.json"):
        load_tokenizer(tmp_path)


# ---- damage ---------------------------------------------------------------------------------------------------------

UNIGRAM = [("<unk>", 0.0), ("▁a", -1.0), ("b", -2.0), ("▁", -3.0), ("a", -1.5)]
WORDS = {"[UNK]": 0, "a": 1, "##b": 2, "b": 3, "[SEP]": 4}
CONTENTS = [
    formats.byte_level_json(TOKENIZER),
    formats.unigram_json(UnigramTokenizer(UNIGRAM, unknown=0, adds_space=True)),
    formats.wordpiece_json(WordPieceTokenizer(WORDS, special={"[SEP]": 4})),
    formats.character_json(CharacterTokenizer({"a": 0, "b": 1})),
    {**formats.byte_level_json(TOKENIZER), "pre_tokenizer": {"type": "Sequence", "pretokenizers": [SPLIT, BYTES]}},
]
BESIDE = {
    CONFIG: {"add_prefix_space": False, "added_tokens_decoder": {"0": special_token("a")}, "pad_token": "<pad>"},
    ADDED: {"<z>": 300},
    MAP: {"eos_token": "<e>", "extra_special_tokens": {"q": "<q>"}, "unk_token": special_token("<u>")},
}
VALUES = [
    *[None, True, 0, -1, 1.5, 10**20, "", "x", "▁", [], {}, [1], ["a"], [["a", 1]], {"a": 1}, {"content": 5}, [[]]],
    *["ByteLevel", "Sequence", "Split", "WordPiece", "Unigram", "BPE", {"type": "Sequence"}, {"type": ["x"]}],
    *[{"Regex": "(a+)+"}, {"String": 3}, "\x1b[2J" * 100, {"x\n" * 50: 1}],
]


def places(data, path=()):
    """Where something stands in it, at the beginning of each part."""
    if isinstance(data, dict | list):
        for name in list(data)[:12] if isinstance(data, dict) else range(min(6, len(data))):
            yield (*path, name)
            yield from places(data[name], (*path, name))


@st.composite
def damaged(draw, contents):
    """A copy in which some values are others, or are not there."""
    data = copy.deepcopy(contents)
    for _ in range(draw(st.integers(0, 3))):
        found = list(places(data))
        if not found:
            break
        *path, name = draw(st.sampled_from(found))
        part = data
        for each in path:
            part = part[each]
        if draw(st.booleans()):
            part[name] = copy.deepcopy(draw(st.sampled_from(VALUES)))
        else:
            del part[name]
    return data


METASPACE = {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": False}
CHARACTERS = {
    "model": {"type": "BPE", "byte_fallback": False, "vocab": {"▁": 0, "a": 1, "▁a": 2, "<s>": 3}, "merges": ["▁ a"]},
    "normalizer": {"type": "Sequence", "normalizers": [{"type": "NFC"}]},
    "pre_tokenizer": METASPACE,
    "decoder": METASPACE,
    "post_processor": {
        "type": "TemplateProcessing",
        "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
        "special_tokens": {"<s>": {"id": "<s>", "ids": [3], "tokens": ["<s>"]}},
    },
    "added_tokens": [{"id": 3, "content": "<s>", "special": True}],
}


@pytest.mark.parametrize("content", [*CONTENTS, CHARACTERS], ids=lambda content: content["model"]["type"])
def test_a_list_or_an_object_anywhere_is_one_line(content):
    """Neither can be looked up in a set or a dict, so every place that asks which of some names stands there must not."""
    for *path, name in places(content):
        for value in ([], {}, ["a"], {"type": ["a"]}):
            data = copy.deepcopy(content)
            part = data
            for each in path:
                part = part[each]
            part[name] = value
            with suppress(LlmtraceError):
                read_tokenizer_json(data)


@given(st.data())
def test_no_damage_is_more_than_one_line(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("damaged")
    if data.draw(st.booleans()):
        content = data.draw(st.sampled_from(CONTENTS).flatmap(damaged))
        (folder / "tokenizer.json").write_text(json.dumps(content))
    else:
        (folder / "vocab.json").write_text(json.dumps(data.draw(damaged(VOCABULARY))))
        (folder / "merges.txt").write_text("\n".join(MERGES))
    for name, content in BESIDE.items():
        if data.draw(st.booleans()):
            (folder / name).write_text(json.dumps(data.draw(damaged(content))))
    try:
        tokenizer = load_tokenizer(folder)
        for text in ("ab b", " a", "hello 12 中é", "[SEP] a<|endoftext|>"):
            explanation = tokenizer.explain(text, special=True)
            explanation.replay()
            assert tokenizer.encode(text, special=True) == explanation.ids
            tokenizer.decode(explanation.ids)
    except LlmtraceError as error:
        said = str(error).replace(str(folder), "")
        assert said.isprintable()
        assert len(said) < 500
