"""From texts to a tokenizer: every merge with its count, whatever is in the texts; what is saved comes back."""

import json
import tracemalloc
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmtrace.errors import ModelError, TrainingError
from llmtrace.tokenizers import LearnedMerge, TrainedBPE, load_tokenizer, train_bpe
from llmtrace.tokenizers.training.bpe import count_pieces
from llmtrace.tokenizers.training.counting import learn_by_counting


def merges_of(trained):
    return [(merge.left, merge.right, merge.count) for merge in trained.merges]


TEXT = "The king had a child, a girl. The queen said: 'It's a girl!' — naïve 中文 12 12\n\n" * 3


@given(st.lists(st.text("abé '\n1", max_size=30), max_size=5), st.integers(256, 290), st.integers(1, 3))
def test_texts_become_merges(texts, vocabulary, least):
    pieces = count_pieces(texts).counts
    if not pieces:
        return
    trained = train_bpe(texts, vocabulary, least)
    counts = {piece.encode(): times for piece, times in pieces.items()}
    assert merges_of(trained) == learn_by_counting(counts, vocabulary - 256, least)
    assert merges_of(train_bpe(texts[::-1], vocabulary, least)) == merges_of(trained)
    assert trained.complete == (len(trained.tokenizer) == vocabulary) == (not trained.note)


def test_what_is_recorded():
    trained = train_bpe(["hug hug hug", " pug"], 258, special=["<|end|>"])
    assert trained.merges == (LearnedMerge(0, "u", "g", 4),)
    assert (trained.bytes, trained.pieces, trained.different_pieces) == (15, 4, 3)
    assert trained.complete
    assert trained.to_dict() == {
        "vocabulary": 258,
        "min_frequency": 2,
        "bytes": 15,
        "pieces": 4,
        "different_pieces": 3,
        "merges": [[0, "u", "g", 4]],
    }
    vocabulary = trained.tokenizer.vocabulary
    assert [vocabulary[text] for text in ("<|end|>", "!", "~", "Ń", "ug")] == [0, 1, 94, 256, 257]


def test_the_tokenizer_uses_the_merges():
    trained = train_bpe(TEXT, 300)
    tokenizer = trained.tokenizer
    assert tokenizer.decode(tokenizer.encode(TEXT)) == TEXT
    assert len(tokenizer.encode(TEXT)) < len(TEXT.encode()) / 2
    merges = [merge for piece in tokenizer.explain(TEXT).pieces for merge in piece.merges]
    assert merges
    assert all((m.left, m.right) == (trained.merges[m.rank].left, trained.merges[m.rank].right) for m in merges)


def test_one_repeated_character():
    trained = train_bpe("a" * 1000, 10_000, min_frequency=1)
    assert merges_of(trained)[:3] == [("a", "a", 999), ("aa", "aa", 499), ("aaaa", "aaaa", 249)]
    assert not trained.complete
    assert trained.note.startswith(f"the vocabulary has {256 + len(trained.merges)} tokens, not 10000: ")
    assert trained.tokenizer.encode("a" * 1000) == [len(trained.tokenizer) - 1]


def test_a_tiny_corpus():
    trained = train_bpe("a", 300)
    assert trained.merges == ()
    assert trained.note.endswith("no pair with a count of 2 or more is left in the texts")
    assert trained.tokenizer.encode("ab") == [trained.tokenizer.vocabulary["a"], trained.tokenizer.vocabulary["b"]]


@pytest.mark.parametrize("texts", ["", [], [""], iter(["", ""])])
def test_an_empty_corpus_is_refused(texts):
    with pytest.raises(TrainingError, match=r"^there is nothing to learn a tokenizer from: the texts are empty$"):
        train_bpe(texts, 300)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"vocabulary": 255}, "a vocabulary of 255 tokens is too small: it needs at least 256"),
        ({"vocabulary": 256, "special": ["<|x|>"]}, "at least 257"),
        ({"vocabulary": 300, "min_frequency": 0}, "min_frequency is 0"),
        ({"vocabulary": 300, "special": [""]}, "'' can't be a special token"),
        ({"vocabulary": 300, "special": ["<|x|>", "<|x|>"]}, "there twice"),
        ({"vocabulary": 300, "special": ["end"]}, "could be learnt; try '<|end|>'"),
        ({"vocabulary": 300, "special": ["Ġ"]}, "could be learnt"),
        ({"vocabulary": 300, "special": ["ä"]}, "could be learnt"),
        ({"vocabulary": 300, "special": ["中\ud800"]}, "half a character"),
    ],
)
def test_what_makes_no_sense_is_refused(arguments, said):
    with pytest.raises(TrainingError, match=f"^[^\n]*{said}[^\n]*$".replace("|", r"\|")):
        train_bpe(TEXT, **arguments)


