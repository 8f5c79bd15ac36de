"""What a page says beside its numbers: the model, the sentence, the legend, and every text in every language."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from llmtrace import i18n
from llmtrace.explain.describe import training_words
from llmtrace.ops import OPS
from llmtrace.render.page_tokenizer import tokenizer_data
from llmtrace.storage import weights_hash
from llmtrace.trace import Trace
from llmtrace.trace.checksum import checksum
from llmtrace.views.grid import SIZES
from llmtrace.views.next_token import predicts
from llmtrace.views.terms import AXES

PROGRAM = Path(__file__).parent / "page"
FAMILY = frozenset(
    {
        "add",
        "argmax",
        "attention_mix",
        "attention_scores",
        "causal_softmax",
        "embedding",
        "gelu_erf",
        "gelu_tanh",
        "layer_norm",
        "linear",
        "linear_from_heads",
        "linear_to_heads",
        "multiply",
        "relu",
        "repeat_heads",
        "rms_norm",
        "rotate",
        "scale",
        "silu",
        "softmax",
        "tanh",
    }
)
"""The ops of a run that the page does again."""
CHOOSING = frozenset({"divide_by", "select", "sample", "top_k", "top_p"})
SPOKEN = re.compile(r'\b(N?_)\(\s*("(?:[^"\\]|\\.)*")')
"""A text in the JavaScript that is translated: `_("…")`, or `N_("…")` where it is named first."""


def manifest(trace: Trace, tokenizer: Any) -> dict[str, Any]:
    """All of a page whose program runs the model, as JSON can hold it."""
    return facts_of(trace, tokenizer) | {
        "kind": "model",
        "family": family(trace),
        "weights_hash": weights_hash(trace.weights),
        "aliases": aliases(trace),
        "checksum": checksum(trace),
    }


def family(trace: Trace) -> str | None:
    """Which of the models that the page knows has made a run; None where it is another one, or the run of parts of one."""
    if trace.batch or trace.past or {step.op for step in trace.steps} - FAMILY or not predicts(trace):
        return None
    ops, leaves = {step.op for step in trace.steps}, set(trace.leaves)
    if leaves == {"tokens", "positions"} and "layer_norm" in ops:
        return "gpt"
    return "llama" if leaves == {"tokens", "positions", "rotary.cosine", "rotary.sine"} else None


def facts_of(trace: Trace, tokenizer: Any) -> dict[str, Any]:
    """What every page says of a run, however it comes by the numbers."""
    size = trace.origin.config.get("vocabulary", 0)
    texts = [trace.token_text(index) for index in range(size)]
    between = " " if texts == list(map(str, range(size))) else ""  # ids, of a model without a tokenizer
    legend = legend_of(trace)
    known = sorted(FAMILY | CHOOSING | {step.op for step in trace.steps})
    ops = {name: {"formula": OPS[name].formula, "how": OPS[name].how} for name in known}
    said = [*messages(), *(words[key] for words in legend.values() for key in ("what", "sentence", "section"))]
    said += [
        *(op["formula"] for op in ops.values()),
        *(op["how"] for op in ops.values()),
        *names_of_lines(),
        *AXES.values(),
        *texts_of_training(trace),
    ]
    return {
        "model": trace.origin.model,
        "config": dict(trace.origin.config),
        "text": trace.origin.text or between.join(map(str, trace.tokens)),
        "between": between,
        "ids": trace.tensor("tokens").tolist() if "tokens" in trace.leaves else [],
        "vocabulary": texts,
        "tokenizer": tokenizer_data(tokenizer),
        "legend": legend,
        "ops": ops,
        "sizes": SIZES,
        "language": i18n.language(),
        "languages": {name: translations(name, said) for name in i18n.languages()},
    }


def aliases(trace: Trace) -> dict[str, str]:
    """The weights that a step takes under another name than its own: those of the scores, often, are the embedding's."""
    found = {}
    for step in trace.steps:
        for kind, weight in zip(OPS[step.op].weights, step.record.weights, strict=True):
            if weight is not None and weight != f"{step.name}.{kind}":
                found[f"{step.name}.{kind}"] = weight
    return found


def legend_of(trace: Trace) -> dict[str, dict[str, str]]:
    """The words for every pattern of names."""
    found: dict[str, dict[str, str]] = {}
    for legend in trace.legend.all():
        for pattern, words in legend.entries.items():
            section = words.section.title if words.section else ""
            found.setdefault(
                pattern,
                {"what": words.what, "sentence": words.sentence, "section": section, "kind": words.kind or ""},
            )
    return found


def texts_of_training(trace: Trace) -> set[str]:
    """The words for the names of a training step, before they are translated."""
    found = [words for name in trace.names() if (words := training_words(trace, name)) is not None]
    return {text for words in found for text in (words.what, words.sentence) if text}


@cache
def messages() -> tuple[str, ...]:
    """Every text of the program that is translated."""
    return tuple(
        json.loads(text)
        for path in sorted(PROGRAM.rglob("*.js"))
        for _mark, text in SPOKEN.findall(path.read_text(encoding="utf-8"))
    )


@cache
def first_messages() -> tuple[str, ...]:
    """Those that say why a page can't be shown, before its other texts can be trusted: `N_` marks them in two files."""
    program = "".join((PROGRAM / name).read_text(encoding="utf-8") for name in ("needed.js", "page.js"))
    return tuple(json.loads(text) for mark, text in SPOKEN.findall(program) if mark == "N_")


@cache
def names_of_lines() -> tuple[str, ...]:
    """The names of the lines and constants in the program's explanations."""
    texts = [path.read_text(encoding="utf-8") for path in sorted((PROGRAM / "ops").glob("*.js"))]
    found = [re.findall(r'w\.(?:do\("\w+", |(?:constant|count)\(.*?, )"([^"]+)"', text) for text in texts]
    return tuple(sorted({name for names in found for name in names}))


def translations(language: str, said: Iterable[str]) -> dict[str, str]:
    """What is said in a language for each text, where that is not the text itself."""
    known = i18n.of_language(language)
    found = {text: known.gettext(text) for text in said if text}
    for one, many in SIZES.values():
        found |= {one: known.ngettext(one, many, 1), many: known.ngettext(one, many, 2)}
    return {text: words for text, words in found.items() if words != text}
