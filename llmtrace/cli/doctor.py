"""`llmtrace doctor`: what llmtrace runs on, and whether this machine computes every bit right."""

from __future__ import annotations

import platform
import sys
from typing import Any

from llmtrace.cli.command import new_command
from llmtrace.cli.options import json_option, print_json
from llmtrace.i18n import _, n_


@new_command("doctor")
@json_option
def command(as_json: bool) -> int:
    """Show versions, instruction sets and threads, and test that this machine computes every bit as it should.

    The exit code is 1 if a test fails.

    \b
    Example:
      llmtrace doctor
    """  # noqa: D301 - \b keeps click from filling the lines
    from llmtrace.cli.selftest import outcomes

    facts, results = environment(), list(outcomes())
    good = all(outcome.passed for outcome in results)
    if as_json:
        tests = [{"name": o.name, "passed": o.passed, "problem": o.problem} for o in results]
        print_json({**facts, "tests": tests, "passed": good})
    else:
        _print(facts, results)
    return 0 if good else 1


def environment() -> dict[str, Any]:
    """Versions, instruction sets and threads."""
    import numpy as np

    from llmtrace import __version__, _kernels
    from llmtrace.loading import bundled

    return {
        "llmtrace": __version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "system": f"{platform.system()} {platform.machine()}",
        "instruction_set": _kernels.instruction_set(),
        "instruction_sets": _kernels.instruction_sets(),
        "threads": _kernels.get_threads(),
        "bundled_models": bundled(),
    }


def _print(facts: dict[str, Any], results: list[Any]) -> None:
    from rich.cells import cell_len

    from llmtrace.render.terminal.console import output_console
    from llmtrace.render.terminal.layout import GOOD, HEADING, NAME, QUIET, Page
    from llmtrace.render.terminal.table import left

    console = output_console()
    page = Page(console.width, console.options.ascii_only)
    instructions = _(
        "{name} (available: {names})", name=facts["instruction_set"], names=", ".join(facts["instruction_sets"])
    )
    rows = {
        "llmtrace": facts["llmtrace"],
        "Python": f"{facts['python']}, {facts['system']}",
        "NumPy": facts["numpy"],
        _("instruction set"): instructions,
        _("threads"): str(facts["threads"]),
        _("bundled models"): ", ".join(facts["bundled_models"]) or _("none"),
    }
    width = max(map(cell_len, rows))
    for name, value in rows.items():
        console.print(page.line((left(name, width), NAME), f"  {value}", hang=4))
    console.print()
    console.print(page.line((_("Arithmetic: every bit compared with what it must be"), HEADING)))
    for outcome in results:
        mark = ("✓", GOOD) if outcome.passed else ("✗", "bold red")
        console.print(page.line(mark, f" {outcome.name}", (f"   {outcome.problem}", "red"), hang=4))
    wrong = sum(not outcome.passed for outcome in results)
    console.print()
    if wrong:
        text = n_(
            "{count} test failed: do not trust results of this machine; please report this",
            "{count} tests failed: do not trust results of this machine; please report this",
            wrong,
            count=wrong,
        )
        console.print(page.line((text, "bold red"), hang=0))
    else:
        console.print(page.line((_("All right: the same bits as on every other machine."), QUIET), hang=0))
    sys.stdout.flush()
