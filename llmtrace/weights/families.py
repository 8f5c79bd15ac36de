"""All model families, by the name that config.json has for them: a family is known because it is imported here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from llmtrace.errors import ModelError
from llmtrace.models import Model
from llmtrace.models.feedforward_words import FEEDFORWARD
from llmtrace.models.gpt_words import GPT_LEGEND
from llmtrace.models.language_words import LANGUAGE
from llmtrace.weights.config import kind_of, must_be_plain, tied_or_not
from llmtrace.weights.family import Family
from llmtrace.weights.gpt import GPT2  # noqa: F401 - found below
from llmtrace.weights.llama import LLAMA, MISTRAL, QWEN2  # noqa: F401
from llmtrace.weights.transformer import TRANSFORMER  # noqa: F401 - found below

FAMILIES: dict[str, Family] = {family.name: family for family in vars().copy().values() if isinstance(family, Family)}

LEGENDS = {
    legend.name: legend
    for legend in (GPT_LEGEND, FEEDFORWARD, LANGUAGE, *(family.model.legend for family in FAMILIES.values()))
}
"""The legends that a trace file may name. A file that names none is older than all families but the first."""


def family_of(model: Model) -> Family | None:
    """The family that a model is of."""
    return next((family for family in FAMILIES.values() if isinstance(model, family.model)), None)


def read_settings(data: Mapping[str, Any], where: str) -> tuple[Family, Any, bool | None]:
    """The family, the sizes, and whether the output is tied to the token embedding, from the content of config.json."""
    family = FAMILIES[kind_of(data, where, {name: family.architectures for name, family in FAMILIES.items()})]
    must_be_plain(data, where, family.title)
    problems: list[str] = []
    config = family.read_config(data, problems)
    tied = tied_or_not(data, problems)
    if problems:
        raise ModelError(f"{where}: {'; '.join(problems)}")
    return family, config, tied
