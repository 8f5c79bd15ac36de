"""From text to token ids and back."""

from llmtrace.tokenizers.bpe import ByteLevelBPE
from llmtrace.tokenizers.characters import CharacterTokenizer
from llmtrace.tokenizers.files import Tokenizer, load_tokenizer
from llmtrace.tokenizers.learned import LearnedMerge, TrainedBPE
from llmtrace.tokenizers.reading import read_texts
from llmtrace.tokenizers.tokenization import Merge, Parting, Piece, Token, Tokenization
from llmtrace.tokenizers.training import train_bpe
from llmtrace.tokenizers.unigram import UnigramTokenizer
from llmtrace.tokenizers.unigram_training import TrainedUnigram, train_unigram

__all__ = [
    "ByteLevelBPE",
    "CharacterTokenizer",
    "LearnedMerge",
    "Merge",
    "Parting",
    "Piece",
    "Token",
    "Tokenization",
    "Tokenizer",
    "TrainedBPE",
    "TrainedUnigram",
    "UnigramTokenizer",
    "load_tokenizer",
    "read_texts",
    "train_bpe",
    "train_unigram",
]
