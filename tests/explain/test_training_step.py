"""A traced training step is read like any run: loss, gradients, new weights; in words, as sums, from a file, in the listing."""

import json
import re
from dataclasses import asdict

import numpy as np
import pytest
from helpers.cli_run import said
from helpers.fresh import quick, some
from helpers.printing import as_text, printed
from helpers.small_models import small_gpt
from rich.cells import cell_len

import llmtrace
from llmtrace.explain.describe import what
from llmtrace.explain.verify import verify
from llmtrace.ops import OPS
from llmtrace.trace import Origin, Trace, role_of
from llmtrace.trace.role_words import BEFORE, ROLES
from llmtrace.training import Settings, Trainer
from llmtrace.views.catalog import look
from llmtrace.views.sections import parts

IDS = np.array([[0, 2, 1, 1], [1, 1, 2, 0]])
TARGETS = np.array([[2, 1, 1, 0], [1, 2, 0, 2]])


def stepped(blocks=1, **settings):
    """The third step of a training, traced."""
    model = small_gpt(blocks=blocks)
    trainer = Trainer(model.weights, Settings(steps=10, warmup=0, **settings))

    def part(run, start):
        return model.loss(run, IDS, TARGETS, IDS.size, start)

    for _ in range(2):
        trainer.step([part], [2])
    tokens = [[model.token_text(i) for i in row] for row in IDS.tolist()]
    trace = Trace(
        trainer.state.weights, tokens, model.token_text, Origin("small", "", asdict(model.config)), model.legend
    )
    trainer.step([part], [2], trace)
    return trace


@pytest.fixture(scope="module")
def adam():
    return stepped(clip=0.1)


@pytest.fixture(scope="module")
def sgd():
    return stepped(optimiser="sgd", l1=0.01, l2=0.02, dropout=0.2, clip=0.0)


@pytest.fixture(scope="module", params=["adam", "sgd"])
def trace(request):
    return request.getfixturevalue(request.param)


@pytest.fixture(scope="module")
def file(adam, tmp_path_factory):
    path = tmp_path_factory.mktemp("step") / "step.trace"
    adam.save(path, with_weights=True)
    return str(path)


def places(trace, seed=0):
    """The address of one number of every step and of all that was given, drawn at random."""
    rng = np.random.default_rng(seed)
    for name in [*trace.leaves, *trace]:
        yield name, tuple(int(rng.integers(size)) for size in trace.shape(name))


# ---- in words -------------------------------------------------------------------------------------------------------


def test_every_number_has_a_sentence(trace):
    for name, place in places(trace):
        sentence = trace.explain(name, *place).sentence
        assert len(sentence.split()) >= 3, (name, sentence)
        assert name not in {sentence, sentence.split(": ")[-1]}, sentence
        assert "{" not in sentence
        assert "['" not in sentence, "a whole text where one token is meant"


def test_sentences_say_what_a_number_is(adam):
    said = {
        "losses[0, 1]": "how surprised the model is by the token that really follows 'C', which is 'B': its loss",
        "d.block.0.mlp.up.weight[3, 5]": "how much the loss would grow if this weight grew by a little, divided by that"
        " little (its gradient)",
        "d.block.0.attn.v[1, 2, 3, 0]": "the gradient of feature 0 of what 'A' hands over (value) in head 2: how much the"
        " loss would grow if that number grew by a little, divided by that little",
        "d.logits[1, 0, 2]": "the gradient of the score of 'C' as the token after 'B': how much the loss would grow if"
        " that number grew by a little, divided by that little (really follows: 'B')",
        "d.block.0.ln_1.sum.2[0, 0, 1]": "the first 2 parts of the gradient of feature 1 of 'A', brought to a standard"
        " spread (layer norm) before attention, added up",
        "new.block.0.mlp.up.weight[3, 5]": "the weight after this step",
        "mean.before.block.0.mlp.up.weight[3, 5]": "the mean of this weight's gradients, as it was before this step",
    }
    for address, sentence in said.items():
        assert (
            adam.explain(address.replace("[1, 2, 3, 0]", "[batch=1, head=2, position=3, feature=0]")).sentence
            == sentence
        )
    part = adam.explain("d.embed.token.weight.from.logits[0, 0]").sentence
    assert part.startswith("a part of the gradient of this weight: how much the loss would grow by way of logits alone")


