"""Next character: a net reads the last characters of a text and predicts the next one; applied again and again, it writes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from llmtrace.arithmetic import elementary
from llmtrace.errors import LessonError
from llmtrace.i18n import _, listed
from llmtrace.lessons.framework.lesson import Article, Lesson
from llmtrace.lessons.next_character.characters import (
    ALPHABET,
    RHYME,
    ambiguous_contexts,
    examples,
    normalised,
    sufficient_context,
    visible,
)
from llmtrace.lessons.next_character.exercises import EXERCISES
from llmtrace.lessons.next_character.reader import PREVIEW, Checkpoint, Reader, progress_table, train, untrained
from llmtrace.lessons.next_character.words import LEGEND
from llmtrace.trace import Trace

SHOWN = 5
"""The rows of the table of the likeliest characters, and of the table of the loop, which has one more."""
UNCLEAR = 3
"""The rows of the table of contexts that different characters follow."""


@dataclass
class NextCharacter(Lesson):
    """The rhyme, the length of the context, the prompt, and how the net is trained."""

    name = "next-character"
    legend = LEGEND
    exercises = EXERCISES
    articles = (
        Article("letters that go in", "12", "letters"),
        Article("after “humpty dumpt” comes", "y", "best_letter(taught)"),
    )

    rhyme: str = RHYME
    letters: int = 12
    start: str = ""
    other: str = "i like piano"
    neurons: int = 32
    steps: int = 600
    seed: int = 0

    def check(self) -> None:
        """LessonError where an input is too small or too large."""
        self.require_within({"letters": (1, 30), "neurons": (1, 200), "steps": (10, 5000)})
        if not 40 <= len(self.text) <= 200:
            raise LessonError(
                _("the rhyme must have from 40 to 200 letters; this one has {count}", count=len(self.text))
            )
        if self.prompt not in self.text[:-1]:
            raise LessonError(_("start must be a part of the rhyme, not {start}", start=repr(self.start)))

    # ---- letters and numbers -------------------------------------------------------------------------------------------

    @property
    def text(self) -> str:
        """The rhyme in the net's alphabet, with a full stop at its end and nowhere else."""
        return normalised(self.rhyme).replace(".", "").strip() + "."

    @property
    def prompt(self) -> str:
        """The text that the net continues: `start`, or the beginning of the rhyme."""
        return normalised(self.start) or self.text[: self.letters]

    @property
    def signs(self) -> int:
        """The size of the alphabet."""
        return len(ALPHABET)

    def number(self, character: str) -> int:
        """The number of a character."""
        return ALPHABET.index(character)

    @cached_property
    def some_examples(self) -> list[tuple[Any, ...]]:
        """Some contexts of the rhyme, each with the character that follows."""
        rows = [(visible(seen), visible(following)) for seen, following in examples(self.text, self.letters)]
        return [*rows[:2], ("…", "…"), *rows[self.letters : self.letters + SHOWN]]

    @property
    def right_letter(self) -> str:
        """The character that follows the prompt in the rhyme."""
        return self.text[self.text.index(self.prompt) + len(self.prompt)]

    # ---- the net and its training --------------------------------------------------------------------------------------

    @property
    def weights(self) -> int:
        """How many parameters the net with a context of `letters` has."""
        return sum(weight.data.size for weight in self.first.net.weights.values())

    @cached_property
    def first(self) -> Reader:
        """The untrained net with a context of `letters`."""
        return untrained(self.letters, self.neurons, self.seed)

    @cached_property
    def checkpoints(self) -> list[Checkpoint]:
        """The training of the net with a context of `letters`."""
        return self.checkpoints_of(self.first)

    def checkpoints_of(self, reader: Reader) -> list[Checkpoint]:
        """The training of a net on the rhyme: before, at some steps on the way, and after."""
        stops = [self.steps // 60, self.steps // 20, self.steps // 6]
        return train(reader, self.text, self.steps, stops, self.tracked)

    @cached_property
    def longer_checkpoints(self) -> list[Checkpoint]:
        """The training of the net with a context of `longer`."""
        return self.checkpoints_of(untrained(self.longer, self.neurons, self.seed))

    @property
    def short(self) -> Checkpoint:
        """The last checkpoint of the net with a context of `letters`."""
        return self.checkpoints[-1]

    @property
    def long(self) -> Checkpoint:
        """The last checkpoint of the net with a context of `longer`."""
        return self.longer_checkpoints[-1]

    @cached_property
    def course(self) -> list[tuple[Any, ...]]:
        """The checkpoints of the net with a context of `letters`, each with how it continues the prompt."""
        return progress_table(self.checkpoints, self.prompt)

    @cached_property
    def longer_course(self) -> list[tuple[Any, ...]]:
        """The checkpoints of the net with a context of `longer`, each with what it writes from nothing on."""
        return progress_table(self.longer_checkpoints, "")

    @cached_property
    def fresh(self) -> Trace:
        """The untrained net at the prompt, with all gradients."""
        return self.first.trace(self.prompt, self.right_letter, gradients=True)

    @cached_property
    def wishes(self) -> list[tuple[Any, ...]]:
        """The characters most likely after the prompt for the untrained net, and the right one: probability, target, gradient."""
        right, shares, slopes = (
            self.number(self.right_letter),
            *(self.recorded("fresh", name) for name in ("guess.shares", "d.output.sum")),
        )
        first = [n for n in np.argsort(-np.array(shares), kind="stable") if n != right][: SHOWN - 1]
        return [(visible(ALPHABET[n]), shares[n], int(n == right), slopes[n]) for n in (*first, right)]

    @cached_property
    def surprises(self) -> list[tuple[Any, ...]]:
        """Some probabilities, each with its loss."""
        shares = np.array([1, 0.5, 0.1, 0.01])
        return list(zip(shares, -elementary.log(shares), strict=True))

    @cached_property
    def taught(self) -> Trace:
        """The trained net at the prompt."""
        return self.short.reader.trace(self.prompt, self.right_letter)

    @cached_property
    def one_more(self) -> Trace:
        """The trained net after it has appended one character to the prompt."""
        text = self.short.reader.write(self.prompt, 1)
        return self.short.reader.trace(text, " ")

    def best_letter(self, trace: Trace) -> str:
        """The character with the highest score in a trace."""
        return visible(ALPHABET[int(trace["output.sum"].output.argmax())])

    def likeliest(self, trace: Trace) -> list[tuple[Any, ...]]:
        """The characters with the highest scores in a trace, with their probabilities."""
        scores, shares = (self.recorded(self.name_of(trace), name) for name in ("output.sum", "guess.shares"))
        order = np.argsort(-np.array(scores), kind="stable")[:SHOWN]
        return [(visible(ALPHABET[n]), scores[n], shares[n]) for n in order]

    @cached_property
    def loop(self) -> list[tuple[Any, ...]]:
        """Turns of the loop from the prompt on: the context that is read, and the character that is written."""
        return self.short.reader.loop(self.prompt, SHOWN + 1)

    @cached_property
    def goes_on(self) -> str:
        """The prompt as the net with a context of `letters` continues it."""
        return self.short.reader.write(self.prompt, len(self.text))

    @property
    def ends(self) -> bool:
        """Whether the net with a context of `letters` reaches the full stop."""
        return self.goes_on.endswith(".")

    @property
    def circles(self) -> bool:
        """Whether the net with a context of `letters` comes to a context that it has read before: then it repeats itself."""
        return not self.ends and self.goes_on.count(self.goes_on[-self.letters :]) > 1

    # ---- what can't be known -------------------------------------------------------------------------------------------

    @property
    def open_places(self) -> int:
        """At how many places of the rhyme a context of `letters` does not determine the next character."""
        return sum(map(len, ambiguous_contexts(self.text, self.letters).values()))

    @property
    def knowable(self) -> int:
        """How many characters a net can predict at most from a context of `letters`: at each open place, only the commonest."""
        after = ambiguous_contexts(self.text, self.letters).values()
        return len(self.text) - self.open_places + sum(max(map(each.count, each)) for each in after)

    @cached_property
    def open_place(self) -> tuple[str, str]:
        """The first context that different characters follow, with these; where there is none, the first context of all."""
        return next(iter(ambiguous_contexts(self.text, self.letters).items()), examples(self.text, self.letters)[0])

    @cached_property
    def unclear(self) -> list[tuple[Any, ...]]:
        """Some contexts that different characters follow, each with these characters."""
        found = [*ambiguous_contexts(self.text, self.letters).items()][:UNCLEAR] or [self.open_place]
        return [(visible(seen), listed(map(visible, dict.fromkeys(after)))) for seen, after in found]

    @cached_property
    def unsure(self) -> Trace:
        """The trained net at a context that different characters follow."""
        seen, after = self.open_place
        return self.short.reader.trace(seen, after[0])

    @property
    def longer(self) -> int:
        """The length of context that determines every next character of the rhyme; more than `letters`."""
        return sufficient_context(self.text, self.letters + 1)

    @cached_property
    def sure(self) -> list[tuple[Any, ...]]:
        """The longer contexts that end in the first context that different characters follow, each with the next character."""
        doubt = self.open_place[0]
        return [
            (visible(seen), visible(following))
            for seen, following in examples(self.text, self.longer)
            if seen.endswith(doubt)
        ]

    @cached_property
    def recited(self) -> str:
        """What the net with a context of `longer` writes from nothing on."""
        return self.long.reader.write("", 2 * len(self.text))

    @cached_property
    def sure_trace(self) -> Trace:
        """The net with a context of `longer`, after nothing."""
        return self.long.reader.trace("", self.text[0])

    @property
    def others(self) -> tuple[str, str, str]:
        """Prompts: one out of the middle of the rhyme, one with a wrong character, one from elsewhere."""
        middle = self.text.rfind(" ", 0, len(self.text) // 2) + 1
        return self.text[middle : middle + self.longer], "x" + self.prompt[1:], normalised(self.other)[: self.longer]

    @cached_property
    def by_heart(self) -> list[tuple[Any, ...]]:
        """How the net with a context of `longer` continues other prompts."""
        return [(visible(a), visible(self.long.reader.write(a, PREVIEW)[len(a) :])) for a in self.others]
