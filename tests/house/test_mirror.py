"""The tests mirror the package: each room has a folder, each file says by its name what it tests."""

import ast
from pathlib import Path

import pytest
from catalogue import nodes_of

ROOT = Path(__file__).parents[2]
TESTS = ROOT / "tests"
FILES = sorted(TESTS.rglob("test_*.py"))

ROOMS = {path.name: path for path in (ROOT / "llmtrace").iterdir() if (path / "__init__.py").exists()}
ROOMS |= {"csrc": ROOT / "csrc", "tools": ROOT / "tools"}
OF_ALL = {"contract": "what every op keeps, by llmtrace.testing", "house": "the package as a whole"}
SHARED = {"helpers", "mutants", "data"}

# Tests that are not of one module.
ACROSS = {
    "cli": {"commands", "doors", "inert", "network", "plain", "wide", "words"},
    "csrc": {"adding", "determinism", "headers", "series"},
    "explain": {"training_step"},
    "lessons": {"lessons", "traces"},
    "models": {"sampling"},
    "ops": {"backward", "forward"},
    "render": {"encodings", "inert", "media", "standalone", "widths"},
    "trace": {"forged", "models_of_traces", "plain_reader"},
    "training": {"damaged", "mutants", "training"},
    "weights": {"damaged", "hostile", "refused"},
}

# Modules that stand in no room, and where they are tested.
ALONE = {
    "_sources": "house/test_package.py",
    "display": "house/test_imports.py",
    "encodings": "render/test_encodings.py",
    "environment": "cli/test_doors.py",
    "errors": "house/test_text.py",
    "i18n": "tools/test_catalogue.py",
    "interrupts": "cli/test_doors.py",
    "loading": "weights/test_refused.py",
    "frozen": "house/test_frozen.py",
    "near": "house/test_near.py",
    "garbage": "house/test_start.py",
    "lazy": "house/test_lazy.py",
    "pickling": "house/test_pickling.py",
    "rng": "ops/test_elementwise.py",
    "text": "house/test_text.py",
    "threads": "csrc/test_pool.py",
}


def modules(room):
    """The names of the modules and folders of a room, as deep as it goes."""
    return {
        path.stem
        for path in room.rglob("*")
        if path.suffix in {".py", ".h", ".c", ".pyx", ".pxi", ".js"} or path.is_dir()
    }


def named(file, rooms=ROOMS):
    """Whether a test file has a place, and says by its name which module of its room it tests, or which part of what one does."""
    room, *folders = file.relative_to(TESTS).parent.parts or ("",)
    name = file.stem.removeprefix("test_")
    known = modules(rooms[room]) if room in rooms else set()
    if room not in {*rooms, *OF_ALL} or not known >= set(folders):
        return False
    return room in OF_ALL or name in ACROSS.get(room, ()) or any(f"{name}_".startswith(f"{each}_") for each in known)


def test_a_file_says_what_it_tests():
    assert not [file for file in FILES if not named(file)]


def test_every_room_has_a_folder():
    folders = {path.name for path in TESTS.iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert folders - SHARED - set(OF_ALL) == {*ROOMS} - {"testing"}  # which the contract tests, by using it


def test_what_stands_in_no_room_has_a_test():
    alone = {path.stem for path in (ROOT / "llmtrace").glob("*.py")}
    assert alone - {"__init__", "__main__", "_version"} == set(ALONE)
    for file in ALONE.values():
        assert (TESTS / file).exists(), file


def test_the_exceptions_are_there():
    for room, names in ACROSS.items():
        for name in names:
            assert (TESTS / room / f"test_{name}.py").exists(), (room, name)


def test_a_file_without_a_place_is_seen():
    for name in ("test_it.py", "somewhere/test_it.py", "trace/test_it.py", "trace/old/test_step.py"):
        assert not named(TESTS / name), name
    for name in ("trace/test_step.py", "trace/test_step_of_a_training.py", "house/test_it.py", "csrc/test_matmul.py"):
        assert named(TESTS / name), name


# ---- what tests share ------------------------------------------------------------------------------------------------


def wrong(text, shared):
    """Imports of one test by another, edits of sys.path, and tests where nobody looks for them."""
    for node in nodes_of(text):
        names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        names += [alias.name for alias in node.names] if isinstance(node, ast.Import | ast.ImportFrom) else []
        yield from (f"imports {name}" for name in names if name.rpartition(".")[2].startswith("test_"))
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Attribute(value=ast.Name("sys"), attr="path"))):
                yield ast.unparse(node)
        if isinstance(node, ast.FunctionDef) and shared and node.name.startswith("test_"):
            yield f"{node.name} is never run"


def test_what_is_shared_stands_in_helpers():
    for file in sorted(TESTS.rglob("*.py")):
        assert not list(wrong(file.read_text(encoding="utf-8"), file not in FILES)), file


@pytest.mark.parametrize(
    "line",
    [
        "from test_x import y",
        "from cli.test_x import y",
        "from cli import test_x",
        "import test_x",
        "sys.path.append(1)",
    ],
)
def test_what_is_shared_otherwise_is_seen(line):
    assert list(wrong(line, False))
    assert list(wrong("def test_x(): pass", True))
