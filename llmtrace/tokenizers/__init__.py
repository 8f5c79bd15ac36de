"""From text to token ids and back."""

from typing import TYPE_CHECKING

from llmtrace.lazy import names_of

if TYPE_CHECKING:
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

_HOMES = {
    "ByteLevelBPE": "bpe.ByteLevelBPE",
    "CharacterTokenizer": "characters.CharacterTokenizer",
    "LearnedMerge": "training.trained_bpe.LearnedMerge",
    "Merge": "tokenization.Merge",
    "MergedTextTokenizer": "merged_text.MergedTextTokenizer",
    "Parting": "tokenization.Parting",
    "Piece": "tokenization.Piece",
    "Token": "tokenization.Token",
    "Tokenization": "tokenization.Tokenization",
    "Tokenizer": "json_format.read.Tokenizer",
    "TrainedBPE": "training.trained_bpe.TrainedBPE",
    "TrainedUnigram": "training.unigram.TrainedUnigram",
    "UnigramTokenizer": "unigram.UnigramTokenizer",
    "WordPieceTokenizer": "wordpiece.WordPieceTokenizer",
    "load_tokenizer": "files.load_tokenizer",
    "read_texts": "training.reading.read_texts",
    "train_bpe": "training.bpe.train_bpe",
    "train_unigram": "training.unigram.train_unigram",
}
__getattr__, __dir__ = names_of(__name__, _HOMES)
