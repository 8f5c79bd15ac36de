"""What the tools that make bundled models have in common: train, copy, write the card, print the hash."""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from llmtrace.ops import by_name
from llmtrace.storage import weights_hash
from llmtrace.training import LanguageTraining, TrainingFolder

REPORT = CHECKPOINT = 500
FILES = ("config.json", "model.safetensors", "tokenizer.json")
Card = Callable[[LanguageTraining, tuple[float, float]], str]
"""Makes the model card of a training and its losses: on the texts trained on, and on those held out."""


def make(
    about: str | None,
    work: Path,
    prepare: Callable[[TrainingFolder], None],
    card: Card,
    windows: int = 0,
    beside: Mapping[str, Callable[[LanguageTraining], str]] = {},
) -> int:
    """Trains as the command line says, and writes the model with its card.

    windows: so many measure the held-out loss; beside: further files by their names, and what makes their text.
    """
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("output", type=Path)
    parser.add_argument("--work", type=Path, default=work)
    options = parser.parse_args()
    folder = TrainingFolder(options.work)
    with folder.alone():
        if not folder.begun:
            prepare(folder)
        training = LanguageTraining(folder)
        for progress in training.run(REPORT, CHECKPOINT):
            held = "" if progress.validation is None else f", held out {progress.validation:.4f}"
            print(
                f"step {progress.step}, loss {progress.loss:.4f}{held},"
                f" {progress.tokens_per_second:,.0f} tokens/s, {progress.seconds_left:,.0f} s left",
                flush=True,
            )
    options.output.mkdir(parents=True, exist_ok=True)
    for name in FILES:
        shutil.copy(folder.path / name, options.output / name)
    text = card(training, (folder.last_report()["loss"], (training.validation(windows) if windows else None) or np.nan))
    (options.output / "README.md").write_text(text, encoding="utf-8")
    for name, text_of in beside.items():
        (options.output / name).write_text(text_of(training), encoding="utf-8")
    print(hash_of(training))
    return 0


def hash_of(training: LanguageTraining) -> str:
    """The hash of the weights as they stand."""
    return weights_hash(by_name(training.model.weights.values()))


def numbers_of(training: LanguageTraining) -> int:
    """How many numbers the model has learnt."""
    return sum(weight.data.size for weight in by_name(training.model.weights.values()).values())
