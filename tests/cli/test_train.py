"""`llmtrace train` as a user meets it: a few lines, a folder, and no way to lose what was learned."""

import hashlib
import json
import os
import random
import re
import shlex
import signal
import time
from importlib import import_module
from types import SimpleNamespace

import pytest
from click.testing import CliRunner
from helpers.pseudo import english
from helpers.train_command import TEXT, TINY, process, refused, train
from safetensors.numpy import load_file

import llmtrace
from llmtrace import i18n
from llmtrace.cli import main
from llmtrace.training import LanguageTraining, TrainingFolder, loop, trainer
from llmtrace.training import folder as trainer_folder

SHORT = TEXT[:4000]


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    """A folder with a book in it."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "book.txt").write_text(TEXT)
    yield tmp_path
    i18n.use(None)


def bits(folder):
    """What a training leaves behind: the model and its state."""
    names = ("model.safetensors", "config.json", "tokenizer.json", "training/state.safetensors")
    return [hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in names]


# ---- it works --------------------------------------------------------------------------------------------------------


def test_in_a_pipe_every_report_is_a_line(place):
    result = train(f"book.txt -o m {TINY} --steps 25 --report 10")
    lines = result.stdout[result.stdout.index("step 1 of") :].splitlines()
    number = r"\d+\.\d{4}"
    for step, line in zip((1, 10, 20, 25), lines, strict=False):
        assert re.fullmatch(
            rf"step {step} of 25, loss {number}, on held-out text {number}, [\d,]+ tokens/s, \d+ s left", line
        )
    assert re.fullmatch(rf"step 25: loss {number}; on held-out text {number}, the best so far", lines[4])
    assert lines[5:] == [
        "The model is in m. Try it:",
        "  llmtrace generate 'The king' --model ./m",
        "  llmtrace trace 'The king' --model ./m",
    ]
    assert result.stderr.startswith("Note: the vocabulary has ")
    for line in lines[6:]:
        assert CliRunner().invoke(main, shlex.split(line)[1:]).exit_code == 0
    assert len(list(llmtrace.load("./m").generate("The queen", 3))) == 3
    log = [json.loads(line) for line in (place / "m/training/log.jsonl").read_text().splitlines()]
    assert [entry["step"] for entry in log] == [1, 10, 20, 25]
    again = train("-o m --resume").stdout.splitlines()
    assert again == ["All 25 steps are done already.", *lines[4:]]


def test_characters_epochs_and_samples(place):
    (place / "book.txt").write_text(SHORT)
    text = train(f"book.txt -o m {TINY} --epochs 1 --characters --validation 0 --sample 'The ' --report 500").stdout
    count = len(SHORT) - 16
    assert f"\nstep 1 of {-(-(count // 16) // 4)}, loss " in text
    assert "held-out" not in text
    assert re.search(r"; it writes: 'The .+'\n", text)
    assert len(llmtrace.load("./m").tokenizer) == len(set(SHORT))


def test_what_is_said_before_it_begins(place):
    """How large the model is, how much it reads, how long that takes, and what the two losses are."""
    done = train(f"book.txt -o m {TINY} --steps 25 --report 10").stdout
    before = " ".join(done[: done.index("step 1 of")].split())
    weights = load_file("m/model.safetensors")
    count = sum(array.size for array in weights.values())
    tokens = len(llmtrace.load("./m").tokenizer.encode(TEXT))
    kept = tokens - int(tokens * 0.1)
    vocabulary = len(llmtrace.load("./m").tokenizer)
    assert f"The model: {count:,} numbers to learn, in 1 block of width 16, for {vocabulary} tokens." in before
    passes = 25 * 4 * 16 / kept
    assert (
        f"The text: {kept:,} tokens to learn from. 25 steps of 4 × 16 tokens read it about {passes:.2g} times."
        in before
    )
    one = train(f"book.txt -o one {TINY} --steps 1").stdout
    assert "1 step of 4 × 16 tokens reads it about" in " ".join(one.split())
    assert re.search(r"This takes about \d+ s on this machine\.", before)
    assert "mean over the steps since the last report" in before
    assert "For a first look" not in before  # it is quick already
    more = " ".join(train("-o m --resume --steps 50").stdout.split())
    assert "25 steps of 4 × 16" in more
    assert "held-out" not in train(f"book.txt -o n {TINY} --steps 2 --validation 0").stdout


def test_the_time_is_that_of_the_faster_of_two_steps_and_asking_for_it_changes_nothing(place, monkeypatch):
    train(f"book.txt -o m {TINY} --steps 30")
    train(f"book.txt -o n {TINY} --steps 30 --trace-step s.trace")
    training = LanguageTraining(TrainingFolder("n"))
    step, clock, seconds = training.step, [7.0], [3.0, 2.0]

    def timed():
        step()
        clock[0] += seconds.pop(0)

    with monkeypatch.context() as stand_in:
        stand_in.setattr(loop, "time", SimpleNamespace(perf_counter=lambda: clock[0]))
        stand_in.setattr(training, "step", timed)
        assert training.seconds_left() == 2 * 30
    for _unused in range(30):
        training.step()
    assert training.done == 30
    training.save()
    assert (place / "n/model.safetensors").read_bytes() == (place / "m/model.safetensors").read_bytes()


@pytest.mark.parametrize("folder", ["new", "new/in/new", "old"])
@pytest.mark.parametrize(
    "line", ["nofile.txt", "short.txt", "empty.txt", "book.txt --sample 中 --characters", "book.txt --width 1000000000"]
)
def test_what_fails_leaves_nothing_behind(place, folder, line):
    (place / "short.txt").write_text("hi")
    (place / "empty.txt").write_text("")
    (place / "old").mkdir()
    (place / "old/mine.txt").write_text("mine")
    there = sorted(place.rglob("*"))
    refused(f"{line} -o {folder}")
    assert sorted(place.rglob("*")) == there


@pytest.mark.parametrize(
    "name", ["tokenizer.json", "training/tokens", "training/log.jsonl", "training/state.safetensors"]
)
def test_a_file_of_others_is_not_written_over(place, name):
    (place / "m" / name).parent.mkdir(parents=True)
    (place / "m" / name).write_text("mine")
    there = sorted(place.rglob("*"))
    assert f"m/{name} is there already and would be written over" in refused(f"book.txt -o m {TINY}")
    assert (place / "m" / name).read_text() == "mine"
    assert sorted(place.rglob("*")) == there


def test_what_a_killed_beginning_has_left_is_no_hindrance(place):
    (place / "m/training").mkdir(parents=True)
    for name in ("training/lock", "training/tokens", "tokenizer.json"):
        (place / "m" / name).write_text("")
    assert "step 3 of 3" in train(f"book.txt -o m {TINY} --steps 3").stdout


def test_one_repeated_character(place):
    (place / "a.txt").write_text("a" * 3000)
    assert "step 3: loss 0.0000" in train(f"a.txt -o m {TINY} --steps 3 --characters").stdout
    assert "give more text, or a smaller context" in refused(f"a.txt -o n {TINY} --steps 3")


def test_a_step_is_recorded(place):
    result = train(f"book.txt -o m {TINY} --steps 5 --trace-step s.trace")
    told = re.search(r"every number of this step takes ([\d.]+) (kB|MB)", result.stderr)
    size = float(told[1]) * {"kB": 1e3, "MB": 1e6}[told[2]]
    assert 0.8 < size / (place / "s.trace").stat().st_size <= 1
    text = result.stdout
    assert 'Step 1 is in s.trace. Look at it with: llmtrace explain "loss" --trace s.trace' in text
    trace = llmtrace.open("s.trace")
    assert trace.explain("loss").value == trace.tensor("loss")
    assert "new.block.0.mlp.up.weight" in trace
    result = train("-o m --resume --trace-step few.trace --keep residual")
    assert "every number" not in result.stderr
    few = llmtrace.open("few.trace")
    assert few.keep == "residual"
    assert (place / "few.trace").stat().st_size < 0.7 * (place / "s.trace").stat().st_size
    assert few.tensor("d.block.0.mlp.act").tobytes() == trace.tensor("d.block.0.mlp.act").tobytes()
    assert "step 5 of 5" in train("-o m --resume").stdout


def test_the_examples_of_the_help():
    lines = re.findall("^ +llmtrace (train book.*)$", main.get_command(None, "train").help, re.MULTILINE)
    assert len(lines) == 2
    for number, line in enumerate(lines):
        small = shlex.split(line.replace("my-model", f"my-{number}")) + shlex.split(f"{TINY} --steps 2")
        assert CliRunner().invoke(main, small).exit_code == 0


# ---- what can't be ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("-o m", "give the text files"),
        ("nowhere.txt -o m", "nowhere.txt can't be read: No such file"),
        ("empty.txt -o m", "the texts are empty"),
        ("empty.txt -o m --characters", "the text is empty"),
        ("tiny.txt -o m", "has 5 tokens, but a window needs 129"),
        ("latin.txt -o m", "latin.txt is not UTF-8: byte 3, counted from 0, is 0xE9"),
        ("book.txt -o m --width 30 --heads 4", "can't be split into 4 heads"),
        ("book.txt -o m --steps 3 --epochs 2", "not both"),
        ("book.txt -o m --rate nan", "rate can't be nan"),
        ("book.txt -o m --validation 1", "--validation"),
        ("book.txt -o m --square-keep 1", "--square-keep"),
        ("book.txt -o m --seed 2147483648", "seed can't be 2147483648: give a whole number from 0 to 2147483647"),
        ("book.txt -o m --dropout 1", "--dropout"),
        ("book.txt -o m --steps 0", "--steps"),
        ("book.txt -o m --width 400000", "weights takes about"),
        ("book.txt -o m --characters --sample é", "no token for 'é'"),
        ("book.txt -o book.txt", "book.txt can't be written"),
        ("book.txt -o book.txt/m", "book.txt/m can't be written"),
        ("-o m --resume", "there is no training to go on with in m"),
        ("book.txt -o m --resume", "give no FILE"),
        ("-o m --resume --rate 1 --layers 3", "--layers, --rate can't be given again"),
    ],
)
def test_what_can_not_be_is_one_line(place, line, message):
    (place / "empty.txt").write_text("")
    (place / "tiny.txt").write_text("Hello")
    (place / "latin.txt").write_bytes(b"caf\xe9")
    assert message in refused(line)
    assert not (place / "m" / "model.safetensors").exists()


def test_folders_that_are_taken(place):
    train(f"book.txt -o m {TINY} --steps 1")
    before = bits(place / "m")
    assert "go on with it by --resume" in refused(f"book.txt -o m {TINY} --steps 1")
    (place / "m/training/plan.json").unlink()
    assert "there is a model in m already" in refused(f"book.txt -o m {TINY} --steps 1")
    assert bits(place / "m") == before


def test_an_explosion_names_step_layer_and_op_and_leaves_the_last_checkpoint():
    line = f"book.txt -o m {TINY} --steps 50 --warmup 5 --rate 1e6 --clip 0 --optimiser sgd --checkpoint 1"
    text = refused(line)
    assert re.search(r"stopped (in|after) step \d+: .* in layer block\.0, op \w+: block\.0\.[\w.]+\[[\d, ]+\] = ", text)
    assert text.endswith("the model in m is that of the last checkpoint\n")
    assert llmtrace.load("./m").logits("The king").size
    assert refused(f"book.txt -o n {TINY} --rate 1e38 --warmup 0").endswith("no checkpoint was made yet\n")
    assert "stopped" in refused("-o n --resume")


# ---- interruptions ---------------------------------------------------------------------------------------------------

LONG = f"{TINY} --steps 16 --dropout 0.1 --report 5 --checkpoint 3"


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The bits of a training that nobody disturbed, with one thread."""
    folder = tmp_path_factory.mktemp("whole")
    (folder / "book.txt").write_text(TEXT)
    with process(f"book.txt -o m {LONG}", threads="1", cwd=folder) as child:
        assert child.wait() == 0
    return bits(folder / "m")


