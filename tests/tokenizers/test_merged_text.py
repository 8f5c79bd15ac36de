"""SentencePiece's tokenizers of merges give the ids that its own library gives, and `tokenizers` by a tokenizer.json."""

import copy
import json
import pickle

import pytest
from helpers.gguf_files import write_gpt2
from helpers.small_sentencepiece import pieces, tokenizer_json, trained
from hypothesis import example, given
from hypothesis import strategies as st

from llmtrace.errors import ModelError, PromptError
from llmtrace.storage.gguf import open_gguf
from llmtrace.tokenizers import MergedTextTokenizer, Tokenization, load_tokenizer
from llmtrace.tokenizers.gguf import read_gguf_tokenizer
from llmtrace.tokenizers.merging import merge_by_queue, merge_by_rank

tokenizers = pytest.importorskip("tokenizers", "0.20", reason="the library that is compared with is not installed")

NASTY = "é中文😀\u0300\u200d\x00\x85 \t\n\r　‏<>[]0ſİ"
TEXTS = st.text(st.sampled_from("  the cats of dogh12,. " + NASTY), max_size=40) | st.text(
    st.characters(exclude_characters="▁", exclude_categories=["Cs"]), max_size=12
)


@pytest.fixture(scope="module")
def library():
    return trained()


@pytest.fixture(scope="module")
def ours(library, tmp_path_factory):
    folder = tmp_path_factory.mktemp("sentencepiece")
    (folder / "tokenizer.model").write_bytes(library[1])
    return load_tokenizer(folder)


def from_gguf(path, theirs, **changes):
    texts, scores, kinds = pieces(theirs)

    def end(writer):
        writer.add_tokenizer_model("llama")
        writer.add_token_list(texts)
        writer.add_token_scores(changes.get("scores", scores))
        writer.add_token_types(kinds)
        for name in ("bos", "space"):
            if name in changes:
                (writer.add_add_bos_token if name == "bos" else writer.add_add_space_prefix)(changes[name])

    return read_gguf_tokenizer(open_gguf(write_gpt2(path, end=end)).settings)


@given(text=TEXTS)
@example("  two  spaces ")
@example("<tool>the<tool> cats</s>")
@example("the cats of the hats" * 20)
def test_the_ids_of_its_own_library(library, ours, text):
    ids = ours.encode(text)
    if "<tool>" not in text:  # after which its own library puts no space
        assert ids == [1, *library[0].encode(text)]
    assert ours.decode(ids) == text or "<tool>" in text
    found = ours.explain(text)
    assert found.ids == ids
    found.replay()
    again = Tokenization.from_dict(json.loads(json.dumps(found.to_dict())))
    assert again == found
    assert found.pieces[0].is_framing
    assert found.tokens[0].text == "<s>"


GEMMA = {"type": "Split", "pattern": {"String": " "}, "behavior": "MergedWithPrevious", "invert": False}


@pytest.mark.parametrize(
    ("space", "rule"),
    [
        ("before", {}),
        ("unless there", {}),
        ("first", {}),
        ("", {}),
        ("", GEMMA),
        ("unless there", {"split": True}),
        ("first", {"split": True}),
        ("", {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "never", "split": True}),
        ("", {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "never", "split": False}),
    ],
    ids=str,
)
def test_the_ids_of_tokenizers(library, tmp_path, space, rule):
    data = json.loads(tokenizer_json(library[0], space))
    data["pre_tokenizer"] = {**(data["pre_tokenizer"] or {}), **rule} or None
    if rule.get("type") == "Metaspace":
        data["normalizer"] = None
    content = json.dumps(data)
    (tmp_path / "tokenizer.json").write_text(content)
    tokenizer, theirs = load_tokenizer(tmp_path), tokenizers.Tokenizer.from_str(content)

    @given(text=TEXTS, special=st.booleans())
    @example("a<s>b<tool> c", True)
    @example("<s>b</s>", True)
    @example("<tool>b<tool>", False)
    def check(text, special):
        theirs.encode_special_tokens = not special
        expected = theirs.encode(text).ids
        if space in {"unless there", "first"} and text.startswith(" "):  # it would come back without
            with pytest.raises(PromptError, match="can't give"):
                tokenizer.encode(text, special)
            return
        ids = tokenizer.encode(text, special)
        assert ids == expected
        found = tokenizer.explain(text, special)
        found.replay()
        assert found.ids == ids

    check()
    tokenizer.save(tmp_path / "again")
    again = load_tokenizer(tmp_path / "again")
    assert again.encode("the cats of 12 dogs", True) == tokenizer.encode("the cats of 12 dogs", True)
    assert tokenizers.Tokenizer.from_file(str(tmp_path / "again" / "tokenizer.json")).encode("a é").ids == again.encode(
        "a é"
    )
    for other in (copy.deepcopy(tokenizer), pickle.loads(pickle.dumps(tokenizer))):
        assert other.encode("the cats") == tokenizer.encode("the cats")


