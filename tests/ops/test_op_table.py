"""The table of ops names every op where it is, and imports none before it is asked for."""

import subprocess
import sys
from importlib import import_module
from pkgutil import walk_packages

import pytest

from llmtrace import ops
from llmtrace.ops import OPS, Op
from llmtrace.ops.elementwise.add import add


def test_every_op_stands_in_the_table_with_its_file():
    found = {}
    for module in walk_packages(ops.__path__, f"{ops.__name__}."):
        there = vars(import_module(module.name))
        found |= {id(value): value for value in there.values() if isinstance(value, Op)}
    assert {op.name: id(op) for op in found.values()} == {name: id(op) for name, op in OPS.items()}


def test_an_op_is_found_by_its_name_alone():
    assert OPS["add"] is add
    assert OPS.get("add") is add
    assert "nothing" not in OPS
    assert OPS.get("nothing") is None
    with pytest.raises(KeyError, match="nothing"):
        OPS["nothing"]
    assert len(OPS) == len(list(OPS)) == len(set(OPS))


def test_an_op_is_imported_when_it_is_asked_for():
    code = """
import sys
from llmtrace.ops import OPS
def files(): return {name for name in sys.modules if name.startswith("llmtrace.ops.elementwise.")}
assert "tanh" in OPS and len(OPS) == len(list(OPS)) and not files()
assert OPS["tanh"].name == "tanh"
assert files() == {"llmtrace.ops.elementwise.tanh"}, files()
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