def test_roles(adam, sgd):
    roles = {name: role_of(adam, name) for name in [*adam.leaves, *adam]}
    assert {role.kind for role in roles.values() if role} == {*ROLES, "before"} - {
        "start",
        "penalised",
        "velocity",
    }
    assert {role.kind for role in map(sgd_role(sgd), sgd) if role} >= {"penalised", "velocity"}
    assert roles["loss"] is roles["block.0.mlp.up"] is roles["targets"] is None
    part = roles["d.block.0.ln_1.from.block.0.attn.q"]
    assert (part.kind, part.base, part.via) == ("part", "block.0.ln_1", "block.0.attn.q")
    way = roles["d.block.0.attn.scores.k.sum"]
    assert (way.kind, way.base, way.via) == ("way", "block.0.attn.scores", "k.sum")
    assert {role.via for role in roles.values() if role and role.kind == "before"} <= set(BEFORE)
    forward = small_gpt().trace("CAB")
    assert not any(role_of(forward, name) for name in forward)


def sgd_role(trace):
    return lambda name: role_of(trace, name)


def test_every_step_says_what_it_is_and_how_it_is_made(trace):
    assert all(what(trace, step.name) for step in trace.steps)
    assert all(OPS[step.op].how for step in trace.steps)


# ---- as numbers -----------------------------------------------------------------------------------------------------


def kinds(trace):
    """The name of one step of each op in each role, and of one leaf of each; all names in a run that is not quick."""
    names = [*trace.leaves, *trace]
    ops = {step.name: step.op for step in trace.steps}
    one_of_each = {(ops.get(name), role.kind if (role := role_of(trace, name)) else ""): name for name in names}
    return list(one_of_each.values()) if quick() else names


def test_every_step_is_explained_on_a_page(trace):
    shown = kinds(trace)
    narrow = some(shown, 25)
    for name, place in places(trace, 1):
        explanation = trace.explain(name, *place)
        recorded = trace.elements(name, place)
        assert explanation.replay() == recorded or np.isnan(recorded)
        if name not in shown:
            continue
        text = printed(explanation, 80)
        assert all(cell_len(line) <= 80 for line in text.splitlines())
        if name in narrow:
            assert all(cell_len(line) <= 40 for line in printed(explanation, 40).splitlines())
        assert "['" not in text
        if explanation.lines:
            assert "formula: " in text
            for line in re.findall(r"^  (\w+) +(\S+\[.*?\])", text, re.MULTILINE):
                assert line[0] in explanation.formula.replace("(", " ") or line[0] in {"start", "ids", "like"}, text


def test_the_weights_gradient_is_this_sum(adam):
    text = printed(adam.explain("d.block.0.mlp.up.weight[3, 5]"), every=True)
    ours, theirs = adam.tensor("block.0.ln_2")[..., 3], adam.tensor("d.block.0.mlp.up")[..., 5]
    rows = re.findall(r"^ +([01]), ([0-3]) '([ABC])' +(\S+) × +\(?([^\s)]+)\)? += +(\S+) +(\S+)$", text, re.MULTILINE)
    assert len(rows) == 8
    total = np.float32(0)
    for text_number, position, token, *numbers in rows:
        place = int(text_number), int(position)
        total += ours[place] * theirs[place]
        assert token == "ABC"[IDS[place]]
        shown = [float(number.replace("−", "-")) for number in numbers]
        assert shown == pytest.approx(
            [ours[place], theirs[place], ours[place] * theirs[place], total], rel=1e-2, abs=2e-6
        )
    assert total == adam.tensor("d.block.0.mlp.up.weight")[3, 5]


def test_from_the_new_weight_to_the_loss(adam):
    """new ← mean ← clipped ← d.weight ← d.up ← d.act: every number of the chain is in the tree."""
    text = printed(adam.explain("new.block.0.mlp.up.weight[3, 5]", depth=5))
    for name in ("mean.", "square.", "clipped.", "d."):
        assert f"{name}block.0.mlp.up.weight[in=3, out=5] = " in text
    assert "clip = " in text
    assert re.search(r"rate +0\.0008947, the learning rate", text)
    loss = printed(adam.explain("loss", depth=3))
    assert "losses.total = " in loss
    assert loss.count("─ losses[batch=") >= 3


def test_a_small_change_is_seen(adam, sgd):
    """A weight that hardly changes is shown with so many digits that one sees it change."""
    for trace in (adam, sgd):
        for place in some(np.ndindex(12, 4), 6):
            text = printed(trace.explain("new.block.0.mlp.up.weight", *place))
            before, step, after = re.findall(r"^result = \w+ − step = (\S+) − (\S+) = (\S+)$", text, re.MULTILINE)[0]
            assert before != after or step == "0"


def test_a_trace_file_holds_a_training_step(adam, file):
    opened = llmtrace.open(file)
    verify(opened)
    assert list(opened) == list(adam)
    for name, place in places(adam, 2):
        mine, theirs = (source.explain(name, *place) for source in (adam, opened))
        assert mine.to_dict() == theirs.to_dict()


