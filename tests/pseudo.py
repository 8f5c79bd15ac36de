"""Languages that nobody speaks: every text of llmtrace between brackets, so that what is not in the catalogue is seen."""

import io
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tools"))
import catalogue


def written(folder, language, change):
    """A catalogue in which every text is what `change` makes of it."""
    path = folder / language / "LC_MESSAGES" / "llmtrace.po"
    path.parent.mkdir(parents=True)
    texts = catalogue.read_po(io.BytesIO(catalogue.written(catalogue.template())), locale=language)
    for message in texts:
        if message.id:
            many = isinstance(message.id, tuple)
            message.string = tuple(map(change, message.id))[: texts.num_plurals] if many else change(message.id)
    path.write_bytes(catalogue.written(texts))
    path.with_suffix(".mo").write_bytes(catalogue.compiled(texts))
