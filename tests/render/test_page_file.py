"""The page's file: one program in one piece, data that can't be damaged unseen, texts that are only texts."""

import base64
import hashlib
import json
import re
import subprocess
from html.parser import HTMLParser

import catalogue
import numpy as np
import pytest
from click.testing import CliRunner
from helpers.javascript import PAGE, node, run, unpacked
from helpers.small_models import write_folder

import llmtrace
from llmtrace import i18n
from llmtrace.cli import main
from llmtrace.errors import PromptError
from llmtrace.render import page_file
from llmtrace.render.page_data import messages, names_of_lines
from llmtrace.render.page_file import assembled, page, plain
from llmtrace.testing.compare import same

SENTENCE = "The king had a child, a girl, and the old lamp will belong to"
FILES = sorted(PAGE.rglob("*.js"))
DECLARED = re.compile(r"^(?:export )?(?:async )?(?:const|let|var|function\*?|class) (\w+)", re.MULTILINE)
IMPORTED = re.compile(r'^import \{([^}]*)\} from "([^"]*)";', re.MULTILINE)


@pytest.fixture(scope="module")
def model():
    return llmtrace.load()


@pytest.fixture(scope="module")
def html(king):
    return king.read_text("utf-8")


@pytest.fixture(scope="module")
def small():
    model = llmtrace.load("tiny")
    return page(model.trace("the king has a girl"), model.tokenizer)


# ---- the program -----------------------------------------------------------------------------------------------------


def test_every_name_stands_for_one_thing():
    names = [name for path in FILES for name in DECLARED.findall(path.read_text("utf-8"))]
    assert len(names) == len(set(names)), sorted({name for name in names if names.count(name) > 1})


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_what_is_imported_is_there(path):
    text = path.read_text("utf-8")
    assert text.count("\nimport ") + text.startswith("import ") == len(IMPORTED.findall(text))
    for names, source in IMPORTED.findall(text):
        other = (path.parent / source).read_text("utf-8")
        for name in filter(None, map(str.strip, names.split(","))):
            assert re.search(rf"^export (?:async )?(?:const|function\*?|class) {name}\b", other, re.MULTILINE), name
            assert len(re.findall(rf"\b{name}\b", text)) > 1, f"{name} is not used"


def test_every_sentence_of_the_program_is_translated():
    """Texts of several words are in the catalogue, but for those of errors that no reader sees."""
    known = {*messages(), *names_of_lines()}
    sentence = re.compile(r"""(?<!Error\()(["`])((?:(?!\1)[^\\\n])*)\1""")
    for path in FILES:
        lines = [line for line in path.read_text("utf-8").split("\n") if not re.match(r"\s*(//|/?\*)", line)]
        said = [
            text
            for _quote, text in sentence.findall("\n".join(lines))
            if re.search(r"[A-Za-z]{2} [a-z]{2,} [a-z]", text)
        ]
        assert set(said) <= known, path


def test_the_program_is_one_piece(tmp_path):
    program = assembled()
    assert not re.search(r"^(import|export) ", program, re.MULTILINE)
    for path in FILES:
        assert plain(path.relative_to(PAGE).as_posix()) in program, path
    assert program.index("==== arithmetic.js") < program.index("==== ops.js") < program.index("==== page.js")
    (tmp_path / "program.mjs").write_text("const MANIFEST_DIGEST = '', FIRST_WORDS = {};" + program, "utf-8")
    assert subprocess.run([node(), "--check", tmp_path / "program.mjs"], check=False).returncode == 0


def test_its_texts_are_in_the_catalogue():
    known = {text for path in FILES for _file, _line, text in catalogue.found_in(path)}
    assert known >= set(messages())
    assert len(messages()) > 50
    called = sum(len(re.findall(r"\bN?_\(\s*[^\s\w)]", path.read_text("utf-8"))) for path in FILES)
    assert called == len(messages())  # none in other quotes, or put together
    assert {"sum of exponentials", "maximum", "√D"} <= set(names_of_lines())


# ---- the file --------------------------------------------------------------------------------------------------------


class Elements(HTMLParser):
    """The elements of a page, with the text of each script and style."""

    def __init__(self, html):
        super().__init__()
        self.found, self.inside = [], None
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        self.inside = [tag, dict(attributes), ""]
        self.found.append(self.inside)

    def handle_data(self, data):
        if self.inside:
            self.inside[2] += data

    def handle_endtag(self, tag):
        self.inside = None

    def of(self, tag, **wanted):
        return [e for e in self.found if e[0] == tag and wanted.items() <= e[1].items()]


