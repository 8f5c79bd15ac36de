"""How things look in a terminal: the only part of llmtrace that knows."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console, ConsoleRenderable

# The class of a thing, and the function that makes it visible: imported when first needed.
VIEWS = {
    "llmtrace.explain.explanation.Explanation": "llmtrace.views.explanation.view",
    "llmtrace.tokenizers.tokenization.Tokenization": "llmtrace.views.tokenization.view",
    "llmtrace.trace.step.Step": "llmtrace.views.catalog.step_view",
    "llmtrace.trace.trace.Trace": "llmtrace.views.guided.view",
}


def renderable(thing: Any, **options: Any) -> ConsoleRenderable:
    """Something that Rich prints, for an Explanation, a Step or a Trace; the options are those of its view."""
    if type(thing).__name__ == "Document":
        return as_renderable(thing)
    for kind in type(thing).__mro__:
        view = VIEWS.get(f"{kind.__module__}.{kind.__qualname__}")
        if view is not None:
            module, _, name = view.rpartition(".")
            shown = getattr(import_module(module), name)(thing, **options)
            return as_renderable(shown)
    known = ", ".join(name.rpartition(".")[2] for name in VIEWS)
    raise TypeError(f"there is no view of a {type(thing).__name__}; there are views of {known}")


def as_renderable(shown: Any) -> ConsoleRenderable:
    """A document that Rich can print."""
    from llmtrace.render.terminal.blocks import printed
    from llmtrace.views.document import Document

    made: ConsoleRenderable = printed(shown) if isinstance(shown, Document) else shown
    return made


def show(
    thing: Any, *, every: bool = False, exact: bool = False, count: int = 6, console: Console | None = None
) -> None:
    """Prints a thing. `every`: all terms of every sum; `exact`: an Explanation at full precision, as plain text."""
    from llmtrace.render.terminal.console import output_console

    console = console or output_console()
    if exact:
        from llmtrace.explain.exact_text import exact_text
        from llmtrace.text import to_ascii

        text = exact_text(thing)
        console.out(to_ascii(text) if console.options.ascii_only else text, highlight=False, end="")
    else:
        console.print(renderable(thing, every=every, count=count))
