"""What llmtrace hands out can be pickled and copied, and gives the same ids and bits again."""

import copy
import importlib
import inspect
import multiprocessing
import pickle
from types import BuiltinFunctionType, FunctionType

import numpy as np
import pytest
from helpers.small_llamas import small_llama
from helpers.small_models import small_gpt, small_transformer
from helpers.small_training import begun

import llmtrace
from llmtrace import corpus, errors, lessons
from llmtrace.corpus import Item
from llmtrace.experiments import what_if
from llmtrace.models import Feedforward, KVCache, Sampling, WithSpecial
from llmtrace.render import json
from llmtrace.testing import expect_same_bits
from llmtrace.tokenizers import CharacterTokenizer, MergedTextTokenizer, WordPieceTokenizer, train_bpe, train_unigram
from llmtrace.trace import Dropout, Role
from llmtrace.training import LanguageTraining, settings_of
from llmtrace.views import step_list

ROOMS = ["models", "tokenizers", "trace", "explain", "experiments", "corpus", "training", "lessons"]
AT_WORK = {"Run", "Backward"}
"""They are a computation that goes on, with memory of its own; what it makes can be pickled."""
COPIES = {
    "pickle": lambda thing: pickle.loads(pickle.dumps(thing)),
    "older pickle": lambda thing: pickle.loads(pickle.dumps(thing, 2)),
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
}
TEXT = "the king and the clever girl; the queen and the dragon. " * 20
"""What two small tokenizers are trained on."""


def parts(thing):
    """What a thing is made of, as its pickle has it."""
    if isinstance(
        thing, np.ndarray | np.generic | str | bytes | int | float | type | FunctionType | BuiltinFunctionType
    ):
        return ()
    if isinstance(thing, dict):
        return [*thing, *thing.values()]
    if isinstance(thing, list | tuple | set | frozenset):
        return thing
    return [] if thing is None else [part for part in thing.__reduce_ex__(4) if not inspect.isgenerator(part)]


def expect_same(one, other):
    """Two things are made of the same parts, arrays to the bit."""
    waiting, seen = [(one, other)], {}
    while waiting:
        a, b = waiting.pop()
        if id(a) in seen:
            continue
        seen[id(a)] = a
        assert type(a) is type(b)
        if isinstance(a, np.ndarray):
            expect_same_bits(a, b, "", "")
        elif isinstance(a, set | frozenset):
            assert a == b
        else:
            made, again = list(parts(a)), list(parts(b))
            assert len(made) == len(again)
            assert made or a == b
            waiting += zip(made, again, strict=True)


@pytest.fixture(scope="module")
def model():
    return llmtrace.load("tiny")


@pytest.fixture(scope="module")
def things(model, tmp_path_factory):
    """One of everything that llmtrace hands out."""
    folder = tmp_path_factory.mktemp("pickled")
    trace = model.trace("the king")
    trace.save(folder / "the.trace", with_weights=True)
    training = LanguageTraining(begun(folder / "training"))
    report = training.step()
    cache = KVCache()
    model.logits([1, 2], cache=cache)
    unigram, bpe = train_unigram([TEXT], 280), train_bpe([TEXT], 280)
    return {
        "model": model,
        "opened trace": llmtrace.open(folder / "the.trace"),
        "trace": trace,
        "step": trace["block.0.attn.pattern"],
        "explanation": trace.explain("logits", -1, 0, depth=3),
        "what if": what_if(trace, {"block.0.attn.pattern[head=1]": 0}),
        "choice": next(iter(model.generate("the king", 2, Sampling(seed=1)))),
        "generation": model.generate("the king", 2),
        "cache": cache,
        "surprise": model.surprise("the king"),
        "corpus": corpus.trace(["the king"], model, folder / "corpus", workers=1),
        "prompt": Item(1, "1", "the king"),
        "special": WithSpecial("the king"),
        "view": step_list.view(trace),
        "merges learned": bpe,
        "merges": bpe.tokenizer,
        "probabilities learned": unigram,
        "probabilities": unigram.tokenizer,
        "partings": unigram.tokenizer.explain("the king"),
        "tokenization": bpe.tokenizer.explain("the king"),
        "characters merged": MergedTextTokenizer({"a": 0, "b": 1, "ab": 2}, {"ab": -1.0}, in_bytes=False),
        "longest": WordPieceTokenizer({"[UNK]": 0, "the": 1, "king": 2, "##s": 3, "girl": 4}),
        "letters": CharacterTokenizer({"a": 0, "b": 1}),
        "training": training,
        "report": report,
        "small trace": small_gpt().trace([0, 1]),
        "llama": small_llama(),
        "transformer": small_transformer(),
        "net": Feedforward.of([[1, 2], [3, 4]], [[1, 1]], activation="relu"),
        "lesson": lessons.load("perceptron"),
        "exercise": lessons.Exercise({"x": 1}, 2.0),
        "article": lessons.Article("a sum", "1", "1"),
        "progress": next(training.run(1, 1)),
        "batch": training.windows.batch(0, 2),
        "settings": settings_of(type(training.plan.settings)),
        "dropout": Dropout(0.5, 1),
        "role": Role("gradient"),
    }


