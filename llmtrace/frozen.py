"""Frozen dataclasses that are there sooner: what is the same for all of them is not compiled for each."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, dataclass, field, fields
from operator import attrgetter
from reprlib import recursive_repr
from typing import Any, TypeVar, dataclass_transform

T = TypeVar("T")


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def frozen(cls: type[T]) -> type[T]:
    """What `dataclass(frozen=True)` does, in a fifth of the time until Python 3.13: it counts where hundreds are imported."""
    made: Any = dataclass(eq=False, repr=False)(cls)
    names = frozenset(field.name for field in fields(made))
    compared = [field.name for field in fields(made) if field.compare]
    shown = [field.name for field in fields(made) if field.repr]
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
    return cls
