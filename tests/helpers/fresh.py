"""Random examples, and some of many cases: where they begin (in the same place in every run, or where LLMTRACE_TEST_SEED says),
and how many they are.
"""

import os

from hypothesis import settings

SEED = int(os.environ.get("LLMTRACE_TEST_SEED") or 0)
QUICK, THOROUGH = 40, 100
"""The examples of a property that says nothing else: in every run, and with `--hypothesis-profile thorough`."""


def quick() -> bool:
    """Whether this is a run that is not thorough."""
    return settings().max_examples < THOROUGH


def examples(count: int) -> int:
    """So many examples, or half of them in a run that is not thorough."""
    return count // 2 if quick() else count


def some(items, count):
    """So many of the items, evenly spread from the first to the last, or all of them in a run that is not quick."""
    items = list(items)
    if not quick() or count >= len(items):
        return items
    return [items[n * (len(items) - 1) // max(1, count - 1)] for n in range(count)]
