"""Why one by one: what was counted and what was learnt; the loop; greedy and drawn; with the cache and without."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from llmtrace.arithmetic.types import Array
from llmtrace.errors import LessonError, PromptError
from llmtrace.i18n import _
from llmtrace.lessons.framework.lesson import Article, Lesson
from llmtrace.lessons.why_one_by_one.exercises import EXERCISES
from llmtrace.lessons.why_one_by_one.glosses import glossed
from llmtrace.lessons.why_one_by_one.words import LEGEND
from llmtrace.loading import CHINESE, DATA, load
from llmtrace.models import GPT, Choice, KVCache, Sampling
from llmtrace.ops.elementwise.divide_by import divide_by
from llmtrace.ops.rows.softmax import softmax
from llmtrace.trace import Run, Trace

REPUBLIC, NATION = "中华人民", "中华人民共和国"
LOVES = "我爱"
VERBS = {"吃": "喝", "喝": "吃"}
SLIPS = (
    "小明买了牛奶，想",
    "小明买了牛奶，想吃",
    "小明有五只猫，给了小红两只，还剩",
    "小明有五只猫，给了小红两只，还剩四",
)
"""Two beginnings, each without and with a wrong word at its end."""
SEEDS = 5
SHOWN = 4


@dataclass
class WhyOneByOne(Lesson):
    """What the Chinese model is given, how many tokens it adds, and how they are drawn."""

    name = "why-one-by-one"
    legend = LEGEND
    exercises = EXERCISES
    articles = (
        Article(
            "after 中华人民 comes 共和国, in %",
            "97",
            "100 * counted_share(republic, '共和国'):.0f",
            "both: each has counted in its own texts",
        ),
        Article(
            "after 中华人民共和国 comes 成立于, in %",
            "98",
            "100 * counted_share(nation, '成立于'):.0f",
            "both: each has counted in its own texts",
        ),
        Article(
            "how often 中华人民共和国 stands in the texts",
            "571",
            "sum(counts[nation].values()):,",
            "both: 571 times in the article's encyclopaedia, so often in our sentences",
        ),
    )

    prompt: str = REPUBLIC
    steps: int = 8
    temperature: float = 1.0
    seed: int = 1

    def check(self) -> None:
        """LessonError where the model can't go on so."""
        try:
            size = len(self.model.ids(self.prompt))
        except PromptError as error:
            raise LessonError(str(error)) from error
        most = self.model.config.context
        if not size or size > most // 2:
            raise LessonError(_("the prompt must have from 1 to {count} tokens", count=most // 2))
        self.require_within({"steps": (2, most // 2), "temperature": (0.05, 100), "seed": (0, 10**9)})

    @cached_property
    def model(self) -> GPT:
        """The bundled Chinese model."""
        model = load(CHINESE)
        assert isinstance(model, GPT)
        return model

    @cached_property
    def real(self) -> Trace:
        """The model at the prompt."""
        return self.model.trace(self.prompt)

    @cached_property
    def longer(self) -> Trace:
        """The model at the prompt and the likeliest token after it."""
        return self.model.trace(self.prompt + self.likeliest(self.chances(self.prompt)))

    @cached_property
    def first_choice(self) -> Choice:
        """The first token that is drawn."""
        return next(iter(self.model.generate(self.prompt, 1, Sampling(self.temperature, seed=self.seed))))

    @property
    def drawing(self) -> Trace:
        """How it was drawn: from the scores to the token."""
        return self.first_choice.steps

    @cached_property
    def cached(self) -> Trace:
        """The run that read the second new token only, and found all before in the cache."""
        choices = list(self.model.generate(self.prompt, 2, Sampling(0)))
        return choices[-1].trace()

    @cached_property
    def counting(self) -> Trace:
        """The share of each token that was counted after 中华人民."""
        counts = self.counts[REPUBLIC]
        trace = Trace({}, legend=LEGEND)
        trace.labels = {"token": list(counts)}
        with Run({}, trace) as run:
            given = run.leaf("counts", np.array(list(counts.values()), np.float32), ("token",))
            run("counted.share", divide_by, given, divisor=float(sum(counts.values())))
        return trace

    @property
    def tokens(self) -> str:
        """The tokens of the prompt."""
        return " · ".join(glossed(self.model.token_text(index)) for index in self.model.ids(self.prompt).tolist())

    def shown(self, text: str) -> str:
        """A text on one line."""
        return shown(text)

    def chances(self, text: str) -> Array:
        """The probability of each token after a text."""
        return softmax.forward(self.model.logits(text)[-1])

    def likeliest(self, chances: Array) -> str:
        """The token with the largest probability."""
        return self.model.token_text(int(chances.argmax()))

    # ---- counted -------------------------------------------------------------------------------------------------------

    @cached_property
    def counts(self) -> Mapping[str, Mapping[str, int]]:
        """For some beginnings: how often each token came next in the texts that the model has learnt from."""
        counts: Mapping[str, Mapping[str, int]] = json.loads((DATA / CHINESE / "counted.json").read_text("utf-8"))
        return counts

    @property
    def republic(self) -> str:
        """The beginning that the article asks first."""
        return REPUBLIC

    @property
    def loves(self) -> str:
        """The beginning that two verbs go on from."""
        return LOVES

    @property
    def nation(self) -> str:
        """The one that it asks then."""
        return NATION

    def counted_share(self, beginning: str, token: str) -> float:
        """Of all texts that begin so, the share of those that go on with that token."""
        counts = self.counts[beginning]
        return counts.get(token, 0) / sum(counts.values())

    def learnt(self, beginning: str) -> list[tuple[Any, ...]]:
        """The likeliest tokens after a beginning, and the model's probabilities."""
        chances = self.chances(beginning)
        best = np.argsort(-chances, kind="stable")[:SHOWN].tolist()
        return [(glossed(shown(self.model.token_text(index))), chances[index]) for index in best]

    def compared(self, beginning: str) -> list[tuple[Any, ...]]:
        """What came after a beginning in the texts: how often, as a share, and the model's probability."""
        chances = self.chances(beginning)
        return [
            (glossed(shown(token)), count, self.counted_share(beginning, token), chances[self.id_of(token)])
            for token, count in list(self.counts[beginning].items())[:SHOWN]
        ]

    # ---- greedy and drawn ----------------------------------------------------------------------------------------------

    def going_on(self, sampling: Sampling) -> list[tuple[str, float]]:
        """The tokens that are added to the prompt, each with its probability (temperature 1)."""
        ids, cache, rows = self.model.ids(self.prompt).tolist(), KVCache(), []
        for choice in self.model.generate(self.prompt, self.steps, sampling):
            given = softmax.forward(self.model.logits(ids[cache.length :], cache)[-1])
            rows.append((shown(choice.text), float(given[choice.id])))
            ids.append(choice.id)
        return rows

    @cached_property
    def greedy(self) -> list[tuple[Any, ...]]:
        """The likeliest token each time: its number, its probability, and that of all so far together."""
        rows: list[tuple[Any, ...]] = []
        together = 1.0
        for number, (text, chance) in enumerate(self.going_on(Sampling(0))):
            together *= chance
            rows.append((number + 1, glossed(text), chance, together))
        return rows

    @cached_property
    def drawn(self) -> list[tuple[Any, ...]]:
        """Texts that were drawn with several seeds, and how probable each was."""
        rows = []
        for seed in self.tracked(SEEDS):
            parts = self.going_on(Sampling(self.temperature, seed=self.seed + seed))
            rows.append(
                (self.seed + seed, self.prompt + "".join(text for text, _p in parts), _product(p for _t, p in parts))
            )
        return rows

    # ---- two at once ---------------------------------------------------------------------------------------------------

    @cached_property
    def verbs(self) -> list[tuple[Any, ...]]:
        """For eating and drinking: its probability, what comes then, and the share of what is eaten, and of what is drunk."""
        first, rows = self.chances(LOVES), []
        for verb in VERBS:
            then = self.chances(LOVES + verb)
            shares = [sum(float(then[self.id_of(thing)]) for thing in self.things(other)) for other in VERBS]
            rows.append((glossed(verb), float(first[self.id_of(verb)]), glossed(self.likeliest(then)), *shares))
        return rows

    def things(self, verb: str) -> list[str]:
        """What followed that verb in the texts."""
        return list(self.counts[LOVES + verb])

    def id_of(self, token: str) -> int:
        """The number of a token."""
        return int(self.model.ids(token)[0])

    @property
    def mismatches(self) -> list[tuple[float, float]]:
        """If two tokens are drawn at once: the probability of eating, that of what is drunk; of drinking, of what is eaten."""
        (_e, eat, _x, eaten, drunk), (_d, drink, _y, eaten_then, drunk_then) = self.verbs
        return [(eat, eat * drunk + drink * drunk_then), (drink, eat * eaten + drink * eaten_then)]

    @property
    def nonsense(self) -> float:
        """The probability that two tokens drawn at once, neither knowing of the other, do not go together."""
        return sum(verb * thing for verb, thing in self.mismatches)

    @property
    def nonsense_one_by_one(self) -> float:
        """The same when the second is drawn by a model that has read the first."""
        return float(self.verbs[0][1] * self.verbs[0][4] + self.verbs[1][1] * self.verbs[1][3])

    # ---- the cache -----------------------------------------------------------------------------------------------------

    @cached_property
    def cached_steps(self) -> list[tuple[Any, ...]]:
        """For each new token: it, the tokens read without a cache and with one, and whether all scores have the same bits."""
        ids, cache, rows = self.model.ids(self.prompt).tolist(), KVCache(), []
        for number in range(self.steps):
            without = self.model.logits(ids)[-1]
            new = ids[cache.length :]
            within = self.model.logits(new, cache)[-1]
            best = int(without.argmax())
            same = within.tobytes() == without.tobytes()
            rows.append(
                (number + 1, shown(self.model.token_text(best)), len(ids), len(new), _("yes") if same else _("no"))
            )
            ids.append(best)
        return rows

    @property
    def rows_read(self) -> tuple[int, int]:
        """How many tokens are read for the whole text, without a cache and with one."""
        return sum(row[2] for row in self.cached_steps), sum(row[3] for row in self.cached_steps)

    @property
    def same_bits(self) -> bool:
        """Whether all scores were the same, with the cache and without."""
        return all(row[4] == _("yes") for row in self.cached_steps)

    # ---- no way back ---------------------------------------------------------------------------------------------------

    @cached_property
    def slips(self) -> list[tuple[Any, ...]]:
        """Beginnings that are right, and wrong: the likeliest next token, and its probability."""
        rows = []
        for text in SLIPS:
            chances = self.chances(text)
            rows.append((text, glossed(shown(self.likeliest(chances))), chances.max()))
        return rows


def shown(text: str) -> str:
    """A text on one line."""
    return text.replace("\n", "⏎")


def _product(numbers: Any) -> float:
    """All multiplied, from left to right."""
    result = 1.0
    for number in numbers:
        result *= number
    return result
