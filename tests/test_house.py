"""The house rules: dependencies point one way, and no file, function or parameter list grows a tail."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "llmtrace"

# Each part may import, at the top of a file, only itself and what stands before it.
ORDER = ["_version", "_sources", "errors", "words", "_kernels", "_bpe", "threads", "chance", "stories"]
ORDER += ["ops", "storage", "tokenizers", "trace", "explain", "models", "weights", "loading", "training"]
ORDER += [
    "__init__",
    "testing",
    "render",
    "lessons",
    "cli",
    "__main__",
]  # __init__: the public names, so that nothing below leans on them
EXTRA = {"render": {"models", "weights", "loading", "testing"}}  # renderers know explanations and traces, not models
# Methods of computing parts that hand themselves to a renderer, or a trace to an explanation, when a user asks for it.
DOORS = {("trace", "explain"), ("trace", "render"), ("explain", "render")}


def part(path):
    relative = path.relative_to(PACKAGE)
    return relative.parts[0].removesuffix(".py")


def imports(tree):
    """(part of llmtrace that is imported, whether inside a function)."""
    inside = {id(node) for f in ast.walk(tree) if isinstance(f, ast.FunctionDef) for node in ast.walk(f)}
    typing_only = {
        id(node)
        for i in ast.walk(tree)
        if isinstance(i, ast.If) and "TYPE_CHECKING" in ast.unparse(i.test)
        for node in ast.walk(i)
    }
    for node in ast.walk(tree):
        if id(node) in typing_only:
            continue
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "llmtrace":
            names = [node.module] if "." in node.module else [f"llmtrace.{alias.name}" for alias in node.names]
            public = "." not in node.module  # a name that is no part is one of llmtrace's own, such as `load`
        elif isinstance(node, ast.Import):
            names = [a.name for a in node.names if a.name.split(".")[0] == "llmtrace"]
            public = False
        else:
            continue
        for name in names:
            second = f"{name}.__init__".split(".")[1]
            yield "__init__" if public and second not in ORDER else second, id(node) in inside


def wrong_imports(importer, tree):
    if importer not in ORDER:
        yield f"{importer} has no place in ORDER"
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.level:
            yield f"{importer}: {ast.unparse(node)} is relative"
    for name, inside in imports(tree):
        if name == importer:
            continue
        if name not in ORDER:
            yield f"{importer} imports {name}, which has no place in ORDER"
            continue
        if inside and (importer, name) in DOORS:
            continue
        if ORDER.index(name) > ORDER.index(importer) or name in EXTRA.get(importer, ()):
            yield f"{importer} imports {name}"


PYTHON = sorted(PACKAGE.rglob("*.py"))


@pytest.mark.parametrize("path", PYTHON, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_dependencies_point_one_way(path):
    assert not list(wrong_imports(part(path), ast.parse(path.read_text())))


@pytest.mark.parametrize(
    ("importer", "line"),
    [
        ("ops", "from llmtrace.trace import Run"),
        ("trace", "import llmtrace.views.guided"),
        ("ops", "def f():\n    from llmtrace.explain import explain"),
        ("render", "from llmtrace.models import GPT"),
        ("ops", "import llmtrace.testing.bounds"),
        ("testing", "from llmtrace.render import renderable"),
        ("trace", "import llmtrace"),
        ("trace", "from llmtrace import load"),
        ("trace", "from . import step"),
        ("trace", "from ..render import renderable"),
        ("trace", "from llmtrace.untold import secret"),
        ("untold", ""),
    ],
)
def test_a_wrong_dependency_is_seen(importer, line):
    assert list(wrong_imports(importer, ast.parse(line)))


def tails(name, text):
    if text.count("\n") > 300:
        yield f"{name} has {text.count(chr(10))} lines"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            a = node.args
            if node.end_lineno - node.lineno + 1 > 60:
                yield f"{name}: {node.name} has {node.end_lineno - node.lineno + 1} lines"
            if len(a.args) + len(a.kwonlyargs) + len(a.posonlyargs) > 8:
                yield f"{name}: {node.name} has more than 8 parameters"


def test_no_tails():
    files = [
        *PYTHON,
        *(ROOT / "benchmarks").rglob("*.py"),
        *(ROOT / "tools").rglob("*.py"),
        *(ROOT / "tests").rglob("*.py"),
    ]
    assert not [tail for path in files for tail in tails(path.name, path.read_text())]
    long = [
        p.name
        for p in (ROOT / "csrc").rglob("*")
        if p.suffix in {".c", ".h", ".pxi", ".pyx"} and len(p.read_text().splitlines()) > 300
    ]
    assert not long


def test_a_tail_is_seen():
    assert list(tails("x", "def f():\n" + "    pass\n" * 61))
    assert list(tails("x", "def f(a, b, c, d, e, f, g, h, i): pass"))
    assert list(tails("x", "\n" * 301))
