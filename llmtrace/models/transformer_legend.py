"""The legend of a Transformer, from the words of its two halves."""

from __future__ import annotations

from llmtrace.i18n import N_
from llmtrace.models.language_words import LANGUAGE
from llmtrace.models.transformer_decoder_words import DECODER
from llmtrace.models.transformer_words import ENCODER, embedding_words
from llmtrace.trace.legend import Legend, StepWords

TRANSFORMER_LEGEND = Legend(
    {
        "source": StepWords(sentence=N_("the number of the token {source} in the vocabulary")),
        **embedding_words(),
        **{f"encoder.block.{{n}}.{name}": words for name, words in ENCODER.items()},
        **{f"decoder.block.{{n}}.{name}": words for name, words in DECODER.items()},
    },
    "transformer",
    (LANGUAGE,),
    frozenset({"source", "source_key"}),
)
