"""Special tokens count in a prompt only when asked for; an empty prompt is the token with which a model's texts begin."""

import copy
import json

import pytest
from helpers.cli_run import run, said
from helpers.model_folders import refusal, write
from helpers.small_models import small_config, tensors
from helpers.small_tokenizer import END, TOKENIZER, VOCABULARY

import llmtrace
from llmtrace.errors import PromptError
from llmtrace.explain.verify import verify
from llmtrace.models import GPT, KVCache, WithSpecial
from llmtrace.tokenizers.framing import Framing
from llmtrace.tokenizers.splitting import GPT2_SPLIT, Splitter
from llmtrace.weights import save_folder
from llmtrace.weights.gpt import GPT2

TEXT = f"hello{END} the"
IDS = {True: [VOCABULARY["hello"], VOCABULARY[END], VOCABULARY["Ġthe"]], False: TOKENIZER.encode(TEXT)}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    config = small_config(vocabulary=len(VOCABULARY), context=40)
    model = GPT(config, GPT2.weights(config, tensors(config), "random"), TOKENIZER, "small")
    model.begin = VOCABULARY[END]
    save_folder(model, tmp_path_factory.mktemp("special") / "model")
    return tmp_path_factory.getbasetemp() / "special0" / "model"


@pytest.fixture(scope="module")
def model(folder):
    return llmtrace.load(folder)


@pytest.mark.parametrize("special", [True, False])
def test_they_count_only_when_asked_for(model, special):
    text = WithSpecial(TEXT) if special else TEXT
    assert model.ids(text).tolist() == IDS[special]
    assert model.ids([text, text]).tolist() == [IDS[special]] * 2
    trace = model.trace(text)
    assert trace.tensor("tokens").tolist() == IDS[special]
    assert trace.origin.text == TEXT
    pieces = json.dumps(trace.origin.tokenization)
    assert (json.dumps(END) in pieces) == special


COMMANDS = [
    ["generate", TEXT, "--steps", "1", "--quiet", "-o"],
    ["trace", TEXT, "-o"],
    ["what-if", TEXT, "--off", "head:0.1", "-o"],
    ["surprise", TEXT + " the", "-o"],
]


@pytest.mark.parametrize("special", [True, False])
@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
def test_commands_take_them_as_such_with_special(folder, tmp_path, command, special):
    file = tmp_path / "a.trace"
    run(*command, str(file), "--model", str(folder), *["--special"] * special)
    ids = llmtrace.open(file).tensor("tokens").tolist()
    assert ids[: len(IDS[special])] == IDS[special]


@pytest.mark.parametrize("command", [["show", "tokens"], ["explain", "tokens[-1]"]], ids=lambda command: command[0])
def test_looks_take_them_too_and_what_was_traced_last_remembers(folder, tmp_path, command):
    env = {"XDG_STATE_HOME": str(tmp_path)}
    asked = said(*command, "--prompt", TEXT, "--special", "--model", str(folder), "--json", env=env)
    assert said(*command, "--json", env=env) == asked
    assert asked != said(*command, "--prompt", TEXT, "--model", str(folder), "--json", env=env)


def test_other_commands_that_run_a_prompt_have_the_option(folder, tmp_path):
    for arguments in (["ledger", TEXT], ["accuracy", TEXT], ["compare", TEXT, TEXT]):
        run(*arguments, "--special", "--model", str(folder), "--json")
    run("page", TEXT, "--special", "--model", str(folder), "-o", str(tmp_path / "a.html"))


def test_an_empty_prompt_is_the_beginning_and_is_said_to_be(model, folder):
    assert model.ids("").tolist() == model.ids([]).tolist() == [VOCABULARY[END]]
    for command in (["trace"], ["generate", "--steps", "2"], ["accuracy"]):
        result = run(command[0], "", *command[1:], "--model", str(folder))
        assert f"begins with '{END}'" in result.stderr
    assert f"begins with '{END}'" not in run("trace", "hello", "--model", str(folder)).stderr


def test_without_such_a_token_an_empty_prompt_is_refused():
    with pytest.raises(PromptError, match="the prompt is empty"):
        llmtrace.load().ids("")
    assert "the prompt is empty" in said("trace", "", code=2)


FRAMED = Framing((VOCABULARY[END],), (VOCABULARY["."],))


@pytest.mark.parametrize("space", [False, True], ids=["no space", "adds a space"])
def test_a_text_that_is_read_on_does_not_begin_again(space):
    """With a cache: nothing is put before or behind what goes on with another text, which is not empty."""
    tokenizer = copy.copy(TOKENIZER)
    tokenizer.splitter = Splitter({**GPT2_SPLIT, "add_prefix_space": space})
    tokenizer.framing = FRAMED
    config = small_config(vocabulary=len(VOCABULARY), context=40)
    model = GPT(config, GPT2.weights(config, tensors(config), "random"), tokenizer, "small")
    model.begin = VOCABULARY[END]
    cache = KVCache()
    begun = model.ids("hello").tolist()
    assert (begun[0], begun[-1]) == (*FRAMED.before, *FRAMED.after)
    model.logits("hello", cache)
    trace = model.trace("the the", cache)
    own = TOKENIZER.encode("the the")
    assert trace.tensor("tokens").tolist() == own
    assert verify(trace) > 0  # which also replays how the text became tokens
    assert cache.ids.tolist() == begun + own
    for nothing in ("", []):
        with pytest.raises(PromptError, match="the prompt is empty"):
            model.logits(nothing, cache)
    assert model.ids("hello").tolist() == begun


@pytest.mark.parametrize(("stated", "begin"), [(2, 2), (0, 0), (50256, None)])
def test_the_configuration_says_which(tmp_path, stated, begin):
    assert llmtrace.load(write(tmp_path / "a", bos_token_id=stated)).begin == begin


def test_where_it_says_nothing_the_tokenizer_does_and_null_is_none(tmp_path, folder):
    config = json.loads((folder / "config.json").read_text())
    assert config.pop("bos_token_id") == VOCABULARY[END]
    for content, begin in ((config, VOCABULARY[END]), (config | {"bos_token_id": None}, None)):
        (folder / "config.json").write_text(json.dumps(content))
        assert llmtrace.load(folder).begin == begin
    (folder / "config.json").write_text(json.dumps(config | {"bos_token_id": VOCABULARY[END]}))


@pytest.mark.parametrize("wrong", ["2", -1, True, [1], 1.5])
def test_what_is_no_id_is_refused(tmp_path, wrong):
    assert "bos_token_id must be the id of a token" in refusal(write(tmp_path / "a", bos_token_id=wrong))
