"""The unigram tokenizer: the best parting is the best of all, EM never makes the texts less probable, every text comes back."""

import json
import math
import re
from dataclasses import replace
from itertools import combinations, pairwise

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import assume, example, given
from hypothesis import strategies as st

from llmtrace.arithmetic import elementary
from llmtrace.cli import main
from llmtrace.errors import ModelError, PromptError, ReplayError, TrainingError
from llmtrace.tokenizers import Parting, Tokenization, UnigramTokenizer, load_tokenizer, train_unigram
from llmtrace.tokenizers.partings import best_partings, expected_counts
from llmtrace.tokenizers.training.unigram import count, logarithms, pruned, seeds, shares

TEXT = "one cat and two cats. one dog and two dogs. one hat and two hats. the cat has that hat, the rat sat on it."
TRAINED = train_unigram(TEXT, 300)
TOKENIZER = TRAINED.tokenizer
TEXTS = st.text(st.characters(exclude_characters="▁", exclude_categories=["Cs"])) | st.text("cats dogh\n.é中")
WORDS = st.text("abc", min_size=1, max_size=8)
SCORES = st.dictionaries(st.text("abc", min_size=1, max_size=4), st.floats(-20, -0.01))
UNKNOWN = -30.0


def every_parting(text):
    """All ways to cut a text, by the places of the cuts."""
    for cuts in range(len(text)):
        for places in combinations(range(1, len(text)), cuts):
            yield tuple(text[a:b] for a, b in pairwise((0, *places, len(text))))


def brute_force(text, scores, unknown=UNKNOWN):
    """All partings into entries and unknown single characters, best first, each with its score."""
    found = [
        Parting(parts, tuple(scores.get(part, unknown) for part in parts))
        for parts in every_parting(text)
        if all(part in scores or len(part) == 1 for part in parts)
    ]
    return sorted(found, key=lambda parting: -parting.score)


# ---- the best parting --------------------------------------------------------------------------------------------------


@given(WORDS, SCORES, st.integers(1, 5))
def test_the_best_partings_are_the_best_of_all(text, scores, number):
    found = best_partings(text, scores, max(map(len, scores), default=1), UNKNOWN, number)
    wanted = brute_force(text, scores)
    assert [parting.score for parting in found] == [parting.score for parting in wanted[:number]]
    assert set(found) <= set(wanted)
    assert len(set(found)) == len(found)


@given(WORDS, st.dictionaries(st.text("abc", min_size=1, max_size=4), st.floats(-20, 15), min_size=1))
@example("cab", {"ca": -20.0, "b": -6.0, "ab": -1.0})  # between the two, as SentencePiece has it
@example("cab", {"ca": -20.0, "b": -16.0, "ab": -1.0})
def test_an_unknown_character_costs_ten_more_than_the_rarest_entry(text, scores):
    (best,) = UnigramTokenizer(list(scores.items()), by_words=False).partings(text)
    assert best.score == brute_force(text, scores, min(scores.values()) - 10)[0].score


def test_of_equal_partings_the_last_part_is_longest():
    (best,) = best_partings("aaa", {"a": -1.0, "aa": -1.0}, 2, UNKNOWN)
    assert best.parts == ("a", "aa")


# ---- training ----------------------------------------------------------------------------------------------------------


@given(st.dictionaries(WORDS, st.integers(1, 9), min_size=1, max_size=5))
def test_expected_counts_are_those_of_all_partings(words):
    probabilities = shares(seeds(words))
    counts, likelihood = count(words, probabilities)
    wanted, whole = dict.fromkeys(probabilities, 0.0), 0.0
    for word, times in words.items():
        products = {
            parts: math.prod(probabilities[part] for part in parts)
            for parts in every_parting(word)
            if all(part in probabilities for part in parts)
        }
        total = math.fsum(products.values())
        whole += times * math.log(total)
        for parts, product in products.items():
            for part in parts:
                wanted[part] += times * product / total
    assert counts == pytest.approx({piece: number for piece, number in wanted.items() if number}, rel=1e-12)
    assert likelihood == pytest.approx(whole, rel=1e-12)


