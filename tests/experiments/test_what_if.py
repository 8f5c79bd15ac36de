"""What if: the same bits as a full run with the edits, and hardly more computed than can change."""

import json
from itertools import permutations

import numpy as np
import pytest
from check_edits import full_run
from helpers.edited_runs import parts, random_edits
from helpers.fresh import examples, quick
from helpers.gguf_files import write_gpt2
from helpers.small_llamas import small_llama
from helpers.small_models import small_config, small_gpt
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import llmtrace
from llmtrace.arithmetic.bits import other_bits, same_bits
from llmtrace.errors import AddressError, EditError, LlmtraceError
from llmtrace.experiments import replayed, what_if, zero
from llmtrace.experiments.again import work
from llmtrace.experiments.edits import resolved
from llmtrace.explain.verify import verify
from llmtrace.models import KVCache
from llmtrace.trace.checksum import checksum

MODEL = small_gpt("ABCDE", seed=3, blocks=2, width=12, heads=3)
RUNS = [MODEL.trace("CABDE"), MODEL.trace([[0, 1, 2, 4], [3, 3, 1, 0]]), MODEL.trace("E")]
OTHERS = [MODEL.trace("BBAEC"), MODEL.trace([[4, 0, 1, 2], [1, 3, 3, 0]]), MODEL.trace("A")]
"""Runs of the same shapes."""
P = "The king had a child, a girl, and the old lamp will belong to"


@pytest.fixture(scope="module")
def story():
    return llmtrace.load().trace(P)


def must_agree(model, before, edits):
    found = what_if(before, edits)
    for name, wanted in full_run(model, before, edits).items():
        assert same_bits(found.after.tensor(name), wanted), (name, edits)
        changed = found.changes.places.get(name)
        differ = other_bits(wanted, before.tensor(name))
        assert found.changes.count(name) == np.count_nonzero(differ)
        assert changed is None or (changed == differ).all()
    return found


def test_after_a_cache():
    cache = KVCache()
    MODEL.trace("CAB", cache)
    before = MODEL.trace("DE", cache)
    found = what_if(before, {"block.0.attn.k[head=1, position=0]": 0.5, "head:1.2": 0.0})
    assert verify(found.after)
    assert found.changes.count("logits") == before.tensor("logits").size


