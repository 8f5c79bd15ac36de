"""The house rules: dependencies point one way, no two files import each other, and nothing grows a tail."""

import ast
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest
from catalogue import nodes_of

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "llmtrace"

# Each room may import only itself and what stands before it: under TYPE_CHECKING and inside functions, too.
ORDER = [
    "_version",
    "_sources",
    "_kernels",
    "_bpe",
    "display",
    "text",
    "encodings",
    "lazy",
    "frozen",
    "garbage",
    "interrupts",
    "i18n",
    "environment",
    "errors",
    "near",
    "threads",
    "rng",
    "pickling",
]
ORDER += ["arithmetic", "ops", "storage", "trace", "tokenizers", "explain", "models", "weights", "loading", "training"]
ORDER += ["experiments", "corpus", "__init__", "testing", "views", "render", "lessons", "cli", "__main__"]
EXTRA = {
    room: {"models", "weights", "loading", "training", "testing"} for room in ("views", "render")
}  # they know traces and explanations, not who makes them
NO_RICH = {"views", "explain", "trace", "ops", "arithmetic", "models", "weights", "training", "tokenizers", "storage"}


UNFINISHED: set[str] = set()


def room(name):
    """The room of a module: `ops` of `llmtrace.ops.linear.linear`."""
    pieces = name.split(".")
    return pieces[1] if len(pieces) > 1 else "__init__"


def module_of(path):
    pieces = ["llmtrace", *path.relative_to(PACKAGE).with_suffix("").parts]
    return ".".join(pieces[:-1] if pieces[-1] == "__init__" else pieces)


PYTHON = sorted(PACKAGE.rglob("*.py"))
MODULES = {module_of(path): path for path in PYTHON} | {"llmtrace._kernels": None, "llmtrace._bpe": None}


def imported(nodes):
    """Every module of llmtrace that a file imports, wherever in it. A name from a package is the package's module or itself."""
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.split(".")[0] == "llmtrace")
        elif isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "llmtrace":
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                yield full if full in MODULES else node.module


def wrong_imports(importer, nodes):
    own = room(importer)
    if own in UNFINISHED:
        return
    if own not in ORDER:
        yield f"{own} has no place in ORDER"
        return
    for node in nodes:
        if isinstance(node, ast.ImportFrom) and node.level:
            yield f"{importer}: {ast.unparse(node)} is relative"
        if own in NO_RICH and isinstance(node, ast.Import | ast.ImportFrom):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names]
            if any(name.split(".")[0] in {"rich", "click", "rich_click"} for name in names):
                yield f"{importer} imports a renderer: {ast.unparse(node)}"
    for name in imported(nodes):
        if room(name) not in ORDER:
            yield f"{importer} imports {name}, which has no place in ORDER"
        elif room(name) != own and ORDER.index(room(name)) > ORDER.index(own):
            yield f"{importer} imports {name}, which stands above it"
        elif room(name) in EXTRA.get(own, ()):
            yield f"{importer} imports {name}"


def doors(nodes):
    """Imports by name, which `imported` can't see."""
    for node in nodes:
        called = getattr(node.func, "attr", getattr(node.func, "id", "")) if isinstance(node, ast.Call) else ""
        if called in {"import_module", "__import__"}:
            yield ast.unparse(node)


LOOKED_AT = (ast.Import, ast.ImportFrom, ast.Call, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Starred)
"""What the rules of this file are about."""


class Found(NamedTuple):
    """What the rules of this file find in another."""

    wrong: list[str]
    imported: set[str]
    doors: list[str]
    ops: set[str]
    tails: list[str]
    packed: list[str]
    slow: list[str]


@cache
def found_in(path):
    """Each file is taken apart once, and its tree is not kept."""
    text = path.read_text()
    nodes = [node for node in nodes_of(text) if isinstance(node, LOOKED_AT)]
    ours = path.is_relative_to(PACKAGE)
    return Found(
        list(wrong_imports(module_of(path), nodes)) if ours else [],
        set(imported(nodes)),
        list(doors(nodes)),
        set(from_ops(nodes)),
        list(tails(path.name, text, nodes)),
        list(packed(path.name, nodes)),
        list(slow_frozen(nodes)),
    )


def test_dependencies_point_one_way():
    assert not [wrong for path in PYTHON for wrong in found_in(path).wrong]


@pytest.mark.parametrize(
    ("importer", "line"),
    [
        ("llmtrace.ops.x", "from llmtrace.trace import Run"),
        ("llmtrace.ops.x", "if TYPE_CHECKING:\n    from llmtrace.trace import Run"),
        ("llmtrace.trace.x", "import llmtrace.render.terminal"),
        ("llmtrace.ops.x", "def f():\n    from llmtrace.explain import explain"),
        ("llmtrace.render.x", "from llmtrace.models import GPT"),
        ("llmtrace.ops.x", "import llmtrace.testing.bounds"),
        ("llmtrace.testing.x", "from llmtrace.render import renderable"),
        ("llmtrace.trace.x", "import llmtrace"),
        ("llmtrace.trace.x", "from llmtrace import load"),
        ("llmtrace.trace.x", "from . import step"),
        ("llmtrace.trace.x", "from ..render import renderable"),
        ("llmtrace.trace.x", "from llmtrace.untold import secret"),
        ("llmtrace.untold.x", ""),
        ("llmtrace.trace.x", "from rich.text import Text"),
        ("llmtrace.trace.x", "def f():\n    import rich"),
    ],
)
def test_a_wrong_dependency_is_seen(importer, line):
    assert list(wrong_imports(importer, nodes_of(line)))