def test_a_gguf_file_has_the_same_tokenizer(library, ours, tmp_path):
    tokenizer = from_gguf(tmp_path / "m.gguf", library[0])
    for text in ("the cats of 12 dogs", " a", "", "é中\n", "x<tool>y"):
        assert tokenizer.encode(text) == ours.encode(text)
    bare = from_gguf(tmp_path / "m.gguf", library[0], bos=False, space=False)
    assert bare.encode("the") == [i for i in ours.encode("the")[1:] if i] or bare.decode(bare.encode("the")) == "the"
    assert 1 not in bare.encode("the")
    with pytest.raises(ValueError, match="but not as many scores"):
        from_gguf(tmp_path / "m.gguf", library[0], scores=[0.0])
    with pytest.raises(ValueError, match="is not finite"):
        from_gguf(tmp_path / "m.gguf", library[0], scores=[float("nan")] * len(library[0]))


@given(
    st.text("ab", max_size=40),
    st.dictionaries(st.tuples(*[st.text("ab", min_size=1, max_size=4)] * 2), st.integers(0, 9)),
)
def test_the_queue_merges_as_the_definition_says(text, ranks):
    assert merge_by_queue(text, ranks.get) == merge_by_rank(text, ranks)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"model_type": "unigram", "vocab_size": 300}, "its model_type is 'unigram'; only bpe is supported"),
        ({"normalization_rule_name": "nmt_nfkc"}, "its normalizer 'nmt_nfkc' changes texts"),
        ({"remove_extra_whitespaces": True}, "remove_extra_whitespaces = True is not supported"),
        ({"treat_whitespace_as_suffix": True}, "treat_whitespace_as_suffix = True is not supported"),
    ],
)
def test_what_is_not_supported(tmp_path, settings, said):
    (tmp_path / "tokenizer.model").write_bytes(trained(**settings)[1])
    with pytest.raises(ModelError) as caught:
        load_tokenizer(tmp_path)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("file", "content", "said"),
    [
        ("added_tokens.json", {"<more>": 300}, "add the token '<more>', which is not supported"),
        ("special_tokens_map.json", {"pad_token": "[PAD]"}, "add the token '[PAD]', which is not supported"),
        ("tokenizer_config.json", {"added_tokens_decoder": {"300": {"content": "<x>"}}}, "add the token '<x>'"),
        ("tokenizer_config.json", {"pad_token": "</s>", "tokenizer_class": "LlamaTokenizerFast"}, ""),
        ("tokenizer_config.json", {"tokenizer_class": "T5Tokenizer"}, "it is a 'T5Tokenizer', which is not supported"),
        ("tokenizer_config.json", {"add_prefix_space": False}, "add_prefix_space is True in it, but not in"),
    ],
)
def test_what_stands_beside_it_is_not_passed_over(library, tmp_path, file, content, said):
    (tmp_path / "tokenizer.model").write_bytes(library[1])
    (tmp_path / file).write_text(json.dumps(content).replace("300", str(library[0].piece_size())))
    if not said:
        assert load_tokenizer(tmp_path).encode("the") == load_tokenizer(tmp_path).encode("the")
        return
    with pytest.raises(ModelError) as caught:
        load_tokenizer(tmp_path)
    assert said in str(caught.value)


