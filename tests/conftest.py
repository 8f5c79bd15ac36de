"""What several tests need."""

import gc
import os
import signal
import sys
from pathlib import Path

if "no:cacheprovider" not in sys.argv:  # which asks to keep nothing, as where sources change from run to run
    # What is compiled is kept for the processes that tests start and for the next run, from the next import on: of Hypothesis
    # alone, pytest compiles a hundred modules in every process.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.dont_write_bytecode = False

import pytest
from _pytest.runner import runtestprotocol
from helpers.fresh import QUICK, SEED, THOROUGH
from hypothesis import core, settings
from hypothesis.internal.conjecture import providers

GOLDEN = Path(__file__).parents[2] / "shared" / "golden"

os.environ["LLMTRACE_LANG"] = "en"  # tests read what llmtrace says
os.environ.update(COLUMNS="80", LINES="24")  # whatever terminal the tests are started on
os.environ.pop("NO_COLOR", None)
# NumPy starts threads for matrices that nothing here is large enough for: a third of the start of a process.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

# Only a power cut takes back what is written; to wait for the disk takes longer than most tests.
os.fsync = lambda handle: None

# What a shell starts in the background does not hear Ctrl-C, nor do the processes that it starts; these tests press it.
signal.signal(signal.SIGINT, signal.default_int_handler)

COMMON = settings(deadline=None, derandomize=not SEED, database=None, print_blob=bool(SEED))
settings.register_profile("llmtrace", COMMON, max_examples=QUICK)
settings.register_profile("thorough", COMMON, max_examples=THOROUGH)
settings.load_profile("llmtrace")  # --hypothesis-profile loads the other one afterwards
# Hypothesis would look for constants in every module that is imported: it takes seconds, and the order of files would decide
# which examples are tried.
providers.is_local_module_file = lambda path: False
if SEED:
    core.global_force_seed = SEED  # what --hypothesis-seed sets, for everything that reads the variable


def pytest_collection_finish():
    """Python's search for circles of references is seldom, and leaves out all that is there to stay: modules and the tests."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """A file of tests is run by one worker, and all lessons by one: each is computed once."""
    if config.getvalue("dist") != "loadfile":
        return None
    from xdist.scheduler import LoadFileScheduling

    class TogetherScheduling(LoadFileScheduling):
        def _split_scope(self, nodeid):
            file = super()._split_scope(nodeid)
            return "tests/lessons" if file.startswith("tests/lessons/") else file

    return TogetherScheduling(config, log)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item, nextitem):
    """A worker says one thing of a test: six messages cost more than most tests. How long each part took is told who asks."""
    option = item.config.option
    if not hasattr(item.config, "workerinput") or option.xmlpath or option.durations is not None:
        return None
    for report in runtestprotocol(item, log=False, nextitem=nextitem):
        if report.when == "call" or not report.passed:
            item.ihook.pytest_runtest_logreport(report=report)
    return True


@pytest.fixture(scope="session")
def golden() -> Path:
    """Weights and activations made by others, beside the checkout; a test that needs them is skipped where they are absent."""
    if not GOLDEN.is_dir():
        pytest.skip(f"needs the data of others in {GOLDEN.parent.name}/{GOLDEN.name} beside the checkout")
    return GOLDEN


@pytest.fixture(scope="session")
def chromium():
    """One browser for all tests of a worker; each opens its pages in a context of its own."""
    from helpers.browser import chromium

    with chromium() as browser:
        yield browser


@pytest.fixture(scope="session")
def collected():
    """Every text of the package: what takes long, and is the same for every state of the translations."""
    import catalogue

    return catalogue.template()


@pytest.fixture(scope="session")
def locale(tmp_path_factory, collected) -> Path:
    """A folder with two languages that nobody speaks: every text stands between brackets."""
    from helpers.pseudo import written

    folder = tmp_path_factory.mktemp("locale")
    written(collected, folder, "la", lambda text: f"⟦{text}⟧")
    written(collected, folder, "zh", lambda text: f"【{text}】")
    return folder


@pytest.fixture
def bracketed(locale, monkeypatch):
    """llmtrace speaks the first of them."""
    monkeypatch.setattr("llmtrace.i18n.LOCALE", locale)
    monkeypatch.setenv("LLMTRACE_LANG", "la")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup():
    """Whatever language a test spoke, and whether in plain sentences, the next one begins as the environment asks for."""
    from llmtrace import i18n
    from llmtrace.display import speak_plainly

    i18n.use(None)
    speak_plainly(None)


@pytest.fixture
def own_state(tmp_path, monkeypatch):
    """Prompts are remembered in a folder of the test's own."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
