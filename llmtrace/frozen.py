"""Frozen dataclasses that are there sooner: what is the same for all of them is not compiled for each."""

from __future__ import annotations

from dataclasses import MISSING, FrozenInstanceError, dataclass, field, fields
from operator import attrgetter
from reprlib import recursive_repr
from typing import Any, TypeVar, dataclass_transform

T = TypeVar("T")


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def frozen(cls: type[T]) -> type[T]:
    """What `dataclass(frozen=True)` does, in a fifth of the time until Python 3.13: it counts where hundreds are imported."""
    cls.__doc__ = cls.__doc__ or cls.__name__  # `dataclass` would work out a signature, in milliseconds
    made: Any = dataclass(init=False, eq=False, repr=False)(cls)
    known = fields(made)
    names = frozenset(field.name for field in known)
    compared = [field.name for field in known if field.compare]
    shown = [field.name for field in known if field.repr]
    values = attrgetter("__class__", *compared)

    def set_once(self: Any, name: str, value: Any) -> None:
        if name in self.__dict__ or name not in names:  # __init__ sets each once
            raise FrozenInstanceError(f"cannot assign to field {name!r}")
        object.__setattr__(self, name, value)

    def keep(self: Any, name: str) -> None:
        raise FrozenInstanceError(f"cannot delete field {name!r}")

    def equal(self: Any, other: Any) -> Any:
        return values(self) == values(other) if other.__class__ is self.__class__ else NotImplemented

    @recursive_repr()
    def written(self: Any) -> str:
        return f"{type(self).__qualname__}({', '.join(f'{name}={getattr(self, name)!r}' for name in shown)})"

    common = {"__setattr__": set_once, "__delattr__": keep, "__eq__": equal, "__repr__": written}
    for name, function in common.items():
        if name not in cls.__dict__:
            setattr(made, name, function)
    if "__hash__" not in cls.__dict__:
        made.__hash__ = lambda self: hash(values(self))
    if "__init__" not in cls.__dict__:
        made.__init__ = _Init(cls)
    return cls


class _Init:
    """The `__init__` of a frozen class, compiled when it is first asked for: of many classes no object is made in a run."""

    def __init__(self, cls: type) -> None:
        self._of: Any = cls

    def __get__(self, instance: Any, owner: type) -> Any:
        of = self._of
        of.__init__ = _init(of)
        return of.__init__.__get__(instance, owner)


def _init(cls: Any) -> Any:
    known = fields(cls)
    usual = {each.name: each.default for each in known}
    makers = {each.name: each.default_factory for each in known if each.default_factory is not MISSING}
    given = [
        f"{each.name}=__usual[{each.name!r}]" if each.name in makers or each.default is not MISSING else each.name
        for each in known
        if each.init
    ]
    lines = [
        f"if {each.name} is __MISSING: {each.name} = __makers[{each.name!r}]()"
        if each.init
        else f"{each.name} = __makers[{each.name!r}]()"
        for each in known
        if each.name in makers
    ]
    lines += [f"__set(self, {each.name!r}, {each.name})" for each in known if each.init or each.name in makers]
    lines += ["self.__post_init__()"] if hasattr(cls, "__post_init__") else []
    names = {"__usual": usual, "__makers": makers, "__MISSING": MISSING, "__set": object.__setattr__}
    exec("\n    ".join([f"def __init__(self, {', '.join(given)}):", *lines, "pass"]), names)
    made: Any = names["__init__"]
    made.__qualname__ = f"{cls.__qualname__}.__init__"
    made.__annotations__ = {each.name: each.type for each in known if each.init} | {"return": None}
    return made
