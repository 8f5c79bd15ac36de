"""What a model and a tokenizer say of themselves."""

import pytest
from helpers.printing import as_text
from helpers.small_llamas import small_llama
from helpers.small_models import small_gpt, small_transformer

from llmtrace.display import above
from llmtrace.errors import PromptError
from llmtrace.models import Feedforward
from llmtrace.views.model import view


@pytest.mark.parametrize("make", [small_gpt, small_llama, small_transformer])
def test_every_weight_and_setting_is_there(make):
    model = make()
    text = as_text(model, width=200)
    for key, each in model.weights.items():
        parts = ["N" if part.isdigit() else part for part in key.split(".")]
        assert ".".join(parts) in text
        assert each.size
    rows = [row for row in text.split("\n") if row.startswith("  ") and row.split()[-1].replace(",", "").isdigit()]
    weights = [row for row in rows if ".weight" in row or ".bias" in row or ".gain" in row]
    own = sum(int(row.split()[-1].replace(",", "")) for row in weights if "the same as" not in row)
    assert own == model.parameters()
    assert f"{model.parameters():,}" in text
    for name, value in vars(model.config).items():
        assert name in text
        assert str(value) in text


def test_blocks_are_spoken_of_where_there_are_some():
    assert "N: each of the blocks" in as_text(small_gpt())
    assert "N: each of the blocks" not in as_text(Feedforward.of([[3.0, 1.0]]))


def test_what_programs_read():
    facts = view(small_gpt()).facts()
    assert facts["parameters"] == small_gpt().parameters()
    assert {each["name"] for each in facts["weights"]} == set(small_gpt().weights)


def test_a_tokenizer_shows_tokens():
    tokenizer = above("llmtrace").load().tokenizer
    text = as_text(tokenizer)
    assert "768 tokens" in text
    longest = max((tokenizer.token(i) for i in range(len(tokenizer))), key=len)
    assert repr(longest) in text


def test_ids_may_have_gaps():
    tokenizer = above("llmtrace.tokenizers").CharacterTokenizer({"a": 0, "b": 1, "c": 2})
    tokenizer._tokens._data.pop(1)
    with pytest.raises(PromptError):
        tokenizer.token(1)
    assert "2 tokens" in as_text(tokenizer)
