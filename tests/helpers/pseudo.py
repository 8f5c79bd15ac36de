"""Languages that nobody speaks: every text of llmtrace between brackets, so that what is not in the catalogue is seen."""

import platform
import re

import catalogue

from llmtrace import _kernels
from llmtrace.cli import COMMANDS
from llmtrace.loading import bundled
from llmtrace.ops import OPS


def written(template, folder, language, change):
    """A compiled catalogue in which every text is what `change` makes of it."""
    path = folder / language / "LC_MESSAGES" / "llmtrace.mo"
    path.parent.mkdir(parents=True)
    texts = catalogue.Catalog(locale=language)
    for message in template:
        if message.id:
            many = isinstance(message.id, tuple)
            texts.add(message.id, tuple(map(change, message.id))[: texts.num_plurals] if many else change(message.id))
    path.write_bytes(catalogue.compiled(texts))


def axis_names():
    return {"batch", "position", "feature", "head", "query", "key", "vocabulary", "in", "out"}


def op_words():
    """The words of mathematics: ops, their inputs and weights, and the formulas."""
    for op in OPS.values():
        yield from re.findall("[A-Za-z]+", " ".join((op.name, op.formula, *op.tensors, *op.shapes)))


ALLOWED = {*axis_names(), *op_words(), *COMMANDS, "main", "llmtrace", "bash", "zsh", "fish"}
ALLOWED |= {
    "tokens",
    "positions",
    "embed",
    "logits",
    "probabilities",
    "residual",
    "small",
    "model",
    "large",
    *bundled(),
}
ALLOWED |= {"adamw", "adam", "sgd", "cosine", "constant"}  # values of options
ALLOWED |= {"True", "float32", "float64", "int64", "inf", "nan", "NumPy", "Python", platform.system()}
ALLOWED |= {*_kernels.instruction_sets(), platform.machine()}
NAMES = [
    r"'[^']*'|\"[^\"]*\"",  # texts of others, in quotes
    r"\w*[./_=][\w./_]*(\[[^\]]*\])?",  # names, addresses, files
    rf"(?<![\w-])({'|'.join(name for name in COMMANDS if '-' in name)})(?![\w-])",
    r"\b[A-Z]+\b",  # what a help page calls arguments
    r"(?<!\w)--?[a-z][\w-]*",  # options
]


def english(text):
    """The words of a command's output that no catalogue has said."""
    text = re.sub("[│╭╮╰╯─]", " ", text)
    before = None
    while before != text:
        before, text = text, re.sub("⟦[^⟦⟧]*⟧", " ", text)
    for pattern in NAMES:
        text = re.sub(pattern, " ", text)
    return [word for word in re.findall("[A-Za-z]{3,}[0-9]*", text) if word not in ALLOWED]
