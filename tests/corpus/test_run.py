"""One hash for a corpus, whoever runs it, in whichever order, and wherever it was ended on the way."""

import hashlib
import json
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from itertools import pairwise

import numpy as np
import pytest
from helpers.fresh import examples
from helpers.small_models import small_gpt, write_folder
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from llmtrace import corpus
from llmtrace.corpus import blocks, run
from llmtrace.corpus.work import DONE, FAILED, SHARDS, UNFINISHED
from llmtrace.errors import CorpusError, ModelError
from llmtrace.threads import get_threads

TEXTS = ["ABC", "CABBA", "", "A", "B" * 12, *("ABC"[n % 3] + "CAB"[n % 2 :] * (n % 4) for n in range(60))]
PROMPTS = [{"id": f"p{n}", "text": text} for n, text in enumerate(TEXTS)]
PROMPTS += [{"id": "ids", "ids": [0, 1, 2]}, {"id": "unknown", "ids": [7]}, {"id": "p3", "text": "again"}, 5]
FAILING = {
    "p2": "empty",
    "p4": "at most 11",
    "unknown": "no token 7",
    "p3": "is that of prompt 4",
    str(len(PROMPTS)): "",
}


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return write_folder(tmp_path_factory.mktemp("models") / "small")


@pytest.fixture(scope="module")
def whole(model, tmp_path_factory):
    return corpus.trace(PROMPTS, model, tmp_path_factory.mktemp("whole"), workers=1, keep=["logits[-1]"])


class EndedError(Exception):
    pass


def ending_after(count):
    """Ends a run when so many prompts are finished."""

    def progress(done, _whole):
        if done >= count:
            raise EndedError

    return progress


DAMAGES = ["none", "gone", "cut", "empty", "longer", "one bit"]


def damage(shard, how):
    content = bytearray(shard.read_bytes())
    if how == "one bit":
        content[len(content) // 2] ^= 1
    changed = {"cut": content[:100], "empty": b"", "longer": content + b"\0"}.get(how, content)
    shard.unlink() if how == "gone" else shard.write_bytes(changed)


def expect_the_same(report, whole):
    assert report.hash == whole.hash
    for shard in (report.folder / SHARDS).iterdir():
        assert shard.stem == hashlib.sha256(shard.read_bytes()).hexdigest()
    named = Counter(row["shard"] for row in report.rows if row["shard"])
    assert {path.name for path in (report.folder / SHARDS).iterdir()} == set(named)  # nothing lost, nothing twice
    assert [row["id"] for row in report.rows] == [row["id"] for row in whole.rows]


def test_a_prompt_that_cannot_be_run_is_a_row_with_its_reason(whole):
    failed = [row for row in whole.rows if row["status"] == FAILED]
    assert [row["id"] for row in failed] == [*FAILING]
    for row, reason in zip(failed, FAILING.values(), strict=True):
        assert reason in row["reason"]
    assert whole.counts == {DONE: len(PROMPTS) - len(FAILING), FAILED: len(FAILING), UNFINISHED: 0}
    assert json.loads((whole.folder / "corpus.json").read_text())["hash"] == whole.hash


def test_threads_give_the_same_and_stay_as_they_were(model, whole, tmp_path):
    before = get_threads()
    with ThreadPoolExecutor(3) as executor:
        expect_the_same(corpus.trace(PROMPTS, model, tmp_path, executor, keep=["logits[-1]"]), whole)
    assert get_threads() == before


def test_any_order_gives_the_same_hash_and_another_prompt_another_one(model, whole, tmp_path):
    turned = [*PROMPTS[:-2][::-1], *PROMPTS[-2:]]
    assert corpus.trace(turned, model, tmp_path / "a", workers=1, keep=["logits[-1]"]).hash == whole.hash
    assert corpus.trace(PROMPTS, model, tmp_path / "b", workers=1).hash != whole.hash
    changed = [{"id": "p0", "text": "ABB"}, *PROMPTS[1:]]
    assert corpus.trace(changed, model, tmp_path / "c", workers=1, keep=["logits[-1]"]).hash != whole.hash


def test_ids_of_numpy_are_ids(model, tmp_path):
    given = [np.array([0, 1, 2]), [np.int64(2)], range(3), {"id": np.int64(9), "ids": np.array([1], np.uint8)}]
    plain = [[0, 1, 2], [2], [0, 1, 2], {"id": "9", "ids": [1]}]
    report = corpus.trace(given, model, tmp_path / "given", workers=2, keep=["logits[-1]"])
    assert report.counts == {DONE: 4, FAILED: 0, UNFINISHED: 0}
    expect_the_same(report, corpus.trace(plain, model, tmp_path / "plain", workers=1, keep=["logits[-1]"]))


def test_a_prompt_whose_number_is_the_name_of_a_later_one_goes_on_under_another(model, tmp_path):
    first = corpus.trace(["A", "BB"], model, tmp_path, workers=1)
    more = corpus.trace(["A", "BB", {"id": "2", "text": "CC"}], model, tmp_path, workers=1)
    assert [(row["id"], row["tokens"]) for row in first.rows] == [("1", 1), ("2", 2)]
    assert [(row["id"], row["ids"]) for row in more.rows] == [("1", [0]), ("#2", [1, 1]), ("2", [2, 2])]


@settings(max_examples=examples(6), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.integers(1, len(PROMPTS) + 1), max_size=3), st.binary(max_size=8), st.data())
def test_ended_anywhere_and_damaged_it_goes_on_to_the_same(model, whole, tmp_path_factory, ends, torn, data):
    folder = tmp_path_factory.mktemp("ended")
    for count in ends:
        with suppress(EndedError):
            corpus.trace(PROMPTS, model, folder, workers=1, keep=["logits[-1]"], progress=ending_after(count))
        journal = folder / "journal.jsonl"
        if journal.exists():
            content = journal.read_bytes()
            journal.write_bytes(content[: data.draw(st.integers(0, len(content)))] + torn)
        shards = sorted((folder / SHARDS).glob("*"))
        if shards:
            damage(shards[0], data.draw(st.sampled_from(DAMAGES)))
    expect_the_same(corpus.trace(PROMPTS, model, folder, workers=1, keep=["logits[-1]"]), whole)


