"""llmtrace runs a language model, remembers every number, and shows the multiplications and additions that made it.

model = llmtrace.load("path/to/folder")
trace = model.trace("some text")
trace.explain("logits", -1, 0).show(depth=2)
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from llmtrace._sources import check_fresh
from llmtrace._version import __version__

try:
    import llmtrace._kernels
except ModuleNotFoundError as error:
    raise ImportError(
        "llmtrace's kernels are not compiled: run `python -m pip install -e .` in the folder of setup.py"
    ) from error

from llmtrace.environment import check_build, follow

check_fresh(llmtrace._kernels.source_hash)
check_build()
follow()

if TYPE_CHECKING:
    from llmtrace.errors import LlmtraceError
    from llmtrace.explain import Explanation
    from llmtrace.loading import load
    from llmtrace.loading import open_trace as open
    from llmtrace.models import Model
    from llmtrace.threads import get_threads, set_threads
    from llmtrace.trace import Step, Trace

_HOMES = {
    "Explanation": "llmtrace.explain",
    "LlmtraceError": "llmtrace.errors",
    "Model": "llmtrace.models",
    "Step": "llmtrace.trace",
    "Trace": "llmtrace.trace",
    "get_threads": "llmtrace.threads",
    "load": "llmtrace.loading",
    "open": "llmtrace.loading",
    "set_threads": "llmtrace.threads",
}

__all__ = [
    "Explanation",
    "LlmtraceError",
    "Model",
    "Step",
    "Trace",
    "__version__",
    "get_threads",
    "load",
    "open",
    "set_threads",
]


def __getattr__(name: str) -> Any:
    """Public names are fetched when first used, so that `import llmtrace` stays light."""
    if name not in _HOMES:
        raise AttributeError(f"module 'llmtrace' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), "open_trace" if name == "open" else name)


def __dir__() -> list[str]:
    return __all__
