"""Models whose forward reads like their paper."""

from llmtrace.models.cache import KVCache
from llmtrace.models.feedforward import Feedforward
from llmtrace.models.generation import Choice, Generation, Sampling
from llmtrace.models.gpt import GPT, GPTConfig
from llmtrace.models.model import Model

__all__ = ["GPT", "Choice", "Feedforward", "GPTConfig", "Generation", "KVCache", "Model", "Sampling"]
