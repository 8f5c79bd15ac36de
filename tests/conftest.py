"""What several tests need."""

from pathlib import Path

import pytest
from hypothesis import settings

GOLDEN = Path(__file__).parents[2] / "shared" / "golden"

settings.register_profile("llmtrace", deadline=None, derandomize=True)
settings.load_profile("llmtrace")


@pytest.fixture(scope="session")
def golden() -> Path:
    """Weights and activations made by others, beside the checkout; a test that needs them is skipped where they are absent."""
    if not GOLDEN.is_dir():
        pytest.skip(f"needs the data of others in {GOLDEN.parent.name}/{GOLDEN.name} beside the checkout")
    return GOLDEN