def test_half_a_character_is_refused():
    with pytest.raises(TrainingError, match="character 4 of the text"):
        train_bpe(["abc\udc00"], 300)


def test_a_huge_minimum_is_no_overflow():
    assert train_bpe(TEXT, 300, min_frequency=2**70).merges == ()


def test_a_special_text_is_learnt_from_like_any_other():
    trained = train_bpe(["<|end|>" * 20], 300, special=["<|end|>"])
    assert ("e", "n", 20) in merges_of(trained)
    assert trained.tokenizer.encode("<|end|>", special=True) == [0]


def test_progress_is_told():
    told = []
    trained = train_bpe(TEXT * 2, 5000, progress=lambda done, most: told.append((done, most)))
    assert told[-1] == (len(trained.merges), 5000 - 256)
    assert [done for done, _most in told] == sorted(done for done, _most in told)


def test_memory_grows_with_the_pieces_not_with_the_texts():
    def peak(copies):
        tracemalloc.start()
        try:
            trained = train_bpe((TEXT for _ in range(copies)), 300)
            return trained.bytes, tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak(10)  # what is loaded at the first use is not counted
    small, little = peak(10)
    large, much = peak(1000)
    assert large == 100 * small
    assert much < little + small


# ---- files ------------------------------------------------------------------------------------------------------------


@given(
    st.lists(st.text("abé '\n1", min_size=1, max_size=30), min_size=1, max_size=5), st.sampled_from([(), ("<|end|>",)])
)
@settings(max_examples=20)
def test_what_is_saved_comes_back(tmp_path_factory, texts, special):
    folder = tmp_path_factory.mktemp("saved")
    trained = train_bpe(texts, 270, 1, special)
    assert trained.save(folder) == folder / "tokenizer.json"
    again = TrainedBPE.load(folder)
    assert again.to_dict() == trained.to_dict()
    assert again.note == trained.note
    assert again.tokenizer.vocabulary == trained.tokenizer.vocabulary
    for text in [*texts, "<|end|> 中"]:
        assert load_tokenizer(folder).encode(text, special=True) == trained.tokenizer.encode(text, special=True)


def test_the_file_of_counts(tmp_path):
    train_bpe("hug hug", 300).save(tmp_path)
    lines = (tmp_path / "merges-learned.json").read_text().splitlines()
    assert lines[1:] == ['[0, "h", "u", 2],', '[1, "hu", "g", 2]', "]}"]
    assert json.loads((tmp_path / "tokenizer.json").read_text())["model"]["merges"] == ["h u", "hu g"]


def test_two_files_that_do_not_belong_together(tmp_path):
    train_bpe("hug hug", 300).save(tmp_path)
    train_bpe("pug pug", 300).tokenizer.save(tmp_path)
    with pytest.raises(ModelError, match=r"does not belong to the tokenizer\.json beside it"):
        TrainedBPE.load(tmp_path)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{}",
        '{"merges": 5}',
        '{"merges": [[1, "u", "g", 2]]}',
        '{"merges": [[0, "u", "g", "2"]]}',
        '{"merges": []}',
    ],
)
def test_a_broken_file_of_counts(tmp_path, content):
    train_bpe("hug hug", 300).save(tmp_path)
    (tmp_path / "merges-learned.json").write_text(content)
    with pytest.raises(ModelError, match=r"^[^\n]*merges-learned\.json[^\n]*$"):
        TrainedBPE.load(tmp_path)


def test_loading_where_there_is_no_training(tmp_path):
    with pytest.raises(ModelError, match="no tokenizer of merges"):
        TrainedBPE.load(tmp_path)
    train_bpe("hug hug", 300).tokenizer.save(tmp_path)
    with pytest.raises(ModelError, match=r"merges-learned\.json can't be read"):
        TrainedBPE.load(tmp_path)


def test_counting_is_counting():
    """The pieces of GPT-2's rule, counted without any of our code."""
    assert count_pieces(["a b", " b's"]).counts == Counter({"a": 1, " b": 2, "'s": 1})
