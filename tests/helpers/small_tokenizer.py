"""A tokenizer of ten merges, and rules of cutting, for several tests."""

from llmtrace.tokenizers import ByteLevelBPE
from llmtrace.tokenizers.byte_symbols import SYMBOLS
from llmtrace.tokenizers.splitting import GPT2_SPLIT

MERGES = ["h e", "l l", "he ll", "hell o", "Ġ t", "Ġt he", "1 2", "Ġ Ġ", "ä ¸", "ä¸ Ń"]
VOCABULARY = {symbol: byte for byte, symbol in enumerate(SYMBOLS)}
for _merge in MERGES:
    VOCABULARY["".join(_merge.split())] = len(VOCABULARY)
END = "<|endoftext|>"
VOCABULARY[END] = len(VOCABULARY)
TOKENIZER = ByteLevelBPE(VOCABULARY, [tuple(m.split()) for m in MERGES], special={END: VOCABULARY[END]})

LLAMA3 = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"
LLAMA3 += r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
SPLIT = {"type": "Split", "pattern": {"Regex": LLAMA3}, "behavior": "Isolated", "invert": False}
BYTES = {**GPT2_SPLIT, "use_regex": False}
