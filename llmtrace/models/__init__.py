"""Models whose forward reads like their paper."""

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
