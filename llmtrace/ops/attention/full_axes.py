"""What the axes of attention are called where queries and keys may stand in two texts."""

from llmtrace.arithmetic.types import Axes


def queries_and_keys(q: Axes, k: Axes) -> Axes:
    """Places of queries against places of keys: each called as the text is that they stand in; where both stand in the same
    one, the keys' with `_key` behind.
    """
    query, key = ("query" if q[-2] == "position" else q[-2]), k[-2]
    return (*q[:-2], query, f"{key}_key" if key == q[-2] else key)
