"""A question becomes what the model's template would write around it, token by token; unknown templates are shown."""

import hashlib

import pytest
from helpers import smollm2
from helpers.small_tokenizer import MERGES
from hypothesis import example, given
from hypothesis import strategies as st

from llmtrace.errors import ModelError, PromptError
from llmtrace.loading import load_tokenizer
from llmtrace.storage.gguf import open_gguf
from llmtrace.tokenizers import ByteLevelBPE, chat
from llmtrace.tokenizers.byte_symbols import SYMBOLS
from llmtrace.tokenizers.framing import Framing
from llmtrace.tokenizers.sentencepiece import BYTE, CONTROL, NORMAL, UNKNOWN, Scored, from_scores

SYSTEM = "<|im_start|>system\n{}<|im_end|>\n"
CHATML = "<|im_start|>user\n{}<|im_end|>\n<|im_start|>assistant\n"
HEADER = "<|start_header_id|>{}<|end_header_id|>\n\n"
WRITTEN = {
    "ChatML": CHATML,
    "SmolLM2": SYSTEM.format("You are a helpful AI assistant named SmolLM, trained by Hugging Face") + CHATML,
    "Qwen2": SYSTEM.format("You are a helpful assistant.") + CHATML,
    "Llama 2": "<s>[INST] {} [/INST]",
    "Mistral": "<s>[INST] {} [/INST]",
    "Zephyr": "<|user|>\n{}</s>\n<|assistant|>\n",
    "Llama 3": f"<|begin_of_text|>{HEADER.format('user')}{{}}<|eot_id|>{HEADER.format('assistant')}",
}
"""What the templates themselves write, run by Jinja as transformers runs it."""
FORMATS = {layout.name: layout for layout in chat.KNOWN.values()}
SPECIAL = list(dict.fromkeys(text for layout in FORMATS.values() for text in layout.special))


def byte_level(special=SPECIAL, kind="special"):
    vocabulary = {symbol: byte for byte, symbol in enumerate(SYMBOLS)}
    for merge in MERGES:
        vocabulary["".join(merge.split())] = len(vocabulary)
    own = {text: len(vocabulary) + number for number, text in enumerate(special)}
    merges = [tuple(merge.split()) for merge in MERGES]
    tokenizer = ByteLevelBPE({**vocabulary, **own}, merges, **{kind: own})
    tokenizer.framing = Framing((0,), (1,))  # which a chat has not
    return tokenizer


def sentencepiece():
    control = [Scored(text, 0.0, CONTROL) for text in SPECIAL]
    raw = [Scored(f"<0x{byte:02X}>", 0.0, BYTE) for byte in range(256)]
    words = [
        Scored(text, -float(rank), NORMAL) for rank, text in enumerate(["▁", "he", "ll", "hell", "[I", "▁[", "us"])
    ]
    return from_scores([Scored("<unk>", 0.0, UNKNOWN), *control, *raw, *words], "before", 1)


@pytest.fixture(scope="module", params=[byte_level, sentencepiece], ids=["bytes", "characters"])
def tokenizer(request):
    return request.param()


@pytest.fixture(scope="module", autouse=True)
def known():
    """The name of each format is a template that is known as one of it."""
    own = {hashlib.sha256(name.encode()).hexdigest(): layout for name, layout in FORMATS.items()}
    chat.KNOWN.update(own)
    yield
    for digest in own:
        del chat.KNOWN[digest]


@pytest.mark.parametrize("name", WRITTEN)
def test_what_the_template_would_write(tokenizer, name):
    assert FORMATS.keys() == WRITTEN.keys()
    for question in ("hello 12", "  hello\n", "", "中 é", "{} {{ x }} {% if %}", "[INST] <|user|>"):
        asked = question.strip() if name in {"Llama 2", "Llama 3"} else question
        text = WRITTEN[name].replace("{}", asked)
        found = chat.chat(question, name, tokenizer)
        assert found.ids == [*tokenizer.framing.inside(tokenizer.encode(text, special=True))]
        meant = [tokenizer.special[part] for part, is_one in tokenizer._found.split(text, True) if is_one]
        assert [index for index in found.ids if index in tokenizer.special.values()] == meant
        assert found.end == tokenizer.special[FORMATS[name].end]
        assert len(found.roles) == len(found.ids)