@given(st.dictionaries(WORDS, st.integers(1, 9), min_size=1, max_size=6))
def test_em_never_makes_the_texts_less_probable(words):
    probabilities, before = shares(seeds(words)), -math.inf
    for _step in range(6):
        counts, likelihood = count(words, probabilities)
        assert likelihood >= before - 1e-12 * abs(likelihood)
        probabilities, before = shares(counts), likelihood


def test_a_wrong_m_step_is_seen():
    words = {"abab": 3, "abc": 2}
    counts, before = count(words, shares(seeds(words)))
    assert count(words, shares({piece: 1 / number for piece, number in counts.items()}))[1] < before


def test_nothing_underflows():
    counts: dict[str, float] = {}
    mantissa, exponent = expected_counts("ab" * 3000, {"a": 1e-9, "b": 1e-9, "ab": 1e-200}, 2, 2.0, counts)
    assert counts == pytest.approx({"a": 6000, "b": 6000, "ab": 6000 * 1e-182})
    assert math.log(mantissa) + exponent * math.log(2) == pytest.approx(6000 * math.log(1e-9))


def test_scores_are_correctly_rounded_logarithms():
    values = np.array(list(TRAINED.probabilities.values()))
    assert list(logarithms(TRAINED.probabilities).values()) == elementary.log(values).tolist()
    assert {piece: TOKENIZER.scores[piece] for piece in TRAINED.probabilities} == logarithms(TRAINED.probabilities)
    assert math.fsum(values) == pytest.approx(1)


def test_what_is_learned():
    assert TRAINED.tokenizer.partings(" cats")[0].parts == ("▁cat", "s")
    assert len(TOKENIZER) <= 300
    assert set("".join(TRAINED.words)) <= set(TRAINED.probabilities)
    assert [entry.pieces for entry in TRAINED.rounds] == sorted((r.pieces for r in TRAINED.rounds), reverse=True)
    assert not [piece for piece in TRAINED.probabilities if "▁" in piece[1:]]


def test_the_order_of_the_texts_makes_no_difference():
    lines = TEXT.split(". ")
    one, other = train_unigram(lines, 300), train_unigram(lines[::-1], 300)
    assert one.tokenizer.entries == other.tokenizer.entries
    assert (one.rounds, one.probabilities) == (other.rounds, other.probabilities)


def test_what_is_needed_least_is_dropped():
    counts = dict.fromkeys(("a", "b", "c", "d", "e"), 1.0) | {"ab": 10.0, "bc": 0.1}
    kept = pruned(counts, shares(counts), frozenset("abcde"), 6)
    assert set(kept) == {*"abcde", "ab"}
    assert set(pruned(counts, shares(counts), frozenset("abcde"), 5)) == set("abcde")


@pytest.mark.parametrize(
    ("text", "size", "message"), [("", 500, "the texts are empty"), ("ab", 259, "needs at least 260, for bytes")]
)
def test_trainings_that_can_not_be(text, size, message):
    with pytest.raises(TrainingError, match=message):
        train_unigram(text, size)


# ---- texts and ids -----------------------------------------------------------------------------------------------------


def variant(**changes):
    settings = {"unknown": 0, "in_bytes": True, "special": {"<|end|>": 300}, **changes}
    return UnigramTokenizer(TOKENIZER.entries, **settings)


VARIANTS = [TOKENIZER, variant(), variant(by_words=False), variant(adds_space=True)]


def would_change(text, special):
    """Whether adding a space to every part without one, and taking the first one away, makes another text of it."""
    parts = re.split(r"(<\|end\|>)", text) if special else [text]
    with_spaces = (part if n % 2 or not part or part[0] == " " else f" {part}" for n, part in enumerate(parts))
    return "".join(with_spaces).removeprefix(" ") != text


