"""`llmtrace generate --chat`: a question, read as the model was trained to read it."""

import hashlib
import json
from pathlib import Path

import pytest
from helpers.cli_run import run
from helpers.small_models import write_folder
from helpers.small_tokenizer import TOKENIZER
from safetensors.numpy import load_file, save_file

import llmtrace
from llmtrace.models import Sampling
from llmtrace.text import inert
from llmtrace.tokenizers import ByteLevelBPE
from llmtrace.tokenizers.chat import CHATML, KNOWN, chat

TEMPLATE = "{{ a template of these tests }}"


@pytest.fixture
def chatty(tmp_path, monkeypatch):
    """A model that was trained to answer, as far as its files say."""
    monkeypatch.setitem(KNOWN, hashlib.sha256(TEMPLATE.encode()).hexdigest(), CHATML)
    special = {"<|im_start|>": len(TOKENIZER), "<|im_end|>": len(TOKENIZER) + 1}
    tokenizer = ByteLevelBPE({**TOKENIZER.vocabulary, **special}, TOKENIZER.merges, special=special)
    folder = write_folder(tmp_path / "chatty", range(len(TOKENIZER) + 2), context=80)
    tokenizer.save(folder)
    (folder / "tokenizer_config.json").write_text(json.dumps({"chat_template": TEMPLATE}))
    return str(folder)


ASKED = b"<|im_start|>user\nhello?<|im_end|>\n<|im_start|>assistant\n"


def test_a_chat_reads_what_the_template_writes(chatty):
    """Alone where the output is no terminal: the answer."""
    model = llmtrace.load(chatty)
    ids = chat("hello?", TEMPLATE, model.tokenizer).ids
    assert model.tokenizer.decode_bytes(ids) == ASKED
    answer = "".join(choice.written for choice in model.generate(ids, 4, Sampling(0)))
    arguments = ("generate", "--chat", "hello?", "--model", chatty, "--steps", "4")
    done = run(*arguments)
    assert done.stdout == run(*arguments, "--temperature", "0").stdout != run(*arguments, "--temperature", "9").stdout
    assert done.stdout.rstrip("\n") == "\n".join(map(inert, answer.split("\n"))).rstrip("\n")


def test_the_roles_are_shown(chatty, tmp_path):
    arguments = ["generate", "--chat", "hello?", "--model", chatty, "--steps", "2"]
    first, *choices = [json.loads(line) for line in run(*arguments, "--json").stdout.splitlines()]
    assert len(choices) == 2
    assert b"".join(bytes(token["text"], "utf-8") for token in first["chat"]) == ASKED
    assert [token["id"] for token in first["chat"]] == chat("hello?", TEMPLATE, llmtrace.load(chatty).tokenizer).ids
    assert {token["role"] for token in first["chat"]} == {"user", "assistant"}
    lines = run(*arguments, "--table").stdout.splitlines()
    assert lines[0].startswith("user: '<|im_start|>' 'u' 's' 'e' 'r'")
    assert any(line.startswith("assistant: '<|im_start|>'") for line in lines)
    run(*arguments, "-o", str(tmp_path / "a.json"))
    assert json.loads((tmp_path / "a.json").read_text())["chat"] == first["chat"]


def test_an_answer_ends_where_its_turn_does(chatty):
    folder = Path(chatty)
    tensors = load_file(folder / "model.safetensors")
    tensors["wte.weight"][len(TOKENIZER) + 1] *= 9  # <|im_end|> is the likeliest always
    tensors["ln_f.bias"] = 50 * tensors["wte.weight"][len(TOKENIZER) + 1]
    save_file(tensors, folder / "model.safetensors")
    (folder / "generation_config.json").write_text('{"eos_token_id": 0}')
    done = run("generate", "--chat", "hello?", "--model", chatty)
    assert done.stdout == "\n"
    assert "the model has ended the text, with '<|im_end|>'" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["hello?"], "this model has no chat template"),
        (["--ids", "1 2"], "--chat takes a question, with neither --ids nor --special"),
        (["hello?", "--special"], "--chat takes a question, with neither --ids nor --special"),
    ],
)
def test_what_is_no_chat(tmp_path, arguments, said):
    model = str(write_folder(tmp_path / "model"))
    assert said in run("generate", "--chat", *arguments, "--model", model, code=2).output


def test_an_unknown_template_is_shown(chatty):
    path = Path(chatty) / "tokenizer_config.json"
    path.write_text(json.dumps({"chat_template": "{% for\nmessage %}\x1b[31m"}))
    done = run("generate", "--chat", "hello?", "--model", chatty, code=2)
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert "none is executed: '{% for\\nmessage %}\\x1b[31m'" in done.stderr
