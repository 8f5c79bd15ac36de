"""A GGUF file's tokenizer gives the ids that the `tokenizers` library gives by the rules of the same name."""

import json

import numpy as np
import pytest
from helpers import smollm2
from helpers.gguf_files import write_gpt2
from helpers.small_tokenizer import END, LLAMA3, MERGES, VOCABULARY
from hypothesis import example, given, settings
from hypothesis import strategies as st

from llmtrace.errors import PromptError
from llmtrace.storage.gguf import open_gguf
from llmtrace.tokenizers.byte_symbols import SYMBOLS
from llmtrace.tokenizers.gguf import SPLITS, read_gguf_tokenizer

tokenizers = pytest.importorskip("tokenizers", "0.20", reason="the library that is compared with is not installed")

QWEN2 = LLAMA3.replace(r"\p{N}{1,3}", r"\p{N}")
ODD = "²¼½éſıİʕ中の　\u200c\u200d\u0300\u2028\x1c\x85\xa0\u0558\U0003fc3f😀🇩🇪٣Ⅷǅ\r\n\t"
TEXTS = st.text(st.sampled_from("helo th12'sS<>[]_.,!-ab " * 2 + ODD), max_size=30) | st.text(max_size=8)


def split(pattern):
    regex = tokenizers.pre_tokenizers.Split(tokenizers.Regex(pattern), "isolated")
    return tokenizers.pre_tokenizers.Sequence([regex, tokenizers.pre_tokenizers.ByteLevel(False, use_regex=False)])


def theirs(pre, vocabulary, merges, special):
    """The tokenizer with the rules that the models' own tokenizer.json have."""
    model = tokenizers.models.BPE(vocab=vocabulary, merges=merges, ignore_merges=pre == "llama-bpe")
    tokenizer = tokenizers.Tokenizer(model)
    tokenizer.add_special_tokens(special)
    byte_level = tokenizers.pre_tokenizers.ByteLevel(False)
    digits = tokenizers.pre_tokenizers.Digits(individual_digits=True)
    tokenizer.pre_tokenizer = {
        "gpt-2": byte_level,
        "smollm": tokenizers.pre_tokenizers.Sequence([digits, byte_level]),
        "llama-bpe": split(LLAMA3),
        "qwen2": split(QWEN2),
    }[pre]
    return tokenizer


def ended(pre, tokens=tuple(VOCABULARY), kinds=None, merges=tuple(MERGES), model="gpt2"):
    """Writes the settings of a tokenizer."""

    def write(writer):
        writer.add_tokenizer_model(model)
        writer.add_tokenizer_pre(pre)
        writer.add_token_list(list(tokens))
        writer.add_token_types(kinds or [3 if token == END else 1 for token in tokens])
        writer.add_token_merges(list(merges))
        writer.add_bos_token_id(VOCABULARY[END])

    return write


@pytest.fixture(scope="module", params=sorted(SPLITS))
def both(request, tmp_path_factory):
    path = tmp_path_factory.mktemp("gguf") / "m.gguf"
    ours = read_gguf_tokenizer(open_gguf(write_gpt2(path, end=ended(request.param))).settings)
    merges = [tuple(merge.split()) for merge in MERGES]
    return ours, theirs(request.param, VOCABULARY, merges, [END])


@given(text=TEXTS, special=st.booleans())
@example("hello 123 1234 the <|endoftext|>'S\r\n \n  x", True)
def test_the_same_ids(both, text, special):
    ours, other = both
    other.encode_special_tokens = not special
    ids = ours.encode(text, special)
    begin = [VOCABULARY[END]] if ours.whole_pieces else []  # Llama 3 begins every text
    assert ids == [*begin, *other.encode(text, add_special_tokens=False).ids]
    assert ours.decode(ids) == text
    assert ours.explain(text, special).ids == ids


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"pre": "deepseek-llm"}, "its pre-tokenizer is 'deepseek-llm'; only 'gpt-2', 'llama-bpe'"),
        ({"model": "bert"}, "a tokenizer of the kind 'bert'; only"),
        ({"tokens": [*VOCABULARY, "a"]}, "the token 'a' is in the vocabulary twice"),
        ({"tokens": [*VOCABULARY, ""]}, "a token of its vocabulary is empty"),
        ({"kinds": [1, 1]}, "but not as many types of tokens"),
        ({"merges": ["h x"]}, "'hx' is not in the vocabulary"),
        ({"merges": ["h"]}, "merge 0 is 'h', not two symbols"),
        ({"tokens": [token for token in VOCABULARY if token != "h"]}, "'h' is not in the vocabulary"),
    ],
)
def test_refused(tmp_path, change, said):
    path = write_gpt2(tmp_path / "m.gguf", end=ended(**{"pre": "gpt-2", **change}))
    with pytest.raises(ValueError, match=r"tokenizer") as caught:
        read_gguf_tokenizer(open_gguf(path).settings)
    assert said in str(caught.value)
    assert str(caught.value).isprintable()


def test_a_file_without_a_tokenizer(tmp_path):
    assert read_gguf_tokenizer(open_gguf(write_gpt2(tmp_path / "m.gguf")).settings) is None


def test_tokens_that_users_defined_are_found_in_every_text(tmp_path):
    tokens = [*VOCABULARY, "<tool>"]
    kinds = [4 if token == "<tool>" else 3 if token == END else 1 for token in tokens]
    path = write_gpt2(tmp_path / "m.gguf", end=ended("gpt-2", tokens, kinds))
    tokenizer = read_gguf_tokenizer(open_gguf(path).settings)
    assert tokenizer.encode(f"a<tool>{END}")[:2] == [VOCABULARY["a"], len(VOCABULARY)]
    assert VOCABULARY[END] not in tokenizer.encode(END)
    assert tokenizer.encode(END, special=True) == [VOCABULARY[END]]


@pytest.fixture(scope="module")
def real():
    found = open_gguf(smollm2.path()).settings
    tokens, merges = (list(found[f"tokenizer.ggml.{name}"]) for name in ("tokens", "merges"))
    special = [tokens[i] for i in np.flatnonzero(found["tokenizer.ggml.token_type"] == 3)]
    pairs = [tuple(merge.split(" ")) for merge in merges]
    return read_gguf_tokenizer(found), theirs("smollm", {text: i for i, text in enumerate(tokens)}, pairs, special)


@settings(max_examples=50)
@given(text=TEXTS | st.text())
@example("<|im_start|>user\nHow many rs are in 1234 strawberries?<|im_end|>\n")
@example(json.dumps({"a": [1, 2.5, None]}, indent=4) + "\t\tdef f(x):\n    return x  # ünïcödé 中文 😀")
def test_the_real_one(real, text):
    ours, other = real
    if not {SYMBOLS[byte] for byte in text.encode()} <= ours.vocabulary.keys():  # the model was never given such a byte
        with pytest.raises(PromptError, match="no token for the byte"):
            ours.encode(text)
        return
    assert ours.encode(text, special=True) == other.encode(text, add_special_tokens=False).ids
    assert ours.decode(ours.encode(text)) == text
