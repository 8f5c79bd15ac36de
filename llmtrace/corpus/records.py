"""The folder of a corpus: what was asked for, a journal of what is finished, and the index that is made of it.

    corpus.json       the model, what is kept, and at the end the hash and how many prompts there are
    journal.jsonl     the rows of each finished task, a line for each, on disk before the next one counts
    index.parquet     a row for each prompt, in the order of the prompts; index.jsonl where pyarrow is not installed
    shards/           safetensors files, named by their content

A process that is killed may leave half of the journal's last line, and shards that no row names: the line is not read, its
prompts are run again, and such shards are removed at the end. What is gone or has other content than its name says is no
shard either: the prompts that it was of are run again.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from llmtrace.corpus.work import DONE, FAILED, SHARDS, is_whole
from llmtrace.errors import CorpusError, ModelError
from llmtrace.i18n import _
from llmtrace.storage.files import parse_json, read_json
from llmtrace.storage.replace import refuse, remove_leftovers, write_whole
from llmtrace.text import shown

FORMAT = "llmtrace corpus 1"
PLAN, JOURNAL, LOCK = "corpus.json", "journal.jsonl", "lock"
PARQUET, LINES = "index.parquet", "index.jsonl"

NUMBERS = ("total", "loss", "perplexity")
COLUMNS = ("number", "id", "text_sha256", "model", "tokens", "ids", *NUMBERS, "status", "reason", "shard", "kept")

Row = dict[str, Any]


def corpus_hash(rows: Iterable[Row]) -> str:
    """SHA-256 over a line for each prompt, in the order of their ids: the same whoever ran them, where, and in which order.

    It has the prompt, the model, the tokens, the bits of the losses, what became of it and what was kept; not the words of a
    reason, the shard, or the place in the file.
    """
    lines = sorted(map(_line, rows))
    return hashlib.sha256("".join(lines).encode("utf-8", "surrogatepass")).hexdigest()


def _line(row: Row) -> str:
    ids = hashlib.sha256(" ".join(map(str, row["ids"])).encode()).hexdigest()
    numbers = [_bits(row[name]) for name in NUMBERS]
    parts = [json.dumps(row["id"]), row["text_sha256"], row["model"], ids, *numbers, row["status"], row["kept"]]
    return " ".join(parts) + "\n"


def _bits(number: float | None) -> str:
    return "-" if number is None else float(number).hex()


class Records:
    """What a corpus's folder holds."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._rows: dict[tuple[str, str], Row] = {}
        self._whole: dict[str, bool] = {}

    def begin(self, plan: Mapping[str, Any]) -> None:
        """Begins, or goes on with what was begun in the same way; CorpusError where the folder holds anything else."""
        path = self.folder / PLAN
        if os.path.lexists(path):
            self._expect_same(plan)
            self._read_journal()
            return
        remove_leftovers(path)  # of one that was killed before it had begun
        there = sorted({each.name for each in self.folder.iterdir()} - {LOCK})
        if there:
            text = _("{folder} is not empty and holds no corpus: give another folder")
            raise CorpusError(text.format(folder=shown(self.folder)))
        self.write_plan(plan)

    def _expect_same(self, plan: Mapping[str, Any]) -> None:
        path = self.folder / PLAN
        try:
            begun = read_json(path)
        except ModelError as error:
            raise CorpusError(str(error)) from error
        if not isinstance(begun, dict) or begun.get("format") != FORMAT:
            raise CorpusError(_("{path} is not that of a corpus", path=shown(path)))
        for name, what in (("model", _("model")), ("keep", "--keep"), ("special", "--special")):
            if begun.get(name) != plan[name]:
                text = _("the corpus in {folder} was begun with another {what}: give another folder")
                raise CorpusError(text.format(folder=shown(self.folder), what=what))

    def write_plan(self, plan: Mapping[str, Any]) -> None:
        """Writes what was asked for, and at the end what came of it."""
        content = json.dumps({"format": FORMAT, **plan}, indent=2, ensure_ascii=False)
        write_whole(self.folder / PLAN, [f"{content}\n".encode("utf-8", "backslashreplace")], CorpusError)

    def _read_journal(self) -> None:
        path = self.folder / JOURNAL
        if not path.exists():
            return
        with path.open("rb+") as file:
            whole = 0
            for line in file:
                if line.endswith(b"\n"):
                    whole += len(line)
                    self._take(line)
            file.truncate(whole)  # half a line, left by a kill, must not become the beginning of the next one

    def _take(self, line: bytes) -> None:
        with suppress(ValueError, TypeError, KeyError):  # what can't be read is done again
            rows = parse_json(line, halves=True)["rows"]
            for row in rows:
                _line(row)
                self._rows[row["id"], row["text_sha256"]] = {name: row[name] for name in COLUMNS}

    def add(self, rows: Sequence[Row]) -> None:
        """Notes the rows of a task for good, those that are to be run again apart."""
        finished = [row for row in rows if row["status"] in (DONE, FAILED)]
        self._rows |= {(row["id"], row["text_sha256"]): row for row in rows}
        if not finished:
            return
        try:
            with (self.folder / JOURNAL).open("ab") as file:
                file.write(json.dumps({"rows": finished}).encode() + b"\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            refuse(self.folder / JOURNAL, error, CorpusError)

    def finished(self, name: str, digest: str) -> Row | None:
        """The row of a prompt that needs not be run again: one whose shard is there, and whole."""
        row = self._rows.get((name, digest))
        if row is None or row["status"] not in (DONE, FAILED):
            return None
        return row if not row["shard"] or self._is_whole(row["shard"]) else None

    def _is_whole(self, shard: str) -> bool:
        """Whether a shard has the content that its name says; each is read once."""
        if shard not in self._whole:
            self._whole[shard] = is_whole(self.folder / SHARDS / shard)
        return self._whole[shard]

    def row(self, name: str, digest: str) -> Row:
        """The row of a prompt."""
        return self._rows[name, digest]

    def end(self, rows: Sequence[Row]) -> None:
        """Writes the index, and removes what no row names."""
        named = {row["shard"] for row in (*rows, *self._rows.values())}
        for path in (self.folder / SHARDS).glob("*"):
            if path.name not in named:  # written by a worker that was ended then, whole or half
                path.unlink(missing_ok=True)
        write_index(self.folder, rows)


def write_index(folder: Path, rows: Sequence[Row]) -> None:
    """The index as Parquet, or as a line of JSON for each row where pyarrow is not installed."""
    try:
        import pyarrow  # noqa: F401 - an extra
    except ImportError:
        lines = [json.dumps(row).encode() + b"\n" for row in rows]
        write_whole(folder / LINES, lines, CorpusError)
        (folder / PARQUET).unlink(missing_ok=True)
        return
    write_whole(folder / PARQUET, [_parquet(rows)], CorpusError)
    (folder / LINES).unlink(missing_ok=True)


def _parquet(rows: Sequence[Row]) -> memoryview:
    import pyarrow as pa
    import pyarrow.parquet as pq

    types = {"number": pa.int64(), "tokens": pa.int64(), "ids": pa.list_(pa.int64())}
    types |= dict.fromkeys(NUMBERS, pa.float32())
    columns = {name: pa.array([_cell(row[name]) for row in rows], types.get(name, pa.string())) for name in COLUMNS}
    out = pa.BufferOutputStream()
    pq.write_table(pa.table(columns), out)
    return memoryview(out.getvalue())


def _cell(value: Any) -> Any:
    """A value as Parquet has it: half a character is no text there, and float32 is not rounded again."""
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    return np.float32(value) if isinstance(value, float) else value
