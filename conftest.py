"""Runs the Python examples of the README and of docs/."""

from sybil import Sybil
from sybil.parsers.markdown import PythonCodeBlockParser

pytest_collect_file = Sybil(
    parsers=[PythonCodeBlockParser()], patterns=["README.md", "README.zh.md", "docs/**/*.md", "docs/*.md"]
).pytest()
