"""The base of all lessons: inputs, values computed from them, and exercises."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping, Set
from dataclasses import dataclass, fields
from functools import cache
from types import CodeType
from typing import TYPE_CHECKING, Any, ClassVar, Self

from numpy import format_float_positional

from llmtrace.errors import LessonError
from llmtrace.frozen import frozen
from llmtrace.i18n import _, listed
from llmtrace.lessons.framework.exercises import Exercise, Maker, draw
from llmtrace.lessons.framework.recorded import recorded
from llmtrace.near import near
from llmtrace.rng import derive
from llmtrace.trace import Trace
from llmtrace.trace.legend import NO_WORDS, Legend

if TYPE_CHECKING:
    from llmtrace.views.document import Document

LARGEST_SEED = 2**31 - 1


@frozen
class Article:
    """A number that an article prints: what it is, as printed, and the expression that computes it here, with its format.

    Where the two differ, `why` says who is right.
    """

    what: str
    printed: str
    ours: str
    why: str = ""


@dataclass
class Lesson:
    """The base of all lessons. A property that takes long is a `cached_property` that goes through its steps with `tracked`."""

    name: ClassVar[str]
    """The name of its folder, with `-` for `_`."""
    legend: ClassVar[Legend] = NO_WORDS
    """What the steps of its traces mean; the traces carry it."""
    exercises: ClassVar[Mapping[str, Maker]] = {}
    """How its exercises are drawn, by the names that the text has for them."""
    articles: ClassVar[tuple[Article, ...]] = ()
    trained_model: ClassVar[str] = ""
    """The name of the language model that it trains, where it trains one, which reads `prompt`."""
    chosen: ClassVar[str] = ""
    """What an article leaves out, and was chosen here so that its numbers come out."""
    _report: ClassVar[Any] = None

    @classmethod
    def with_inputs(cls, inputs: Mapping[str, Any]) -> Self:
        """The lesson with some inputs changed; a text is parsed as the type of the input's default."""
        defaults = cls.inputs()
        for key in inputs:
            if key not in defaults:
                meant = near(key, defaults)
                text = _("{lesson} has no input {key}; its inputs are {names}")
                if meant:
                    text = _("{lesson} has no input {key}; did you mean {near}?")
                names = listed(defaults)
                raise LessonError(text.format(lesson=cls.name, key=repr(key), near=listed(meant), names=names))
        lesson = cls(**{key: parse_input(key, value, defaults[key]) for key, value in inputs.items()})
        if "seed" in defaults:  # what every generator of numbers takes, also one more than it
            lesson.require_within({"seed": (0, LARGEST_SEED - 1)})
        lesson.check()
        return lesson

    @classmethod
    def inputs(cls) -> dict[str, Any]:
        """The inputs with their defaults."""
        return {field.name: field.default for field in fields(cls)}

    def check(self) -> None:
        """Raises LessonError where the inputs can't be so; nothing is refused unless a lesson says so."""

    def film(self) -> Iterator[Document]:
        """What is played in it, frame by frame; nothing, where it has no more to play than the animations on its pages."""
        return iter(())

    def require_within(self, limits: Mapping[str, tuple[float, float]]) -> None:
        """LessonError where an input is out of range; `limits` has the smallest and the largest value by the input's name."""
        for key, (least, most) in limits.items():
            if not least <= getattr(self, key) <= most:
                text = _("{key} must be from {least} to {most}, not {value}")
                value, low, high = (input_text(number) for number in (getattr(self, key), least, most))
                raise LessonError(text.format(key=key, least=low, most=high, value=value))

    def report_to(self, report: Callable[[int, int], None]) -> None:
        """From now on, `report(done, whole)` is called while something takes long."""
        vars(self)["_report"] = report

    def tracked(self, steps: int) -> Iterator[int]:
        """0 … steps − 1, while the progress is reported."""
        for step in range(steps):
            if self._report is not None and step % max(1, steps // 100) == 0:
                self._report(step, steps)
            yield step
        if self._report is not None:
            self._report(steps, steps)

    def value(self, expression: str, others: Mapping[str, Any] | None = None) -> Any:
        """The value of an expression of the lesson's text, such as `weights[0] * 2`."""
        code, names = compiled(expression.strip(), f"<{self.name}>")
        return eval(code, self.values_of(names, others))

    def values_of(self, names: Set[str], others: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The values of the names in some code: `others` first, then those of the lesson, which are computed now."""
        others = others or {}
        return {**{name: getattr(self, name) for name in names - others.keys() if hasattr(type(self), name)}, **others}

    def trace(self, name: str) -> Trace:
        """A trace of the lesson by its name; `turns.0` is the first of several."""
        own, _dot, number = name.partition(".")
        found = getattr(self, own, None) if own.isidentifier() and not own.startswith("_") else None
        if isinstance(found, list) and number.isdecimal() and int(number) < len(found):
            found = found[int(number)]
        if not isinstance(found, Trace):
            raise LessonError(_("{lesson} has no trace {name}", lesson=self.name, name=repr(name)))
        return found

    def name_of(self, trace: Trace) -> str:
        """The name of one of the lesson's traces; "" where it has none."""
        names = (name for name in dir(type(self)) if not name.startswith("_"))
        return next((name for name in names if vars(self).get(name) is trace), "")

    def recorded(self, trace: str, tensor: str, *index: int) -> Any:
        """A number of a trace that knows its place, or lists of all those whose places begin with the index."""
        return recorded(trace, self.trace(trace), tensor, index)

    def exercise(self, name: str, seed: int) -> Exercise:
        """One exercise of the kind `name`, the same for the same seed."""
        return draw(name, self.exercises[name], derive(seed, self.name, name))


def names_in(tree: ast.AST) -> frozenset[str]:
    """The names that some code asks for."""
    return frozenset(
        node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
    )


@cache
def compiled(expression: str, where: str) -> tuple[CodeType, frozenset[str]]:
    """An expression of a text, ready to be computed as often as it is shown, and the names in it."""
    tree = ast.parse(expression, mode="eval")
    return compile(tree, where, "eval"), names_in(tree)


def parse_input(key: str, value: Any, default: Any) -> Any:
    """A value of the type of the default: a text is parsed, any other value is checked."""
    kind = type(default)
    try:
        if kind is tuple:
            parts = value.split(",") if isinstance(value, str) else list(value)
            if len(parts) != len(default):
                raise ValueError
            return tuple(parse_input(key, part, first) for part, first in zip(parts, default, strict=True))
        if kind is bool and isinstance(value, str):
            return {"true": True, "false": False, "1": True, "0": False}[value.strip().lower()]
        made = kind(value)
        if kind is int and not isinstance(value, str) and made != value:
            raise ValueError
        if kind is float and not abs(made) < 1e9:
            raise ValueError
        return made
    except (ValueError, TypeError, KeyError, OverflowError):
        raise LessonError(
            _("{key} can't be {value}: give {wanted}", key=key, value=repr(value), wanted=expected_kind(default))
        ) from None


def expected_kind(default: Any) -> str:
    """The kind of value that an input takes, in words."""
    if isinstance(default, bool):
        return _("true or false")
    if isinstance(default, int):
        return _("a whole number, such as {example}", example=default)
    if isinstance(default, float):
        return _("a number, such as {example}", example=input_text(default))
    if isinstance(default, tuple):
        return _("{count} numbers with commas, such as {example}", count=len(default), example=input_text(default))
    return _("a text")


def input_text(value: Any) -> str:
    """A value as `--set` takes it."""
    if isinstance(value, tuple):
        return ",".join(map(input_text, value))
    return format_float_positional(value, trim="-") if isinstance(value, float) else str(value)
