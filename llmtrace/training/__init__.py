"""Training: gradients, optimisers and the loop, all of it traced."""

from llmtrace.tokenizers import Tokenizer
from llmtrace.training.corpus import Corpus, new_tokenizer
from llmtrace.training.data import Batch, Windows, split
from llmtrace.training.folder import Plan, TrainingFolder
from llmtrace.training.loop import LanguageTraining, Progress, windows_of
from llmtrace.training.memory import must_fit
from llmtrace.training.optimiser import State, updated
from llmtrace.training.settings import Setting, Settings, settings_of
from llmtrace.training.trainer import Part, Report, Trainer

__all__ = [
    "Batch",
    "Corpus",
    "LanguageTraining",
    "Part",
    "Plan",
    "Progress",
    "Report",
    "Setting",
    "Settings",
    "State",
    "Tokenizer",
    "Trainer",
    "TrainingFolder",
    "Windows",
    "must_fit",
    "new_tokenizer",
    "settings_of",
    "split",
    "updated",
    "windows_of",
]
