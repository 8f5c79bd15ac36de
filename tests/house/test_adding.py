"""What it takes to add something: new files, and at most one line in a file that is there. Each is added to a copy and used."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
COMPILER = os.environ.get("CC") or shutil.which("cc")


COMMANDS = """
import json, sys
from click.testing import CliRunner
from llmtrace.cli import main
done = [CliRunner().invoke(main, command) for command in json.loads(sys.argv[1])]
assert not any(each.exit_code for each in done), [each.output for each in done]
print(json.dumps([each.stdout for each in done]))
"""


class Copy:
    """A copy of the package, in which files are made, and lines added; nothing else can be done to it."""

    def __init__(self, folder):
        self.folder = folder
        self.lines = 0
        shutil.copytree(ROOT / "llmtrace", folder / "llmtrace")

    def new(self, name, text):
        """A new file."""
        path = self.folder / name
        assert not path.exists()
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def line(self, name, after, line):
        """One more line in a file, after the first one that ends so."""
        path = self.folder / name
        lines = path.read_text().split("\n")
        place = next(n for n, each in enumerate(lines) if each.endswith(after))
        lines.insert(place + 1, line)
        path.write_text("\n".join(lines))
        self.lines += 1

    def build(self):
        """Compiles the copy's kernels, for any processor and without optimisation, which takes seconds."""
        environment = os.environ | {"CFLAGS": "-O0", "LLMTRACE_BUILD_MACHINE": "any"}
        command = [sys.executable, "setup.py", "-q", "build_ext", "--build-lib", "."]  # what is up to date there stays
        done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=self.folder, timeout=240)
        assert done.returncode == 0, done.stderr[-3000:]

    def run(self, code, *arguments):
        """What a program prints that uses the copy."""
        environment = os.environ | {"PYTHONPATH": str(self.folder), "LLMTRACE_MODEL": "tiny", "HOME": str(self.folder)}
        command = [sys.executable, "-c", code, *arguments]
        done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=self.folder, timeout=240)
        assert done.returncode == 0, done.stderr[-3000:]
        return done.stdout

    def commands(self, *commands):
        """What each of these commands of the copy prints, all in one process."""
        return json.loads(self.run(COMMANDS, json.dumps(commands)))


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    """One copy for everything that is added, with what Python has compiled; the rest it compiles once."""
    return Copy(tmp_path_factory.mktemp("adding"))


@pytest.fixture
def copy(package):
    package.lines = 0
    return package


def test_a_lesson_is_a_folder(copy):
    folder = "llmtrace/lessons/counting"
    copy.new(f"{folder}/__init__.py", '"""Counting."""\n\nORDER = 1000\n')
    copy.new(
        f"{folder}/lesson.py",
        '''"""Counting: a number, and the next one."""

from dataclasses import dataclass

from llmtrace.lessons.framework.lesson import Lesson


@dataclass
class Counting(Lesson):
    """One input, one number."""

    name = "counting"
    start: int = 41

    @property
    def following(self) -> int:
        """The next number."""
        return self.start + 1
''',
    )
    page = "# Counting\n\n{0}\n\n## One more\n\nAfter {{start}} comes {{following}}.\n\n# Inputs\n\n- `start`: {0}\n"
    copy.new(f"{folder}/en.md", page.format("From one number to the next."))
    copy.new(f"{folder}/zh.md", page.format("从一个数到下一个数。"))
    shown, listed = copy.commands(["learn", "counting", "--set", "start=7"], ["learn"])
    assert "After 7 comes 8." in shown
    assert "counting" in listed
    assert copy.lines == 0


def test_a_view_is_a_file(copy):
    copy.new(
        "llmtrace/views/count.py",
        '''"""How many numbers there are."""

import math

from llmtrace.trace import Trace
from llmtrace.views.document import Document, paragraph
from llmtrace.views.view import View


def view(trace: Trace) -> Document:
    """One line."""
    count = sum(math.prod(trace.shape(name)) for name in trace)
    return Document((paragraph(f"{count} numbers in {len(trace)} steps"),), {"numbers": count})


VIEW = View(
    accepts=lambda trace, name, given: name == "count",
    build=lambda trace, name, every: view(trace),
    called={"count": lambda trace: True},
)
''',
    )
    show = ["show", "count", "--prompt", "the king has a girl"]
    shown, said, data = copy.commands(show, ["show", "--help"], [*show, "--json"])
    assert "numbers in" in shown
    assert "views: count, residual." in " ".join(said.split())
    assert json.loads(data)["numbers"] > 1000
    assert copy.lines == 0


