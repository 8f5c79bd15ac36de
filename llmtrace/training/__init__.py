"""Training: gradients, optimisers and the loop, all of it traced."""

from llmtrace.training.corpus import Tokenizer, encode_files, new_tokenizer
from llmtrace.training.data import Batch, Windows, split
from llmtrace.training.folder import Plan, TrainingFolder
from llmtrace.training.initial import initial_gpt
from llmtrace.training.loop import LanguageTraining, Progress, windows_of
from llmtrace.training.optimiser import State, updated
from llmtrace.training.room import must_fit
from llmtrace.training.settings import Settings
from llmtrace.training.trainer import Part, Report, Trainer

__all__ = [
    "Batch",
    "LanguageTraining",
    "Part",
    "Plan",
    "Progress",
    "Report",
    "Settings",
    "State",
    "Tokenizer",
    "Trainer",
    "TrainingFolder",
    "Windows",
    "encode_files",
    "initial_gpt",
    "must_fit",
    "new_tokenizer",
    "split",
    "updated",
    "windows_of",
]