@settings(max_examples=24 if quick() else 80, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_the_bits_are_those_of_a_full_run(data):
    before = data.draw(st.sampled_from(RUNS))
    edits = data.draw(random_edits(before))
    found = must_agree(MODEL, before, edits)
    assert verify(found.after)
    again = replayed(before, found.recipe)
    assert all(same_bits(again.after.tensor(name), found.after.tensor(name)) for name in found.after)


def test_the_sign_of_a_zero_is_a_change():
    assert not RUNS[0].tensor("block.1.attn.pattern").all()
    must_agree(MODEL, RUNS[0], {"block.1.attn.pattern": -0.0})


@pytest.mark.parametrize("before", RUNS[:2], ids=["text", "batch"])
def test_every_operand_of_a_step_is_followed(before):
    """Where two operands of a step change at different places, the step changes at all that come of both."""
    for name in before:
        operands = dict.fromkeys(x for x in before.record_of(name).operands.values() if x in before)
        for first, last in permutations([x for x in operands if before.tensor(x).dtype.kind == "f"], 2):
            begin = ", ".join("0" for _ in before.shape(first))
            end = ", ".join(str(size - 1) for size in before.shape(last))
            must_agree(MODEL, before, {f"{first}[{begin}]": 1.5, f"{last}[{end}]": -2.5})


@settings(max_examples=examples(60), suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_a_part_of_another_run_is_the_same_part_there(data):
    number = data.draw(st.integers(0, 2))
    before, other = RUNS[number], OTHERS[number]
    edits = data.draw(random_edits(before, most=1))
    numbers = {each.said: other.tensor(each.name)[each.index] for each in resolved(before, edits)}
    found, wanted = what_if(before, dict.fromkeys(edits, other)), what_if(before, numbers)
    assert all(same_bits(found.after.tensor(name), wanted.after.tensor(name)) for name in found.after)


@settings(max_examples=examples(60), suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_edits_of_one_step_are_made_one_after_the_other(data):
    before = data.draw(st.sampled_from(RUNS))
    name = data.draw(st.sampled_from([name for name in before if before.tensor(name).dtype.kind == "f"]))
    functions = st.sampled_from([zero, lambda x: x + np.float32(1), lambda x: -x])
    edits = data.draw(st.dictionaries(parts(before, name), functions, min_size=1, max_size=4))
    wanted = before.tensor(name).copy()
    for each in resolved(before, edits):
        wanted[each.index] = each.value(wanted[each.index])
    assert same_bits(what_if(before, edits).after.tensor(name), wanted)


@settings(max_examples=12 if quick() else 40, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_what_was_edited_can_be_edited_again(data):
    before = data.draw(st.sampled_from(RUNS))
    first = data.draw(random_edits(before))
    same = st.sampled_from(sorted({each.name for each in resolved(before, first)})).flatmap(
        lambda name: parts(before, name)
    )
    second = data.draw(random_edits(before) | st.dictionaries(same, st.floats(-4, 4, width=32), min_size=1, max_size=2))
    twice = what_if(what_if(before, first).after, second).after
    once = what_if(before, {at: value for at, value in first.items() if at not in second} | second).after
    assert all(same_bits(twice.tensor(name), once.tensor(name)) for name in before)
    assert verify(twice)


@settings(max_examples=40)
@given(st.lists(st.sampled_from([0.0, -0.0, 1.5]), min_size=5, max_size=5))
def test_a_recipe_keeps_every_bit_of_its_numbers(numbers):
    found = what_if(RUNS[0], {"logits[position=1]": numbers})
    again = replayed(RUNS[0], json.loads(json.dumps(found.recipe)))
    assert same_bits(again.after.tensor("logits")[1], np.array(numbers, np.float32))


@pytest.mark.parametrize("token", ["D", 3])
@pytest.mark.parametrize("place", range(5))
def test_tokens_are_counted_from_either_end(place, token):
    found, same = (what_if(RUNS[0], {f"token:{number}": token}) for number in (place, place - 5))
    assert found.after.tokens == same.after.tokens == [*"CABDE"[:place], "D", *"CABDE"[place + 1 :]]
    assert all(same_bits(found.after.tensor(name), same.after.tensor(name)) for name in found.after)


@pytest.mark.parametrize("token", range(-2, 8))
def test_the_tokens_of_a_model_are_all_that_can_be_put(token):
    if 0 <= token < 5:
        assert what_if(RUNS[0], {"token:1": token}).after.tensor("tokens")[1] == token
    else:
        with pytest.raises(EditError, match="is no token"):
            what_if(RUNS[0], {"token:1": token})


def can_change(found):
    """How many operations the numbers take that have changed; the edits are so large that nearly all have that can."""
    trace, total = found.after, 0
    for name in trace:
        record = trace.record_of(name)
        operands = [None if x is None else trace.shape(x) for x in record.operands.values()]
        total += found.changes.count(name) * (1 if record.op == "edit" else work(record.op, operands, record.settings))
    return total


@pytest.mark.parametrize(
    "edits",
    [
        {"block.2.attn.pattern[head=2, query=16, key=8]": 0.0},
        {"block.0.attn.pattern[head=1, query=3]": 0.0},
        {"head:0.1": 0.0},
        {"head:2.3": 0.0},
        {"neuron:1.17": 5.0},
        {"token:8": 396},
        {"block.0.attn.k[head=1, position=10]": 1.0},
        {"block.1.mlp.up.weight[in=3, out=17]": 2.0},
        {"block.2.mlp.down.weight[3, 5]": 90.0},
        {"embed.position.weight[12]": 0.5},
        {"embed[0, 0]": 3.0},
        {"logits[16, 5]": 30.0},
    ],
    ids=str,
)
def test_only_what_depends_on_the_edit_is_computed(story, edits):
    found = what_if(story, edits)
    assert can_change(found) <= found.changes.operations <= 1.1 * can_change(found)
    assert verify(found.after)


@given(st.integers(1, 9), st.integers(1, 9), st.booleans())
def test_the_work_of_a_product_is_what_is_summed_over(inputs, outputs, transposed):
    weight = (outputs, inputs) if transposed else (inputs, outputs)
    assert work("linear", [(4, inputs), weight, (outputs,)], {"transposed": transposed}) == inputs


def test_of_a_head_only_what_comes_after_it_changes(story):
    changes = what_if(story, {"head:1.2": zero}).changes
    assert not any(changes.count(name) for name in story if name.startswith(("embed", "block.0.")))
    assert changes.count("block.1.attn.mix") == np.count_nonzero(story.tensor("block.1.attn.mix")[2])
    assert changes.count("block.1.attn.q") == 0 < changes.count("logits")


def test_nothing_changes_without_a_cause(story):
    found = what_if(story, {"logits": lambda numbers: numbers})
    assert not any(found.changes.count(name) for name in found.after)
    assert found.after.tensor("probabilities") is story.tensor("probabilities")


def test_numbers_of_another_run_are_patched_in(story):
    other = llmtrace.load().trace(P.replace("girl", "boy"))
    found = what_if(story, {"block.0.residual_out": other})
    for name in ("block.1.ln_1", "block.2.residual_out", "logits", "next_token"):
        assert same_bits(found.after.tensor(name), other.tensor(name))
    assert story.token_text(int(found.after.tensor("next_token")[-1])) == " him"
    short = llmtrace.load().trace("The king")
    with pytest.raises(EditError, match=r"shape \(3, 128\) do not fit into shape \(17, 128\)"):
        what_if(story, {"block.0.residual_out": short})


def test_a_token_is_replaced(story):
    place = story.tokens.index(" girl")
    found = what_if(story, {f"token:{place}": " boy"})
    other = llmtrace.load().trace(P.replace("girl", "boy"))
    assert found.after.tokens == other.tokens
    assert all(same_bits(found.after.tensor(name), other.tensor(name)) for name in other)


def test_an_edit_is_a_step_that_is_explained_and_saved(story, tmp_path):
    found = what_if(story, {"block.2.attn.pattern[head=2, query=16, key=8]": 0, "block.2.mlp.up.weight[3, 5]": 1.5})
    explanation = found.after.explain("block.2.attn.pattern", 2, 16, 8)
    assert explanation.value == 0
    assert explanation.replay() == 0
    assert "block.2.attn.pattern.unedited" in [e.tensor for e in explanation.leans_on(3)]
    assert (
        found.after.tensor("block.2.attn.pattern.unedited")[2, 16, 8] == story.tensor("block.2.attn.pattern")[2, 16, 8]
    )
    assert found.after["block.2.mlp.up"].record.weights[0] == "block.2.mlp.up.weight.edited"
    found.after.save(tmp_path / "edited.trace")
    again = llmtrace.open(tmp_path / "edited.trace")
    assert verify(again)
    assert again.explain("logits", -1, 5).replay() == found.after.tensor("logits")[-1, 5]


@pytest.mark.parametrize("kind", ["Hugging Face", "F32", "Q8_0"])
def test_weights_that_are_stored_transposed_are_edited(kind, tmp_path):
    if kind == "Hugging Face":
        model = small_llama()
    else:
        model = llmtrace.load(write_gpt2(tmp_path / "m.gguf", small_config(vocabulary=3, width=32, heads=2), kind=kind))
    before = model.trace([0, 1, 2, 1])
    turned = [name for name in before.weights if not before.tensor(name).flags.c_contiguous]
    assert len(turned) >= 12
    for name in turned:
        found = what_if(before, {f"{name}[1]": lambda numbers: numbers * -2, f"{name}[0, 3]": zero})
        edited = model.trace([0, 1, 2, 1], edit={f"{name}[1]": lambda numbers: numbers * -2, f"{name}[0, 3]": zero})
        assert found.changes.count("logits") > 0
        assert (found.after.tensor(f"{name}.edited")[1] == before.tensor(name)[1] * -2).all()
        assert (found.after.tensor(f"{name}.edited")[2:] == before.tensor(name)[2:]).all()
        assert all(same_bits(found.after.tensor(step), edited.tensor(step)) for step in edited)
        assert verify(found.after)


@pytest.mark.parametrize("name", ["rotary.cosine", "rotary.sine"])
def test_angles_of_positions_are_not_edited(name):
    with pytest.raises(EditError, match=f"'{name}' can't be changed: .* is no result of a step") as found:
        what_if(small_llama().trace("ABC"), {f"{name}[position=0]": 0})
    assert "token" not in str(found.value)


@pytest.mark.parametrize(
    ("edits", "message"),
    [
        ({"block.9.attn.q": 0}, "nothing is named 'block.9.attn.q'"),
        ({"block.0.attn.q[head=7]": 0}, "head=7 is outside"),
        ({"block.0.attn.q[tail=7]": 0}, "has no axis 'tail'"),
        ({"block.0.attn.q": "zero"}, "str is no number or array of numbers"),
        ({"block.0.attn.q": [1, 2]}, r"shape \(2,\) do not fit into shape"),
        ({"block.0.attn.q": lambda x: None}, "NoneType is no number"),
        ({"logits": 1e99}, "that is too large a number for float32"),
        ({"logits[0]": [1e39] * 768}, "that is too large a number for float32"),
        ({"next_token": 3}, "'next_token' has whole numbers, and only real ones can be edited"),
        ({"tokens[3]": 5}, "a token is changed with token:5"),
        (
            {"positions[3]": 5},
            "'positions' can't be changed: it goes into the run as it is, like the constants of positions",
        ),
        ({"token:99": 5}, "the tokens have the numbers 0 to 16"),
        ({"token:2": " xyzzy"}, "is not one token of this model"),
        ({"token:2": 99999}, "is no token"),
        ({"head:0": 0}, "is not written as head:BLOCK.NUMBER"),
        ({"head:7.0": 0}, "there is no block 7"),
        ({"head:0.9": 0}, "block 0 has the numbers 0 to 3"),
        ({"neuron:0.512": 0}, "block 0 has the numbers 0 to 511"),
    ],
)
def test_what_can_not_be_edited_is_said_in_a_line(story, edits, message):
    with pytest.raises((EditError, AddressError), match=message) as found:
        what_if(story, edits)
    assert isinstance(found.value, LlmtraceError)
    assert "\n" not in str(found.value)


@pytest.mark.parametrize(
    "recipe", [5, [5], [{"at": "logits"}], [{"at": "nothing", "value": "1"}], [{"at": "logits", "values": ["1"]}]]
)
def test_what_is_no_recipe_is_refused(story, recipe):
    with pytest.raises(EditError):
        replayed(story, recipe)


def test_the_checksum_is_that_of_the_results_however_they_were_edited():
    before = RUNS[0]
    name = next(iter(before.weights))
    first, second = {f"{name}[0]": 0.5}, {f"{list(before)[1]}[0]": 0.25}
    both, one = what_if(before, first | second).after, what_if(before, first).after
    in_turn, turned = what_if(one, second).after, what_if(what_if(before, second).after, first).after
    again = what_if(what_if(before, first | {f"{list(before)[1]}[0]": 9.0}).after, first | second).after
    assert len({checksum(each) for each in (both, in_turn, turned, again)}) == 1
    assert len({checksum(each) for each in (before, one, both)}) == 3
