"""The exercises of the lesson softmax-and-sampling."""

from __future__ import annotations

from llmtrace.lessons.framework.exercises import Exercise
from llmtrace.rng import Chance


def missed(chance: Chance) -> Exercise:
    """The absolute loss of a score that is far too good."""
    got = (2 + chance.below(8), 1 + chance.below(4))
    off = (got[0] - 1, got[1])
    mistakes = {"first-only": float(off[0]), "added": float(sum(got)), "signs": float(off[0] - off[1])}
    return Exercise({"g": got, "off": off}, float(sum(off)), mistakes)


def warm(chance: Chance) -> Exercise:
    """How far two scores are apart after division by the temperature."""
    scores = (6 + 2 * chance.below(4), 2 + 2 * chance.below(2))
    temperature = chance.choice([0.5, 2.0])
    apart = scores[0] - scores[1]
    mistakes = {"times": apart * temperature, "not-divided": float(apart), "first-only": scores[0] / temperature}
    return Exercise({"s": scores, "t": temperature, "apart": apart}, apart / temperature, mistakes)


def kept(chance: Chance) -> Exercise:
    """How many tokens stay under top-p."""
    shares = chance.choice([(50, 20, 15, 10, 5), (40, 30, 15, 10, 5), (60, 15, 10, 10, 5)])
    enough = chance.choice([65, 78, 88])
    totals = [sum(shares[: n + 1]) for n in range(len(shares))]
    count = next(n + 1 for n, total in enumerate(totals) if total >= enough)
    mistakes = {"one-less": float(count - 1), "all": float(len(shares)), "total": float(totals[count - 1])}
    return Exercise(
        {"s": shares, "p": enough, "total": totals[count - 1], "before": totals[count - 2]}, float(count), mistakes
    )


def drawn(chance: Chance) -> Exercise:
    """Which of four tokens a random number points to."""
    shares = chance.choice([(50, 25, 15, 10), (40, 30, 20, 10), (30, 30, 25, 15)])
    totals = [sum(shares[: n + 1]) for n in range(4)]
    place = 1 + chance.below(3)
    number = totals[place - 1] + 1 + chance.below(shares[place] - 2)
    near = min(range(4), key=lambda n: abs(shares[n] - number))
    mistakes = {"likeliest": 1.0, "nearest": float(near + 1), "before": float(place)}
    values = {"s": shares, "number": number, "totals": totals, "passed": totals[place - 1], "after": totals[place]}
    return Exercise(values, float(place + 1), mistakes)


EXERCISES = {"missed": missed, "warm": warm, "kept": kept, "drawn": drawn}
