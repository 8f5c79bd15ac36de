"""Models whose forward reads like their paper."""

from llmtrace.models.cache import KVCache
from llmtrace.models.feedforward import Feedforward
from llmtrace.models.feedforward_words import FEEDFORWARD
from llmtrace.models.generation import Choice, Generation, Sampling
from llmtrace.models.gpt import GPT, GPTConfig
from llmtrace.models.gpt_words import GPT_LEGEND
from llmtrace.models.language_model import LanguageModel
from llmtrace.models.language_words import LANGUAGE
from llmtrace.models.model import Model

LEGENDS = {legend.name: legend for legend in (GPT_LEGEND, FEEDFORWARD, LANGUAGE)}
"""The legends that a trace file names."""

__all__ = [
    "GPT",
    "LEGENDS",
    "Choice",
    "Feedforward",
    "GPTConfig",
    "Generation",
    "KVCache",
    "LanguageModel",
    "Model",
    "Sampling",
]
