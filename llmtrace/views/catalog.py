"""All views of `llmtrace show`: which there are, and which is the one of a name."""

from __future__ import annotations

import pkgutil
from collections.abc import Mapping
from functools import cache
from importlib import import_module

from llmtrace import views
from llmtrace.errors import AddressError
from llmtrace.i18n import _
from llmtrace.lazy import attribute
from llmtrace.trace import Trace
from llmtrace.views.document import Document
from llmtrace.views.view import Option, View


@cache
def catalog() -> tuple[View, ...]:
    """Every View that a file of this folder holds, in the order in which they are asked."""
    modules = (import_module(f"{views.__name__}.{module.name}") for module in pkgutil.iter_modules(views.__path__))
    found = (each for module in modules for each in vars(module).values() if isinstance(each, View))
    return tuple(sorted(dict.fromkeys(found), key=lambda view: view.order))


def options() -> list[Option]:
    """The options of all views, by name."""
    return sorted({option for view in catalog() for option in view.options}, key=lambda option: option.name)


def names() -> list[str]:
    """The names that are only views' own."""
    return sorted(name for view in catalog() for name in view.called)


def look(trace: Trace, name: str | None = None, *, every: bool = False, **asked: int | None) -> Document:
    """The view of a trace, or of one of its parts by name; AddressError where there is nothing of that name or number."""
    given = {option: value for option, value in asked.items() if value is not None}
    view = next((view for view in catalog() if view.accepts(trace, name, given.keys())), None)
    if view is None:
        raise unknown(trace, str(name))
    _must_go_with(view, _("the list of steps") if name is None else name, given)
    return view(trace, name, given, every)


def unknown(trace: Trace, name: str) -> AddressError:
    """What to say where nothing has that name."""
    own = (called for view in catalog() for called, there in view.called.items() if there(trace))
    return attribute("llmtrace.near.no_such_step")(name, [*own, *trace.names()])


def _must_go_with(view: View, name: str, given: Mapping[str, int]) -> None:
    """AddressError for an option that does not belong to what is shown."""
    own = {option.name for option in view.options}
    for option in options():
        if option.name in given and option.name not in own:
            text = _("--{option} does not go with {name}: it is for {uses}")
            raise AddressError(text.format(option=option.name, name=name, uses=_(option.uses)))
