"""How much memory and disk a run takes, and how much there is."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from functools import cache, cached_property
from typing import Any

from llmtrace.arithmetic.types import Array
from llmtrace.errors import DoesNotFitError, ModelError
from llmtrace.i18n import _
from llmtrace.ops import Weight
from llmtrace.text import as_size, cited
from llmtrace.trace import Keep
from llmtrace.trace.later import FEW

Place = str | os.PathLike[str] | None
"""A folder, or none."""

LARGEST = 500_000_000
"""A trace that would take more bytes than these keeps only the residual stream, unless all numbers are asked for."""


WIDEST = 64
"""So many columns of a weight, at most, are packed side by side (csrc/kernels/vector.h)."""

CONTAINER = "/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"
STATISTICS = "/sys/fs/cgroup/memory.stat"

IDS = 16
"""The bytes of a token's id and its position."""


def available_memory(enough: int | None = None) -> int | None:
    """How many bytes could be allocated without swapping, or None where the system does not say.

    enough: where it is certain that there are so many, they may be all that it counts.
    """
    unused = _unused_memory() if enough is not None and not _in_container() else None
    if enough is not None and unused is not None and unused // 2 >= enough:  # of which the system keeps some for itself
        return unused
    try:
        free = int(_start_of("/proc/meminfo").partition(b"MemAvailable:")[2].split()[0]) * 1024
    except (OSError, IndexError):
        return _unused_memory()
    if not _in_container():
        return free
    try:  # "max" is no number
        limit, used = map(int, map(_start_of, CONTAINER))
    except (OSError, ValueError):
        return free
    return min(free, max(0, limit - used + _read_and_idle()))


def _read_and_idle() -> int:
    """How many of the bytes that a container uses are of files that it has read, and that the system takes when it needs them."""
    try:
        return int(_start_of(STATISTICS).partition(b"\ninactive_file ")[2].split()[0])
    except (OSError, ValueError, IndexError):
        return 0


def _unused_memory() -> int | None:
    """How many bytes nobody uses, not even for what was read from files; in a hundredth of the time."""
    if "SC_AVPHYS_PAGES" not in os.sysconf_names:
        return None
    return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


@cache
def _in_container() -> bool:
    """Whether there are files that say how much memory this process may use, which may be less than the machine has."""
    return all(map(os.path.exists, CONTAINER))


def _start_of(file: str) -> bytes:
    """What a small file says, in a third of the time that `open` takes where nothing of it is in the caches."""
    descriptor = os.open(file, os.O_RDONLY)
    try:
        return os.read(descriptor, 4096)
    finally:
        os.close(descriptor)


def free_disk(folder: str | os.PathLike[str]) -> int | None:
    """How many bytes a file in this folder could take, or None where the system does not say."""
    import shutil  # for traces in files only

    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return None