def test_what_is_finished_is_not_run_again(model, whole, tmp_path, monkeypatch):
    with pytest.raises(EndedError):
        corpus.trace(PROMPTS, model, tmp_path, workers=1, keep=["logits[-1]"], progress=ending_after(30))
    ran, work = [], run.work
    monkeypatch.setattr(run, "work", lambda task: ran.extend(item.id for item in task.items) or work(task))
    report = corpus.trace(PROMPTS, model, tmp_path, workers=1, keep=["logits[-1]"])
    assert report.skipped >= 28
    assert len(ran) == len(set(ran)) == len([item for item in PROMPTS if item != 5]) - 1 - report.skipped
    expect_the_same(report, whole)
    ran.clear()
    expect_the_same(corpus.trace(PROMPTS, model, tmp_path, workers=1, keep=["logits[-1]"]), whole)
    assert not ran


@pytest.mark.parametrize("how", DAMAGES[1:])
def test_a_shard_that_was_damaged_is_made_again_and_no_other_one(model, tmp_path, how):
    once = corpus.trace(PROMPTS, model, tmp_path, workers=1, keep=["logits[-1]"])
    rows = [row for row in once.rows if row["shard"] == once.rows[0]["shard"]]
    damage(tmp_path / SHARDS / rows[0]["shard"], how)
    again = corpus.trace(PROMPTS, model, tmp_path, workers=1, keep=["logits[-1]"])
    assert sum(bool(row["text_sha256"]) for row in again.rows) - again.skipped == len(rows)
    expect_the_same(again, once)
    assert again.rows == once.rows


@pytest.mark.parametrize(("work", "most"), [(1, 1), (blocks.WORK, blocks.MOST)])
def test_what_has_been_run_is_in_the_journal_before_anything_else_is(model, whole, tmp_path, monkeypatch, work, most):
    monkeypatch.setattr(blocks, "WORK", work)
    ran, really = [], run.work
    monkeypatch.setattr(run, "work", lambda task: ran.extend(task.items) or really(task))
    written = [0]

    def progress(_done, _whole):
        journal = tmp_path / "journal.jsonl"
        lines = journal.read_text().splitlines() if journal.exists() else []
        written.append(sum(len(json.loads(line)["rows"]) for line in lines))
        assert written[-1] == len(ran)

    report = corpus.trace(PROMPTS, model, tmp_path, workers=1, keep=["logits[-1]"], progress=progress)
    assert max(after - before for before, after in pairwise(written)) == most
    expect_the_same(report, whole)


