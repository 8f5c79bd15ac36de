"""The media: each folder of this room shows documents in its own form, and is a medium because it is there.

A medium is a package with `MIME`, the type of what it makes, and `render(document)`, which makes it. One that files hold has an
`ENDING` and `standalone(document, sheet)`: the content of such a file. The terminal has more to say: it knows how wide it is, and
what its output can show (`llmtrace.render.terminal`).
"""

from __future__ import annotations

import pkgutil
import sys
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

from llmtrace.frozen import frozen

if TYPE_CHECKING:
    from rich.console import Console, ConsoleRenderable

    from llmtrace.views.document import Document

# The class of a thing, and the function that makes it a document: imported when first needed.
VIEWS = {
    "llmtrace.explain.explanation.Explanation": "llmtrace.views.explanation.view",
    "llmtrace.tokenizers.tokenization.Tokenization": "llmtrace.views.tokenization.view",
    "llmtrace.trace.step.Step": "llmtrace.views.attention.of_step",
    "llmtrace.trace.trace.Trace": "llmtrace.views.guided.view",
}


@frozen
class Sheet:
    """What a file that shows a document is drawn on, where the medium has columns."""

    width: int = 100
    only_ascii: bool = False


def document_of(thing: Any, **options: Any) -> Document:
    """The document of an Explanation, a Step, a Trace or a Tokenization; the options are those of its view."""
    from llmtrace.views.document import Document

    if isinstance(thing, Document):
        return thing
    if hasattr(thing, "document"):
        made: Document = thing.document()
        return made
    for kind in type(thing).__mro__:
        view = VIEWS.get(f"{kind.__module__}.{kind.__qualname__}")
        if view is not None:
            module, _, name = view.rpartition(".")
            shown: Document = getattr(import_module(module), name)(thing, **options)
            return shown
    known = ", ".join(name.rpartition(".")[2] for name in VIEWS)
    raise TypeError(f"there is no view of a {type(thing).__name__}; there are views of {known}")


def renderable(thing: Any, **options: Any) -> ConsoleRenderable:
    """Something that Rich prints, for all that has a document, and for a document."""
    from llmtrace.render.terminal.blocks import printed

    return printed(document_of(thing, **options))


@cache
def media() -> tuple[str, ...]:
    """The names of all media."""
    return tuple(module.name for module in pkgutil.iter_modules(__path__) if module.ispkg)


def endings() -> dict[str, str]:
    """The endings of files that hold documents, each with its medium."""
    known = {medium: getattr(import_module(f"llmtrace.render.{medium}"), "ENDING", "") for medium in media()}
    return {ending: medium for medium, ending in known.items() if ending}


def standalone(thing: Any, ending: str, sheet: Sheet | None = None, **options: Any) -> bytes:
    """The content of a file with that ending that shows a document, or all that has one."""
    known = endings()
    if ending not in known:
        raise ValueError(
            f"there is no medium for files with the ending {ending!r}; there are {', '.join(sorted(known))}"
        )
    medium = import_module(f"llmtrace.render.{known[ending]}")
    made: bytes = medium.standalone(document_of(thing, **options), sheet or Sheet())
    return made


def render(thing: Any, medium: str, **options: Any) -> str | bytes:
    """A document, or all that has one, in a medium by name: `render(trace, "html")`. Pictures of pixels are bytes."""
    if medium not in media():
        raise ValueError(f"there is no medium {medium!r}; there are {', '.join(media())}")
    made: str | bytes = import_module(f"llmtrace.render.{medium}").render(document_of(thing, **options))
    return made


def show(
    thing: Any, *, every: bool = False, exact: bool = False, count: int = 6, console: Console | None = None
) -> None:
    """Prints a thing. `every`: all terms of every sum; `exact`: an Explanation at full precision, as plain text.

    In a notebook it is shown as a cell shows it, unless a console is given.
    """
    from llmtrace.render.terminal.console import output_console

    given, console = console, console or output_console()
    if exact:
        from llmtrace.encodings import in_encoding
        from llmtrace.explain.exact_text import exact_text

        console.out(in_encoding(exact_text(thing), console.encoding), highlight=False, end="")
        return
    document = document_of(thing, every=every, count=count)
    if given is None and in_notebook():
        import_module("IPython.display").display(document)
    else:
        console.print(renderable(document))


def in_notebook() -> bool:
    """Whether a notebook runs this."""
    python = sys.modules.get("IPython")
    shell = python.get_ipython() if python else None
    return shell is not None and hasattr(shell, "kernel")
