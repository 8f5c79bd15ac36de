"""Writing a GPT as two files."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from llmtrace.errors import ModelError
from llmtrace.i18n import _
from llmtrace.models import GPT, Model
from llmtrace.storage import save, write_whole
from llmtrace.storage.replace import refuse
from llmtrace.weights.families import family_of

NUMBERS, PROGRAM = "model.safetensors", "gpt.py"
SOURCE = Path(__file__).parents[1] / "data" / "two_files" / "gpt.py.txt"


def write(model: Model, folder: Path | str, example: Sequence[int]) -> list[Path]:
    """Writes a GPT's weights, in the layout of Hugging Face, and the program that runs them, into a folder; the two paths.

    example: the ids of the tokens that the program reads where it is given none. The sizes, and the text of each token, are in
    the header of the weights. ModelError for a model that is no GPT of float32.
    """
    family, folder = family_of(model), Path(folder)
    if family is None or not isinstance(model, GPT):
        raise ModelError(_("only a GPT can be written as two files, not {kind}", kind=type(model).__name__))
    config = model.config
    tensors = family.tensors(config, model.weights)
    if any(data.dtype != np.float32 for data in tensors.values()):
        raise ModelError(_("only a model of float32 numbers can be written as two files"))
    about = {
        "vocabulary": config.vocabulary,
        "context": config.context,
        "heads": config.heads,
        "epsilon": config.epsilon,
        "activation": config.activation,
        "factors": [model.scores_factor(block) for block in range(config.blocks)],
        "texts": [model.token_text(index) for index in range(config.vocabulary)],
        "example": list(example),
    }
    numbers, program = folder / NUMBERS, folder / PROGRAM
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:
        refuse(folder, error, ModelError)
    write_whole(program, [SOURCE.read_bytes()])
    save(tensors, numbers, {"model": json.dumps(about, ensure_ascii=False)})
    return [numbers, program]