@pytest.mark.parametrize("space", ["before", "unless there", "first", ""])
@pytest.mark.parametrize("adds", [True, False, None])
@pytest.mark.parametrize("kind", ["LlamaTokenizer", "PreTrainedTokenizerFast"])
def test_a_llama_adds_a_space_by_the_file_beside_it(library, tmp_path, space, adds, kind):
    """So the two must agree; other classes do what tokenizer.json says."""
    (tmp_path / "tokenizer.json").write_text(tokenizer_json(library[0], space))
    (tmp_path / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": kind, "add_prefix_space": adds}))
    if kind == "LlamaTokenizer" and adds is not None and adds is not bool(space):
        with pytest.raises(
            ModelError, match=f"add_prefix_space is {bool(space)} in it, but not in tokenizer_config.json"
        ):
            load_tokenizer(tmp_path)
    else:
        assert load_tokenizer(tmp_path).space == space


def test_damaged_files(library, tmp_path):
    content = library[1]
    for damaged in (
        content[:-3],
        content[:7],
        b"\xff" * 100,
        b"\x0a" + b"\xff" * 9 + b"\x01",
        content + b"\x0b",
        b"\x08\x01",
    ):
        (tmp_path / "tokenizer.model").write_bytes(damaged)
        with pytest.raises(ModelError) as caught:
            load_tokenizer(tmp_path)
        assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            lambda d: d.update(pre_tokenizer={"type": "Split", "pattern": {"String": " "}}),
            "only supported with Metaspace",
        ),
        (lambda d: d["pre_tokenizer"].update(replacement="_"), "replacement = '_'"),
        (lambda d: d["pre_tokenizer"].update(prepend_scheme="last"), "prepend_scheme = 'last'"),
        (lambda d: d.update(normalizer={"type": "NFC"}), "the normalizer 'NFC'"),
        (lambda d: d["decoder"]["decoders"].pop(), "decoder does not undo"),
        (lambda d: d["model"].update(dropout=0.1), "dropout = 0.1"),
        (lambda d: d["model"]["vocab"].pop("<0x41>"), "each of the 256 bytes"),
        (lambda d: d["model"]["merges"].insert(0, ["q", "qq"]), "merge 0 joins 'q' and 'qq'"),
        (lambda d: d["post_processor"].update(special_tokens={}), "does not say what '<s>' is"),
        (lambda d: d["post_processor"].update(single=[]), "does not put tokens around one text"),
        (
            lambda d: d["post_processor"].update(single=d["post_processor"]["pair"]),
            "does not put tokens around one text",
        ),
    ],
)
def test_a_tokenizer_json_that_is_not_supported(library, tmp_path, change, said):
    data = json.loads(tokenizer_json(library[0], "unless there"))
    change(data)
    (tmp_path / "tokenizer.json").write_text(json.dumps(data))
    with pytest.raises(ModelError) as caught:
        load_tokenizer(tmp_path)
    assert said in str(caught.value)


def test_a_long_text_takes_little_time(ours):
    text = "thecatsofdogs" * 8_000
    assert ours.decode(ours.encode(text)) == text


def test_a_text_with_its_own_sign_is_refused(ours):
    assert isinstance(ours, MergedTextTokenizer)
    with pytest.raises(PromptError, match="character 2 of the text is '▁'"):
        ours.encode("a▁b")


@given(st.text("cats dog12.", max_size=12))
def test_a_text_that_goes_on_with_another_gets_no_space(ours, text):
    further = ours.going_on()
    assert not further.framing.before
    assert further.decode_bytes(further.encode(text)).decode() == text
    assert further.explain(text).ids == further.encode(text)
    assert ours.encode("cat") == ours.encode("cat")[:1] + further.encode(" cat")