def test_files_of_what_is_kept_are_the_same_wherever_a_run_was_ended(model, whole, tmp_path):
    for count in (1, 20, 50):
        with suppress(EndedError):
            corpus.trace(PROMPTS, model, tmp_path, workers=1, keep=["logits[-1]"], progress=ending_after(count))
    assert corpus.trace(PROMPTS, model, tmp_path, workers=2, keep=["logits[-1]"]).rows == whole.rows


class Deadly:
    """An engine whose workers are ended by some prompts, and which loses with them whatever else is out."""

    def __init__(self, deadly):
        self.deadly, self.out = deadly, []

    def submit(self, function, task):
        future = Future()
        self.out.append((future, function, task))
        if len(self.out) > 2:
            self.settle()
        return future

    def settle(self):
        dead = any(item.id in self.deadly for _future, _function, task in self.out for item in task.items)
        for future, function, task in self.out:
            future.set_exception(BrokenProcessPool("ended")) if dead else future.set_result(function(task))
        self.out = []

    def renew(self):
        self.out = []
        return True

    def close(self):
        pass


@settings(max_examples=examples(6), deadline=None)
@given(st.sets(st.sampled_from([prompt["id"] for prompt in PROMPTS[:-2]]), max_size=3))
def test_a_prompt_that_ends_its_process_is_found_and_takes_no_other_with_it(model, whole, tmp_path_factory, deadly):
    engine, folder = Deadly(deadly), tmp_path_factory.mktemp("deadly")
    wait = run.wait

    def waiting(futures, **more):
        if not any(future.done() for future in futures):
            engine.settle()
        return wait(futures, **more)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run, "wait", waiting)
        patch.setattr(run, "engine", lambda executor, workers: engine)
        report = corpus.trace(PROMPTS, model, folder, keep=["logits[-1]"])
    assert {row["id"] for row in report.rows if row["status"] == UNFINISHED} == deadly
    assert all("was ended (ended)" in row["reason"] for row in report.rows if row["status"] == UNFINISHED)
    expect_the_same(corpus.trace(PROMPTS, model, folder, workers=1, keep=["logits[-1]"]), whole)


def test_an_executor_that_breaks_is_said_to_and_what_is_finished_kept(model, tmp_path):
    class Broken(ThreadPoolExecutor):
        def submit(self, function, /, *args, **kwargs):
            raise BrokenProcessPool("it is gone")

    with Broken(1) as executor, pytest.raises(CorpusError, match=r"can't go on \(it is gone\).*run it again"):
        corpus.trace(PROMPTS, model, tmp_path, executor)


@pytest.mark.parametrize(
    ("other", "message"),
    [({"keep": ["ln_f"]}, "another --keep"), ({"special": True}, "another --special"), ({"seed": 1}, "another model")],
)
def test_a_folder_of_another_corpus_is_refused(model, whole, other, message, tmp_path):
    if other.pop("seed", None):
        model = write_folder(tmp_path / "other", width=6)
    with pytest.raises(CorpusError, match=message):
        corpus.trace(PROMPTS, model, whole.folder, workers=1, **{"keep": ["logits[-1]"], **other})