@pytest.mark.parametrize("tokenizer", VARIANTS)
@given(TEXTS, st.booleans())
@example(" a", False)
@example("a<|end|>b", True)
def test_every_text_comes_back(tokenizer, text, special):
    if tokenizer.adds_space and would_change(text, special):
        with pytest.raises(PromptError, match="prepend_scheme 'always'"):
            tokenizer.encode(text, special)
        return
    ids = tokenizer.encode(text, special)
    assert tokenizer.decode(ids) == text
    if not tokenizer.adds_space:
        assert tokenizer.decode_bytes(ids) == text.encode()


@pytest.mark.parametrize("tokenizer", VARIANTS)
@given(TEXTS, st.booleans())
def test_the_explanation_leads_to_the_ids(tokenizer, text, special):
    assume(not (tokenizer.adds_space and would_change(text, special)))
    explanation = tokenizer.explain(text, special)
    assert explanation.ids == tokenizer.encode(text, special)
    assert "".join(piece.text for piece in explanation.pieces) == text
    explanation.replay()
    assert Tokenization.from_dict(json.loads(json.dumps(explanation.to_dict()))) == explanation


def test_what_has_no_piece_is_written_in_bytes():
    assert [TOKENIZER.token(index) for index in TOKENIZER.encode("猫")] == ["<0xE7>", "<0x8C>", "<0xAB>"]
    assert TOKENIZER.decode(TOKENIZER.encode("猫")[:2]) == "\ufffd"
    named = TOKENIZER.encode("<0xE7>")
    assert TOKENIZER.decode(named) == "<0xE7>"
    without = UnigramTokenizer([("a", -1.0), ("ab", -1.0)])
    assert without.encode("aab") == [0, 1]
    for method in (without.encode, without.explain):
        with pytest.raises(PromptError, match="no token for 'c'"):
            method("abc")


def test_special_text_is_ordinary_unless_asked_for():
    tokenizer = variant()
    assert 300 not in tokenizer.encode("a<|end|>b")
    assert tokenizer.encode("a<|end|>b", special=True).count(300) == 1
    assert tokenizer.decode([300]) == "<|end|>"


@pytest.mark.parametrize(
    ("text", "message"), [("ab▁", "character 3 of the text is '▁'"), ("\ud83d", "half a character")]
)
def test_what_would_not_come_back_is_refused(text, message):
    for method in (TOKENIZER.encode, TOKENIZER.explain):
        with pytest.raises(PromptError, match=message):
            method(text)


def piece_with(tokenization, **changes):
    return replace(tokenization, different=(replace(tokenization.different[0], **changes),))


CHANGED = {
    "another parting first": lambda t: piece_with(t, partings=t.different[0].partings[::-1]),
    "another score": lambda t: piece_with(
        t, partings=(Parting(("▁cat", "s"), (-1.0, -90.0)), *t.different[0].partings[1:])
    ),
    "a score missing": lambda t: piece_with(t, partings=(Parting(("▁cat", "s"), (-1.0,)),)),
    "other parts": lambda t: piece_with(t, partings=(Parting(("▁dog", "s"), (-1.0, -1.0)),)),
    "a token missing": lambda t: piece_with(t, tokens=t.different[0].tokens[:1]),
    "a token more": lambda t: piece_with(t, tokens=t.different[0].tokens * 2),
    "other symbols": lambda t: piece_with(t, symbols=tuple("▁dogs")),
    "bytes": lambda t: piece_with(t, data=b" dogs"),
}


@pytest.mark.parametrize("change", CHANGED.values(), ids=CHANGED)
def test_a_changed_explanation_does_not_replay(change):
    explanation = TOKENIZER.explain(" cats")
    explanation.replay()
    with pytest.raises(ReplayError):
        change(explanation).replay()


# ---- files -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("tokenizer", VARIANTS)
def test_saved_and_loaded(tokenizer, tmp_path):
    tokenizer.save(tmp_path)
    again = load_tokenizer(tmp_path)
    assert isinstance(again, UnigramTokenizer)
    assert (again.entries, again.special, again.adds_space) == (
        tokenizer.entries,
        tokenizer.special,
        tokenizer.adds_space,
    )
    assert again.encode("the cats\n猫 <|end|>", True) == tokenizer.encode("the cats\n猫 <|end|>", True)
    assert again.decode(again.encode("the  cats 猫")) == "the  cats 猫"


