"""Who runs the tasks: this process, processes of our own, or any executor of `concurrent.futures`."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from contextlib import contextmanager, suppress
from numbers import Integral
from typing import Any

from llmtrace.errors import CorpusError
from llmtrace.i18n import _
from llmtrace.text import cited, shown

Rows = list[dict[str, Any]]


class Here(Executor):
    """Runs every task at once, in this process."""

    def submit(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """The result, which is there already."""
        future: Future[Any] = Future()
        try:
            future.set_result(function(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


class Processes:
    """Processes of our own, which are begun anew when one of them is killed."""

    def __init__(self, workers: int) -> None:
        self._workers = workers
        self._pool = self._new()

    def _new(self) -> ProcessPoolExecutor:
        context = multiprocessing.get_context(
            "spawn"
        )  # a fork would copy the threads that compute as locks held forever
        return ProcessPoolExecutor(self._workers, mp_context=context, initializer=begin_work)

    def submit(self, function: Callable[..., Any], *args: Any) -> Future[Any]:
        """As an executor's."""
        with interruptions_wait():
            return self._pool.submit(function, *args)

    def renew(self) -> bool:
        """After a process has died, all of a pool are lost."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._pool = self._new()
        return True

    def close(self) -> None:
        """Ends the processes when what they do is done."""
        self._pool.shutdown(cancel_futures=True)


class Given:
    """An executor of the caller's, which stays open."""

    def __init__(self, executor: Executor) -> None:
        self._executor = executor

    def submit(self, function: Callable[..., Any], *args: Any) -> Future[Any]:
        """As the executor's."""
        return self._executor.submit(function, *args)

    def renew(self) -> bool:
        """Whose processes are gone is the caller's to begin anew."""
        return False

    def close(self) -> None:
        """It is the caller's."""


Engine = Processes | Given


def engine(executor: Executor | None, workers: int | None) -> Engine:
    """The executor that was given; else so many processes, of which one is this one."""
    if executor is not None:
        return Given(executor)
    if workers is not None and (not isinstance(workers, Integral) or isinstance(workers, bool) or workers < 1):
        raise CorpusError(_("workers is a whole number from 1, not {what}", what=cited(workers)))
    count = workers or _cores()
    return Given(Here()) if count == 1 else Processes(count)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def interruptions_wait() -> Iterator[None]:
    """Ctrl-C, which all processes of a terminal get, is heard afterwards; by processes that begin meanwhile, in `begin_work`:
    in the middle of an import, each of them would print a traceback.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def begin_work() -> None:
    """What a worker does first."""
    end_with_parent()
    if hasattr(signal, "pthread_sigmask"):
        if signal.SIGINT in signal.sigpending():
            os._exit(128 + signal.SIGINT)
        # An exception in the middle of taking work would leave the others waiting for the lock of the queue.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})


def end_with_parent() -> None:
    """A worker whose parent is killed would wait for work for ever: it ends itself."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def wait() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


@contextmanager
def dask(scheduler: str) -> Iterator[Executor]:
    """The workers of a dask cluster, by the address of its scheduler (`tcp://…`)."""
    try:
        from distributed import Client
    except ImportError:
        text = _('--scheduler needs dask: install it with pip install "{name}[dask]"', name="llmtrace-exact")
        raise CorpusError(text) from None
    try:
        client = Client(scheduler, timeout=10)
    except (OSError, ValueError, TypeError) as error:
        text = _("there is no dask scheduler at {address}: {why}")
        raise CorpusError(text.format(address=shown(scheduler), why=shown(error))) from error
    try:
        yield client.get_executor(pure=False)
    finally:
        with suppress(OSError):
            client.close()
