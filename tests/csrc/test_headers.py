"""The headers of csrc/: each includes what it uses; the instruction sets stand in one list."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from llmtrace import _kernels

CSRC = Path(__file__).parents[2] / "csrc"
HEADERS = sorted(path.relative_to(CSRC).as_posix() for path in CSRC.rglob("*.h"))
COMPILER = os.environ.get("CC") or shutil.which("cc")
# A kernel that only a table of inner.c uses is unused where its header stands alone.
FLAGS = ["-std=gnu11", "-Wall", "-Wextra", "-Werror", "-Wno-unused-function", "-fsyntax-only", f"-I{CSRC}", "-xc", "-"]


def compiles(source):
    return subprocess.run([*COMPILER.split(), *FLAGS], input=source, capture_output=True, text=True)


@pytest.mark.skipif(not COMPILER, reason="needs a C compiler")
@pytest.mark.parametrize("header", HEADERS)
def test_a_header_stands_alone(header):
    alone = compiles(f'#include "{header}"\n')
    assert alone.returncode == 0, alone.stderr


@pytest.mark.skipif(not COMPILER, reason="needs a C compiler")
def test_a_header_that_leans_on_another_is_seen():
    assert compiles("static inline int lanes(void) { return LANES; }\n").returncode


def test_every_header_of_a_kernel_is_listed_once():
    """Below the include guard stands what kernels there are; a header with such lines is in all.h, and no kernel includes it."""
    kernels = CSRC / "kernels"
    has = {
        p.name for p in kernels.glob("*.h") if re.search(r"#endif\n\n(ELEMENTWISE|ROWS|ITEMS|KERNEL)\(", p.read_text())
    }
    assert re.findall(r'#include "(.*)"', (kernels / "all.h").read_text()) == sorted(has)
    for path in kernels.glob("*.h"):
        if path.name != "all.h":
            assert not has & set(re.findall(r'#include "(.*)"', path.read_text())), path.name


def test_the_instruction_sets_are_those_of_the_list():
    names = re.findall(r'ISA\((\w+), \w+, "', (CSRC / "isas.h").read_text())
    known = _kernels.instruction_sets()
    assert known == [name for name in names if name in known]
    assert known[0] == names[0] == "baseline"
