"""The Paper page: the published figures, and beside them a study from its folder, finished or not."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from driving import App
from of_demo import PARAMETERS, UNITS

from explorer import open_network
from explorer.data import open_images
from explorer.networks.load import batches_for
from explorer.runs.run_folders import described
from explorer.study import PARTS, PRESETS, StudyInputs, study
from explorer.study.published import CAVEAT
from explorer.training.finetune import Recipe

Open = Callable[..., App]
TINY = replace(
    PRESETS["quick"],
    images=8,
    validation=16,
    scored=("taylor", "obd", "weight", "random"),
    resamples=3,
    draws=20,
    places=3,
    raced=("taylor", "random"),
    step=0.4,
    left=0.5,
    updates=1,
    compared=(1,),
    recipe=Recipe(batch_size=4),
    scratch_updates=1,
    runs=2,
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study of the demo of the smallest kind."""
    network, images, out = open_network("demo"), open_images("demo"), tmp_path_factory.mktemp("study")
    limits = {"calibration": TINY.images, "finetune": 16, "validation": TINY.validation}
    splits = {name: batches_for(network, images, name, limit) for name, limit in limits.items()}
    about = described(network, splits, {}, network_from="demo", images_from="demo")
    list(study(StudyInputs(network, splits, TINY, 0, out, about)))
    return out


def test_without_a_study_it_shows_what_was_published_and_how_to_make_one(open_app: Open) -> None:
    app = open_app("paper").fine()
    assert app.charts == 1 and "pruning-explorer study NETWORK" in app.said
    assert CAVEAT in app.text and "Measured here" not in app.text
    assert all(part.look in app.text for part in PARTS.values())


def test_a_study_stands_beside_its_published_counterparts(open_app: Open, folder: Path) -> None:
    app = open_app("paper").set("Folder of a study", str(folder)).fine()
    assert app.charts == 10
    assert app.text.count("Measured here") == app.text.count("(Molchanov et al. 2017)") == len(PARTS)
    assert "8 calibration images of demo, seed 0, on cpu, before fine-tuning" in app.text
    assert f"{UNITS} units, {PARAMETERS:,} parameters" in app.text and CAVEAT in app.text
    found = json.loads((folder / "part-agreement.json").read_text())["result"]["table"]["taylor"]["per_layer"]
    assert f"{found:.2f}" in json.dumps(app.figure("agreement-0"))


def test_an_unfinished_study_says_what_is_missing_and_shows_the_rest(
    open_app: Open, folder: Path, tmp_path: Path
) -> None:
    for name in ("begun.json", "part-agreement.json", "part-ranks.json"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    app = open_app("paper").set("Folder of a study", str(tmp_path)).fine()
    assert app.charts == 4
    assert "Unfinished; missing: The oracle's ranking without fine-tuning (Fig. 3)" in app.text + app.said
    assert app.text.count("Missing: this part of the study is not finished.") == 5


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "is not the folder of a study: it holds no begun.json"),
        (b"{", "is damaged: it is not JSON"),
        (b"[]", "is not in the format 'pruning-explorer study 2'"),
        (b'{"format": "pruning-explorer study 1"}', "is damaged: it does not say what was studied"),
        (
            b'{"format": "pruning-explorer study 1", "network": {}, "data": {}, "settings": {}}',
            "The study's part 'settings' is damaged",
        ),
    ],
)
def test_a_bad_folder_is_one_sentence_and_the_page_stays(
    open_app: Open, tmp_path: Path, content: bytes | None, said: str
) -> None:
    if content is not None:
        (tmp_path / "begun.json").write_bytes(content)
    app = open_app("paper").set("Folder of a study", str(tmp_path))
    assert not app.test.exception
    assert app.test.error and said in app.said
    assert app.charts == 1


@pytest.mark.parametrize("where", ["~nobody-of-this-name/x", "a\0b", "x" * 5000])
def test_a_name_that_no_folder_has_is_one_sentence_too(open_app: Open, where: str) -> None:
    app = open_app("paper").set("Folder of a study", where)
    assert not app.test.exception and len(app.test.error) == 1
