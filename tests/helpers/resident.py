"""How much of a mapped file is in memory."""

from pathlib import Path


def resident(address):
    """Kilobytes of the mapping at an address that are in the memory of this process; for a mapped file."""
    lines = iter(Path("/proc/self/smaps").read_text().splitlines())
    assert any(line.startswith(f"{address:x}-") for line in lines)
    return next(int(line.split()[1]) for line in lines if line.startswith("Rss:"))
