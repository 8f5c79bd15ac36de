"""How far something is that takes long."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from llmtrace.i18n import _


@contextmanager
def telling() -> Iterator[Callable[[int, int], None]]:
    """While something takes long, shows on a terminal how far it is, and how much time is left."""
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(_("computing"), visible=False)
        yield lambda done, whole: bar.update(task, completed=done, total=whole, visible=True)
