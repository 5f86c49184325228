"""Your own criterion: the documented example in every command, and refusals in a sentence."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

import pytest
import torch
from invoke import result, run
from of_demo import UNITS
from own_code import importable

from explorer import open_network
from explorer.cli import app
from explorer.cli.own_criteria import imported_criterion
from explorer.data import open_images
from explorer.networks.demos import DEMO
from explorer.networks.load import batches_for
from explorer.pruning.selectors import SELECTORS
from explorer.runs.race_folders import read_race
from explorer.scoring.criteria import CRITERIA
from explorer.scoring.evidence import Evidence, gather

ROOT = Path(__file__).resolve().parents[2]
NAME = "my_criteria:spread"
BAD = """
number = 4
def of_images(seen): return seen.mean
def not_finite(seen): return seen.mean.mean(0).log() * float("nan")
def no_tensor(kernels): return 3
def whole_numbers(seen): return seen.positions
def of_something(feature_maps): return feature_maps
def of_nothing(share=0.5): return share
def fails(seen): return seen.nothing
"""


def example() -> str:
    """The module that the documentation shows."""
    page = (ROOT / "assets" / "docs" / "numbers.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"^    # my_criteria\.py\n(?:    .+\n)+", page, re.MULTILINE)
    return dedent(block)


@pytest.fixture
def mine(tmp_path: Path) -> Iterator[None]:
    """The documented example, importable."""
    with importable(tmp_path, "my_criteria", example()):
        yield


def test_score_gives_what_the_function_returns(mine: None, tmp_path: Path) -> None:
    done, found = result(tmp_path, "score", "demo", "--criterion", NAME, "--limit", 16)
    network = open_network(DEMO)
    images = batches_for(network, open_images(DEMO), "calibration", 16)
    means = gather(network, images, {"seen"}).seen.mean  # (16, units)
    expected = ((means - means.mean(0)).square().sum(0) / 15).sqrt()
    values = torch.cat([torch.tensor(layer["saliency"][NAME]).double() for layer in found["layers"]])
    torch.testing.assert_close(values, expected, rtol=1e-4, atol=1e-9)
    assert "Saliency: Spread (its own)" in done.out


def test_correlate_and_race_show_it_beside_the_others(mine: None, tiny: list[object], tmp_path: Path) -> None:
    done, found = result(tmp_path, "correlate", *tiny, "--criterion", NAME, "--limit", 8, "--resamples", 0)
    assert [*found["table"]][-1] == NAME and "Spread" in done.out
    page, folder = tmp_path / "page.html", tmp_path / "race"
    race = ("race", *tiny, "--until", "units=0.6", "--step", 2, "--limit", 8, "--out", folder)
    done, found = result(tmp_path, *race, "--criteria", f"weight,{NAME}", "--figure", page)
    assert [lane["selector"] for lane in found["lanes"]] == ["weight", NAME]
    assert "Spread" in done.out
    assert re.search('"name":"[Ss]pread', page.read_text())
    again, _ = result(tmp_path, *race, "--criteria", "weight", "--criterion", NAME, "--resume")
    assert "Spread" in again.out


def test_prune_keeps_its_name(mine: None, tiny: list[object], tmp_path: Path) -> None:
    prune = ("prune", *tiny, "--until", "units=0.6", "--step", 2, "--updates", 1, "--evidence", "updates")
    result(tmp_path, *prune, "--limit", 8, "--criterion", NAME, "--out", tmp_path / "run")
    held = json.loads((tmp_path / "run" / "run.json").read_text())
    assert held["settings"]["criterion"] == NAME
    assert "2 units by Spread, layer-wise l2, 1 update" in [state.get("how") for state in states(held)]


def states(held: dict[str, object]) -> list[dict[str, object]]:
    found = held["timeline"]["states"]  # type: ignore[index]
    return list(found.values()) if isinstance(found, dict) else found


def test_a_study_compares_and_reports_it(mine: None, tiny: list[object], tmp_path: Path) -> None:
    study = ("study", *tiny, "--only", "agreement", "--criterion", NAME, "--limit", 8, "--out", tmp_path / "study")
    done, found = result(tmp_path, *study)
    (part,) = (part for part in found["parts"] if part["name"] == "agreement")
    assert NAME in part["result"]["table"] and "Spread" in done.out
    assert "spread" in (tmp_path / "study" / "report.html").read_text()


def test_what_was_made_with_it_opens_without_its_code_and_goes_on_only_where_it_is_named(
    tiny: list[object], tmp_path: Path
) -> None:
    folder = tmp_path / "race"
    race = ("race", *tiny, "--until", "units=0.6", "--step", 2, "--limit", 8, "--out", folder, "--seeds", 2)
    with importable(tmp_path, "my_criteria", example()):
        result(tmp_path, *race, "--criteria", NAME)
    lane = next(folder.glob("lane-*"))
    kept = read_race(folder)
    assert [each.selector for each in kept.lanes] == [NAME] and "my_criteria" not in sys.modules
    done = run("check", folder)
    assert done.code == 0 and lane.name in done.out.replace("\n", "") and "my_criteria" not in sys.modules
    done = run(*race, "--criteria", NAME, "--resume")
    assert done.code == 2 and f"{NAME} can't be imported (ModuleNotFoundError" in done.err
    with importable(tmp_path, "my_criteria", example()):
        assert run(*race, "--criteria", NAME, "--resume").code == 0


def test_the_app_is_started_with_it(mine: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(app.WORKDIR, str(tmp_path / "work"))
    monkeypatch.setattr(app, "check_free", lambda host, port: None)
    monkeypatch.setattr(app, "_serve", lambda settings, token, paths: known.append(SELECTORS[NAME].title))
    known: list[str] = []
    done = run("app", "--criterion", NAME)
    assert (done.code, known) == (0, ["Spread"]), done.err


def test_a_built_in_function_under_its_own_name_scores_as_the_built_in_one(tmp_path: Path) -> None:
    with importable(tmp_path, "nothing_of_mine", ""):
        name = imported_criterion("explorer.scoring.criteria.loss:taylor")
        assert imported_criterion(name) == name and SELECTORS[name].title == name  # "Taylor" is another's title
        network = open_network(DEMO)
        evidence = gather(network, batches_for(network, open_images(DEMO), "calibration", 4), CRITERIA[name].needs)
        assert torch.equal(CRITERIA[name].saliency(evidence), CRITERIA["taylor"].saliency(evidence))
        assert CRITERIA[name].summary == CRITERIA["taylor"].summary and SELECTORS[name].from_updates
        assert isinstance(evidence, Evidence) and evidence.kernels is None


@pytest.mark.parametrize(
    ("function", "sentence"),
    [
        ("number", "is of type int; a criterion is a function."),
        ("missing", "can't be imported (AttributeError"),
        ("of_images", f"returns (8, {UNITS}) values of torch.float64: it must return ({UNITS},) finite"),
        ("not_finite", f"returns {UNITS} values that are not finite"),
        ("no_tensor", "returns a value of type int, no tensor"),
        ("whole_numbers", f"returns ({UNITS},) values of torch.int64"),
        ("of_something", "asks for feature_maps; a criterion's parameters are parts of the evidence: batchnorm, "),
        ("of_nothing", "asks for nothing; a criterion's parameters"),
        ("fails", "failed: AttributeError: 'Observation' object has no attribute 'nothing'."),
    ],
)
def test_what_is_no_criterion_is_one_sentence(function: str, sentence: str, tmp_path: Path) -> None:
    with importable(tmp_path, "bad_criteria", BAD):
        done = run("score", "demo", "--criterion", f"bad_criteria:{function}")
        assert done.code == 2 and done.err.count("\n") == 1 and f"bad_criteria:{function} {sentence}" in done.err
        assert f"bad_criteria:{function}" not in {*CRITERIA, *SELECTORS}


@pytest.mark.parametrize("name", ["../escape:f", "a b:c", ":f", "f:", "taylor:"])
def test_a_name_that_is_no_function_s_is_refused(name: str) -> None:
    done = run("score", "demo", "--criterion", name)
    assert done.code == 2 and "is not of the form package.module:function" in done.err
