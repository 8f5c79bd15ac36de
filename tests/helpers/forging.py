"""Trace files that say something else than what was recorded, sealed as if they were right."""

import numpy as np

from llmtrace.trace import container


def forged(path, change, to=None):
    """The file with other content, sealed as if it were right; `change` changes its arrays and what its header says."""
    opened = container.TraceFile(path)
    arrays = {name: np.array(opened.array(name)) for name in opened.names()}
    content = {key: value for key, value in opened.content.items() if key not in {"sha256", "version"}}
    change(arrays, content)
    container.write(to or path, arrays, content)
