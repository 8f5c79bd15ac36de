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


def after(text: str) -> cached_property[Trace]:
    """The run of the model at a text."""
    return cached_property(lambda lesson: lesson.model.trace(text))


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
        self.require_within({"steps": (2, most // 2), "temperature": (0.05, 100)})

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
    def greedy_run(self) -> Trace:
        """The model at the prompt with all of the likeliest tokens behind it."""
        ids = [choice.id for choice in self.model.generate(self.prompt, self.steps, Sampling(0))]
        return self.model.trace([*self.model.ids(self.prompt).tolist(), *ids[:-1]])

    republic_run, nation_run = after(REPUBLIC), after(NATION)
    loves_run, eat_run, drink_run = after(LOVES), *(after(LOVES + verb) for verb in VERBS)

    @cached_property
    def slip_runs(self) -> list[Trace]:
        """The model at each of the beginnings."""
        return [self.model.trace(text) for text in SLIPS]

    @cached_property
    def cached(self) -> Trace:
        """The run that read the second new token only, and found all before in the cache."""
        choices = list(self.model.generate(self.prompt, 2, Sampling(0)))
        return choices[-1].trace()

    @cached_property
    def republic_counted(self) -> Trace:
        """The share of each token that was counted after 中华人民."""
        return self._shares(REPUBLIC)

    @cached_property
    def nation_counted(self) -> Trace:
        """The share of each token that was counted after 中华人民共和国."""
        return self._shares(NATION)

    def _shares(self, beginning: str) -> Trace:
        counts = self.counts[beginning]
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

    def expected(self, trace: str, place: int = -1) -> list[Any]:
        """The probability of each token after one of a run."""
        found: list[Any] = self.recorded(trace, "probabilities", place)
        return found

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
        chances = self.expected("real") if beginning == self.prompt else self.chances(beginning)
        best = np.argsort(-np.asarray(chances), kind="stable")[:SHOWN].tolist()
        return [(glossed(shown(self.model.token_text(index))), chances[index]) for index in best]

    def compared(self, beginning: str) -> list[tuple[Any, ...]]:
        """What came after a beginning in the texts: how often, as a share, and the model's probability."""
        name = {REPUBLIC: "republic", NATION: "nation"}[beginning]
        chances, shares = self.expected(f"{name}_run"), self.recorded(f"{name}_counted", "counted.share")
        counted = list(self.counts[beginning].items())[:SHOWN]
        return [
            (glossed(shown(token)), count, share, chances[self.id_of(token)])
            for (token, count), share in zip(counted, shares, strict=False)
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
        first = len(self.model.ids(self.prompt)) - 1
        for number, choice in enumerate(self.model.generate(self.prompt, self.steps, Sampling(0))):
            chance = self.recorded("greedy_run", "probabilities", first + number, choice.id)
            together *= float(chance)
            rows.append((number + 1, glossed(shown(choice.text)), chance, together))
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
        first, rows = self.expected("loves_run"), []
        for verb, run in zip(VERBS, ("eat_run", "drink_run"), strict=True):
            then = self.trace(run).tensor("probabilities")[-1]
            shares = [sum(float(then[self.id_of(thing)]) for thing in self.things(other)) for other in VERBS]
            rows.append((glossed(verb), first[self.id_of(verb)], glossed(self.likeliest(then)), *shares))
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
        (eat, eaten, drunk), (drink, eaten_then, drunk_then) = (
            [float(row[n]) for n in (1, 3, 4)] for row in self.verbs
        )
        return [(eat, eat * drunk + drink * drunk_then), (drink, eat * eaten + drink * eaten_then)]

    @property
    def nonsense(self) -> float:
        """The probability that two tokens drawn at once, neither knowing of the other, do not go together."""
        return sum(verb * thing for verb, thing in self.mismatches)

    @property
    def nonsense_one_by_one(self) -> float:
        """The same when the second is drawn by a model that has read the first."""
        (_e, eat, _x, _eaten, drunk), (_d, drink, _y, eaten_then, _drunk) = self.verbs
        return float(eat) * float(drunk) + float(drink) * float(eaten_then)

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
        for number, text in enumerate(SLIPS):
            chances = self.expected(f"slip_runs.{number}")
            rows.append((text, glossed(shown(self.likeliest(np.asarray(chances)))), max(chances)))
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
