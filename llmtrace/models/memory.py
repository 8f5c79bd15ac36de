"""How much memory there is for a run."""

from __future__ import annotations

import os
from pathlib import Path

LARGEST = 500_000_000
"""A trace that would take more bytes than these keeps only the residual stream, unless all numbers are asked for."""


IDS = 16
"""The bytes of a token's id and its position."""


def available_memory() -> int | None:
    """How many bytes could be allocated without swapping, or None where the system does not say."""
    try:
        with open("/proc/meminfo") as lines:
            free = next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable"))
    except (OSError, StopIteration):
        names = os.sysconf_names
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") if "SC_AVPHYS_PAGES" in names else None
    try:  # a container may have less than the machine; "max" is no number
        limit, used = (int(Path(f"/sys/fs/cgroup/memory.{what}").read_text()) for what in ("max", "current"))
    except (OSError, ValueError):
        return free
    return min(free, max(0, limit - used))
