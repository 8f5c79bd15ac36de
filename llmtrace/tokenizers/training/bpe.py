"""Learning a byte-level BPE from texts: which pairs of symbols occur most often, and so become one symbol.

The texts are cut into pieces by GPT-2's rule and counted as they come: what is kept in memory are the different pieces, not
the texts. Then merges are learnt one after another (`learning` says how), each with the count that it had.

    Neural Machine Translation of Rare Words with Subword Units, Sennrich, Haddow and Birch, 2016, algorithm 1
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from llmtrace.errors import DoesNotFitError, TrainingError
from llmtrace.i18n import _
from llmtrace.tokenizers.bpe import ByteLevelBPE
from llmtrace.tokenizers.byte_symbols import SYMBOLS, bytes_of, utf8
from llmtrace.tokenizers.splitting import Splitter
from llmtrace.tokenizers.training.reading import parts_of
from llmtrace.tokenizers.training.trained_bpe import LearnedMerge, TrainedBPE

BYTES = sorted(SYMBOLS)
"""The symbols of the bytes as GPT-2 numbers them: by their characters."""
TOGETHER = 256
"""So many merges are learnt between two reports of progress."""
LARGEST = 2**63
"""No pair has such a count."""

Progress = Callable[[int, int], object]
"""Is told how many merges are learnt, and how many there can be at most."""


@dataclass(slots=True)
class Pieces:
    """What texts consist of: how often each piece occurs, and how many bytes there are in all."""

    counts: Counter[str]
    size: int


def train_bpe(
    texts: str | Iterable[str],
    vocabulary: int,
    min_frequency: int = 2,
    special: Sequence[str] = (),
    progress: Progress | None = None,
) -> TrainedBPE:
    """Learns a tokenizer of `vocabulary` tokens from texts, such as those of `read_texts`; a piece never spans two of them.

    The tokens are the `special` ones, the 256 bytes, and one for each merge; a pair that occurs less than `min_frequency` times
    is not merged, so that few texts give a smaller vocabulary, which the result's `note` says. Texts that look like special
    tokens are learnt from like others. The order of the texts makes no difference. TrainingError where there is nothing to learn
    from.
    """
    _check(vocabulary, min_frequency, special)
    pieces = count_pieces(texts)
    if not pieces.counts:
        raise TrainingError(_("there is nothing to learn a tokenizer from: the texts are empty"))
    symbols = list(BYTES)
    merges: list[LearnedMerge] = []
    for left, right, count in _learn(pieces, vocabulary - len(special) - len(symbols), min_frequency, progress):
        merges.append(LearnedMerge(len(merges), symbols[left], symbols[right], count))
        symbols.append(symbols[left] + symbols[right])
    ids = {text: index for index, text in enumerate([*special, *symbols])}
    tokenizer = ByteLevelBPE(
        ids, [(merge.left, merge.right) for merge in merges], special={text: ids[text] for text in special}
    )
    return TrainedBPE(
        tokenizer,
        tuple(merges),
        vocabulary,
        min_frequency,
        pieces.size,
        pieces.counts.total(),
        len(pieces.counts),
    )


def count_pieces(texts: str | Iterable[str]) -> Pieces:
    """How often each piece occurs in some texts, by GPT-2's rule; they are read once, from the first to the last."""
    splitter = Splitter()
    pieces = Pieces(Counter(), 0)
    for text in [texts] if isinstance(texts, str) else texts:
        pieces.size += len(utf8(text, TrainingError))
        for part in parts_of(text):
            pieces.counts.update(splitter.pieces(part))
    return pieces


def _learn(pieces: Pieces, most: int, least: int, progress: Progress | None) -> list[tuple[int, int, int]]:
    from llmtrace._bpe import PairTable

    try:
        table = PairTable(
            [piece.encode() for piece in pieces.counts],
            list(pieces.counts.values()),
            [BYTES.index(symbol) for symbol in SYMBOLS],
            min(least, LARGEST),
        )
        merges: list[tuple[int, int, int]] = []
        more = True
        while more and len(merges) < most:
            wanted = min(TOGETHER, most - len(merges))
            learnt = table.learn(wanted)
            merges += learnt
            more = len(learnt) == wanted
            if progress is not None:
                progress(len(merges), most)
    except (MemoryError, OverflowError) as error:
        raise DoesNotFitError(
            _(
                "the {count} different pieces of these texts do not fit into memory; learn from less text",
                count=len(pieces.counts),
            )
        ) from error
    return merges


def _check(vocabulary: int, min_frequency: int, special: Sequence[str]) -> None:
    if vocabulary < len(BYTES) + len(special):
        raise TrainingError(
            _(
                "a vocabulary of {size} tokens is too small: it needs at least {least}, for the bytes and special ones",
                size=vocabulary,
                least=len(BYTES) + len(special),
            )
        )
    if min_frequency < 1:
        raise TrainingError(_("min_frequency is {value}, but a pair must occur at least once", value=min_frequency))
    for number, text in enumerate(special):
        if not text or text in special[:number] or _learnable(text):
            raise TrainingError(
                _(
                    "{text!r} can't be a special token: it is empty, there twice, or could be learnt; try {other!r}",
                    text=text,
                    other=f"<|{text or 'end'}|>",
                )
            )


def _learnable(text: str) -> bool:
    """Whether merges could make a symbol that is written like this."""
    if not set(text) <= set(SYMBOLS):
        utf8(text, TrainingError)
        return False
    return len(Splitter().pieces(bytes_of(text).decode("utf-8", "replace"))) == 1
