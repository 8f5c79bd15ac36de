"""How many threads compute. The number changes the time, never a bit."""

from llmtrace import _kernels


def set_threads(count: int) -> None:
    """Compute with `count` threads, from 1 to 4096, the calling one included."""
    _kernels.set_threads(count)


def get_threads() -> int:
    """How many threads compute: LLMTRACE_NUM_THREADS, or as many as the cores that this process may use."""
    return int(_kernels.get_threads())
