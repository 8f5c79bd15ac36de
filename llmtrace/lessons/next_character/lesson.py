"""Next character: a net reads the last letters of a text and says which comes next; said again and again, that is a text."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from llmtrace.arithmetic import elementary
from llmtrace.errors import LessonError
from llmtrace.i18n import _
from llmtrace.lessons.framework.lesson import Article, Lesson
from llmtrace.lessons.next_character.exercises import EXERCISES
from llmtrace.lessons.next_character.reciting import (
    RHYME,
    SIGNS,
    WRITTEN,
    Look,
    Reader,
    asked,
    course,
    enough,
    followers,
    known,
    teach,
    turns,
    untaught,
    visible,
)
from llmtrace.lessons.next_character.words import LEGEND
from llmtrace.trace import Trace

SHOWN = 5
"""So many letters stand in the table of the likeliest, and so many turns of the loop in its own."""
UNCLEAR = 3
"""So many places where different letters follow are listed."""


@dataclass
class NextCharacter(Lesson):
    """The rhyme, how many letters are read, what the net goes on from, and how it is trained."""

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
        self.within({"letters": (1, 30), "neurons": (1, 200), "steps": (10, 5000), "seed": (0, 2**31)})
        if not 40 <= len(self.text) <= 200:
            raise LessonError(
                _("the rhyme must have from 40 to 200 letters; this one has {count}", count=len(self.text))
            )
        if self.prompt not in self.text[:-1]:
            raise LessonError(_("start must be a part of the rhyme, not {start}", start=repr(self.start)))

    # ---- letters and numbers -------------------------------------------------------------------------------------------

    @property
    def text(self) -> str:
        """The rhyme as the net reads it, with a full stop at its end and nowhere else."""
        return known(self.rhyme).replace(".", "").strip() + "."

    @property
    def prompt(self) -> str:
        """What the net goes on from: `start`, or the first letters of the rhyme."""
        return known(self.start) or self.text[: self.letters]

    @property
    def signs(self) -> int:
        """How many different letters it can read and write."""
        return len(SIGNS)

    def number(self, sign: str) -> int:
        """The number of a letter."""
        return SIGNS.index(sign)

    @cached_property
    def some_examples(self) -> list[tuple[Any, ...]]:
        """What is read, and what comes next, at some places of the rhyme."""
        rows = [(visible(seen), visible(sign)) for seen, sign in asked(self.text, self.letters)]
        return [*rows[:2], ("…", "…"), *rows[self.letters : self.letters + SHOWN]]

    @property
    def right_letter(self) -> str:
        """What comes after that in the rhyme."""
        return self.text[self.text.index(self.prompt) + len(self.prompt)]

    # ---- the net and its training --------------------------------------------------------------------------------------

    @property
    def weights(self) -> int:
        """How many numbers are trained in the net that reads `letters`."""
        return sum(weight.data.size for weight in self.first.net.weights.values())

    @cached_property
    def first(self) -> Reader:
        """The untrained net."""
        return untaught(self.letters, self.neurons, self.seed)

    @cached_property
    def looks(self) -> list[Look]:
        """How the net that reads `letters` learned."""
        return self.learned(self.first)

    def learned(self, reader: Reader) -> list[Look]:
        """How a net learns the rhyme: before, some looks on the way, and after."""
        stops = [self.steps // 60, self.steps // 20, self.steps // 6]
        return teach(reader, self.text, self.steps, stops, self.counted)

    @cached_property
    def longer_looks(self) -> list[Look]:
        """How the net that reads `longer` learned."""
        return self.learned(untaught(self.longer, self.neurons, self.seed))

    @property
    def short(self) -> Look:
        """What became of the first net."""
        return self.looks[-1]

    @property
    def long(self) -> Look:
        """What became of the second."""
        return self.longer_looks[-1]

    @cached_property
    def course(self) -> list[tuple[Any, ...]]:
        """How the net that reads `letters` learned, and how it went on from the start."""
        return course(self.looks, self.prompt)

    @cached_property
    def longer_course(self) -> list[tuple[Any, ...]]:
        """How the net that reads `longer` learned, and what it wrote when it was given nothing."""
        return course(self.longer_looks, "")

    @cached_property
    def fresh(self) -> Trace:
        """The untrained net reads the start; with all gradients."""
        return self.first.trace(self.prompt, self.right_letter, gradients=True)

    @cached_property
    def wishes(self) -> list[tuple[Any, ...]]:
        """The likeliest letters of the untrained net and the right one: share, the share that is wanted, and the gradient."""
        right, shares, slopes = (
            self.number(self.right_letter),
            *map(self.fresh.tensor, ("guess.shares", "d.output.sum")),
        )
        first = [n for n in np.argsort(-shares, kind="stable") if n != right][: SHOWN - 1]
        return [(visible(SIGNS[n]), shares[n], int(n == right), slopes[n]) for n in (*first, right)]

    @cached_property
    def surprises(self) -> list[tuple[Any, ...]]:
        """The loss of some shares."""
        shares = np.array([1, 0.5, 0.1, 0.01])
        return list(zip(shares, -elementary.log(shares), strict=True))

    @cached_property
    def taught(self) -> Trace:
        """The trained net reads the start."""
        return self.short.reader.trace(self.prompt, self.right_letter)

    @cached_property
    def one_more(self) -> Trace:
        """It has written one letter, and reads on."""
        text = self.short.reader.write(self.prompt, 1)
        return self.short.reader.trace(text, " ")

    def best_letter(self, trace: Trace) -> str:
        """The letter with the highest score."""
        return visible(SIGNS[int(trace["output.sum"].output.argmax())])

    def likeliest(self, trace: Trace) -> list[tuple[Any, ...]]:
        """The letters with the highest scores, and their shares."""
        scores, shares = trace["output.sum"].output, trace["guess.shares"].output
        order = np.argsort(-scores, kind="stable")[:SHOWN]
        return [(visible(SIGNS[n]), scores[n], shares[n]) for n in order]

    @cached_property
    def loop(self) -> list[tuple[Any, ...]]:
        """Turns of the loop: what is read, and what is written."""
        return turns(self.short.reader, self.prompt, SHOWN + 1)

    @cached_property
    def goes_on(self) -> str:
        """What the net that reads `letters` makes of the start."""
        return self.short.reader.write(self.prompt, len(self.text))

    @property
    def ends(self) -> bool:
        """Whether that comes to an end."""
        return self.goes_on.endswith(".")

    @property
    def circles(self) -> bool:
        """Whether it reads at the end what it has read before: then it must go on as it did then."""
        return not self.ends and self.goes_on.count(self.goes_on[-self.letters :]) > 1

    # ---- what can't be known -------------------------------------------------------------------------------------------

    @property
    def open_places(self) -> int:
        """At how many places of the rhyme what is read does not say what follows."""
        return sum(map(len, followers(self.text, self.letters).values()))

    @property
    def knowable(self) -> int:
        """How many letters a net can guess at most that reads `letters`: at each open place, only the commonest."""
        after = followers(self.text, self.letters).values()
        return len(self.text) - self.open_places + sum(max(map(each.count, each)) for each in after)

    @cached_property
    def open_place(self) -> tuple[str, str]:
        """What is read at the first of them, with the letters that follow; where there is none, at the first place of all."""
        return next(iter(followers(self.text, self.letters).items()), asked(self.text, self.letters)[0])

    @cached_property
    def unclear(self) -> list[tuple[Any, ...]]:
        """What is read at some of them, with the letters that follow."""
        found = [*followers(self.text, self.letters).items()][:UNCLEAR] or [self.open_place]
        return [(visible(seen), ", ".join(map(visible, dict.fromkeys(after)))) for seen, after in found]

    @cached_property
    def unsure(self) -> Trace:
        """The trained net reads that."""
        seen, after = self.open_place
        return self.short.reader.trace(seen, after[0])

    @property
    def longer(self) -> int:
        """How many letters must be read so that only one can follow, and at least one more than before."""
        return enough(self.text, self.letters + 1)

    @cached_property
    def sure(self) -> list[tuple[Any, ...]]:
        """What the longer net reads at the first of them, and what follows."""
        doubt = self.open_place[0]
        return [(visible(seen), visible(sign)) for seen, sign in asked(self.text, self.longer) if seen.endswith(doubt)]

    @cached_property
    def recited(self) -> str:
        """What the longer net writes when it is given nothing."""
        return self.long.reader.write("", 2 * len(self.text))

    @cached_property
    def sure_trace(self) -> Trace:
        """The longer net, given nothing."""
        return self.long.reader.trace("", self.text[0])

    @property
    def others(self) -> tuple[str, str, str]:
        """Beginnings: one out of the middle of the rhyme, one with a wrong letter, one from elsewhere."""
        middle = self.text.rfind(" ", 0, len(self.text) // 2) + 1
        return self.text[middle : middle + self.longer], "x" + self.prompt[1:], known(self.other)[: self.longer]

    @cached_property
    def by_heart(self) -> list[tuple[Any, ...]]:
        """What the longer net makes of them."""
        return [(visible(a), visible(self.long.reader.write(a, WRITTEN)[len(a) :])) for a in self.others]
