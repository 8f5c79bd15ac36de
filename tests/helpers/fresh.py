"""Random examples: where they begin (in the same place in every run, or where LLMTRACE_TEST_SEED says), and how many they are."""

import os

from hypothesis import settings

SEED = int(os.environ.get("LLMTRACE_TEST_SEED") or 0)
QUICK, THOROUGH = 40, 100
"""The examples of a property that says nothing else: in every run, and with `--hypothesis-profile thorough`."""


def examples(count: int) -> int:
    """So many examples, or half of them in a run that is not thorough."""
    return count if settings().max_examples >= THOROUGH else count // 2


def some(items, count):
    """So many of the items, evenly spread, or all of them in a run that is not quick."""
    items = list(items)
    if settings().max_examples >= THOROUGH or count >= len(items):
        return items
    return [items[i * len(items) // count] for i in range(count)]
