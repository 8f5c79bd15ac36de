"""`llmtrace.load`: from a name or a folder to a model."""

from __future__ import annotations

import os
from pathlib import Path

from llmtrace.errors import ModelError
from llmtrace.models import GPT

DATA = Path(__file__).parent / "data"
DEFAULT = "sorter"


def bundled() -> list[str]:
    """The names of the models that come with llmtrace."""
    return sorted(path.parent.name for path in DATA.glob("*/config.json"))


def load(model: str | os.PathLike[str] = DEFAULT) -> GPT:
    """The bundled model of that name, or the model in that folder (Hugging Face's GPT-2 layout); raises ModelError."""
    from llmtrace.weights import load_folder

    if isinstance(model, str) and model in bundled():
        return load_folder(DATA / model)
    if not Path(model).exists():
        raise ModelError(f"there is no model {str(model)!r}: give a folder, or one of {', '.join(bundled()) or '(none)'}")
    return load_folder(Path(model))