def source_hash(text):
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def test_the_policy_allows_one_program_and_nothing_else(html):
    elements = Elements(html)
    (policy,) = elements.of("meta", **{"http-equiv": "Content-Security-Policy"})
    (program,), (style,) = elements.of("script", type="module"), elements.of("style")
    assert policy[1]["content"].split("; ") == [
        "default-src 'none'",
        f"script-src {source_hash(program[2])}",
        f"style-src {source_hash(style[2])}",
        "base-uri 'none'",
        "form-action 'none'",
    ]
    assert not [e for e in elements.found if {"src", "style"} & e[1].keys() or any(n.startswith("on") for n in e[1])]
    assert not elements.of("link")


def test_it_is_small(html):
    assert len(html.encode()) < 6_000_000


def test_weights_come_back_and_the_checksum_is_right(html, king, model):
    (checksum, digest) = run("app.mjs", {"file": str(king), "asked": [["checksum", 0], ["digest", "é" * 1000]]})
    (manifest,) = Elements(html).of("script", id="manifest")
    assert checksum == json.loads(manifest[2])["checksum"]
    assert digest == hashlib.sha256(("é" * 1000).encode()).hexdigest()
    assert f'const MANIFEST_DIGEST = "{hashlib.sha256(manifest[2].encode()).hexdigest()}"' in html


@pytest.mark.parametrize("where", [0.001, 0.3, 0.5, 0.999])
def test_damage_is_seen(small, where):
    name = "block.0.mlp.up.weight"
    before, start, rest = small.partition(f'id="{name}">')
    text, end, after = rest.partition("</script>")
    at = int(len(text) * where)
    changed = text[:at] + ("A" if text[at] != "A" else "B") + text[at + 1 :]
    assert run("app.mjs", {"html": before + start + changed + end + after, "asked": []}) == {"damaged": name}


HOSTILE = [
    "</script><script>alert(1)</script>",
    "<!--<script>",
    "\u2028\u2029",
    "a\u202eb",
    "e" + "\u0301" * 20,
    "&lt;",
    '"\\',
]


def test_texts_are_only_texts(model, html):
    usual = [(tag, *attributes) for tag, attributes, _text in Elements(html).found]
    text = " ".join(HOSTILE)
    found = Elements(page(model.trace(text), model.tokenizer))
    assert [(tag, *attributes) for tag, attributes, _text in found.found if tag not in {"tr", "td"}] == [
        each for each in usual if each[0] not in {"tr", "td"}
    ]
    (manifest,) = found.of("script", id="manifest")
    assert json.loads(manifest[2])["text"] == text
    assert manifest[2].isascii()
    assert not re.search("[<>&]", manifest[2])


def test_what_has_no_page_is_refused(model, monkeypatch):
    with pytest.raises(PromptError, match="one prompt"):
        page(model.trace([[1, 2], [3, 4]]), model.tokenizer)
    monkeypatch.setattr(page_file, "LARGEST", 1_000_000)
    with pytest.raises(PromptError, match="larger than 1 MB"):
        page(model.trace(SENTENCE), model.tokenizer)


def test_command(tmp_path):
    model = write_folder(tmp_path / "model")
    done = CliRunner().invoke(main, ["page", "CBABBC", "--model", str(model), "-o", str(tmp_path / "x.html")])
    assert done.exit_code == 0, done.output
    assert "written: " in done.output
    (checksum,) = run("app.mjs", {"html": (tmp_path / "x.html").read_text("utf-8"), "asked": [["checksum", 0]]})
    assert f"checksum of all its numbers: {checksum}\n" in done.output
    assert CliRunner().invoke(main, ["page", "CBABBC", "--model", str(model)]).exit_code == 2


# ---- what it says ----------------------------------------------------------------------------------------------------


def test_sentences_are_those_of_the_command_line(model, king):
    trace, rng = model.trace(SENTENCE), np.random.default_rng(0)
    names = [*trace.leaves, *trace, *list(trace.weights)[::5]]
    places = [[name, [int(rng.integers(size)) for size in trace.shape(name)]] for name in names for _ in range(2)]
    answers = run(
        "app.mjs", {"file": str(king), "asked": [["sentences", [language, places]] for language in ("en", "zh")]}
    )
    before = i18n.language()
    try:
        for language, sentences in zip(("en", "zh"), answers, strict=True):
            i18n.use(language)
            assert sentences == [trace.explain(name, *index).sentence for name, index in places]
    finally:
        i18n.use(before)


def test_numbers_are_written_as_on_the_command_line(king):
    from llmtrace.arithmetic.bits import exact
    from llmtrace.views.numbers import rounded

    rng = np.random.default_rng(0)
    bits = rng.integers(0, 2**32, 3000, dtype=np.uint32)
    usual = (rng.standard_normal(3000) * rng.choice([1e-7, 0.01, 1, 1e5], 3000)).astype(np.float32)
    numbers = np.concatenate([bits.view(np.float32), usual, np.float32([0, -0.0, 1, -1e-5, 1e16, 0.1])])
    asked = [["exact", numbers.view(np.uint32).tolist()], ["rounded", usual.tolist()]]
    found, short = run("app.mjs", {"file": str(king), "asked": asked})
    assert found == [exact(number) for number in numbers]
    assert short == [rounded(number) for number in usual]