def test_a_medium_is_a_folder(copy):
    copy.new(
        "llmtrace/render/words/__init__.py",
        '''"""Only the words of a document."""

from llmtrace.views.document import Document, Text, walk

MIME = "text/plain"


def render(document: Document) -> str:
    """Word after word."""
    return " ".join(each.text.strip() for each in walk(document) if isinstance(each, Text))
''',
    )
    code = "import llmtrace; from llmtrace.render import render; t = llmtrace.load().trace('the king');"
    said = copy.run(code + "print(render(t['embed'], 'words'))")
    assert "what the model has learned about each token" not in said
    assert "formula" in said
    assert copy.lines == 0


BIGRAM = '''"""The smallest language model: the scores of the next token are a row of a table times another."""

from dataclasses import dataclass

from llmtrace.i18n import N_
from llmtrace.models.language_model import LanguageModel
from llmtrace.models.language_words import LANGUAGE
from llmtrace.ops.linear.embedding import embedding
from llmtrace.ops.linear.linear import linear
from llmtrace.trace.legend import Legend, StepWords


@dataclass(frozen=True)
class BigramConfig:
    """Its sizes."""

    vocabulary: int
    width: int
    context: int = 64


class Bigram(LanguageModel):
    """Nothing is remembered but the last token."""

    legend = Legend({"embed.token": StepWords(what=N_("the row of each token"))}, "bigram", (LANGUAGE,))

    def forward(self, run, tokens, positions):
        """Token ids [*, T] → logits [*, T, V]."""
        return run("logits", linear, run("embed.token", embedding, tokens), transposed=True)

    def trace_numbers(self, tokens, past=0):
        """How many numbers a trace holds."""
        return tokens * (self.config.width + 2 * self.config.vocabulary)
'''

TABLE = '''"""Bigrams in files."""

from llmtrace.models.bigram import Bigram, BigramConfig
from llmtrace.weights.family import Entry, Family, Tied


def table(c):
    """Both tables."""
    yield Entry("in.weight", (c.vocabulary, c.width), ("embed.token.weight",), ("vocabulary", "feature"))


BIGRAM = Family(
    "bigram",
    "bigram model",
    "Bigram",
    Bigram,
    BigramConfig,
    lambda data, problems: BigramConfig(data["vocab_size"], data["width"]),
    lambda c, tied: {"model_type": "bigram", "vocab_size": c.vocabulary, "width": c.width},
    table,
    Tied("out.weight", "logits.weight", "in.weight", "embed.token.weight"),
)
'''


def test_a_model_family_is_its_files_and_a_line(copy):
    copy.new("llmtrace/models/bigram.py", BIGRAM)
    copy.new("llmtrace/weights/bigram.py", TABLE)
    copy.line("llmtrace/weights/families.py", "HOMES = {", '    "bigram": "llmtrace.weights.bigram.BIGRAM",')
    code = """
import numpy as np, llmtrace
from llmtrace.weights import save_folder
from llmtrace.weights.families import FAMILIES
family = FAMILIES["bigram"]
config = family.config(5, 3)
model = family.model(config, family.initial(config, 1))
save_folder(model, "saved")
again = llmtrace.load("./saved")
assert (again.logits([1, 2]) == model.logits([1, 2])).all()
trace = again.trace([3, 0, 1])
trace.explain("logits", -1, 2).replay()
assert [c.id for c in again.generate([1], 3)] and len(trace) == 4
trace.save("bigram.trace")
opened = llmtrace.open("bigram.trace")
assert opened.legend.of("embed.token").words.what == "the row of each token"
assert (opened["logits"].output == trace["logits"].output).all()
opened.explain("logits", -1, 2).replay()
print("same")
"""
    assert copy.run(code).strip() == "same"
    assert copy.lines == 1


def test_a_weight_format_is_its_file_and_a_line(copy):
    copy.new(
        "llmtrace/weights/numpy_file.py",
        '''"""Models in one .npz file: the tensors, and config.json as a text among them."""

import json

import numpy as np

from llmtrace.weights.source import Opened, Source


class NumpyFile(Source):
    """A file whose name ends in .npz."""

    def accepts(self, path):
        """By its name."""
        return path.suffix == ".npz"

    def open(self, path):
        """All of it is read at once."""
        arrays = dict(np.load(path))
        config = json.loads(str(arrays.pop("config.json")))
        return Opened(path.stem, config, str(path), arrays, None)
''',
    )
    copy.line("llmtrace/weights/sources.py", "HOMES = [", '    "llmtrace.weights.numpy_file.NumpyFile",')
    import llmtrace
    from llmtrace.weights.gpt import GPT2

    model = llmtrace.load()
    config = json.dumps(GPT2.write_config(model.config, True))
    np.savez(copy.folder / "story.npz", **GPT2.tensors(model.config, model.weights), **{"config.json": config})
    code = "import llmtrace; print(llmtrace.load('story.npz').logits([1, 2, 3])[-1, :4].tobytes().hex())"
    assert copy.run(code).strip() == model.logits([1, 2, 3])[-1, :4].tobytes().hex()
    assert copy.lines == 1


