import re
import sys
from pathlib import Path

from helpers import fake_hub
from helpers.cli_run import said
from helpers.small_models import write_folder

import llmtrace

PACKAGE = Path(llmtrace.__file__).parent


def test_it_says_what_and_how_large_and_then_the_name_works(tmp_path, monkeypatch):
    hub = fake_hub.put(monkeypatch, tmp_path / "cache")
    hub.models["own/small"] = write_folder(tmp_path / "m")
    size = sum(path.stat().st_size for path in (tmp_path / "m").iterdir())
    first, last = said("fetch", "own/small").splitlines()
    assert first == f"own/small: 3 files with {size / 1000:.1f} kB, into {tmp_path / 'cache'}"
    assert last == 'It is there: llmtrace trace --model own/small "…"'
    assert said("trace", "CAB", "--model", "own/small").startswith("own/small reads 3 tokens: 'C' 'A' 'B'")


def test_where_something_of_that_name_is_here_its_folder_is_named(tmp_path, monkeypatch):
    hub = fake_hub.put(monkeypatch, tmp_path / "cache")
    hub.models["small"] = write_folder(tmp_path / "m")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "small").mkdir()
    assert f"--model {tmp_path}/cache/models--small/snapshots/{fake_hub.REVISION} " in said("fetch", "small")


def test_errors(tmp_path, monkeypatch):
    fake_hub.put(monkeypatch, tmp_path)
    assert said("fetch", "a/b", code=2) == "Error: the hub has no model 'a/b', or shows it to others only\n"
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    missing = said("fetch", "a/b", code=2)
    assert missing == ('Error: fetching needs huggingface_hub: install it with pip install "llmtrace-exact[hub]"\n')


def test_models_that_need_no_hub():
    for name in ("storyteller", "smollm2"):
        assert said("fetch", name) == f"{name} needs no hub: --model {name} finds it\n"


def test_nothing_else_imports_the_library():
    importing = {
        name: {
            path.name
            for path in PACKAGE.rglob("*.py")
            if re.search(rf"^ *(import|from) {name}\b", path.read_text(), re.M)
        }
        for name in ("huggingface_hub", "llmtrace.weights.fetching")
    }
    assert importing == {"huggingface_hub": {"fetching.py"}, "llmtrace.weights.fetching": {"fetch.py"}}
