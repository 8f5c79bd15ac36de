"""Models from Hugging Face's hub, fetched into the hub's own cache: all of llmtrace that touches a network.

https://huggingface.co/docs/huggingface_hub/guides/download
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from llmtrace.errors import ModelError
from llmtrace.i18n import _
from llmtrace.text import cited, shown
from llmtrace.weights.config import read_content
from llmtrace.weights.families import read_settings
from llmtrace.weights.hub import NAME, cache
from llmtrace.weights.hugging_face import CHAT, CONFIG, GENERATION
from llmtrace.weights.shards import INDEX, SINGLE

BESIDE = (
    CONFIG,
    GENERATION,
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    CHAT,
    "vocab.json",
    "merges.txt",
    "encoder.json",
    "vocab.bpe",
    "tokenizer.model",
    "vocab.txt",
)
"""What is fetched beside the weights, of what there is."""
SHARD = re.compile(r"model-\d{1,6}-of-\d{1,6}\.safetensors")
UNREACHED = {"ConnectionError", "TransportError", "TimeoutError", "LocalEntryNotFoundError"}
"""The classes of errors with which a library says that there is no network, or none that leads there."""


class Offer(NamedTuple):
    """What the hub has of a model that is to be fetched."""

    name: str
    files: Mapping[str, int]
    """How many bytes each has."""

    @property
    def size(self) -> int:
        """The bytes of all of them."""
        return sum(self.files.values())


def look_up(name: str) -> Offer:
    """What there is of a model; ModelError where there is none that can be read, which its config.json says first."""
    if NAME.fullmatch(name) is None:
        text = _("{name} is not the name of a model on the hub, such as gpt2 or HuggingFaceTB/SmolLM2-135M")
        raise ModelError(text.format(name=cited(name)))
    hub = _library()
    with _asking(name):
        there = {each.rfilename: each.size or 0 for each in hub.HfApi().model_info(name, files_metadata=True).siblings}
    weights = [SINGLE] if SINGLE in there else [INDEX, *filter(SHARD.fullmatch, there)] if INDEX in there else []
    for file, found in ((CONFIG, CONFIG in there), (SINGLE, weights)):
        if not found:
            raise ModelError(_("{name} can't be fetched: the hub has no {file} of it", name=cited(name), file=file))
    path = _fetched(hub, name, [CONFIG]) / CONFIG
    read_settings(read_content(path), shown(path))
    return Offer(name, {file: there[file] for file in (*BESIDE, *sorted(weights)) if file in there})


def fetch(offer: Offer) -> Path:
    """Fetches all of it that is not in the cache yet; the folder."""
    return _fetched(_library(), offer.name, list(offer.files))


def _library() -> Any:
    try:
        import huggingface_hub
    except ImportError as error:
        text = _('fetching needs huggingface_hub: install it with pip install "{name}[hub]"', name="llmtrace-exact")
        raise ModelError(text) from error
    return huggingface_hub


def _fetched(hub: Any, name: str, files: list[str]) -> Path:
    with _asking(name):
        return Path(hub.snapshot_download(name, allow_patterns=files, cache_dir=cache()))


@contextmanager
def _asking(name: str) -> Iterator[None]:
    try:
        yield
    except Exception as error:  # the errors of the libraries below have no class in common
        raise ModelError(_refusal(name, error)) from error


def _refusal(name: str, error: Exception) -> str:
    kinds = {kind.__name__ for kind in type(error).__mro__}
    why = shown((str(error).strip() or type(error).__name__).splitlines()[0], 200)
    if "GatedRepoError" in kinds:
        text = _(
            "{name} is given to those who ask for it: ask at https://huggingface.co/{plain}, then log in: hf auth login"
        )
    elif "RepositoryNotFoundError" in kinds:
        text = _("the hub has no model {name}, or shows it to others only")
    elif "OfflineModeIsEnabled" in kinds:
        text = _("{name} can't be fetched: HF_HUB_OFFLINE says that the network is not to be used")
    elif kinds & UNREACHED:
        text = _("{name} can't be fetched: the hub can't be reached ({why})")
    else:
        text = _("{name} can't be fetched: {why}")
    return text.format(name=cited(name), plain=name, why=why)