METASPACE = {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": True}
BROKEN = {
    "no vocabulary": ({"vocab": None}, "entry 0 of the vocabulary is None"),
    "an entry without a score": ({"vocab": [["a", -1.0], ["b"]]}, "entry 1 of the vocabulary is"),
    "a score that is no number": ({"vocab": [["a", "x"]]}, "not a text and its score"),
    "an infinite score": ({"vocab": [["a", 1e301]]}, "not a text and its score"),
    "an empty text": ({"vocab": [["", -1.0]]}, "not a text and its score"),
    "an entry twice": ({"vocab": [["a", -1.0], ["a", -2.0]]}, "'a' is in the vocabulary twice"),
    "a wrong unk_id": ({"unk_id": 7}, "its unk_id is 7"),
    "bytes that are not there": ({"byte_fallback": True, "decoder": None}, "decoder does not undo"),
    "no words": ({"pre_tokenizer": None}, "only supported with Metaspace"),
    "another sign": ({"pre_tokenizer": {**METASPACE, "replacement": "_"}}, "only supported with Metaspace"),
    "only the first": ({"pre_tokenizer": {**METASPACE, "prepend_scheme": "first"}}, "prepend_scheme = 'first'"),
    "another decoder": ({"decoder": {**METASPACE, "prepend_scheme": "never"}}, "decoder does not undo"),
    "a normalizer": ({"normalizer": {"type": "NFKC"}}, "normalizer 'NFKC'"),
}


def written(folder, **changes):
    beside = {"pre_tokenizer": METASPACE, "decoder": METASPACE, "normalizer": None}
    data = {name: changes.pop(name, value) for name, value in beside.items()}
    model = {"type": "Unigram", "unk_id": None, "vocab": [["▁a", -1.0], ["▁", -3.0], ["b", -2.0]], **changes}
    (folder / "tokenizer.json").write_text(json.dumps({**data, "model": model}))
    return folder


def test_a_file_of_the_other_library(tmp_path):
    tokenizer = load_tokenizer(written(tmp_path))
    assert tokenizer.encode("ab b") == [0, 2, 1, 2]
    assert tokenizer.decode([0, 2, 1, 2]) == "ab b"


@pytest.mark.parametrize(("changes", "message"), BROKEN.values(), ids=BROKEN)
def test_broken_files(changes, message, tmp_path):
    with pytest.raises(ModelError, match=message):
        load_tokenizer(written(tmp_path, **changes))


def test_bytes_must_be_there():
    with pytest.raises(ModelError, match="has no '<0x00>'"):
        UnigramTokenizer([("a", -1.0)], in_bytes=True)


def test_the_command_shows_the_sum_of_each_parting(tmp_path):
    TOKENIZER.save(tmp_path)
    result = CliRunner().invoke(main, ["tokenize", "two cats", "--model", str(tmp_path)], env={"COLUMNS": "80"})
    best, other = TOKENIZER.partings(" cats", 2)
    terms = f"{best.scores[0]:.4f} + ({best.scores[1]:.4f}) = {best.score:.3f}".replace("-", "−")
    assert f"▁cat | s   score: {terms}" in result.output
    assert f"{' | '.join(other.parts)}   next best score: " in result.output


@given(st.text("cats dogh.", max_size=12))
def test_a_text_that_goes_on_with_another_gets_no_space(text):
    spaced = UnigramTokenizer(TOKENIZER.entries, TOKENIZER.unknown, TOKENIZER.in_bytes, adds_space=True)
    further = spaced.going_on()
    assert further.decode_bytes(further.encode(text)).decode() == text
    assert further.explain(text).ids == further.encode(text) == TOKENIZER.encode(text)
    assert spaced.encode("cat") == further.encode(" cat")
