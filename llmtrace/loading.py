"""`llmtrace.load` and `llmtrace.open`: from a name, a folder or a file to a model or a trace."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from llmtrace.errors import ModelError, TraceFileError
from llmtrace.i18n import _, language, listed
from llmtrace.lazy import attribute
from llmtrace.models import Model
from llmtrace.trace import Origin, Trace

if TYPE_CHECKING:
    from collections.abc import Mapping

    from llmtrace.ops import Weight
    from llmtrace.tokenizers import Tokenizer

DATA = Path(__file__).parent / "data"
DEFAULT = "storyteller"
CHINESE = "jielong"
VARIABLE = "LLMTRACE_MODEL"


def bundled() -> list[str]:
    """The names of the models that come with llmtrace."""
    return sorted(path.parent.name for path in DATA.glob("*/config.json"))


def usual() -> str:
    """The model of commands where none is named: what LLMTRACE_MODEL says, else one that reads the language that is spoken."""
    return os.environ.get(VARIABLE) or (CHINESE if language() == "zh" else DEFAULT)


def named() -> list[str]:
    """The names of all models that have one: those, and those that packages bring."""
    from llmtrace.weights.packaged import PACKAGED

    return [*bundled(), *PACKAGED]


def load(model: str | os.PathLike[str] = DEFAULT) -> Model:
    """The bundled model of that name, one that a package brings (`smollm2`), or one on disk, of any family and format in
    `llmtrace.weights`: a folder in Hugging Face's layout, or its .safetensors file; a .gguf file; a .bin
    file of llama2.c; else one of that name that is already in the hub's cache.

    A name comes first; a folder of the same name is `./name`. Raises ModelError.
    """
    from llmtrace.weights.folder import load_folder

    if isinstance(model, str) and model in bundled():
        return _named(load_folder(DATA / model), model)
    from llmtrace.storage.files import reason
    from llmtrace.text import shown
    from llmtrace.trace.container import is_trace
    from llmtrace.weights.hub import cached
    from llmtrace.weights.packaged import PACKAGED, packaged_file

    name = _by_name(model)
    if isinstance(model, str) and model in PACKAGED:
        loaded = _named(load_folder(packaged_file(model)), model)
        loaded.name = model
        return loaded
    if not name:
        raise ModelError(_("the name of the model is empty: give a folder, or {names}", names=_names()))
    path = os.path.expanduser(name)
    try:
        os.stat(path)
    except FileNotFoundError:
        if isinstance(model, str) and (found := cached(model)):
            loaded = _named(load_folder(found), str(found))
            loaded.name = model  # the folder's own name is a revision
            return loaded
        raise _no_model(name) from None
    except (OSError, ValueError) as error:  # ValueError: a name with a NUL in it
        raise ModelError(_("{name} can't be read: {why}", name=shown(name), why=reason(error))) from error
    if is_trace(Path(path)):
        text = _("{name} is a trace, not a model: open it with llmtrace.open, or look at it with llmtrace show")
        raise ModelError(text.format(name=shown(name)))
    return _named(load_folder(Path(path)), os.path.abspath(path))


def _by_name(model: object) -> str:
    """What names a model; ModelError where it is neither a name nor a path."""
    if isinstance(model, str | bytes | os.PathLike):
        return os.fsdecode(model)
    from llmtrace.text import cited

    raise ModelError(_("a model is given by its name or its path, not by {what}", what=cited(model)))


def _called(model: object) -> str:
    """The same of a model that is loaded, too."""
    return (model.name or type(model).__name__) if isinstance(model, Model) else _by_name(model)


def _no_model(name: str) -> ModelError:
    """What to say of a model that is neither on disk nor in the hub's cache."""
    from llmtrace.text import cited
    from llmtrace.weights.hub import NAME

    near = _(" or ").join(cited(n) for n in _near(name))
    text = _("there is no model {name}: give a folder, or {names}")
    if near:
        text = _("there is no model {name}: did you mean {near}? Otherwise give a folder, or {names}")
    elif NAME.fullmatch(name) and not os.path.splitext(name)[1]:
        text = _(
            "there is no model {name}: give a folder, or {names}; if it is one of Hugging Face's hub, llmtrace fetch {hub}"
            " downloads it"
        )
    return ModelError(text.format(name=cited(name), near=near, names=_names(), hub=name))


def _named(model: Model, reference: str) -> Model:
    model.reference = reference
    return model


def load_tokenizer(model: str | os.PathLike[str] = DEFAULT) -> Tokenizer:
    """The tokenizer of a model with a name, or the one in a folder, which need hold nothing else, or that of a .gguf or
    .bin file. Raises ModelError.
    """
    from llmtrace.weights.hub import cached
    from llmtrace.weights.packaged import PACKAGED, packaged_file
    from llmtrace.weights.sources import source_of

    folder = (
        DATA / model if isinstance(model, str) and model in bundled() else Path(os.path.expanduser(_by_name(model)))
    )
    if isinstance(model, str) and model in PACKAGED:
        folder = packaged_file(model)
    elif isinstance(model, str) and not os.path.lexists(folder):
        found = cached(model)
        if found is None:
            raise _no_model(model)
        folder = found
    tokenizer = source_of(folder).tokenizer(folder)
    if tokenizer is None:
        raise ModelError(_("there is no tokenizer in {folder}: it needs a tokenizer.json", folder=folder))
    return tokenizer


def open_trace(path: str | os.PathLike[str], model: str | os.PathLike[str] | Model | None = None) -> Trace:
    """The trace in a file that `Trace.save` wrote; its tensors are read when they are looked at. Raises TraceFileError.

    The weights come from the file where it has them, else from `model`, which `load` takes or has loaded, or from the model
    that the trace names.
    """
    from llmtrace.text import cited, shown
    from llmtrace.trace.codec import no_weights, read
    from llmtrace.weights.families import legends

    if not isinstance(path, str | bytes | os.PathLike):
        raise TraceFileError(_("a trace is opened by the path of its file, not by {what}", what=cited(path)))
    if os.path.isdir(path):
        text = _("{path} is a folder, not a trace file; a model is loaded with llmtrace.load")
        raise TraceFileError(text.format(path=shown(os.fsdecode(path))))

    def weights_of(origin: Origin) -> Mapping[str, Weight]:
        if isinstance(model, Model):
            return model.weights
        if model is not None:
            return load(model).weights
        if origin.reference in named() or os.path.exists(os.path.expanduser(origin.reference)):
            return load(origin.reference).weights
        raise no_weights(os.fsdecode(path), origin)

    asked = "" if model is None else _called(model)
    return read(Path(os.fsdecode(path)), weights_of, legends(), asked)


def _names() -> str:
    """The models that have a name, to choose from."""
    return _("one of {names}", names=listed(sorted(named())))


def _near(name: str) -> list[str]:
    """Models that have a name, and neighbouring model folders with a name like this one."""
    path = Path(os.path.expanduser(name))
    meant = attribute("llmtrace.near.near")(name, named(), 2)
    try:
        beside = {folder.parent.name: folder.parent for folder in path.parent.glob("*/config.json")}
    except (OSError, ValueError):
        return meant
    return list(
        dict.fromkeys(meant + [str(beside[match]) for match in attribute("llmtrace.near.near")(path.name, beside, 2)])
    )
