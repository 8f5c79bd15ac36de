"""A corpus on a dask cluster of two processes: the hash of one process. Skipped where dask.distributed is not installed.

And what the workers here do first.
"""

import multiprocessing
import signal
from concurrent.futures import ProcessPoolExecutor

import pytest
from helpers.cli_run import said
from helpers.small_models import write_folder

from llmtrace import corpus
from llmtrace.corpus import engines
from llmtrace.errors import CorpusError

PROMPTS = [{"id": f"{n}", "text": "ABC"[n % 3] * (1 + n % 11)} for n in range(60)]


@pytest.mark.filterwarnings("ignore")
def test_a_dask_cluster_gives_the_same_hash(tmp_path):
    distributed = pytest.importorskip("distributed", reason="dask.distributed is not installed: llmtrace[dask]")
    model = write_folder(tmp_path / "model")
    one = corpus.trace(PROMPTS, model, tmp_path / "one", workers=1, keep=["ln_f"])
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
        engines.dask(cluster.scheduler_address) as executor,
    ):
        report = corpus.trace(PROMPTS, model, tmp_path / "two", executor, keep=["ln_f"])
    assert report.hash == one.hash
    assert report.counts == {"done": 60, "failed": 0, "unfinished": 0}


def test_without_dask_the_scheduler_is_refused_in_a_line(monkeypatch, tmp_path):
    monkeypatch.setitem(__import__("sys").modules, "distributed", None)
    with (
        pytest.raises(CorpusError, match=r"needs dask: install it with pip install .*\[dask\]"),
        engines.dask("tcp://x:1"),
    ):
        pass
    (tmp_path / "p.jsonl").write_text('"The"\n')
    both = ["--scheduler", "tcp://x:1", "--workers", "2"]
    assert "has workers of its own" in said(
        "corpus", str(tmp_path / "p.jsonl"), "-o", str(tmp_path / "o"), *both, code=2
    )


@pytest.mark.skipif(not hasattr(signal, "pthread_sigmask"), reason="Windows has no masks of signals")
def test_an_interruption_ends_a_worker_at_once():
    """An exception in the middle of taking work would keep the lock of the queue, and the others waiting for ever."""
    spawn = multiprocessing.get_context("spawn")
    with engines.interruptions_wait(), ProcessPoolExecutor(1, spawn, engines.begin_work) as pool:
        assert pool.submit(signal.getsignal, signal.SIGINT).result() == signal.SIG_DFL
        assert pool.submit(signal.pthread_sigmask, signal.SIG_BLOCK, ()).result() == set()
