"""The house rules: dependencies point one way, no two files import each other, and nothing grows a tail."""

import ast
from functools import cache
from pathlib import Path

import pytest

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


def imported(tree):
    """Every module of llmtrace that a file imports, wherever in it. A name from a package is the package's module or itself."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.split(".")[0] == "llmtrace")
        elif isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "llmtrace":
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                yield full if full in MODULES else node.module


def wrong_imports(importer, tree):
    own = room(importer)
    if own in UNFINISHED:
        return
    if own not in ORDER:
        yield f"{own} has no place in ORDER"
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.level:
            yield f"{importer}: {ast.unparse(node)} is relative"
        if own in NO_RICH and isinstance(node, ast.Import | ast.ImportFrom):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names]
            if any(name.split(".")[0] in {"rich", "click", "rich_click"} for name in names):
                yield f"{importer} imports a renderer: {ast.unparse(node)}"
    for name in imported(tree):
        if room(name) not in ORDER:
            yield f"{importer} imports {name}, which has no place in ORDER"
        elif room(name) != own and ORDER.index(room(name)) > ORDER.index(own):
            yield f"{importer} imports {name}, which stands above it"
        elif room(name) in EXTRA.get(own, ()):
            yield f"{importer} imports {name}"


def doors(tree):
    """Imports by name, which `imported` can't see."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in {"import_module", "__import__"}:
            yield ast.unparse(node)


@cache
def tree_of(path):
    return ast.parse(path.read_text())


def test_dependencies_point_one_way():
    assert not [wrong for path in PYTHON for wrong in wrong_imports(module_of(path), tree_of(path))]


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
    assert list(wrong_imports(importer, ast.parse(line)))


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
    imports = {name: set(imported(tree_of(path))) - {name} for name, path in MODULES.items() if path}
    assert not circles({name: others & set(imports) for name, others in imports.items()})


def test_a_circle_is_seen():
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == [["b", "c"]]
    assert not circles({"a": {"b", "c"}, "b": {"c"}, "c": set()})


OF_OPS = {"OPS", "Op", "Tensor", "Weight", "by_name"}
"""What `llmtrace.ops` is imported for. An op is imported from its file, so that the list of all of them is written once."""


def test_an_op_is_imported_from_its_file():
    for path in [*PYTHON, *(ROOT / "tests").rglob("*.py")]:
        names = [
            alias.name
            for node in ast.walk(tree_of(path))
            if isinstance(node, ast.ImportFrom) and node.module == "llmtrace.ops"
            for alias in node.names
        ]
        assert set(names) <= OF_OPS, path


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
    assert {module_of(path) for path in PYTHON if list(doors(tree_of(path)))} <= DOORS
    assert list(doors(ast.parse("importlib.import_module('llmtrace.render')")))


# ---- tails -----------------------------------------------------------------------------------------------------------


LONG = 400
"""The lines that no file may have. From 300 on, look where the idea ends."""


def tails(name, text):
    if text.count("\n") > LONG:
        yield f"{name} has {text.count(chr(10))} lines"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            a = node.args
            if node.end_lineno - node.lineno + 1 > 60:
                yield f"{name}: {node.name} has {node.end_lineno - node.lineno + 1} lines"
            if len(a.args) + len(a.kwonlyargs) + len(a.posonlyargs) > 8:
                yield f"{name}: {node.name} has more than 8 parameters"


def packed(name, text):
    """Displays that are unpacked into another only to keep several values in a line."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Starred) and isinstance(node.value, ast.Tuple | ast.List):
            yield f"{name}:{node.lineno}: {ast.unparse(node)}"


def scripts():
    return [path for folder in ("benchmarks", "tools", "tests") for path in (ROOT / folder).rglob("*.py")]


def test_no_tails():
    assert not [tail for path in [*PYTHON, *scripts()] for tail in tails(path.name, path.read_text())]
    compiled = [p for p in (ROOT / "csrc").rglob("*") if p.suffix in {".c", ".h", ".pxi", ".pyx"}]
    compiled += [*PACKAGE.rglob("*.js"), *(ROOT / "tests").rglob("*.mjs")]
    assert not [p.name for p in compiled if len(p.read_text().splitlines()) > LONG]


def test_nothing_is_packed_to_please_the_formatter():
    rooms = [path for path in PYTHON if room(module_of(path)) not in {"ops", "views"}]  # to be mended there
    assert not [line for path in rooms for line in packed(path.name, path.read_text())]


def test_a_tail_is_seen():
    assert list(tails("x", "def f():\n" + "    pass\n" * 61))
    assert list(tails("x", "def f(a, b, c, d, e, f, g, h, i): pass"))
    assert list(tails("x", "\n" * (LONG + 1)))
    assert list(packed("x", "f(*(1, 2), *[3])"))


def slow_frozen(tree):
    """Frozen dataclasses that `llmtrace.frozen` would make sooner."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef) and "dataclass(frozen=True)" in map(ast.unparse, node.decorator_list):
            yield node.name


def test_a_frozen_dataclass_is_made_soon():
    assert not [f"{module_of(path)}.{name}" for path in PYTHON for name in slow_frozen(tree_of(path))]
    assert list(slow_frozen(ast.parse("@dataclass(frozen=True)\nclass A: pass")))
