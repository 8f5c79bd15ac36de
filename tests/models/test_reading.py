"""The bundled model that translates, at the command line: both halves are traced, explained and drawn."""

import json

import pytest
from helpers.cli_run import said

import llmtrace
from llmtrace.experiments import what_if
from llmtrace.explain.verify import verify

M = ("--model", "translator")
P = "Wo wohnst du?"
CROSS = "decoder.block.1.cross.pattern"


@pytest.fixture(scope="module")
def model():
    return llmtrace.load("translator")


@pytest.fixture(scope="module")
def trace(model):
    return model.trace(P)


@pytest.mark.parametrize(
    ("german", "english"),
    [
        (P, "Where do you live?"),
        ("Morgen arbeitet sie in Berlin.", "She will work in Berlin tomorrow."),
        ("Mein Bruder will heute einen roten Ball kaufen.", "My brother wants to buy a red ball today."),
    ],
)
def test_it_translates(model, german, english):
    assert model.answer(german) == english


def test_generate_translates():
    assert said("generate", P, *M).splitlines()[0] == "Wo wohnst du? → Where do you live?"


def test_the_guided_read_tells_of_both_halves_and_draws_where_they_meet():
    text = " ".join(said("trace", P, *M).split())
    for part in ("Encoder: embedding", "Encoder, block 1: attention", "Decoder: embedding", "attention to the source"):
        assert part in text
    assert "Source: ' Wo' ' wohnst' ' du' '?'" in text
    assert "translator reads 6 tokens: '<start>' ' Where' ' do' ' you' ' live' '?'" in text
    assert "4 tokens of the source × 64 features" in text
    assert "3 ' you'" in text.split(f"{CROSS}:")[1].split("cross.mix")[0]  # a row of the heatmap
    assert "Other steps" not in text


def test_the_heatmap_has_the_target_down_and_the_source_across(trace):
    data = json.loads(said("show", CROSS, "--prompt", P, *M, "--json"))
    assert data["axes"] == ["head", "query", "source"]
    assert [row["text"] for row in data["keys"]] == [" Wo", " wohnst", " du", "?"]
    assert [row["text"] for row in data["queries"]] == trace.tokens
    head = data["values"][0]
    assert max(range(4), key=head[3].__getitem__) == 1  # having written "you", it looks at "wohnst" to write "live"
    encoder = json.loads(said("show", "encoder.block.0.attn.pattern", "--prompt", P, *M, "--json"))
    assert encoder["axes"] == ["head", "source", "source_key"]


def test_numbers_of_both_halves_are_explained_by_the_words_of_their_texts():
    text = said(
        "explain", f'{CROSS.replace("pattern", "scores")}[head=0, query=" you", source=" wohnst"]', *M, "--prompt", P
    )
    assert "how well the question of ' you' fits the label of ' wohnst' in the source" in text
    assert "✓ same bits" in text
    other = said("explain", 'encoder.block.0.attn.pattern[head=0, source=" du", source_key="?"]', *M, "--prompt", P)
    assert "how much ' du' looks at '?'" in other


def test_an_edit_of_the_meeting_place_is_done_again_with_the_bits_of_a_full_run(model, trace):
    found = what_if(trace, {f"{CROSS}[query=3]": 0, "encoder.block.1.ln_2[source=1]": 0})
    verify(found.after)
    assert (found.after.tensor("logits")[3] != trace.tensor("logits")[3]).any()
    unchanged = what_if(trace, {f"{CROSS}[query=3, source=1]": lambda old: old})
    assert unchanged.after.tensor("logits").tobytes() == trace.tensor("logits").tobytes()


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("trace", "Wo wohnst Peter?"), "can't write 'Peter?': it has no token for 'P'"),
        (("ledger", P), "an account needs the run of one text by a model that ends in a norm"),
        (("page", P, "-o", "x.html"), "a page runs models like GPT-2 and Llama, on one prompt"),
        (("surprise", P), "'translator' answers a text"),
        (("show", "residual", "--prompt", P), "this trace has no residual stream"),
    ],
)
def test_what_it_can_not_do_is_said_in_one_line(arguments, text):
    message = said(*arguments, *M, code=2)
    assert text in message
    assert len(message.strip().splitlines()) == 1
