"""What a command imports before it has done its work: a start that is slow, is slow each time."""

import gc
import json
import re
import subprocess
import sys
from functools import cache

import pytest

import llmtrace
from llmtrace.garbage import no_collections

PROMPT = "The king had a child, a girl."
TRACE = ("trace", PROMPT)
EXPLAIN = ("explain", 'logits[-1, " her"]', "--prompt", PROMPT)

NOTHING = {"llmtrace", "_kernels", "_sources", "_version", "cli", "display", "encodings", "environment", "errors"}
NOTHING |= {"frozen", "garbage", "i18n", "interrupts", "lazy", "text"}
"""What `--version` may import of ours."""
RUN = NOTHING | {"_bpe", "arithmetic", "explain", "loading", "models", "ops", "pickling", "render", "rng", "storage"}
RUN |= {"tokenizers", "trace", "views", "weights"}
"""The rooms of what runs a model and shows it: neither lessons, nor training, nor experiments."""
OTHERS = {"numpy", "click", "rich", "regex"}
"""The libraries that a start may wait for."""
MEDIA = {"dot", "html", "json", "latex", "markdown", "page", "png", "svg"}
"""Of rendering: what writes files."""
UNUSED = {"hashlib", "lzma", "secrets", "shutil", "subprocess", "tempfile"}
"""Of Python's own library: what a run that is shown does not use, and takes milliseconds to import."""
MANY = re.compile(r"[^\x00-\xff]-[^\x00-\xff]|\\[uU][0-9a-fA-F]{4,}-")
"""A range of characters of which `re` makes a table of all 65536, in milliseconds."""

ASKED = """
import json, re, sys
before = set(sys.modules)
sys.argv = ["llmtrace", *sys.argv[1:]]
try:
    from llmtrace.cli import main
    main()
except SystemExit as stop:
    assert not stop.code, stop.code
found = sorted(set(sys.modules) - before)
ours = [vars(sys.modules[name]).values() for name in found if name.startswith("llmtrace")]
patterns = {value.pattern for values in ours for value in values if isinstance(value, re.Pattern)}
print("\\n" + json.dumps([found, sorted(pattern for pattern in patterns if isinstance(pattern, str))]))
"""


@cache
def imported(*arguments):
    """The names of the modules that a command imports, and the patterns that ours have compiled by then."""
    done = subprocess.run([sys.executable, "-c", ASKED, *arguments], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found, patterns = json.loads(done.stdout.splitlines()[-1])
    return found, patterns


@pytest.mark.parametrize(
    ("arguments", "rooms", "most"), [(("--version",), NOTHING, 15), (TRACE, RUN, 210), (EXPLAIN, RUN, 195)]
)
def test_a_command_imports_what_it_needs(arguments, rooms, most):
    found, patterns = imported(*arguments)
    ours = [name for name in found if name.split(".")[0] == "llmtrace"]
    assert {name.split(".")[1] for name in ours if "." in name} <= rooms
    assert len(ours) <= most
    foreign = {name.split(".")[0] for name in found} - sys.stdlib_module_names - {"llmtrace"}
    assert {name for name in foreign if not name.startswith(("_", "cython_runtime"))} <= OTHERS
    assert not {name.split(".")[2] for name in ours if name.startswith("llmtrace.render.")} & MEDIA
    assert not UNUSED & set(found)
    assert not any(name.startswith("llmtrace.ops.optimisers") for name in found)
    assert patterns
    assert not [pattern for pattern in patterns if MANY.search(pattern)]
    assert not any(
        name.startswith(("rich.markdown", "rich.progress", "rich.syntax", "numpy.testing")) for name in found
    )


def test_only_help_is_laid_out_by_rich_click():
    assert "rich_click" in imported("trace", "--help")[0]
    assert "rich_click" not in imported(*TRACE)[0]


@pytest.mark.parametrize("before", [True, False])
def test_the_search_for_circles_goes_on_afterwards(before):
    was = gc.isenabled()
    try:
        (gc.enable if before else gc.disable)()
        with no_collections():
            assert not gc.isenabled()
        assert gc.isenabled() == before
    finally:
        (gc.enable if was else gc.disable)()


def test_a_run_makes_no_circles():
    model = llmtrace.load()
    model.trace(PROMPT)
    gc.collect()
    with no_collections():
        list(model.generate(PROMPT, 3))
        model.trace(PROMPT)
    assert gc.collect() == 0
