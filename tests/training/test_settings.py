"""The settings of a training: what they can be, the learning rate, and that everybody says the same of them."""

import math
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from llmtrace.cli import main
from llmtrace.errors import TrainingError
from llmtrace.training import Plan, Settings, settings_of
from llmtrace.training.settings import power


@pytest.mark.parametrize(
    "wrong",
    [
        {"steps": 0},
        {"rate": -1.0},
        {"rate": math.nan},
        {"rate": math.inf},
        {"dropout": 1.0},
        {"momentum": 1.0},
        {"warmup": -1},
        {"seed": -1},
        {"seed": 1 << 31},
        {"optimiser": "magic"},
        {"schedule": "magic"},
        {"clip": math.nan},
        {"rate": -1},
        {"rate": "fast"},
        {"steps": 1.5},
        {"decay": 10**400},
        {"steps": True},
        {"schedule": []},
    ],
)
def test_settings_that_can_not_be(wrong):
    with pytest.raises(TrainingError, match=f"{next(iter(wrong))} can't be"):
        Settings(**wrong)


def test_the_learning_rate():
    s = Settings(steps=11, warmup=2, rate=1.0, last_rate=0.1)
    assert [s.rate_at(0), s.rate_at(1), s.rate_at(2)] == [0.5, 1.0, 1.0]
    assert s.rate_at(6) == pytest.approx(0.55)
    assert s.rate_at(10) == s.rate_at(99) == pytest.approx(0.1)
    rates = [s.rate_at(i) for i in range(2, 11)]
    assert rates == sorted(rates, reverse=True)
    assert Settings(steps=11, warmup=0, schedule="constant", rate=0.3).rate_at(7) == 0.3
    assert power(0.9, 7) == pytest.approx(0.9**7, rel=1e-15)
    assert power(0.9, 0) == 1


def test_the_help_and_the_documentation_say_every_setting():
    said = " ".join(CliRunner().invoke(main, ["train", "--help"], env={"COLUMNS": "400"}).output.split())
    table = re.sub(r"\s+", " ", (Path(__file__).parents[2] / "docs/training.md").read_text())
    for name, its in {**settings_of(Settings), **settings_of(Plan)}.items():
        preset = {"steps": "1000, or as `--epochs` says", "warmup": "a tenth of the steps, at most 100"}.get(name)
        option = f"--{name.replace('_', '-')}"
        assert f"| `{option}` | {preset or its.preset} | {its.help} |" in table
        assert re.search(
            rf"{option} [^-]*{re.escape(its.help)} \[default: \(?{preset or its.preset}\)?\]".replace("`", ""), said
        )
