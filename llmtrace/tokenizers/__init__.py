"""From text to token ids and back."""

from llmtrace.tokenizers.bpe import ByteLevelBPE
from llmtrace.tokenizers.characters import CharacterTokenizer
from llmtrace.tokenizers.files import load_tokenizer
from llmtrace.tokenizers.json_format.read import Tokenizer
from llmtrace.tokenizers.merged_text import MergedTextTokenizer
from llmtrace.tokenizers.tokenization import Merge, Parting, Piece, Token, Tokenization
from llmtrace.tokenizers.training.bpe import train_bpe
from llmtrace.tokenizers.training.reading import read_texts
from llmtrace.tokenizers.training.trained_bpe import LearnedMerge, TrainedBPE
from llmtrace.tokenizers.training.unigram import TrainedUnigram, train_unigram
from llmtrace.tokenizers.unigram import UnigramTokenizer
from llmtrace.tokenizers.wordpiece import WordPieceTokenizer

__all__ = [
    "ByteLevelBPE",
    "CharacterTokenizer",
    "LearnedMerge",
    "Merge",
    "MergedTextTokenizer",
    "Parting",
    "Piece",
    "Token",
    "Tokenization",
    "Tokenizer",
    "TrainedBPE",
    "TrainedUnigram",
    "UnigramTokenizer",
    "WordPieceTokenizer",
    "load_tokenizer",
    "read_texts",
    "train_bpe",
    "train_unigram",
]