CUBE = '''"""The cube of a number."""

from llmtrace.arithmetic.derivation import Derivation
from llmtrace.arithmetic.types import Array
from llmtrace.i18n import N_
from llmtrace.ops.constructors import elementwise_op
from llmtrace.ops.elementwise.multiply import multiply
from llmtrace.ops.elementwise.scale import scale
from llmtrace.ops.gradient import Gradient


def meaning(x: Array) -> Array:
    """`(x·x)·x`, element by element."""
    return (x * x) * x


def backward(g: Gradient) -> None:
    """out = (x·x)·x:  dx = dout · (3·(x·x))."""
    if g.wants("x"):
        slope = g.do("slope", scale, g.do("square", multiply, g["x"], g["x"]), factor=3.0)
        g.accumulate("x", multiply, g.dout, slope)


def explain(w: Derivation) -> None:
    """Two products."""
    x = w["x"][w.index]
    w.multiply("out", w.multiply("x²", x, x), x)


cube = elementwise_op(
    "cube", "(x·x)·x", meaning, explain, backward=backward, how=N_("the numbers of {a}, each times itself, and once more")
)
'''

SPREAD_NORM = '''"""Every row divided by its spread."""

import numpy as np

from llmtrace.arithmetic.derivation import Derivation
from llmtrace.arithmetic.types import Array
from llmtrace.ops.constructors import row_op
from llmtrace.ops.op import ordered_sum


def meaning(x: Array, gain: Array, *, epsilon: float) -> Array:
    """`(x / √(Σ(x·x) / C + ε)) · gain` along the last axis C of x [*, C]; gain [C]."""
    real = x.dtype.type
    root = np.sqrt((ordered_sum(x * x) / real(x.shape[-1]))[..., None] + real(epsilon))
    return (x / root) * gain


def explain(w: Derivation) -> None:
    """Mean of squares, root, quotient, gain."""
    *row, feature = w.index
    x = w["x"][(*row, slice(None))]
    mean = w.divide("mean of squares", w.dot("sum of squares", x, x), w.constant(w["x"].shape[-1], "C"))
    root = w.root("root", w.add("mean of squares + ε", mean, w.constant(w.settings["epsilon"], "ε")))
    w.multiply("out", w.divide("normalised", w["x"][w.index], root), w["gain"][feature])


spread_norm = row_op(
    "spread_norm",
    "(x / √((Σ x · x) / C + ε)) · gain",
    meaning,
    explain,
    weights=("gain",),
    shapes={"x": "* C", "gain": "C", "epsilon": "small"},
    out="* C",
)
'''


def test_ops_are_their_files_a_line_in_c_and_a_line_in_ops(copy):
    """Of one calculation per element, and of one per row, which has a header as well: compiled, they keep the whole contract."""
    if not COMPILER:
        pytest.skip("needs a C compiler")
    for folder in (
        ROOT / "csrc",
        *ROOT.glob("build/cython-*"),
    ):  # what is translated to C, as where somebody adds an op
        shutil.copytree(folder, copy.folder / folder.relative_to(ROOT))
    for name in ("setup.py", "pyproject.toml", "README.md"):
        shutil.copy2(ROOT / name, copy.folder)  # with its time: what is not of a changed file is not compiled again
    copy.new("llmtrace/ops/elementwise/cube.py", CUBE)
    copy.line("llmtrace/ops/__init__.py", '"elementwise.add": "add",', '    "elementwise.cube": "cube",')
    copy.line("csrc/kernels/elementwise.h", "a[i] + b[i])", "ELEMENTWISE(cube, 1, 0, 2, (a[i] * a[i]) * a[i])")
    assert copy.lines == 2
    copy.new("llmtrace/ops/rows/spread_norm.py", SPREAD_NORM)
    copy.new("csrc/kernels/spread_norm.h", (ROOT / "tests" / "helpers" / "spread_norm.h").read_text())
    copy.line("llmtrace/ops/__init__.py", '"rows.normalise": "normalise",', '    "rows.spread_norm": "spread_norm",')
    copy.line("csrc/kernels/all.h", '#include "pack.h"', '#include "spread_norm.h"')
    assert copy.lines == 4
    copy.build()
    code = """
from llmtrace.ops import OPS
from llmtrace.testing import CHECKS, hold
for name in ("cube", "spread_norm"):
    for check in CHECKS.values():
        hold(OPS[name], check, examples=16)
print("kept")
"""
    assert copy.run(code).strip() == "kept"
