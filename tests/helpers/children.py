"""Python in a process of its own that computes with three threads, for what may go wrong in it."""

import os
import subprocess
import sys

from helpers.refusing import SLACK

START = """
import os, signal, sys, threading, time
import numpy as np
from llmtrace import _kernels
rng = np.random.default_rng(0)
x, weight = rng.standard_normal((150, 200)).astype(np.float32), rng.standard_normal((200, 500)).astype(np.float32)
packed, out = _kernels.pack(weight), np.empty((150, 500), np.float32)
_kernels.set_threads(3)
def compute():
    out[:] = 0
    _kernels.matmul(x, packed, None, out)
    return out.tobytes()
expected = compute()
def fork_and_compute():
    child = os.fork()
    if child == 0:
        signal.alarm(20)
        same = all(compute() == expected for _ in range(8))
        workers = sys.platform != "linux" or len(os.listdir("/proc/self/task")) == 3  # the child made its own
        os._exit(0 if same and workers else 1)
    status = os.waitpid(child, 0)[1]
    assert status == 0, status
"""


def start(code, **environment):
    command = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", START + code]  # newer Pythons warn of fork
    return subprocess.Popen(
        command, env={**os.environ, **environment}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def finish(process):
    try:
        out, error = process.communicate(timeout=60 * SLACK)
    finally:
        process.kill()
    assert process.returncode == 0, error
    return out