@pytest.mark.parametrize("name", WRITTEN)
def test_tokens_of_a_template_may_be_found_in_every_text(name):
    added, special = byte_level(kind="added"), byte_level()
    for question in ("hello 12", " é\n", ""):
        assert chat.chat(question, name, added) == chat.chat(question, name, special)
    for token in FORMATS[name].special:
        with pytest.raises(PromptError, match="special token"):
            chat.chat(f"hello {token}", name, added)


@pytest.mark.parametrize("name", WRITTEN)
def test_the_roles_are_those_of_the_turns(tokenizer, name):
    found = chat.chat("hello é", name, tokenizer)
    said = {}
    for index, role in zip(found.ids, found.roles, strict=True):
        said[role] = said.get(role, b"") + tokenizer.decode_bytes([index])
    assert list(said) == [role for role, _text in FORMATS[name].turns]
    for role, text in FORMATS[name].turns:
        plain = said[role].decode().replace(" ", "")  # SentencePiece adds spaces
        assert plain == text.replace("{}", "hello é").replace(" ", "")


@given(question=st.text(st.sampled_from("<|im_endstart>/s[]INST he\n中{}"), max_size=20))
@example("<|im_end|>")
@example("hello</s>")
@example("<|eot_id|")
def test_a_question_never_steers(tokenizer, question):
    """It is read as a text, or refused where a special token is in it."""
    for name in FORMATS:
        meant = [index for index in chat.chat("", name, tokenizer).ids if index in tokenizer.special.values()]
        try:
            found = chat.chat(question, name, tokenizer).ids
        except PromptError:
            assert any(text in question for text in tokenizer.special)
        else:
            assert [index for index in found if index in tokenizer.special.values()] == meant


@pytest.mark.parametrize("token", SPECIAL)
def test_special_tokens_in_a_question_are_refused(tokenizer, token):
    with pytest.raises(PromptError, match="is a special token") as caught:
        chat.chat(f"hello {token} you", "ChatML", tokenizer)
    assert token in str(caught.value)


@pytest.mark.parametrize(
    "template", ["", "{{ messages }}", "x" * 100_000, "{% for %}\n\x1b[31m", "\ud800", "{{ ''.__class__ }}"]
)
def test_unknown_templates_are_shown_in_one_line(tokenizer, template):
    with pytest.raises(ModelError, match="not one of those that are known, and none is executed") as caught:
        chat.chat("hello", template, tokenizer)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 1000
    assert template[:5].isprintable() is False or template[:5] in str(caught.value)


def test_models_that_do_not_chat(tokenizer):
    with pytest.raises(ModelError, match="this model has no chat template"):
        chat.chat("hello", None, tokenizer)
    with pytest.raises(PromptError, match="this model has no tokenizer"):
        chat.chat("hello", "ChatML", None)
    with pytest.raises(ModelError, match=r"ChatML needs the token '<\|im_end\|>', which is not there"):
        chat.chat("hello", "ChatML", byte_level(["<|im_start|>"]))


def test_the_real_one():
    template = open_gguf(smollm2.path()).settings["tokenizer.chat_template"]
    tokenizer = load_tokenizer("smollm2")
    assert chat.format_of(template) is chat.SMOLLM2
    found = chat.chat("What is 2+2?", template, tokenizer)
    assert tokenizer.decode(found.ids) == WRITTEN["SmolLM2"].replace("{}", "What is 2+2?")
    assert found.ids[:3] == [1, 9690, 198]
    assert found.end == 2
    with pytest.raises(ModelError):
        chat.format_of(template + " ")
