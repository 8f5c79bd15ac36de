"""The models that come with llmtrace: each is what its card says, and its texts are what its tool makes now."""

import hashlib
import json
import re
from bisect import bisect_left

import pytest
import train_jielong
import train_tiny
from bundling import hash_of
from jielong import KINDS, joined, probes, sentences

import llmtrace
from llmtrace.errors import UnknownTextError
from llmtrace.loading import DATA, bundled, load_tokenizer
from llmtrace.models import Sampling
from llmtrace.ops import by_name
from llmtrace.storage import weights_hash
from llmtrace.training import LanguageTraining, TrainingFolder

SENTENCES_SHA256 = "fe703c803bad0c75b710d48382b6c6c0fd80cb975a353147b0e01e3fd86fe5ee"
AFTER_TWENTY = "18344dfceea36a475e5906bad2c3844dd1c618dc6d732c0ca40beb7e274977c3"
"""The hash of the weights of tiny after twenty steps."""
FEW = 60


@pytest.mark.parametrize("name", bundled())
def test_a_bundled_model_is_the_one_of_its_card_and_small(name):
    card = (DATA / name / "README.md").read_text(encoding="utf-8")
    model = llmtrace.load(name)
    own = by_name(model.weights.values())
    assert f"their hash is `{weights_hash(own)}`" in " ".join(card.split())
    assert f"{sum(weight.data.size for weight in own.values()):,} parameters" in card
    assert f"tools/train_{name}.py" in card
    assert sum(path.stat().st_size for path in (DATA / name).iterdir()) <= 3_000_000
    assert len(model.tokenizer) == model.config.vocabulary


# ---- tiny ------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def tiny():
    return llmtrace.load("tiny")


@pytest.mark.parametrize(("prompt", "word"), train_tiny.ASKED)
def test_the_paper_model_says_the_next_word_where_it_is_certain(tiny, prompt, word):
    given = tiny.trace(prompt).tensor("probabilities")[-1]
    assert tiny.token_text(int(given.argmax())) == f" {word}"
    assert given.max() > 0.99


def test_the_paper_model_fits_on_paper(tiny):
    c = tiny.config
    assert (c.blocks, c.heads) == (1, 2)
    assert c.width <= 8
    assert c.vocabulary < 40
    assert all(tiny.ids(text).size == len(text.replace(".", " .").split()) for text in train_tiny.SENTENCES)


def test_the_same_tool_gives_the_same_words_and_begins_alike(tmp_path):
    assert train_tiny.tokenizer().entries == load_tokenizer("tiny").entries
    folder = TrainingFolder(tmp_path)
    train_tiny.prepare(folder)
    training = LanguageTraining(folder)
    for _step in range(20):
        training.step()
    assert hash_of(training) == AFTER_TWENTY


# ---- jielong ---------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def chinese():
    return llmtrace.load("jielong")


@pytest.fixture(scope="module")
def texts():
    return list(sentences(train_jielong.SEED, train_jielong.SENTENCES))


def test_the_chinese_sentences_are_the_same_everywhere(texts):
    assert hashlib.sha256("\n".join(texts).encode()).hexdigest() == SENTENCES_SHA256


def test_no_sentence_asks_what_is_held_out(texts):
    told = sorted(map(joined, texts))
    for kind in KINDS:
        for probe in probes(train_jielong.SEED + 1, FEW, kind):
            asked = probe.prompt + probe.right
            following = told[bisect_left(told, asked) :][:1]  # the first that may begin so
            assert not any(text.startswith(asked) for text in following)


def test_the_chinese_tokenizer_is_learnt_from_the_sentences_and_has_no_bytes(texts, chinese):
    learned = train_jielong.tokenizer_of(texts[: train_jielong.SENTENCES // 10])
    assert learned.entries == chinese.tokenizer.entries
    assert not learned.in_bytes
    for text in texts[:300]:
        ids = learned.encode(joined(text))
        assert learned.decode(ids) == joined(text)
        assert [learned.token(index) for index in ids] == text.split()


def test_the_counts_of_the_lesson_are_those_of_the_sentences(texts, chinese):
    shipped = json.loads((DATA / "jielong" / "counted.json").read_text(encoding="utf-8"))
    assert train_jielong.counted(chinese.tokenizer, texts) == shipped


def test_the_chinese_model_goes_on_as_it_was_counted(chinese):
    words = [choice.text for choice in chinese.generate("中华人民", 4, Sampling(0))]
    assert words == ["共和国", "成立于", "1949", "年"]


@pytest.mark.parametrize("kind", KINDS)
def test_the_chinese_model_can_do_what_its_card_says(chinese, kind):
    card = (DATA / "jielong" / "README.md").read_text(encoding="utf-8")
    said = float(re.search(rf"\| {kind} \|.*\| ([\d.]+)% \|", card)[1]) / 100
    right = 0
    for probe in probes(train_jielong.SEED + 1, FEW, kind):
        scores = chinese.logits(probe.prompt)[-1]
        right += scores[chinese.ids(probe.right)[0]] > scores[chinese.ids(probe.wrong)[0]]
    assert abs(right / FEW - said) < 0.15


@pytest.mark.parametrize("text", ["中华人民㐂", "𠮷", "hello", "北京\x1b[0m", "中华 人民A"])
def test_a_character_outside_the_vocabulary_is_named_in_a_line(chinese, text):
    with pytest.raises(UnknownTextError, match="it has no token for") as error:
        chinese.trace(text)
    assert "\n" not in str(error.value)
    assert "�" not in str(error.value)
