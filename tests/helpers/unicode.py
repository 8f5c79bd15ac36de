"""The characters there are."""

import sys
from functools import cache

from helpers.fresh import quick

TOLD = [range(0xD800), range(0xE000, 0x33500), range(0xE0000, 0xE0200)]
"""Where Unicode says anything; elsewhere there is nothing, or it is private."""


@cache
def characters():
    """All of them; of nothing and private ones, in a quick run, every 97th."""
    codes = {*range(0, sys.maxunicode + 1, 97 if quick() else 1)} - {*range(0xD800, 0xE000)}
    return list(map(chr, sorted(codes.union(*TOLD))))
