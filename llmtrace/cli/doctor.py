"""`llmtrace doctor`: what llmtrace runs on, and whether this machine computes every bit right."""

from __future__ import annotations

import platform
from typing import TYPE_CHECKING, Any

from llmtrace.cli.command import new_command
from llmtrace.cli.output import Look, print_document, shown_options
from llmtrace.i18n import _, listed, n_

if TYPE_CHECKING:
    from llmtrace.views.document import Document


@new_command("doctor")
@shown_options(own=("as_json",))
def command(look: Look) -> int:
    """Show versions, instruction sets and threads, and test that this machine computes every bit as it should.

    The exit code is 1 if a test fails.

    \b
    Example:
      llmtrace doctor
    """  # noqa: D301 - \b keeps click from filling the lines
    from llmtrace.cli.selftest import outcomes

    results = list(outcomes())
    print_document(_document(environment(), results), look)
    return 0 if all(outcome.passed for outcome in results) else 1


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


def _document(facts: dict[str, Any], results: list[Any]) -> Document:
    from llmtrace.views.document import (
        Block,
        Definitions,
        Document,
        Heading,
        Space,
        Text,
        good,
        heading,
        name,
        paragraph,
        quiet,
    )

    instructions = _(
        "{name} (available: {names})", name=facts["instruction_set"], names=listed(facts["instruction_sets"])
    )
    rows = {
        "llmtrace": facts["llmtrace"],
        "Python": f"{facts['python']}, {facts['system']}",
        "NumPy": facts["numpy"],
        _("instruction set"): instructions,
        _("threads"): str(facts["threads"]),
        _("bundled models"): listed(facts["bundled_models"]) or _("none"),
    }
    blocks: list[Block] = [
        Definitions(tuple((name(title), (words,)) for title, words in rows.items())),
        Space(),
        Heading((heading(_("Arithmetic: every bit compared with what it must be")),)),
    ]
    for outcome in results:
        mark = good("✓") if outcome.passed else Text("✗", "wrong")
        blocks.append(paragraph(mark, f" {outcome.name}", Text(f"   {outcome.problem}", "wrong"), hang=4))
    wrong = sum(not outcome.passed for outcome in results)
    said = quiet(_("All right: the same bits as on every other machine."))
    if wrong:
        text = n_(
            "{count} test failed: do not trust results of this machine; please report this",
            "{count} tests failed: do not trust results of this machine; please report this",
            wrong,
            count=wrong,
        )
        said = Text(text, "wrong")
    tests = [{"name": o.name, "passed": o.passed, "problem": o.problem} for o in results]
    return Document((*blocks, Space(), paragraph(said, hang=0)), {**facts, "tests": tests, "passed": not wrong})