# ---- circles ---------------------------------------------------------------------------------------------------------


def circles(imports):
    """The groups of files that reach each other by their imports, largest first (Tarjan 1972)."""
    order, low, stack, found = {}, {}, [], []

    def visit(name):
        order[name] = low[name] = len(order)
        stack.append(name)
        for other in imports[name]:
            if other not in order:
                visit(other)
                low[name] = min(low[name], low[other])
            elif other in stack:
                low[name] = min(low[name], order[other])
        if low[name] == order[name]:
            group = [stack.pop()]
            while group[-1] != name:
                group.append(stack.pop())
            found.append(sorted(group))

    for name in imports:
        if name not in order:
            visit(name)
    return sorted((group for group in found if len(group) > 1), key=len, reverse=True)


def test_no_two_files_import_each_other():
    imports = {name: found_in(path).imported - {name} for name, path in MODULES.items() if path}
    assert not circles({name: others & set(imports) for name, others in imports.items()})


def test_a_circle_is_seen():
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == [["b", "c"]]
    assert not circles({"a": {"b", "c"}, "b": {"c"}, "c": set()})


OF_OPS = {"OPS", "Op", "Tensor", "Weight", "by_name"}
"""What `llmtrace.ops` is imported for. An op is imported from its file, so that the list of all of them is written once."""


def from_ops(nodes):
    """What a file imports from the list of all ops."""
    for node in nodes:
        if isinstance(node, ast.ImportFrom) and node.module == "llmtrace.ops":
            yield from (alias.name for alias in node.names)


def test_an_op_is_imported_from_its_file():
    for path in [*PYTHON, *(ROOT / "tests").rglob("*.py")]:
        assert found_in(path).ops <= OF_OPS, path
    assert list(from_ops(nodes_of("def f():\n    from llmtrace.ops import OPS, linear"))) == ["OPS", "linear"]


DOORS = {
    "llmtrace.lazy",
    "llmtrace.display",
    "llmtrace.cli",
    "llmtrace.lessons",
    "llmtrace.render",
    "llmtrace.views.catalog",
}
"""Where modules are imported by name: the public names, the one door upward, and lists of commands, lessons, media and views."""


def test_there_is_one_door_upward():
    assert {module_of(path) for path in PYTHON if found_in(path).doors} <= DOORS
    assert list(doors(nodes_of("importlib.import_module('llmtrace.render')")))


# ---- tails -----------------------------------------------------------------------------------------------------------


LONG = 400
"""The lines that no file may have. From 300 on, look where the idea ends."""


def tails(name, text, nodes):
    if text.count("\n") > LONG:
        yield f"{name} has {text.count(chr(10))} lines"
    for node in nodes:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            a = node.args
            if node.end_lineno - node.lineno + 1 > 60:
                yield f"{name}: {node.name} has {node.end_lineno - node.lineno + 1} lines"
            if len(a.args) + len(a.kwonlyargs) + len(a.posonlyargs) > 8:
                yield f"{name}: {node.name} has more than 8 parameters"


def packed(name, nodes):
    """Displays that are unpacked into another only to keep several values in a line."""
    for node in nodes:
        if isinstance(node, ast.Starred) and isinstance(node.value, ast.Tuple | ast.List):
            yield f"{name}:{node.lineno}: {ast.unparse(node)}"


def scripts():
    return [path for folder in ("benchmarks", "tools", "tests") for path in (ROOT / folder).rglob("*.py")]


def test_no_tails():
    assert not [tail for path in [*PYTHON, *scripts()] for tail in found_in(path).tails]
    compiled = [p for p in (ROOT / "csrc").rglob("*") if p.suffix in {".c", ".h", ".pxi", ".pyx"}]
    compiled += [*PACKAGE.rglob("*.js"), *(ROOT / "tests").rglob("*.mjs")]
    assert not [p.name for p in compiled if len(p.read_text().splitlines()) > LONG]


def test_nothing_is_packed_to_please_the_formatter():
    rooms = [path for path in PYTHON if room(module_of(path)) not in {"ops", "views"}]  # to be mended there
    assert not [line for path in rooms for line in found_in(path).packed]


@pytest.mark.parametrize(
    "text", ["def f():\n" + "    pass\n" * 61, "def f(a, b, c, d, e, f, g, h, i): pass", "\n" * (LONG + 1)]
)
def test_a_tail_is_seen(text):
    assert list(tails("x", text, nodes_of(text)))


def test_what_is_packed_is_seen():
    assert list(packed("x", nodes_of("f(*(1, 2), *[3])")))


def slow_frozen(nodes):
    """Frozen dataclasses that `llmtrace.frozen` would make sooner."""
    for node in nodes:
        if isinstance(node, ast.ClassDef) and "dataclass(frozen=True)" in map(ast.unparse, node.decorator_list):
            yield node.name


def test_a_frozen_dataclass_is_made_soon():
    assert not [f"{module_of(path)}.{name}" for path in PYTHON for name in found_in(path).slow]
    assert list(slow_frozen(nodes_of("@dataclass(frozen=True)\nclass A: pass")))
