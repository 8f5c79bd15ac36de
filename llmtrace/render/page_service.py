"""What a served page asks for: tensors by name and range, explanations by address, and other runs of the model."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Mapping
from functools import cached_property
from http import HTTPStatus
from threading import Lock
from typing import Any

from llmtrace.arithmetic.types import Array
from llmtrace.errors import LlmtraceError
from llmtrace.experiments import recipes
from llmtrace.i18n import _
from llmtrace.render.page_data import facts_of
from llmtrace.render.page_file import first_screen, put_together
from llmtrace.render.page_run import as_page_numbers, expect_page_numbers, explanation_data, run_record
from llmtrace.storage import weights_hash
from llmtrace.trace import Trace

MOST_NUMBERS = 4_000_000
"""So many numbers of a tensor are in one answer."""
MOST_RUNS = 8
"""So many runs are remembered; who asks for an older one is told to load the page again."""


class RefusedError(Exception):
    """What is not answered: the status of HTTP, and why."""

    def __init__(self, status: HTTPStatus, why: str) -> None:
        super().__init__(why)
        self.status = status


class Service:
    """The runs of one model, or one run alone. Nothing that is asked changes anything but which runs are remembered."""

    def __init__(self, trace: Trace, model: Any = None) -> None:
        expect_page_numbers(trace)
        self._first, self._model = trace, model
        self._runs: OrderedDict[str, Trace] = OrderedDict()
        self._count, self._lock = 0, Lock()  # one computation at a time: each takes all threads that it may
        self._tensor: tuple[Trace | None, str, Array | None] = (None, "", None)

    @cached_property
    def _facts(self) -> dict[str, Any]:
        model = self._model
        return facts_of(self._first, None if model is None else model.tokenizer) | {
            "kind": "served",
            "runs": model is not None,
            "weights_hash": weights_hash(self._first.weights) if model is not None else "",
        }

    def page(self, nonce: str) -> bytes:
        """The page, which asks for everything else."""
        with self._lock:
            facts = self._facts | {"run": self._remembered(self._first)}
            return put_together(facts, first_screen(self._first), {}, nonce).encode()

    def tensor(self, asked: Mapping[str, str]) -> bytes:
        """`count` numbers of a tensor from `start` on, in the order of its axes, 4 bytes each, little-endian."""
        with self._lock:
            trace, name = self._trace(asked), asked.get("name", "")
            numbers = self._numbers(trace, name)
        start, count = whole(asked, "start", 0), whole(asked, "count", numbers.size)
        if count > MOST_NUMBERS or start + count > numbers.size:
            why = _("a range of at most {count} numbers within the tensor", count=MOST_NUMBERS)
            raise RefusedError(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, why)
        return as_page_numbers(numbers[start : start + count]).tobytes()

    def _numbers(self, trace: Trace, name: str) -> Array:
        """The numbers of a tensor in one row; those asked for last are kept, as the next piece of them is asked for next."""
        known, called, numbers = self._tensor
        if known is not trace or called != name or numbers is None:
            numbers = trace.tensor(name).reshape(-1)
            self._tensor = (trace, name, numbers)
        return numbers

    def explanation(self, asked: Mapping[str, str]) -> bytes:
        """How one number was made."""
        with self._lock:
            trace = self._trace(asked)
            return as_json(explanation_data(trace.explain(asked.get("address", ""))))

    def run(self, asked: Any) -> bytes:
        """Another run: of a text or of ids, with the edits of a recipe."""
        if self._model is None:
            raise RefusedError(
                HTTPStatus.NOT_FOUND, _("this server shows a trace alone, without a model that could run")
            )
        if not isinstance(asked, dict):
            raise RefusedError(HTTPStatus.BAD_REQUEST, _("what is to be run is a JSON object"))
        prompt = asked.get("ids") or asked.get("text")
        ids = isinstance(prompt, list) and all(isinstance(each, int) for each in prompt)
        if not (ids or isinstance(prompt, str)):
            raise RefusedError(HTTPStatus.BAD_REQUEST, _("give a text, or the ids of its tokens with --ids"))
        with self._lock:
            trace, changes = self._model.trace(prompt), {}
            if edits := asked.get("edits"):
                found = recipes.replayed(trace, edits)
                changes = {name: found.changes.count(name) for name in trace}
                trace = found.after
            expect_page_numbers(trace)
            return as_json(self._remembered(trace) | {"changes": changes, "ids": trace.tensor("tokens").tolist()})

    def _remembered(self, trace: Trace) -> dict[str, Any]:
        """What is said of a run, by whose number more of it can be asked for."""
        known = next((identity for identity, other in self._runs.items() if other is trace), None)
        if known is None:
            self._count += 1
            known = str(self._count)
            self._runs[known] = trace
            while len(self._runs) > MOST_RUNS:
                self._runs.popitem(last=False)
        return run_record(trace, known)

    def _trace(self, asked: Mapping[str, str]) -> Trace:
        found = self._runs.get(asked.get("run", ""))
        if found is None:
            raise RefusedError(HTTPStatus.GONE, _("this run is no longer remembered: load the page again"))
        self._runs.move_to_end(asked["run"])
        return found


def answered(service: Service, path: str, asked: Any) -> tuple[bytes, str]:
    """The answer to what is asked at a path, and its type; what is wrong with it is RefusedError."""
    try:
        if path == "tensor":
            return service.tensor(asked), "application/octet-stream"
        return (service.explanation(asked) if path == "explanation" else service.run(asked)), "application/json"
    except LookupError as error:
        raise RefusedError(HTTPStatus.NOT_FOUND, str(error)) from error
    except (LlmtraceError, ValueError) as error:
        raise RefusedError(HTTPStatus.UNPROCESSABLE_ENTITY, str(error)) from error


def whole(asked: Mapping[str, str], name: str, usual: int) -> int:
    """A whole number from 0 that was asked with."""
    text = asked.get(name, str(usual))
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise RefusedError(HTTPStatus.BAD_REQUEST, _("{name} must be a whole number from 0 on", name=name))
    return int(text)


def as_json(facts: Any) -> bytes:
    """JSON without numbers that it can't write."""
    return json.dumps(facts, separators=(",", ":"), allow_nan=False).encode()
