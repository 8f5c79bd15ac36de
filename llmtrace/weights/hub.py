"""Models that are already on this computer, in the cache of Hugging Face's hub; nothing is fetched.

https://huggingface.co/docs/huggingface_hub/guides/manage-cache
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from llmtrace.errors import ModelError
from llmtrace.storage.files import read_text

NAME = re.compile(r"(?:[A-Za-z0-9][A-Za-z0-9._-]{0,95}/)?[A-Za-z0-9][A-Za-z0-9._-]{0,95}")
"""The name of a model: its owner and a name, or a name alone, as the oldest have it."""
REVISION = re.compile(r"[0-9a-f]{7,64}")


def cache() -> Path:
    """The folder of the cache, as the variables of the environment say that the hub's own library knows."""
    home = os.environ.get("HF_HOME") or os.path.join(os.environ.get("XDG_CACHE_HOME") or "~/.cache", "huggingface")
    own = os.environ.get("HF_HUB_CACHE") or os.environ.get("HUGGINGFACE_HUB_CACHE") or os.path.join(home, "hub")
    return Path(os.path.expandvars(own)).expanduser()


def cached(name: str) -> Path | None:
    """The folder of the newest state of a model that was fetched, or None where there is none of that name."""
    if NAME.fullmatch(name) is None:
        return None
    folder = cache() / f"models--{name.replace('/', '--')}"
    try:
        revision = read_text(folder / "refs" / "main", 1 << 10).strip()
    except ModelError:
        return None
    snapshot = folder / "snapshots" / revision
    return snapshot if REVISION.fullmatch(revision) and snapshot.is_dir() else None