def test_a_folder_that_holds_anything_else_or_is_in_use_is_refused(model, tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(CorpusError, match="is not empty"):
        corpus.trace(PROMPTS, model, tmp_path)
    with pytest.raises(CorpusError, match="can't be written"):
        corpus.trace(PROMPTS, model, tmp_path / "mine.txt")

    def again(_done, _whole):
        corpus.trace(PROMPTS, model, tmp_path / "a", workers=1)

    with pytest.raises(CorpusError, match="another run is at work"):
        corpus.trace(PROMPTS, model, tmp_path / "a", workers=1, progress=again)


def test_a_model_that_is_only_in_memory_is_refused(tmp_path):
    with pytest.raises(CorpusError, match="only in memory"):
        corpus.trace(["ABC"], small_gpt(), tmp_path)


def test_a_model_that_answers_texts_is_refused(tmp_path):
    with pytest.raises(CorpusError, match="goes on with them"):
        corpus.trace(["ABC"], "translator", tmp_path)


def test_what_is_of_another_kind_is_refused_in_a_sentence(model, tmp_path):
    for wrong in (None, 3, ["gpt2"]):
        with pytest.raises(ModelError, match="a model is given by its name or its path, not by "):
            corpus.trace(["ABC"], wrong, tmp_path / "a")
    for wrong in (None, 3):
        with pytest.raises(CorpusError, match=f"the path of a file, or several prompts, not {wrong}"):
            corpus.trace(wrong, model, tmp_path / "a")
        with pytest.raises(CorpusError, match=f"the folder of a corpus is given by its path, not by {wrong}"):
            corpus.trace(["ABC"], model, wrong)
    for wrong in (None, "logits", [3], 3):
        with pytest.raises(CorpusError, match=r"keep is a list of addresses such as logits\[-1\], not "):
            corpus.trace(["ABC"], model, tmp_path / "a", keep=wrong)
    for wrong, said in ((0, "0"), (-1, "-1"), ("2", "'2'"), (1.5, "1.5"), (True, "True")):
        with pytest.raises(CorpusError, match=f"workers is a whole number from 1, not {said}"):
            corpus.trace(["ABC"], model, tmp_path / "a", workers=wrong)
    assert not (tmp_path / "a").exists()


def test_another_tokenizer_is_another_model(model, tmp_path):
    folder = shutil.copytree(model, tmp_path / "model")
    corpus.trace(["ABC"], folder, tmp_path / "a", workers=1)
    path = folder / "tokenizer.json"
    content = json.loads(path.read_text())
    vocabulary = content["model"]["vocab"]
    content["model"]["vocab"] = {text: len(vocabulary) - 1 - index for text, index in vocabulary.items()}
    path.write_text(json.dumps(content))
    with pytest.raises(CorpusError, match="was begun with another model"):
        corpus.trace(["ABC"], folder, tmp_path / "a", workers=1)


# ---- processes ------------------------------------------------------------------------------------------------------

MANY = [{"id": f"{n}", "text": "ABC"[n % 3] * (1 + n % 11)} for n in range(200)]


@pytest.fixture(scope="module")
def many(model, tmp_path_factory):
    return corpus.trace(MANY, model, tmp_path_factory.mktemp("many"), workers=1, keep=["logits[-1]"])


def test_a_worker_that_is_killed_changes_nothing(model, many, tmp_path):
    killed = []

    def kill(done, _whole):
        if done and not killed:
            killed.append(multiprocessing.active_children()[0])
            os.kill(killed[0].pid, signal.SIGKILL)

    report = corpus.trace(MANY, model, tmp_path, workers=2, keep=["logits[-1]"], progress=kill)
    assert killed
    expect_the_same(report, many)


def test_after_all_of_it_is_killed_it_goes_on_and_no_worker_stays(model, many, tmp_path):
    file, folder = tmp_path / "many.jsonl", tmp_path / "out"
    file.write_text("".join(f"{json.dumps(prompt)}\n" for prompt in MANY))
    arguments = [
        "corpus",
        str(file),
        "-o",
        str(folder),
        "--model",
        str(model),
        "--keep",
        "logits[-1]",
        "--workers",
        "2",
    ]
    with subprocess.Popen([sys.executable, "-m", "llmtrace", *arguments], stdout=subprocess.DEVNULL) as process:
        journal = folder / "journal.jsonl"
        while process.poll() is None and not (journal.exists() and b"\n" in journal.read_bytes()):  # a whole line of it
            time.sleep(0.002)
        workers = _children(process.pid)
        process.kill()
    report = corpus.trace(file, model, folder, workers=1, keep=["logits[-1]"])
    assert report.skipped
    assert report.rows == many.rows
    expect_the_same(report, many)
    until = time.monotonic() + 20
    while any(map(_alive, workers)) and time.monotonic() < until:
        time.sleep(0.02)
    assert not [pid for pid in workers if _alive(pid)]


def _children(pid):
    try:
        with open(f"/proc/{pid}/task/{pid}/children") as file:
            return [int(child) for child in file.read().split()]
    except OSError:
        return []


def _alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
