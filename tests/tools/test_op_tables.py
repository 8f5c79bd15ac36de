"""The tables of ops in the docs are those of the ops."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_tables_of_the_docs_are_up_to_date():
    done = subprocess.run([sys.executable, "tools/op_tables.py", "--check"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
