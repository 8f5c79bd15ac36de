"""What a trace file says beside its numbers."""

import numpy as np
from helpers.small_models import small_gpt

from llmtrace.trace import codec


def test_of_a_large_vocabulary_the_texts_of_likely_tokens_are_kept(monkeypatch):
    """Those that the model read, and of every position the likeliest, wherever in the vocabulary they stand."""
    monkeypatch.setattr(codec, "WHOLE_VOCABULARY", 20)
    monkeypatch.setattr(codec, "LIKELY", 3)
    monkeypatch.setattr(codec, "ROWS", 2)  # positions are looked at in several goes
    texts = [chr(0x4E00 + i) for i in range(60)]
    trace = small_gpt(texts).trace([0, 2, 1, 2, 59])
    likeliest = np.argsort(-trace["logits"].output, axis=-1)[:, :3]
    wanted = {0, 2, 1, 59} | set(likeliest.ravel().tolist())
    assert len(wanted) < len(texts)
    assert codec.vocabulary(trace) == {str(i): trace.token_text(i) for i in sorted(wanted)}
