"""What can go wrong, as a tree. Every message is one line: what is wrong, what was expected, what to do.

LlmtraceError
├── AddressError     an address names no step, axis, index or token
├── ModelError       a model folder, its configuration or its weights
├── PromptError      a prompt that this model can't read
│   └── UnknownTextError  it has no token for a part of it
├── CorpusError      prompts that can't be read, or a folder that holds something else
├── TraceFileError   a file that is no trace, or a damaged one, or one that can't be written
├── LessonError      no such lesson, or an input that it doesn't have
├── TrainingError    a corpus that can't be trained on, settings that can't be, numbers that are no longer finite
├── ReplayError      a recorded number does not follow from its inputs
└── DoesNotFitError  a run that needs more memory than there is
"""

from llmtrace.text import shown

LONGEST = 1000
"""No message has more characters, whatever was typed or read."""


class LlmtraceError(Exception):
    """The base of everything llmtrace raises on purpose; the command line prints it as one line and exits with 2.

    Its message is harmless wherever it is printed: what steers terminals or ends lines is written out.
    """

    def __init__(self, message: object = "") -> None:
        super().__init__(shown(message, LONGEST))


class AddressError(LlmtraceError, LookupError):
    """An address names no step, axis, index or token."""


class ModelError(LlmtraceError, ValueError):
    """A model folder, its configuration or its weights are not what they must be."""


class PromptError(LlmtraceError, ValueError):
    """The model can't read this prompt: too long, empty, or with characters it has no token for."""


class UnknownTextError(PromptError):
    """The model's tokenizer has no token for a part of the text."""


class TraceFileError(LlmtraceError, ValueError):
    """A file is not a trace, is damaged, or can't be written."""


class CorpusError(LlmtraceError, ValueError):
    """The prompts of a corpus can't be read, or its folder holds something else, or can't be written to."""


class TrainingError(LlmtraceError, ValueError):
    """A model can't be trained so: the texts, the settings, or numbers that are no longer finite."""


class LessonError(LlmtraceError, ValueError):
    """There is no such lesson, or it can't be given such an input."""


class ReplayError(LlmtraceError, ArithmeticError):
    """Computing a number again did not give the recorded bits."""


class DoesNotFitError(LlmtraceError, MemoryError):
    """A run needs more memory than this machine has free; refused before it starts."""


class EditError(LlmtraceError, ValueError):
    """A run can't be edited so: a place that it does not have, numbers of another shape or type."""
