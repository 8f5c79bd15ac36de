"""The house rules: dependencies point one way, and no file, function or parameter list grows a tail."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "llmtrace"

# Each part may import, at the top of a file, only itself and what stands before it.
ORDER = ["errors", "words", "_kernels", "_bpe", "ops", "storage", "tokenizers", "trace", "explain", "models", "weights"]
ORDER += ["loading", "render", "cli"]
EXTRA = {"render": {"models", "weights", "loading"}}  # renderers know explanations and traces, not models
ANYWHERE = {"_version", "_sources", "threads"}
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
            names = [node.module.split(".")[1]] if "." in node.module else [alias.name for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [a.name.split(".")[1] for a in node.names if a.name.startswith("llmtrace.")]
        else:
            continue
        for name in names:
            yield name, id(node) in inside


def wrong_imports(importer, tree):
    for name, inside in imports(tree):
        if name in ANYWHERE or name == importer or importer not in ORDER or name not in ORDER:
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
        ("trace", "import llmtrace.render.trace"),
        ("ops", "def f():\n    from llmtrace.explain import explain"),
        ("render", "from llmtrace.models import GPT"),
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
        *(ROOT / "benchmarks").glob("*.py"),
        *(ROOT / "tools").glob("*.py"),
        *(ROOT / "tests").glob("*.py"),
    ]
    assert not [tail for path in files for tail in tails(path.name, path.read_text())]
    long = [
        p.name
        for p in (ROOT / "csrc").iterdir()
        if p.suffix in {".c", ".h", ".pxi", ".pyx"} and len(p.read_text().splitlines()) > 300
    ]
    assert not long


def test_a_tail_is_seen():
    assert list(tails("x", "def f():\n" + "    pass\n" * 61))
    assert list(tails("x", "def f(a, b, c, d, e, f, g, h, i): pass"))
    assert list(tails("x", "\n" * 301))
