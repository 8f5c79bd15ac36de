"""The Transformer: German in, English out, on the bundled translator; and the trick with a separator beside it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from llmtrace.arithmetic.types import Array
from llmtrace.errors import LessonError
from llmtrace.i18n import _
from llmtrace.lessons.attention_nets import attention_trace, random_attention, random_rows
from llmtrace.lessons.framework.lesson import Article, Lesson
from llmtrace.lessons.transformer.exercises import EXERCISES
from llmtrace.lessons.transformer.words import LEGEND
from llmtrace.loading import DATA, load
from llmtrace.models import KVCache, Transformer
from llmtrace.ops.elementwise.add import add
from llmtrace.ops.rows.concatenate import concatenate
from llmtrace.ops.rows.normalise import normalise
from llmtrace.ops.rows.softmax import softmax
from llmtrace.trace import Run, Trace

SENTENCE, ARTICLE = "Wo wohnst du?", "Where do you live?"
BEFORE = "Wer lacht?"
"""The sentence that stands before, in a text of joined pairs."""
PAPER_BLOCKS = 6
FIGURES = re.compile(r"^\| [^|]+ \| ([\d.]+)% \| ([\d.]+)% \|$", re.MULTILINE)
N = 4
"""How many numbers the vectors by hand have."""
SHE = ("Sie singt.", "Sie singen.", "Sie wohnt hier.", "Sie wohnen hier.")
RIGHT = ("She sings.", "They sing.", "She lives here.", "They live here.")


@dataclass
class TransformerLesson(Lesson):
    """A sentence of the bundled translator, and which of its numbers are looked at."""

    name = "transformer"
    legend = LEGEND
    exercises = EXERCISES
    articles = (
        Article("“Wo wohnst du?”, translated by the bundled model", ARTICLE, "model.answer('Wo wohnst du?')"),
        Article(
            "blocks of the decoder that get the encoder's output",
            "5",
            "depths",
            "ours: how many is a choice",
        ),
        Article(
            "which output of the encoder each of them gets",
            "the last",
            "'the last' if last_only else 'another'",
        ),
        Article(
            "the paper's picture: what stands on the left, and what on the right",
            "training, inference",
            "'encoder, decoder'",
            "ours: left is the encoder, right the decoder, and both run in training and in inference",
        ),
        Article("the words of the source are read", "all at once", "'all at once' if both_ways else 'one by one'"),
    )
    chosen = "the vectors and matrices of the small attention, drawn at random; the bundled translator's sentences."

    sentence: str = SENTENCE
    block: int = 1
    head: int = 0
    place: int = 3
    seed: int = 0

    def check(self) -> None:
        """LessonError where an input is out of range."""
        if not self.sentence.strip() or len(self.model.ids(self.sentence)) > self.model.config.context // 2:
            raise LessonError(
                _("the sentence must have from 1 to {count} tokens", count=self.model.config.context // 2)
            )
        c, written = self.model.config, len(self.target)
        self.require_within({"block": (0, c.blocks - 1), "head": (0, c.heads - 1), "place": (0, written - 1)})

    # ---- the bundled translator ----------------------------------------------------------------------------------------

    @cached_property
    def model(self) -> Transformer:
        """The bundled translator."""
        model = load("translator")
        assert isinstance(model, Transformer)
        return model

    @cached_property
    def target(self) -> list[int]:
        """What the decoder reads: the start token, and what it has written itself."""
        return self.model.target_ids(self.sentence)

    @cached_property
    def real(self) -> Trace:
        """The translator at the sentence, both halves."""
        return self.model.trace(self.sentence, target=self.target)

    @property
    def answer(self) -> str:
        """The translation."""
        return self.model.answer(self.sentence)

    @property
    def paper_blocks(self) -> int:
        """How many blocks each half has in the paper."""
        return PAPER_BLOCKS

    @property
    def depths(self) -> str:
        """How many blocks each half has there, and how many here."""
        return f"{PAPER_BLOCKS} in the paper, {self.model.config.blocks} here"

    def words(self, ids: Any) -> list[str]:
        """Tokens as words, for labels."""
        return [self.model.token_text(int(i)).strip() for i in ids]

    @property
    def read(self) -> list[str]:
        """The words of the source."""
        return self.words(self.model.ids(self.sentence))

    @property
    def written(self) -> list[str]:
        """What the decoder reads."""
        return self.words(self.target)

    @property
    def across(self) -> str:
        """The words of the source as labels of a picture."""
        return ", ".join(self.read)

    @property
    def down(self) -> str:
        """The words of the target as labels of a picture."""
        return ", ".join(self.written)

    # ---- one text with a separator -------------------------------------------------------------------------------------

    @property
    def separator(self) -> str:
        """The token between the two sentences."""
        return self.model.token_text(self.model.config.start)

    @property
    def end(self) -> str:
        """The token at the end."""
        return self.model.token_text((self.model.ends or (0,))[0])

    @property
    def trick(self) -> list[tuple[Any, ...]]:
        """What a GPT reads, step by step, and what it is to say."""
        says = [*self.written[1:], self.end]
        whole = [*self.read, *self.written]
        return [(" ".join(whole[: len(self.read) + 1 + n]), word) for n, word in enumerate(says)]

    @property
    def tokens(self) -> int:
        """How many tokens the joined pair has."""
        return len(self.read) + len(self.written) + 1

    @property
    def shifted(self) -> int:
        """How many tokens stand before the sentence, where another pair is joined in front."""
        return len(self.model.ids(BEFORE)) + len(self.model.target_ids(BEFORE)) + 1

    @property
    def before(self) -> str:
        """The sentence of that pair."""
        return BEFORE

    @cached_property
    def figures(self) -> list[tuple[float, float]]:
        """From the model's card: how many translations are right, of the translator and of a GPT with a separator."""
        card = (DATA / "translator" / "README.md").read_text(encoding="utf-8")
        return [(float(a), float(b)) for a, b in FIGURES.findall(card)]

    @property
    def figure_table(self) -> list[tuple[Any, ...]]:
        """The same as a table."""
        kinds = (_("trained on"), _("held out"), _("held out, behind another pair"))
        return [(kind, *both) for kind, both in zip(kinds, self.figures, strict=False)]

    # ---- two halves ----------------------------------------------------------------------------------------------------

    @property
    def boxes(self) -> list[tuple[Any, ...]]:
        """Each box of both halves, and the shape of what comes out."""
        s, t, c = len(self.read), len(self.written), self.model.config
        return [
            (_("encoder"), _("vectors of words and places"), f"{s} × {c.width}"),
            (_("encoder"), _("attention to all words, added, layer norm"), f"{s} × {c.width}"),
            (_("encoder"), _("MLP, added, layer norm"), f"{s} × {c.width}"),
            (_("decoder"), _("vectors of words and places"), f"{t} × {c.width}"),
            (_("decoder"), _("attention to what is written, added, layer norm"), f"{t} × {c.width}"),
            (_("decoder"), _("attention to the source, added, layer norm"), f"{t} × {c.width}"),
            (_("decoder"), _("MLP, added, layer norm"), f"{t} × {c.width}"),
            (_("decoder"), _("scores"), f"{t} × {c.vocabulary}"),
        ]

    @property
    def decoder_pattern(self) -> Array:
        """Who looks at whom among the words that are written."""
        return self.real.tensor(f"decoder.block.{self.block}.attn.pattern")[self.head]

    @property
    def both_ways(self) -> bool:
        """Whether the encoder looks at later words, and the decoder not."""
        above = [np.triu(self.real.tensor(f"{half}.block.0.attn.pattern"), 1) for half in ("encoder", "decoder")]
        return bool(above[0].any() and not above[1].any())

    # ---- add and norm --------------------------------------------------------------------------------------------------

    @cached_property
    def post(self) -> Trace:
        """A vector, something added, and layer norm after it, by hand."""
        rows = [random_rows(self.seed, name, 1, N, 1) for name in ("x", "added")]
        trace = Trace({}, legend=LEGEND)
        trace.labels = {"word": (self.read[0],)}
        with Run({}, trace) as run:
            x, new = (run.leaf(name, row, ("word", "feature")) for name, row in zip(("x", "new"), rows, strict=True))
            run("normed", normalise, run("sum", add, x, new), epsilon=1e-5)
        return trace

    @property
    def post_table(self) -> list[tuple[Any, ...]]:
        """The same as a table."""
        return [tuple(self.recorded("post", name, 0, n) for name in ("x", "new", "sum", "normed")) for n in range(N)]

    # ---- where they meet -----------------------------------------------------------------------------------------------

    @property
    def meeting(self) -> Array:
        """How much each word that is written looks at each word of the source."""
        return self.real.tensor(f"decoder.block.{self.block}.cross.pattern")[self.head]

    @property
    def next_word(self) -> str:
        """What is said after the word that is looked at."""
        return [*self.written[1:], self.end][self.place]

    @property
    def looked_at(self) -> str:
        """Which word of the source it looks at most."""
        return self.read[int(self.meeting[self.place].argmax())]

    @cached_property
    def small(self) -> Trace:
        """Cross-attention of two words to three others, with small random numbers."""
        return self._small((0, 1, 2))

    @cached_property
    def other_order(self) -> Trace:
        """The same, with the three words in another order."""
        return self._small((2, 0, 1))

    def _small(self, order: tuple[int, ...]) -> Trace:
        weights = random_attention(self.seed, 3, 2, 2, 1)
        asking, asked = random_rows(self.seed, "asking", 2, 3, 1), random_rows(self.seed, "asked", 3, 3, 1)
        source, target = ("wo", "wohnst", "du"), ("where", "do")
        others = asked[list(order)], [source[n] for n in order]
        return attention_trace(weights, asking, target, others, legend=LEGEND)

    @property
    def shuffled(self) -> list[tuple[Any, ...]]:
        """What the two words gather, in both orders of the three."""
        rows = zip(("where", "do"), *(self.recorded(trace, "mix") for trace in ("small", "other_order")), strict=True)
        return [(word, *a, *b) for word, a, b in rows]

    # ---- word by word --------------------------------------------------------------------------------------------------

    @cached_property
    def kept(self) -> Trace:
        """The last word alone, with all that was computed before in the cache: no encoder is run."""
        reading, cache = self.model.reading(self.model.ids(self.sentence)), KVCache()
        if self.target[:-1]:
            reading.logits(self.target[:-1], cache)
        return reading.trace(self.target[-1:], cache)

    @property
    def work(self) -> list[tuple[Any, ...]]:
        """How many numbers each half computes: all in one go, and for the last word with the cache."""
        rows = []
        for half in ("encoder", "decoder"):
            counts = (
                sum(
                    step.output.size
                    for step in trace.steps
                    if step.name.startswith(half) and step.op != concatenate.name  # what is kept is not computed again
                )
                for trace in (self.real, self.kept)
            )
            rows.append((_(half), *counts))
        return rows

    @property
    def of_source(self) -> int:
        """How many numbers the keys and values of the source are, in all blocks of the decoder."""
        return sum(
            self.real.tensor(f"decoder.block.{n}.cross.{part}").size
            for n in range(self.model.config.blocks)
            for part in "kv"
        )

    @property
    def kept_the_same(self) -> bool:
        """Whether the last word has the same scores, to the bit."""
        return self.kept.tensor("logits")[-1].tobytes() == self.real.tensor("logits")[-1].tobytes()

    @property
    def last_only(self) -> bool:
        """Whether the keys of every block of the decoder are made of what the last block of the encoder has left."""
        last = f"encoder.block.{self.model.config.blocks - 1}.ln_2"
        names = [f"decoder.block.{n}.cross.{part}" for n in range(self.model.config.blocks) for part in "kv"]
        return all(self.real[name].record.inputs == (last,) for name in names)

    @property
    def steps(self) -> list[tuple[Any, ...]]:
        """After each word: the next one, and its probability."""
        rows = zip(self.written, self.recorded("real", "probabilities"), strict=True)
        return [(word, self.words([np.argmax(row)])[0], max(row)) for word, row in rows]

    @cached_property
    def sure(self) -> Trace:
        """The three largest scores after the word that is looked at, as shares of their own."""
        logits = self.real.tensor("logits")[self.place]
        best = np.argsort(-logits, kind="stable")[:3]
        trace = Trace({}, legend=LEGEND)
        trace.labels = {"asked": self.words(best), "asking": (self.written[self.place],)}
        with Run({}, trace) as run:
            run("shares", softmax, run.leaf("scores", logits[best][None].copy(), ("asking", "asked")))
        return trace

    @property
    def she(self) -> list[tuple[Any, ...]]:
        """Sentences with “sie”, which is she or they: what the translator says, and what is right."""
        return [(text, self.model.answer(text), right) for text, right in zip(SHE, RIGHT, strict=True)]

    @property
    def she_right(self) -> int:
        """How many of them are right."""
        return sum(said == right for _text, said, right in self.she)
