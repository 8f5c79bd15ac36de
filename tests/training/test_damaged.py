"""A folder of a training in which a file is damaged is gone on with, or refused in one line that says where."""

import json
import shutil

import numpy as np
import pytest
from helpers.fresh import examples
from helpers.small_training import begun
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from llmtrace.errors import DoesNotFitError, LlmtraceError
from llmtrace.storage import open_tensors, save
from llmtrace.training import LanguageTraining, TrainingFolder

FILES = ["training/plan.json", "training/tokens", "training/tokens.starts", "training/state.safetensors"]
FILES += ["training/log.jsonl", "tokenizer.json"]
JSON_FILES = ["training/plan.json", "training/log.jsonl", "tokenizer.json"]
VALUES = [
    None,
    True,
    -1,
    0,
    0.5,
    1000,
    (1 << 31) - 1,
    1 << 31,
    1 << 62,
    10**900,
    1e300,
    "",
    "x",
    "\x1b[31m\n",
    "9" * 5000,
    [],
    [1],
    {},
    {"a": 1},
]
HOSTILE = [b"", b"\0" * 50, b"[" * 100_000, b"NaN", b'{"a": 1, "a": 1}', b"\xff\xfe", b"null\n", b"[]\n", b"9" * 5000]


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    """A training of two steps that are saved and reported."""
    folder = begun(tmp_path_factory.mktemp("good") / "m", separator=". ")
    training = LanguageTraining(folder)
    list(training.run(report=1, checkpoint=1))
    training.go_on(9)
    return folder.path


def expect_work_or_one_line(good, path, change):
    """With a file changed, a training goes on, or says what is the matter; True where it went on."""
    shutil.rmtree(path, ignore_errors=True)
    shutil.copytree(good, path)
    change(path)
    told, training = outcome(path)
    if isinstance(told, LlmtraceError):
        message = str(told)
        assert message.isprintable()
        assert len(message) <= 1000
        assert str(path) in message or training is not None or isinstance(told, DoesNotFitError), message
    return told is None


def outcome(path):
    """With what a training there was refused, or None; and the training, where it came to that."""
    training = None
    try:
        training = LanguageTraining(TrainingFolder(path))
        training.folder.reports()
        training.step()
        training.save()
        training.validation()
    except LlmtraceError as error:
        return error, training
    return None, training


def test_a_folder_as_it_is_goes_on(good, tmp_path):
    assert expect_work_or_one_line(good, tmp_path / "m", lambda path: None)


@pytest.mark.parametrize("file", FILES)
def test_hostile_contents(good, tmp_path, file):
    for content in HOSTILE:
        went_on = expect_work_or_one_line(good, tmp_path / "m", lambda path, c=content: (path / file).write_bytes(c))
        assert not went_on or file.endswith("log.jsonl"), content[:20]


@pytest.mark.parametrize("file", FILES)
def test_files_that_are_not_there_or_folders(good, tmp_path, file):
    def instead(path):
        (path / file).unlink()
        (path / file).mkdir()

    assert not expect_work_or_one_line(good, tmp_path / "m", instead)
    went_on = expect_work_or_one_line(good, tmp_path / "m", lambda path: (path / file).unlink())
    assert went_on == (file in {"training/log.jsonl", "training/state.safetensors"})


def leaves(data, way=()):
    """The way to every value of JSON, those of objects and lists included."""
    yield way
    for key, value in data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ():
        yield from leaves(value, (*way, key))


def replaced(data, way, value):
    if not way:
        return value
    copied = dict(data) if isinstance(data, dict) else list(data)
    copied[way[0]] = replaced(copied[way[0]], way[1:], value)
    return copied


def dealt(ways):
    """Every way with some of the values, so that each of the values has its turn in each `apart` ways."""
    apart = 8 // examples(2)
    return ((way, value) for n, way in enumerate(ways) for value in VALUES[n % apart :: apart])


def test_every_value_of_the_plan_and_of_a_report_is_another(good, tmp_path):
    """Values that mean nothing else are refused; none gives anything but a sentence."""
    plan = json.loads((good / "training/plan.json").read_text())
    for way, value in dealt(leaves(plan)):
        text = json.dumps(replaced(plan, way, value))
        expect_work_or_one_line(good, tmp_path / "m", lambda path, t=text: (path / "training/plan.json").write_text(t))
    report = json.loads((good / "training/log.jsonl").read_text().splitlines()[0])
    for way, value in dealt(leaves(report)):
        text = json.dumps(replaced(report, way, value)) + "\n"
        expect_work_or_one_line(good, tmp_path / "m", lambda path, t=text: (path / "training/log.jsonl").write_text(t))


@pytest.mark.parametrize("name", ["tokens", "tokens.starts"])
def test_ids_and_places_beyond_all_there_are(good, tmp_path, name):
    def change(path):
        file = path / "training" / name
        file.write_bytes(b"\xff" * len(file.read_bytes()))

    assert not expect_work_or_one_line(good, tmp_path / "m", change)


def test_states_of_other_kinds(good, tmp_path):
    tensors, _metadata = open_tensors(good / "training/state.safetensors")
    arrays = {
        name: np.array(t.read()) if t.dtype != "F64" else np.array(t.data.view("<f8")) for name, t in tensors.items()
    }

    def saved(changes, step="6"):
        kept = {name: array for name, array in {**arrays, **changes}.items() if array is not None}
        return lambda path: save(kept, path / "training/state.safetensors", {} if step is None else {"step": step})

    assert expect_work_or_one_line(good, tmp_path / "m", saved({}))
    for step in (None, "", "x", "-1", "0", "7" * 5000, "10", "1e3", "\x1b"):
        assert not expect_work_or_one_line(good, tmp_path / "m", saved({}, step)), step
    for n, (name, array) in enumerate(arrays.items()):
        others = (None, array[:0], np.zeros((2, 2, 2), np.float32), array.astype(np.int64), np.float16(3))
        for other in others[n % 3 :: 3]:
            went_on = expect_work_or_one_line(
                good, tmp_path / "m", saved({name: np.asarray(other) if other is not None else None})
            )
            assert not went_on or name == "reported", name
    for pair in ([np.nan, 0], [0, np.nan], [0, -1], [0, 1e300], [np.inf, 3], [0.0]):
        expect_work_or_one_line(good, tmp_path / "m", saved({"reported": np.array(pair)}))


@settings(max_examples=examples(100), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_damage(good, tmp_path, data):
    file = data.draw(st.sampled_from(FILES))
    content = bytearray((good / file).read_bytes())
    if data.draw(st.booleans()):
        del content[data.draw(st.integers(0, len(content))) :]
    for _change in range(data.draw(st.integers(0, 3))):
        if content:
            content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    expect_work_or_one_line(good, tmp_path / "m", lambda path: (path / file).write_bytes(content))
