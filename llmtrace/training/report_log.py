"""What a training has reported: a line of JSON for each report, of which a kill may have left half of the last one."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from llmtrace.errors import ModelError, TrainingError
from llmtrace.i18n import _
from llmtrace.storage.files import parse_json, read_text
from llmtrace.text import shown

LARGEST = 1 << 30
MOST = sys.float_info.max


def read_log(path: Path) -> list[dict[str, Any]]:
    """The reports in a file, each with a step, a loss, and a validation loss or null; TrainingError names a line that is none."""
    if not path.exists():
        return []
    try:
        lines = read_text(path, LARGEST).splitlines()
    except ModelError as error:
        raise TrainingError(str(error)) from error
    found: list[dict[str, Any]] = []
    for number, line in enumerate(lines, 1):
        try:
            entry = parse_json(line.encode())
        except ValueError as error:
            if number == len(lines) and not line.endswith("}"):
                break
            raise _not_read(path, number, error) from error
        if not _is_report(entry):
            raise _not_read(path, number, _("it is not a report"))
        found.append(entry)
    return found


def _is_report(entry: Any) -> bool:
    if not isinstance(entry, dict) or type(entry.get("step")) is not int or entry["step"] > MOST:
        return False
    losses = [entry.get("loss"), entry.get("validation", ...)]
    return all(_is_number(loss) for loss in losses if loss is not None) and losses[0] is not None


def _is_number(value: Any) -> bool:
    return type(value) in {int, float} and -MOST <= value <= MOST


def _not_read(path: Path, number: int, why: object) -> TrainingError:
    return TrainingError(
        _("{path} can't be read: {why}", path=shown(path), why=_("line {number}: {why}", number=number, why=shown(why)))
    )