class Sized(ABC):
    """A model that knows how much memory its traces take."""

    weights: Mapping[str, Weight]
    config: Any

    @abstractmethod
    def trace_numbers(self, tokens: int, past: int = 0) -> int:
        """How many numbers a trace of so many tokens holds, after `past` that a cache has."""

    def residual_numbers(self, tokens: int, past: int = 0) -> int:
        """How many numbers there are at most at once while a trace is made that keeps only the residual stream."""
        return self.trace_numbers(tokens, past)

    def work_numbers(self, tokens: int, past: int = 0) -> int:
        """How many numbers there are at most at once while nothing is kept, beside the residual stream and the logits."""
        return self.trace_numbers(tokens, past)

    def logits_numbers(self, tokens: int) -> int:
        """How many logits so many tokens have; of a few, a trace that keeps only the residual stream remembers them."""
        return 0

    def trace_bytes(self, tokens: int, past: int = 0, keep: Keep = "all", texts: int = 1) -> int:
        """How many bytes a trace takes, of so many texts of so many tokens, after `past` that a cache has; while it is made."""
        numbers = self.trace_numbers(tokens, past) if keep == "all" else self.residual_numbers(tokens, past)
        if keep == "residual" and tokens * texts <= FEW:
            numbers += self.logits_numbers(tokens)
        return texts * (next(iter(self.weights.values())).dtype.itemsize * numbers + IDS * tokens)

    def logits_bytes(self, tokens: int, past: int = 0, texts: int = 1) -> int:
        """How many bytes the logits of so many texts take, and what is computed on the way."""
        numbers = self.work_numbers(tokens, past) + 2 * tokens * self.config.width + self.logits_numbers(tokens)
        return texts * (next(iter(self.weights.values())).dtype.itemsize * numbers + IDS * tokens)

    def packing_bytes(self, tokens: int, texts: int = 1) -> int:
        """How many bytes more are taken by weights that are still to be laid out for multiplying so many tokens."""
        multiplied = {id(weight): weight for name, weight in self.weights.items() if "embed" not in name.split(".")}
        matrices = [weight for weight in multiplied.values() if len(weight.axes) == 2]
        return sum(weight.packing_bytes(tokens * texts) for weight in matrices)

    @cached_property
    def _most_packing_bytes(self) -> int:
        """More than all of them can take, of any number of tokens."""
        matrices = [weight for weight in self.weights.values() if len(weight.axes) == 2]
        return sum(2 * w.dtype.itemsize * (w.shape[0] + WIDEST) * (w.shape[1] + WIDEST) for w in matrices)

    def kept(self, ids: Array, past: int = 0, keep: Keep | None = None, scratch: Place = None) -> Keep:
        """What a trace of these tokens keeps: what is asked for, else all up to `LARGEST` bytes. DoesNotFitError where there is
        no room for it.
        """
        length, texts = ids.shape[-1], ids.size // ids.shape[-1]
        if keep not in {None, "all", "residual"}:
            raise ModelError(_("keep is “all” or “residual”, not {value}", value=cited(str(keep))))
        if scratch is not None and keep == "residual":
            raise ModelError(_("scratch is for keep=“all”: with keep=“residual” nothing is written there"))
        if scratch is not None:
            keep = "all"
        if keep is None:
            keep = "all" if self.trace_bytes(length, past, "all", texts) <= LARGEST else "residual"
        self.must_fit(ids, past, keep=keep, scratch=scratch)
        return keep

    def logits_must_fit(self, ids: Array, past: int = 0) -> None:
        """Raises DoesNotFitError where the logits of these tokens need more memory than is free."""
        length, texts = ids.shape[-1], ids.size // ids.shape[-1]
        enough = self.logits_bytes(length, past, texts) + self._most_packing_bytes
        free = available_memory(enough)

        def needed(tokens: int) -> int:
            return self.logits_bytes(tokens, past, texts) + self.packing_bytes(tokens, texts)

        if free is None or enough <= free or needed(length) <= free:
            return
        text = _(
            "a run of {tokens} tokens would take {needed} and {free} are free; the longest"
            " prompt that fits has {longest} tokens"
        )
        raise DoesNotFitError(text.format(**_sizes(needed, length, free)))

    def must_fit(self, ids: Array, past: int = 0, keep: Keep = "all", scratch: Place = None) -> None:
        """Raises DoesNotFitError where a trace of these tokens needs more memory than is free, or more disk where it lies in the
        folder `scratch`.
        """
        length, texts = ids.shape[-1], ids.size // ids.shape[-1]
        enough = self.trace_bytes(length, past, keep, texts) + self._most_packing_bytes
        free = available_memory(enough) if scratch is None else free_disk(scratch)

        def needed(tokens: int, keep: Keep = keep) -> int:
            packing = self.packing_bytes(tokens, texts) if scratch is None else 0
            return self.trace_bytes(tokens, past, keep, texts) + packing

        if free is None or enough <= free or needed(length) <= free:
            return
        text = _(
            "a trace of {tokens} tokens would take {needed} and {free} are free; the longest"
            " prompt that fits has {longest} tokens"
        )
        if scratch is not None:
            text = _(
                "a trace of {tokens} tokens would take {needed} on the disk of {folder} and {free} are free; the"
                " longest prompt that fits has {longest} tokens"
            )
        elif keep == "all" and needed(length, "residual") <= free:
            text += _("; with keep=“residual” (--keep residual) this one fits, too")
        elif keep == "all":
            text += _("; scratch=FOLDER (--scratch FOLDER) keeps all on a disk")
        folder = cited(os.fspath(scratch or ""))
        raise DoesNotFitError(text.format(folder=folder, **_sizes(needed, length, free)))


def _sizes(needed: Callable[[int], int], length: int, free: int) -> dict[str, Any]:
    """What to say of so many tokens, where fewer bytes are free than they need; and the most tokens that would fit."""
    longest = max((tokens for tokens in range(1, length) if needed(tokens) <= free), default=0)
    return {"tokens": length, "needed": as_size(needed(length)), "free": as_size(free), "longest": longest}
