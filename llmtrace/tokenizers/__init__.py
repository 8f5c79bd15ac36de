"""From text to token ids and back."""

from llmtrace.tokenizers.characters import CharacterTokenizer
from llmtrace.tokenizers.files import load_tokenizer

__all__ = ["CharacterTokenizer", "load_tokenizer"]
