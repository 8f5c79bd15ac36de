"""Public names of a package whose files are imported when a name is first used (PEP 562): importing the package stays light."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any


def attribute(path: str) -> Any:
    """What `package.module.name` is, its module imported."""
    module, _, name = path.rpartition(".")
    return getattr(import_module(module), name)


def names_of(package: str, homes: Mapping[str, str]) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """The `__getattr__` and the `__dir__` of a package. `homes`: its public names, and where they are below it."""

    def found(name: str) -> Any:
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return attribute(f"{package}.{homes[name]}")

    return found, lambda: list(sys.modules[package].__all__)
