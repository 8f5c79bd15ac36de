"""Models whose forward reads like their paper."""

from llmtrace.models.cache import KVCache
from llmtrace.models.feedforward import Feedforward
from llmtrace.models.feedforward_words import FEEDFORWARD
from llmtrace.models.generation import Choice, Generation, Sampling
from llmtrace.models.gpt import GPT, GPTConfig
from llmtrace.models.gpt_words import GPT_LEGEND
from llmtrace.models.model import Model
from llmtrace.models.model_words import LANGUAGE

LEGENDS = {legend.name: legend for legend in (GPT_LEGEND, FEEDFORWARD, LANGUAGE)}
"""The legends that a trace file names."""

__all__ = ["GPT", "LEGENDS", "Choice", "Feedforward", "GPTConfig", "Generation", "KVCache", "Model", "Sampling"]
