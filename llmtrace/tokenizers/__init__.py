"""From text to token ids and back."""

from llmtrace.tokenizers.bpe import ByteLevelBPE
from llmtrace.tokenizers.characters import CharacterTokenizer
from llmtrace.tokenizers.files import load_tokenizer
from llmtrace.tokenizers.learned import LearnedMerge, TrainedBPE
from llmtrace.tokenizers.reading import read_texts
from llmtrace.tokenizers.tokenization import Merge, Piece, Token, Tokenization
from llmtrace.tokenizers.training import train_bpe

__all__ = [
    "ByteLevelBPE",
    "CharacterTokenizer",
    "LearnedMerge",
    "Merge",
    "Piece",
    "Token",
    "Tokenization",
    "TrainedBPE",
    "load_tokenizer",
    "read_texts",
    "train_bpe",
]