@pytest.mark.parametrize("way", COPIES)
def test_a_copy_of_anything_is_made_of_the_same(things, way):
    for thing in things.values():
        expect_same(thing, COPIES[way](thing))


def expect_same_work(model, again):
    """A model gives the same ids and bits."""
    assert again.tokenizer.encode("the king has a girl") == model.tokenizer.encode("the king has a girl")
    one, other = model.trace("the king"), again.trace("the king")
    for name in one.names():
        expect_same_bits(one.tensor(name), other.tensor(name), name, "")
    settings = Sampling(seed=3)
    assert [c.id for c in again.generate("the king", 4, settings)] == [
        c.id for c in model.generate("the king", 4, settings)
    ]


@pytest.mark.parametrize("way", COPIES)
def test_a_copied_model_gives_the_same_ids_and_bits(model, way):
    again = COPIES[way](model)
    expect_same_work(model, again)
    assert not any(weight.data.flags.writeable for weight in again.weights.values())


def logits_of(model, text):
    return model.logits(text)


def test_a_pool_of_processes_takes_models_and_gives_traces(model):
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        expect_same_bits(pool.apply(logits_of, (model, "the king")), model.logits("the king"), "logits", "")
        trace = pool.apply(model.trace, ("the king",))
    expect_same(model.trace("the king"), trace)


@pytest.mark.parametrize("way", COPIES)
def test_a_copied_tokenizer_encodes_and_explains_alike(things, way):
    for name in ("merges", "probabilities", "longest", "letters"):
        tokenizer = things[name]
        again, text = (
            COPIES[way](tokenizer),
            {"letters": "ab", "longest": "the kings girl"}.get(name, "the clever girl"),
        )
        assert again.encode(text) == tokenizer.encode(text)
        assert again.decode(again.encode(text)) == tokenizer.decode(tokenizer.encode(text))
        assert again.explain(text) == tokenizer.explain(text)


@pytest.mark.parametrize("way", COPIES)
def test_a_copied_trace_is_read_only_explained_and_saved_alike(things, way, tmp_path):
    for number, name in enumerate(["trace", "opened trace"]):
        trace, again = things[name], COPIES[way](things[name])
        assert not any(again.tensor(step).flags.writeable for step in again)
        assert str(again.explain("logits", -1, 0)) == str(trace.explain("logits", -1, 0))
        assert json.render(step_list.view(again)) == json.render(step_list.view(trace))
        assert json.render(COPIES[way](step_list.view(trace))) == json.render(step_list.view(trace))
        files = [tmp_path / f"{number}-{place}.trace" for place in (1, 2)]
        for each, file in zip([trace, again], files, strict=True):
            each.save(file, with_weights=True)
        assert files[0].read_bytes() == files[1].read_bytes()


def test_a_pickled_trace_needs_its_file_no_more(model, tmp_path):
    model.trace("the king").save(tmp_path / "the.trace")
    data = pickle.dumps(llmtrace.open(tmp_path / "the.trace"))
    (tmp_path / "the.trace").unlink()
    expect_same_bits(pickle.loads(data).tensor("logits"), model.trace("the king").tensor("logits"), "logits", "")


def test_a_training_goes_on_alike(tmp_path):
    training = LanguageTraining(begun(tmp_path / "m"))
    training.step()
    again = pickle.loads(pickle.dumps(training))
    assert [training.step() for _ in range(3)] == [again.step() for _ in range(3)]


def public_classes():
    """Those that the rooms offer and that somebody can have an instance of."""
    for room in ROOMS:
        module = importlib.import_module(f"llmtrace.{room}")
        for name in module.__all__:
            thing = getattr(module, name)
            if inspect.isclass(thing) and not inspect.isabstract(thing) and not getattr(thing, "_is_protocol", False):
                yield thing


def test_nothing_public_is_left_out(things):
    """Every public class has an instance among the things, or among what they are made of."""
    waiting, seen, kinds = list(things.values()), {}, set()
    while waiting:
        thing = waiting.pop()
        if id(thing) not in seen:
            seen[id(thing)] = thing
            kinds.add(type(thing))
            waiting += parts(thing)
    missing = (
        {thing.__name__ for thing in public_classes()}
        - {kind.__name__ for base in kinds for kind in base.__mro__}
        - AT_WORK
    )
    assert missing == set()


@pytest.mark.parametrize("kind", [k for k in vars(errors).values() if isinstance(k, type) and issubclass(k, Exception)])
def test_errors_come_through(kind):
    again = pickle.loads(pickle.dumps(kind("what is wrong")))
    assert type(again) is kind
    assert str(again) == "what is wrong"
