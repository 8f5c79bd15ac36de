"""Models whose forward reads like their paper."""

from typing import TYPE_CHECKING

from llmtrace.lazy import names_of

if TYPE_CHECKING:
    from llmtrace.models.cache import KVCache
    from llmtrace.models.feedforward import Feedforward, FeedforwardConfig
    from llmtrace.models.generation import Choice, Generation, Sampling
    from llmtrace.models.gpt import GPT, GPTConfig
    from llmtrace.models.language_model import LanguageModel, as_language_model
    from llmtrace.models.llama import Llama, LlamaConfig
    from llmtrace.models.model import Model
    from llmtrace.models.prompt import WithSpecial
    from llmtrace.models.reading import SourceModel
    from llmtrace.models.transformer import Transformer, TransformerConfig

__all__ = [
    "GPT",
    "Choice",
    "Feedforward",
    "FeedforwardConfig",
    "GPTConfig",
    "Generation",
    "KVCache",
    "LanguageModel",
    "Llama",
    "LlamaConfig",
    "Model",
    "Sampling",
    "SourceModel",
    "Transformer",
    "TransformerConfig",
    "WithSpecial",
    "as_language_model",
]

_HOMES = {
    "Choice": "generation.Choice",
    "Feedforward": "feedforward.Feedforward",
    "FeedforwardConfig": "feedforward.FeedforwardConfig",
    "GPT": "gpt.GPT",
    "GPTConfig": "gpt.GPTConfig",
    "Generation": "generation.Generation",
    "KVCache": "cache.KVCache",
    "LanguageModel": "language_model.LanguageModel",
    "Llama": "llama.Llama",
    "LlamaConfig": "llama.LlamaConfig",
    "Model": "model.Model",
    "Sampling": "generation.Sampling",
    "SourceModel": "reading.SourceModel",
    "Transformer": "transformer.Transformer",
    "TransformerConfig": "transformer.TransformerConfig",
    "WithSpecial": "prompt.WithSpecial",
    "as_language_model": "language_model.as_language_model",
}
__getattr__, __dir__ = names_of(__name__, _HOMES)
