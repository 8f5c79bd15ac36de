"""Which prompts are run together: neighbours, as many as are run in about a second.

What a kill takes is what was run since the last block was written down, so a block has to end soon; but to write down every
small prompt apart would take longer than to run it. Work is estimated, not timed: so the blocks, and with them the files of
what is kept, are the same on every machine, and however often a run was ended.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from llmtrace.corpus.prompts import Item

MOST = 16
"""Prompts of a block."""
WORK = 25 * 10**9
"""Multiplications of a block, about as many as one core does in a second: each token takes one with every weight."""
BYTES = 4
"""So many bytes of a text, in UTF-8, make about one token."""


def blocks(items: Iterable[Item], parameters: int) -> Iterator[tuple[Item, ...]]:
    """All items in order, in blocks for a model of so many weights; a prompt of more work than a block's is one alone."""
    block: list[Item] = []
    done = 0
    for item in items:
        work = tokens(item) * parameters
        if block and (len(block) == MOST or done + work > WORK):
            yield tuple(block)
            block, done = [], 0
        block.append(item)
        done += work
    if block:
        yield tuple(block)


def tokens(item: Item) -> int:
    """How many tokens a prompt has: of a text about, without asking for its tokenizer."""
    if item.prompt is None:
        return 0
    if isinstance(item.prompt, str):
        return -(-len(item.prompt.encode("utf-8", "surrogatepass")) // BYTES)
    return len(item.prompt)
