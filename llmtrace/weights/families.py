"""All model families, by the name that config.json has for them. A family is imported when a model of it is read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from llmtrace.errors import ModelError
from llmtrace.lazy import attribute
from llmtrace.models import Model
from llmtrace.trace.legend import Legend
from llmtrace.weights.config import kind_of, must_be_plain, tied_or_not
from llmtrace.weights.family import Family

HOMES = {
    "gpt2": "llmtrace.weights.gpt.GPT2",
    "llama": "llmtrace.weights.llama.LLAMA",
    "mistral": "llmtrace.weights.llama.MISTRAL",
    "qwen2": "llmtrace.weights.llama.QWEN2",
    "transformer": "llmtrace.weights.transformer.TRANSFORMER",
}
"""Where the table of each family is."""

OTHER_LEGENDS = ("llmtrace.models.feedforward_words.FEEDFORWARD", "llmtrace.models.language_words.LANGUAGE")
"""Those of no family."""


class Families(Mapping[str, Family]):
    """The families by name, in the order of `HOMES`."""

    def __getitem__(self, name: str) -> Family:
        family: Family = attribute(HOMES[name])
        return family

    def __contains__(self, name: object) -> bool:
        return name in HOMES

    def __iter__(self) -> Iterator[str]:
        return iter(HOMES)

    def __len__(self) -> int:
        return len(HOMES)


FAMILIES = Families()


def legends() -> dict[str, Legend]:
    """The legends that a trace file may name. A file that names none is older than all families but the first."""
    first, *later = (family.model.legend for family in FAMILIES.values())
    return {legend.name: legend for legend in (first, *map(attribute, OTHER_LEGENDS), *later)}


def family_of(model: Model) -> Family | None:
    """The family that a model is of."""
    return next((family for family in FAMILIES.values() if isinstance(model, family.model)), None)


def read_settings(data: Mapping[str, Any], where: str) -> tuple[Family, Any, bool | None]:
    """The family, the sizes, and whether the output is tied to the token embedding, from the content of config.json."""
    family = FAMILIES[kind_of(data, where, FAMILIES, lambda name: FAMILIES[name].architectures)]
    must_be_plain(data, where, family.title)
    problems: list[str] = []
    config = family.read_config(data, problems)
    tied = tied_or_not(data, problems)
    tied = family.tied.usual if tied is None else tied
    if problems:
        raise ModelError(f"{where}: {'; '.join(problems)}")
    return family, config, tied