def test_threads_change_no_bit(place, whole):
    with process(f"book.txt -o m {LONG}", threads="2") as child:
        child.communicate()
    assert bits(place / "m") == whole


def test_killed_at_random_moments_it_ends_with_the_same_bits(place, whole):
    chance, kills = random.Random(3), 0
    while True:
        line = "-o m --resume" if (place / "m/training/plan.json").exists() else f"book.txt -o m {LONG}"
        with process(line, threads=chance.choice("12")) as child:
            if kills < 4:
                child.stdout.readline()  # it is on its way
                time.sleep(chance.uniform(0, 0.03))
                child.send_signal(chance.choice([signal.SIGKILL, signal.SIGINT]))
                kills += 1
            _out, error = child.communicate()
        assert b"Traceback" not in error
        # A command that has ended its work, and only lets go of Python, is gone at once without a word.
        assert child.returncode in {0, -signal.SIGKILL, 130, -signal.SIGINT}, error
        if child.returncode == 0:
            break
    assert kills
    assert bits(place / "m") == whole


@pytest.mark.parametrize(
    ("inside", "done"),
    [
        ("llmtrace.tokenizers.training.bpe:_learn", False),
        ("llmtrace.training.corpus:documents", False),
        ("llmtrace.training.optimiser:updated", True),
        ("llmtrace.weights.folder:save", True),
    ],
)
def test_control_c_wherever_it_comes(place, whole, inside, done):
    """A stand-in presses Ctrl-C in the middle of something, once."""
    module, name = inside.split(":")
    calls = []

    def before():
        real = getattr(import_module(module), name)

        def pressed(*args, **more):
            calls.append(1)
            if len(calls) == (10 if name == "updated" else 1):
                os.kill(os.getpid(), signal.SIGINT)
            return real(*args, **more)

        for place in (import_module(module), trainer):
            if hasattr(place, name):
                setattr(place, name, pressed)

    line = f"book.txt -o m {LONG}" + (" --separator '\n'" if "documents" in inside else "")
    with process(line, before=before, text=True) as first:
        _out, error = first.communicate()
    assert first.returncode == 130, error
    assert "Traceback" not in error
    *before, last = error.strip().splitlines()
    assert before[-1].startswith("Interrupted: saved after step") if done else last == "Interrupted."
    with process(last.partition("llmtrace train ")[2] if done else f"book.txt -o m {LONG}") as again:
        again.communicate()
    assert again.returncode == 0
    assert bits(place / "m") == whole


