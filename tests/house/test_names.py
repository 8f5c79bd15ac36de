"""Nothing above a model knows the names of its steps by heart: what a step means is in the legend that its trace carries."""

import ast
from pathlib import Path

from catalogue import nodes_of

from llmtrace.models.generation_words import CHOICES
from llmtrace.models.gpt_words import GPT_LEGEND
from llmtrace.models.language_words import LANGUAGE

PACKAGE = Path(__file__).parents[2] / "llmtrace"
ABOVE = [path for room in ("explain", "views", "render") for path in sorted((PACKAGE / room).rglob("*.py"))]

NAMES = {name for legend in (GPT_LEGEND, LANGUAGE, CHOICES) for name in legend.entries}
NAMES |= {name.rpartition(".")[2] for name in NAMES} | {"attn", "mlp"}
NAMES -= {"tokens", "positions", "targets"}
"""What every run has read stands in a trace by these names (docs/trace-file.md)."""
NAMES -= {
    "token",
    "position",
    "number",
    "keys",
    "values",
    "past",
    "dropout",
    "total",
    "loss",
    "out",
    "q",
    "k",
    "v",
    "top_k",
    "top_p",
}
"""Also the names or letters of ops, operands, axes and settings."""

ALLOWED = {
    "views/sampling.py": {
        "logits",
        "scaled",
        "penalised",
        "probabilities",
    },  # the parts of a choice, which is `models/generation.py`'s own noun
    "views/next_token.py": {"next_token"},  # the key of its table in JSON
    "views/guided.py": {"next_token"},
    "views/overview.py": {"next_token"},
    "views/step.py": {"next_token"},
    "views/what_if.py": {"next_token"},
    "views/comparison.py": {"next_token"},
    "views/ledger.py": {"next_token"},
    "views/surprise.py": {"mean", "perplexity"},  # keys of its JSON
}


def named(text):
    """The step names among the strings of a file, but for texts that are shown."""
    nodes = nodes_of(text)
    calls = (node for node in nodes if isinstance(node, ast.Call) and getattr(node.func, "id", "") in {"_", "N_", "n_"})
    shown = {id(part) for node in calls for part in ast.walk(node)}
    for node in nodes:
        name = node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""
        if id(node) not in shown and " " not in name and (name in NAMES or name.startswith("block.")):
            yield name


def test_no_step_is_known_by_its_name():
    for path in ABOVE:
        name = str(path.relative_to(PACKAGE).as_posix())
        assert set(named(path.read_text(encoding="utf-8"))) <= ALLOWED.get(name, set()), name


def test_a_name_is_seen():
    assert list(named('x = trace["ln_f"]')) == ["ln_f"]
    assert list(named('x = f"block.{n}.attn"')) == ["block."]
    assert not list(named('x = _("logits"), trace.of_kind(StepKind.LOGITS), "the logits of it"'))
