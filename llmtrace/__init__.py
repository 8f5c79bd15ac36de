"""llmtrace runs a language model, remembers every number, and shows the multiplications and additions that made it.

model = llmtrace.load("path/to/folder")
trace = model.trace("some text")
trace.explain("logits", -1, 0).show(depth=2)
"""

from llmtrace import interrupts

interrupts.end_the_process()  # before everything else is imported

from typing import TYPE_CHECKING

from llmtrace._sources import check_fresh
from llmtrace._version import __version__
from llmtrace.garbage import collect_seldom, no_collections

if interrupts.is_command():
    collect_seldom()
try:
    with no_collections():  # of NumPy, too
        import llmtrace._kernels
except ModuleNotFoundError as error:
    raise ImportError(
        "llmtrace's kernels are not compiled: run `python -m pip install -e .` in the folder of setup.py"
    ) from error

from llmtrace.environment import check_build, follow
from llmtrace.lazy import names_of

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

_HOMES = {
    "Explanation": "explain.Explanation",
    "LlmtraceError": "errors.LlmtraceError",
    "Model": "models.model.Model",
    "Step": "trace.Step",
    "Trace": "trace.Trace",
    "get_threads": "threads.get_threads",
    "load": "loading.load",
    "open": "loading.open_trace",
    "set_threads": "threads.set_threads",
}
__getattr__, __dir__ = names_of(__name__, _HOMES)  # fetched when first used, so that `import llmtrace` stays light