def test_a_report_whose_checkpoint_is_interrupted_is_shown(place):
    """It was made; the checkpoint is made after the interruption."""

    def before():
        calls, save = [], trainer_folder.save_folder

        def pressed(*args):
            calls.append(1)
            if len(calls) == 2:
                os.kill(os.getpid(), signal.SIGINT)
            return save(*args)

        trainer_folder.save_folder = pressed

    with process(f"book.txt -o m {TINY} --steps 9 --report 2 --checkpoint 4", before=before, text=True) as child:
        out, error = child.communicate()
    assert (child.returncode, out.splitlines()[-1].partition(",")[0]) == (130, "step 8 of 9")
    assert error.splitlines()[-2] == "Interrupted: saved after step 8 of 9. Go on with:"


def test_a_reader_that_has_seen_enough(place, whole):
    with process(f"book.txt -o m {LONG}") as child:
        child.stdout.readline()
        child.stdout.close()
        assert child.wait() == 0
        assert b"Traceback" not in child.stderr.read()
    with process("-o m --resume") as child:
        child.communicate()
    assert bits(place / "m") == whole


# ---- languages -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "line",
    [
        f"book.txt -o m {TINY} --steps 3 --sample The",
        f"book.txt -o m {TINY} --rate 1e38 --warmup 0",
        f"book.txt -o m {TINY} --trace-step s.trace",
        "book.txt -o m --width 400000",
        "book.txt -o m --steps 1 --epochs 1",
        "book.txt -o m --resume",
        "-o m --resume --rate 2",
        "-o m --resume",
        "-o m",
    ],
)
def test_all_that_is_said_is_in_the_catalogue(line, bracketed):
    result = CliRunner().invoke(main, ["train", *shlex.split(line)])
    left = english("\n".join(part for part in result.output.splitlines() if "  llmtrace " not in part))
    assert "⟦" in result.output
    assert not [word for word in left if word not in {"nan", "block", "train", "resume"}], (left, result.output)