ADDRESSES = [
    'logits[-1, " her"]',
    "block.0.attn.scores[head=2, query=4, key=1]",
    "block.0.attn.scores[2, key=' king', query=-1]",
    'probabilities[position="The", vocabulary=3]',
    "next_token[3]",
    "tokens[position=-2]",
]
WRONG = [
    "logits[0",
    "logits[0, 1, 2]",
    "logits[head=1]",
    "logits[99, 0]",
    'logits[0, " nobody"]',
    "logits[0, 1x]",
    "logits[-1, ']",
]


def test_addresses_mean_the_same(model, king):
    from llmtrace.explain.address import explain_target

    trace = model.trace(SENTENCE)
    found, wrong = run("app.mjs", {"file": str(king), "asked": [["places", ADDRESSES], ["places", WRONG]]})
    for address, (name, index) in zip(ADDRESSES[:2] + ADDRESSES[3:], found[:2] + found[3:], strict=True):
        assert (name, tuple(index)) == explain_target(trace, address, (), {})
    assert all(isinstance(said, str) for said in wrong)


# ---- what if ---------------------------------------------------------------------------------------------------------

RECIPES = [
    {"head:2.1": 0.0},
    {"token:5": " girl", "block.1.attn.pattern[head=2, query=8, key=3]": 0.25},
    {"block.0.mlp.up.weight[in=3, out=7]": -1.5, "neuron:1.17": 0.0},
    {"embed.token.weight[vocabulary=258]": 0.1, "ln_f[position=2]": 1e-40},
    {"logits[-1, 3]": float("inf")},
]


@pytest.mark.parametrize("edits", RECIPES, ids=lambda edits: next(iter(edits)))
def test_a_recipe_gives_the_same_bits_on_both_sides(model, king, edits, tmp_path):
    from llmtrace.experiments import recipes, what_if
    from llmtrace.trace.checksum import checksum

    found = what_if(model.trace(SENTENCE), edits)
    recipes.write(tmp_path / "r.json", found)
    recipe = json.loads((tmp_path / "r.json").read_text("utf-8"))
    names = list(found.before)
    (answer,) = run("app.mjs", {"file": str(king), "asked": [["follow", [recipe, names]]]})
    for name, values in zip(names, answer["values"], strict=True):
        expected = found.after.tensor(name)
        assert same(unpacked(values).astype(expected.dtype), expected).all(), name
        assert answer["counts"][name] == found.changes.count(name), name
    assert answer["again"] == recipe
    assert answer["sum"] == checksum(found.after)
    (tmp_path / "again.json").write_text(json.dumps(answer["again"]), "utf-8")
    replayed = recipes.replayed(model.trace(SENTENCE), recipes.read(tmp_path / "again.json"))
    assert all(same(replayed.after.tensor(name), found.after.tensor(name)).all() for name in names)


BAD = [
    {},
    {"edits": [{"at": "head:9.9", "value": "0"}]},
    {"edits": [{"at": "token:99", "token": 1}]},
    {"edits": [{"at": "token:1", "token": 100000}]},
    {"edits": [{"at": "nothing[1]", "value": "0"}]},
    {"edits": [{"at": "logits[0, 1]", "value": "x"}]},
    {"edits": [{"at": "logits[0]", "values": ["1"], "shape": [1]}]},
    {"ids": [-1], "edits": []},
    {"ids": [], "edits": []},
]


def test_a_wrong_recipe_changes_nothing(king):
    ids = llmtrace.load().tokenizer.encode(SENTENCE)
    recipes = [{"llmtrace": "recipe", "version": 1, "ids": ids, **bad} if bad else bad for bad in BAD]
    for said in run("app.mjs", {"file": str(king), "asked": [["refuse", recipe] for recipe in recipes]}):
        assert said["message"]
        assert said["changes"] == 0
        assert said["ids"] == ids


def test_choices_are_no_steps_that_a_change_can_reach(model, king):
    trace = model.trace(SENTENCE)
    (names,) = run("app.mjs", {"file": str(king), "asked": [["swapped", [{"temperature": 0}, 1, 300]]]})
    assert names == [*trace.leaves, *trace]


def test_a_story_is_that_of_generate(model, king):
    from llmtrace.models import Sampling

    settings = [{"temperature": 0}, {"temperature": 0.8, "topK": 20, "seed": 5}]
    answers = run("app.mjs", {"file": str(king), "asked": [["generate", [each, 3]] for each in settings]})
    for each, answer in zip(settings, answers, strict=True):
        sampling = Sampling(each["temperature"], each.get("topK"), None, each.get("seed", 0))
        assert answer["made"] == [choice.id for choice in model.generate(SENTENCE, 3, sampling)]
        assert answer["left"] == model.tokenizer.encode(SENTENCE)