# ---- the whole step on a page ---------------------------------------------------------------------------------------


def test_the_listing_does_not_drown_the_reader():
    trace = stepped(blocks=5)
    few, all_of_them = (as_text(look(trace, every=every), 80) for every in (False, True))
    assert len(few.splitlines()) < 170 < len(trace) < len(all_of_them.splitlines())
    assert few.count("blocks 1 to 3 have the same steps: --all lists them") == 2
    for name in ("loss", "d.logits", "d.block.4.mlp.up.weight", "norm", "new.block.0.attn.q.weight"):
        assert f"  {name} " in few
    assert "d.block.0.ln_1.from" not in few
    assert all(f"  {name} " in all_of_them for name in trace)


def test_the_steps_are_in_parts(trace):
    found = parts(trace)
    titles = [part.title for part in found]
    assert len(titles) == len(set(titles))
    assert sum(len(part.steps) for part in found) == len(trace)
    assert titles.index("Loss") < titles.index("Gradients: Scores") < titles.index("Gradients: Block 0: MLP")
    assert titles.index("Gradients: Embedding") < titles.index("Length of the gradient")
    assert "Other steps" not in " ".join(titles)


@pytest.mark.parametrize("options", [{}, {"every": True}, {"layer": 0}, {"layer": 0, "head": 1}])
def test_the_guided_read(trace, options):
    text = printed(trace, **options)
    assert all(cell_len(line) <= 80 for line in text.splitlines())
    names = set(re.findall(r"^  ([a-z][\w.]+): ", text, re.MULTILINE))
    assert "d.block.0.attn.scores" in names or not (options.get("every") or "head" in options)
    if not options:
        assert "This is a step of training. The loss is 1." in text
        assert {"d.block.0.mlp.up.weight", "new.block.0.mlp.up.weight", "losses", "norm"} <= names
        assert text.count("Backward, from the loss to the beginning") == 1
        (address,) = re.findall(r'llmtrace explain "(.*)"', text)
        assert trace.explain(address).element.tensor == "ln_f"


# ---- the command line -----------------------------------------------------------------------------------------------


ADDRESS = "d.block.0.mlp.up.weight[in=3, out=5]"


@pytest.mark.parametrize("options", [[], ["--depth", "3"], ["--all"], ["--exact"], ["--ascii"]])
def test_explain_from_a_file(adam, file, options):
    text = said("explain", ADDRESS, "--trace", file, *options)
    assert ADDRESS in text
    assert "traced last" not in text
    assert len(text.splitlines()) > 11
    if not options:
        assert text == printed(adam.explain(ADDRESS))
    data = json.loads(said("explain", ADDRESS, "--trace", file, "--json"))
    assert data == json.loads(json.dumps(adam.explain(ADDRESS).to_dict()))


def test_show_from_a_file(adam, file):
    for name in (None, "norm", ADDRESS.partition("[")[0], "d.block.0.attn.scores", "mean.before.ln_f.gain"):
        names = [name] if name else []
        assert (
            said("show", *names, "--trace", file) == said("show", file, *names) == as_text(look(adam, name), 80) + "\n"
        )
    assert "looks at itself" not in said("show", file, "d.block.0.attn.scores")


ERRORS = [
    (["explain", ADDRESS, "--trace", "FILE", "--prompt", "A"], "give a trace file or what to run, not both"),
    (["explain", ADDRESS, "--trace", "nowhere.trace"], "nowhere.trace can't be read: No such file"),
    (["explain", "d.block.0.mlp.upp.weight[0, 0]", "--trace", "FILE"], "the nearest names are d.block.0.mlp.up.weight"),
    (
        ["explain", "d.block.0.mlp.up.weight[12, 0]", "--trace", "FILE"],
        "in=12 is outside d.block.0.mlp.up.weight; give a",
    ),
    (
        ["explain", "d.block.0.mlp.up.weight", "--trace", "FILE"],
        "needs in, out as well; its axes are in 0 to 11, out 0",
    ),
    (["show", "FILE", "--trace", "FILE"], "give one trace file: as FILE or with --trace, not both"),
    (["show", "nrm", "--trace", "FILE"], "the nearest name is norm"),
]


@pytest.mark.parametrize(("arguments", "message"), ERRORS)
def test_errors_are_one_line(file, arguments, message):
    text = said(*[file if argument == "FILE" else argument for argument in arguments], code=2)
    assert text.startswith("Error: ")
    assert message in text
    assert text.count("\n") == 1
