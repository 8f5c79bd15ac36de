"""The tables of ops in docs/arithmetic.md and docs/trace-file.md, made from `llmtrace.ops.OPS`.

python tools/op_tables.py            write them, each between its marks <!-- table: … --> and <!-- end -->
python tools/op_tables.py --check    write nothing; exit code 1 where one is not up to date
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from llmtrace.ops import OPS, Op  # noqa: E402 - of this checkout
from llmtrace.ops.shapes import KINDS, RANGES, parse  # noqa: E402
from llmtrace.trace.version_1 import RENAMED, SETTINGS  # noqa: E402

PAGES = (ROOT / "docs" / "arithmetic.md", ROOT / "docs" / "trace-file.md")
MARKED = re.compile(r"(?<=<!-- table: )(.+?)( -->\n).*?(?=<!-- end -->)", re.DOTALL)


def cell(text: str) -> str:
    """A text in one cell of a table."""
    return " ".join(text.split()).replace("|", "\\|")


def table(*rows: tuple[str, ...]) -> str:
    """Rows, the first one as the head."""
    head, *body = rows
    lines = [head, ("---",) * len(head), *body]
    return "".join(re.sub(r"\|  (?=\|)", "| ", f"| {' | '.join(line)} |\n") for line in lines)


def family(op: Op) -> str:
    """The folder of an op's file."""
    return op.explain.__module__.split(".")[2]


def definitions(wanted: str) -> str:
    """What the ops of a family are, and in what order they are computed: the docstrings of their meanings."""
    rows = [
        (f"`{op.name}`", f"`{cell(op.formula)}`", cell(op.meaning.__doc__ or ""))
        for op in OPS.values()
        if family(op) == wanted
    ]
    return table(("op", "formula", "computed"), *rows)


def shape(text: str) -> str:
    """The shape in brackets, with the type of whole numbers."""
    parsed = parse(text)
    sizes = (
        *(["\\*"] if parsed.leading else []),
        *(size.partition("≥")[0].replace("·", " · ").replace("+", " + ") for size in parsed.sizes),
    )
    whole = f", `I64`, from 0 to {parsed.below} − 1" if parsed.below else ""
    return f"[{', '.join(sizes)}]{whole}{' or null' if parsed.optional else ''}"


def setting(name: str, text: str) -> str:
    """A setting and what it may be."""
    if text.startswith("turns "):
        return f"`{name}`: whether the axes of {text.removeprefix('turns ')} stand the other way round"
    if text in RANGES:
        return f"`{name}`: {RANGES[text].words}"
    return f"`{name}`" if text in KINDS else f"`{name}`: {text.replace('≥', ' ≥ ') if '≥' in text else text}"


def entries() -> str:
    """How each op stands in a trace file."""
    rows = []
    for op in OPS.values():
        inputs = ", ".join(f"{name} {shape(op.shapes[name])}" for name in op.inputs)
        weights = ", ".join(f"{name} {shape(op.shapes[name])}" for name in op.weights)
        settings = "; ".join(setting(name, text) for name, text in op.shapes.items() if name not in op.tensors)
        rows.append((f"`{op.name}`", inputs, weights, settings, shape(op.out)))
    return table(("op", "inputs", "weights", "settings", "output"), *rows)


def renamed() -> str:
    """What version 1 of the trace format called ops."""
    return table(("op in version 1", "today"), *((f"`{old}`", f"`{new}`") for old, new in sorted(RENAMED.items())))


def settings_renamed() -> str:
    """What it called settings."""
    rows = [(f"`{op}`", f"`{old}`", f"`{new}`") for op, names in SETTINGS.items() for old, new in names.items()]
    return table(("op", "setting in version 1", "today"), *rows)


def made(name: str) -> str:
    """The table of that name."""
    known = {"trace entries": entries, "version 1": renamed, "settings of version 1": settings_renamed}
    return known[name]() if name in known else definitions(name)


def pages() -> Iterator[tuple[Path, str]]:
    """Each page as it should be."""
    for path in PAGES:
        yield path, MARKED.sub(lambda found: f"{found[1]}{found[2]}{made(found[1])}", path.read_text(encoding="utf-8"))


def main(arguments: list[str]) -> int:
    """Writes or checks the pages."""
    stale = [path for path, text in pages() if path.read_text(encoding="utf-8") != text]
    for path in stale:
        told = "is not up to date: python tools/op_tables.py" if arguments == ["--check"] else "is written"
        print(f"{path.relative_to(ROOT)} {told}")
    if arguments == ["--check"]:
        return bool(stale)
    for path, text in pages():
        path.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
