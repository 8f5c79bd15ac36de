"""A training that takes a moment."""

from pathlib import Path

from llmtrace.models import GPTConfig
from llmtrace.training import Plan, Settings, TrainingFolder, new_tokenizer

TEXT = "The king had a child, a girl. The queen had a child, a boy. " * 40


def begun(path, text=TEXT, separator="", context=16, batch=5, vocabulary=None, validation=0.1, **settings):
    """The folder of a small training, ready to go."""
    folder, file = TrainingFolder(path), Path(path).with_suffix(".txt")
    file.write_text(text)
    tokenizer = new_tokenizer([file], vocabulary)
    corpus = folder.encode([file], tokenizer, separator)
    settings = Settings(**{"steps": 6, "warmup": 2, "rate": 3e-3, **settings})
    model = GPTConfig(len(tokenizer), context, 8, 2, 1, 32)
    folder.begin(Plan(model, settings, corpus, batch, validation), tokenizer)
    return folder
