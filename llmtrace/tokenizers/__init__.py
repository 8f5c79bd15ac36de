"""From text to token ids and back."""

from llmtrace.tokenizers.bpe import ByteLevelBPE
from llmtrace.tokenizers.characters import CharacterTokenizer
from llmtrace.tokenizers.files import load_tokenizer
from llmtrace.tokenizers.tokenization import Merge, Piece, Token, Tokenization

__all__ = ["ByteLevelBPE", "CharacterTokenizer", "Merge", "Piece", "Token", "Tokenization", "load_tokenizer"]
