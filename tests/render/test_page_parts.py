"""Pages of parts of a run: they hold what was asked for, with its bits, and say what they left out."""

import json
import re

import pytest
from click.testing import CliRunner
from helpers.browser import Open
from helpers.small_models import small_gpt, write_folder

import llmtrace
from llmtrace.cli import main
from llmtrace.errors import PromptError
from llmtrace.render import page_file
from llmtrace.render.page_file import page
from llmtrace.render.page_parts import chosen_names, page_of_parts

SENTENCE = "The king had a child, a girl."


@pytest.fixture(scope="module")
def trace():
    return llmtrace.load().trace(SENTENCE)


@pytest.fixture(scope="module")
def parts(trace, tmp_path_factory):
    path = tmp_path_factory.mktemp("parts") / "parts.html"
    path.write_text(page_of_parts(trace, ["probabilities", "ln_f*"], [1]), encoding="utf-8")
    return path


def said_of(html):
    return json.loads(re.search(r'id="manifest">(.*?)</script>', html, re.DOTALL)[1])["run"]


def test_it_holds_what_was_asked_for_and_what_made_it(trace, parts):
    record = said_of(parts.read_text("utf-8"))
    held = {each["name"] for each in record["tensors"] if each["held"]}
    assert held == {*chosen_names(trace, ["probabilities", "ln_f*"], [1]), *trace.leaves}
    assert {"block.1.attn.q", "block.1.mlp.up.weight", "block.0.residual_out", "logits", "ln_f.gain"} <= held
    assert not {"block.2.attn.q", "embed.token.weight", "block.0.attn.q"} & held
    assert {each["name"] for each in record["tensors"]} == set(trace.names())


def test_it_is_refused_with_two_ways_out_where_it_is_too_large(trace, monkeypatch):
    monkeypatch.setattr(page_file, "LARGEST", 1_000_000)
    with pytest.raises(PromptError, match=r"larger than 1 MB: `llmtrace serve` .* `llmtrace page --layers 0`"):
        page(trace)
    assert page_of_parts(trace, ["logits"])
    with pytest.raises(PromptError, match="what was asked for has 4 MB, and a page holds 1 MB: ask for less"):
        page_of_parts(trace, ["*"])


@pytest.mark.parametrize(
    ("keep", "layers", "said"),
    [((), (4,), "no block 4"), (("block.9.*",), (), "no tensor of this run"), (("[",), (), "no tensor")],
)
def test_what_is_not_there_is_refused(trace, keep, layers, said):
    with pytest.raises(PromptError, match=said):
        page_of_parts(trace, keep, layers)
    assert chosen_names(trace, ["*"], ()) == trace.names()


def test_command(tmp_path):
    model, file = write_folder(tmp_path / "model"), tmp_path / "x.html"
    small_gpt().trace("CBA").save(tmp_path / "x.trace", with_weights=True)
    given = ["--trace", str(tmp_path / "x.trace"), "--layers", "0 1"]
    for arguments in (["CBABBC", "--model", str(model), "--layers", "0,1"], given):
        done = CliRunner().invoke(main, ["page", *arguments, "--keep", "logits", "-o", str(file)])
        assert done.exit_code == 0, done.output
        assert said_of(file.read_text("utf-8"))["checksum"] in done.output
    for wrong in (["--layers", "x"], ["--layers", "-1"], ["--trace", str(tmp_path / "x.trace")]):
        assert CliRunner().invoke(main, ["page", "CBA", *wrong, "-o", str(file)]).exit_code == 2


def test_in_a_browser(chromium, parts, trace):
    shown = Open(chromium, parts).ready()
    assert "This page holds " in shown.text
    assert "tensors of this run and its model; the others were left out." in shown.text
    assert "my sentence" not in shown.text
    for address in ("block.1.attn.pattern[2, 5, 3]", "probabilities[2, 7]", "block.1.mlp.up[3, 9]", "ln_f[1, 2]"):
        shown.go(address)
        explanation = trace.explain(address)
        shown.page.wait_for_function(
            "address => document.querySelector('h1').textContent === address", arg=explanation.address
        )
        assert explanation.sentence in shown.text
        assert "✓ same bits" in shown.text, address
    for address, why in (
        ("block.2.attn.q", "the numbers of block.2.attn.q are not in this page"),
        ("block.0.residual_out[1, 2]", "the numbers of block.0.residual_mid are not in this page"),
        ("what-if", "nothing is named what-if"),
    ):
        shown.go(address)
        shown.page.wait_for_function("why => document.body.innerText.includes(why)", arg=why)
    shown.go("block.1")
    shown.page.get_by_role("link", name="head 2").click()
    shown.page.wait_for_function("() => document.querySelector('h1').textContent === 'Block 1, head 2'")
    assert shown.said == []
    shown.close()


def test_damage_is_named_when_it_is_looked_at(chromium, parts, tmp_path):
    text = parts.read_text("utf-8")
    start = text.index('id="run:block.1.mlp.up.weight">') + 2000
    broken = tmp_path / "broken.html"
    broken.write_text(text[:start] + ("A" if text[start] != "A" else "B") + text[start + 1 :], "utf-8")
    shown = Open(chromium, broken).ready()
    shown.go("block.1.mlp.up.weight")
    shown.page.wait_for_function(
        "() => document.body.innerText.includes('damaged: the numbers of block.1.mlp.up.weight')"
    )
    shown.go("block.1.attn.q")
    shown.page.wait_for_selector(".grid")
    shown.close()
