"""What a post_processor puts around a text is put there by every kind of tokenizer, as `tokenizers` does it, and can be seen."""

import copy
import json
import pickle

import pytest
from click.testing import CliRunner
from helpers.small_tokenizer import END, TOKENIZER, VOCABULARY
from hypothesis import given
from hypothesis import strategies as st

from llmtrace.cli import main
from llmtrace.errors import ModelError
from llmtrace.tokenizers import UnigramTokenizer, WordPieceTokenizer, load_tokenizer
from llmtrace.tokenizers.framing import Framing
from llmtrace.tokenizers.json_format.framing import read_framing

tokenizers = pytest.importorskip("tokenizers", "0.20", reason="the library that is compared with is not installed")

WORDS = {text: index for index, text in enumerate(["[UNK]", "[CLS]", "[SEP]", "a", "b", "##b", "##a", "c"])}
KINDS = {
    "bytes": (TOKENIZER, (END, "Ġt")),
    "words": (WordPieceTokenizer(WORDS, special={"[CLS]": 1, "[SEP]": 2}), ("[CLS]", "[SEP]")),
    "parts": (
        UnigramTokenizer([("[CLS]", 0.0), ("▁", -2.0), ("a", -3.0), ("b", -3.0), ("▁a", -1.0), ("h", -4.0)]),
        ("[CLS]", "b"),
    ),
}


def rules(first, second, ids):
    special = {name: {"id": name, "ids": [ids[name]], "tokens": [name]} for name in (first, second)}
    sequence = [{"Sequence": {"id": name, "type_id": 0}} for name in "AB"]
    tokens = [{"SpecialToken": {"id": name, "type_id": 0}} for name in (first, second)]
    template = {
        "type": "TemplateProcessing",
        "single": [tokens[0], tokens[0], sequence[0], tokens[1]],
        "pair": [*tokens, *sequence],
        "special_tokens": special,
    }
    bert = {"type": "BertProcessing", "sep": [second, ids[second]], "cls": [first, ids[first]]}
    roberta = {**bert, "type": "RobertaProcessing", "trim_offsets": True, "add_prefix_space": False}
    byte_level = {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": False, "use_regex": True}
    both = {"type": "Sequence", "processors": [byte_level, template]}
    return {"template": template, "bert": bert, "roberta": roberta, "both": both}


@pytest.mark.parametrize("rule", ["template", "bert", "roberta", "both"])
@pytest.mark.parametrize("kind", KINDS)
def test_the_same_ids(tmp_path, kind, rule):
    tokenizer, names = KINDS[kind]
    tokenizer.save(tmp_path)
    path = tmp_path / "tokenizer.json"
    data = json.loads(path.read_text())
    vocabulary = {
        "bytes": VOCABULARY,
        "words": WORDS,
        "parts": {e[0]: i for i, e in enumerate(KINDS["parts"][0].entries)},
    }[kind]
    data["post_processor"] = rules(*names, vocabulary)[rule]
    path.write_text(json.dumps(data))
    ours, theirs = load_tokenizer(tmp_path), tokenizers.Tokenizer.from_file(str(path))
    ours.save(tmp_path / "again")
    again = load_tokenizer(tmp_path / "again")
    assert again.framing == ours.framing == pickle.loads(pickle.dumps(ours)).framing != Framing()

    @given(text=st.text("ab", max_size=10))
    def check(text):
        text = text if text.startswith("a") else f"a{text}"
        ids = ours.encode(text)
        assert ids == theirs.encode(text).ids == again.encode(text)
        assert ours.decode(ids) == tokenizer.decode(tokenizer.encode(text))
        found = ours.explain(text)
        assert found.ids == ids
        found.replay()
        assert found.pieces[0].is_framing
        assert "".join(piece.text for piece in found.pieces) == text

    check()


def test_it_is_shown(tmp_path):
    framed = copy.copy(TOKENIZER)
    framed.framing = Framing((VOCABULARY[END],))
    assert TOKENIZER.framing == Framing()
    framed.save(tmp_path)
    result = CliRunner().invoke(main, ["tokenize", "hello", "--model", str(tmp_path)])
    assert result.exit_code == 0, result.output
    assert "not in the text: the tokenizer puts it around every text" in result.output
    assert END in result.output


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ({"type": "TemplateProcessing"}, "single"),
        ({"type": "TemplateProcessing", "single": [3]}, "the part 3, which is no token"),
        ({"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "a"}}]}, "does not say what 'a' is"),
        ({"type": "BertProcessing", "cls": ["a", -1], "sep": ["a", 1]}, "does not say what 'cls' is"),
        ({"type": "BertProcessing", "cls": ["a", 1]}, "does not say what 'sep' is"),
        ({"type": "Other"}, "the post_processor 'Other'"),
        (3, "the post_processor 3"),
    ],
)
def test_what_is_not_supported(rule, said):
    with pytest.raises(ModelError) as caught:
        read_framing({"post_processor": rule})
    assert said in str(caught.value)
