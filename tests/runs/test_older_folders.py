"""Folders of the version before digests open as before; what a newer version adds to a document stays in it."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from rewriting_documents import rewritten

from explorer.core.errors import BadInput
from explorer.runs import timeline
from explorer.runs.opening import place
from explorer.runs.race_folders import read_race
from explorer.runs.run_folders import change_run
from explorer.runs.store import FILE, FORM, RUN_NETWORK, digests, own_network, pruned_at, read_run, write_run
from explorer.runs.tunings import ASKED, read_tuning, write_tuning
from explorer.study import read_study
from explorer.upkeep.audit import audit

BEFORE = Path(__file__).parent / "folders_before_digests"


@pytest.fixture
def older(tmp_path: Path) -> Path:
    """A copy of the folders that the version before made."""
    shutil.copytree(BEFORE, tmp_path / "older")
    return tmp_path / "older"


def test_a_run_of_the_command_line_opens_and_gets_its_digests_when_it_is_next_written(older: Path) -> None:
    folder = older / "prune"
    run = read_run(folder)
    assert run.timeline and [state.metrics.units for state in run.timeline.states.values()] == [11, 9, 7]
    network = place(str(folder)).network()
    assert len(network.units) == 7
    write_run(folder, run)
    content = json.loads((folder / FILE).read_text())
    assert content["format"] == str(FORM) and content["files"] == digests(folder / RUN_NETWORK)
    assert read_run(folder) == run
    assert {each.path.name: each.standing for each in audit(folder)}[RUN_NETWORK] == "ok"
    (folder / RUN_NETWORK).write_bytes((older / "tune" / RUN_NETWORK).read_bytes())
    with pytest.raises(BadInput, match="it is not what was written"):
        own_network(folder, read_run(folder))


def test_a_run_of_the_app_opens_at_its_state_with_its_weights(older: Path) -> None:
    folder = older / "work" / "runs" / "before-digests"
    run = read_run(folder)
    assert run.timeline and run.timeline.states[2].name == "mine" and run.timeline.states[2].scratch
    whole = place(str(folder)).original
    found = pruned_at(whole, run.timeline, folder)
    weight = next(value for name, value in found.module.state_dict().items() if name.endswith("weight"))
    original = next(value for name, value in whole.module.state_dict().items() if name.endswith("weight"))
    assert len(found.units) == len(whole.units) - 1
    assert torch.allclose(weight, original[[0, *range(2, len(original))]] + 0.01)
    grown = change_run(folder, lambda held: replace(held, timeline=timeline.rename(held.timeline, 1, "again")))
    assert read_run(folder) == grown and json.loads((folder / FILE).read_text())["format"] == str(FORM)


def test_flipped_bytes_of_older_weights_are_found(older: Path) -> None:
    folder = older / "work" / "runs" / "before-digests"
    run, (path,) = read_run(folder), folder.glob("weights-*")
    whole, content = place(str(folder)).original, path.read_bytes()
    path.write_bytes(content[:-9] + bytes([content[-9] ^ 1]) + content[-8:])
    assert run.timeline
    with pytest.raises(BadInput, match="its weights are not those that were written"):
        pruned_at(whole, run.timeline, folder)


def test_a_race_a_study_and_a_fine_tuning_open(older: Path) -> None:
    race = read_race(older / "race")
    assert [(lane.selector, len(lane.points)) for lane in race.lanes] == [("weight", 3), ("random", 3)]
    assert set(read_study(older / "study").parts) == {"agreement", "ranks"}
    (path,) = older.glob(f"work/tunings/*/{ASKED}")
    tuning = read_tuning(path)
    assert (tuning.arch, tuning.epochs, tuning.recipe.batch_size) == ("explorer:vgg_small", 1, 8)
    assert tuning.id == path.parent.name
    write_tuning(path, tuning)
    assert read_tuning(path) == tuning and json.loads(path.read_text())["format"] == "pruning-explorer tuning 2"
    assert {each.standing for each in audit(older)} == {"ok", "unchecked", "unknown"}


def test_what_a_newer_version_adds_to_a_run_survives_every_change_of_this_one(older: Path) -> None:
    folder = older / "work" / "runs" / "before-digests"
    write_run(folder, read_run(folder))
    content = json.loads((folder / FILE).read_text())
    added = {"note": {"of": ["a", 1]}}
    for part in (content, content["network"], content["data"], content["timeline"]):
        part |= added
    for state in content["timeline"]["states"].values():
        for part in (state, state["metrics"], state["settings"]):
            part |= added
    content["timeline"]["states"]["2"]["scratch"]["metrics"] |= added
    (folder / FILE).write_bytes(rewritten(json.dumps(content).encode(), {}))

    def changed(held):
        states = timeline.rename(timeline.jump(held.timeline, 1), 2, "other")
        return replace(held, timeline=timeline.step(states, replace(states.states[1], parent=1, removed=())))

    change_run(folder, changed)
    found = json.loads((folder / FILE).read_text())
    for part in (found, found["network"], found["data"], found["timeline"]):
        assert part["note"] == added["note"]
    for number in "012":
        state = found["timeline"]["states"][number]
        assert all(part["note"] == added["note"] for part in (state, state["metrics"], state["settings"]))
    assert found["timeline"]["states"]["2"]["name"] == "other"
    assert found["timeline"]["states"]["2"]["scratch"]["metrics"]["note"] == added["note"]
    assert "note" not in found["timeline"]["states"]["3"]
    change_run(folder, lambda held: replace(held, timeline=timeline.delete(held.timeline, 3)))
    assert list(json.loads((folder / FILE).read_text())["timeline"]["states"]) == ["0", "1", "2"]


def test_what_was_measured_anew_has_nothing_of_what_was_measured_before(older: Path) -> None:
    folder = older / "work" / "runs" / "before-digests"
    content = json.loads((folder / FILE).read_text())
    content["timeline"]["states"]["2"]["scratch"]["metrics"]["top5"] = 0.5
    (folder / FILE).write_text(json.dumps(content))

    def again(held):
        scratch = held.timeline.states[2].scratch
        other = replace(scratch, metrics=replace(scratch.metrics, accuracy=0.2))
        return replace(held, timeline=timeline.control(held.timeline, 2, other))

    change_run(folder, again)
    assert "top5" not in (folder / FILE).read_text()


def test_what_a_newer_version_adds_to_a_race_or_a_fine_tuning_is_left_alone(older: Path) -> None:
    folder = older / "race"
    before = read_race(folder)
    content = json.loads((folder / "race.json").read_text())
    for part in (content, content["terms"], content["terms"]["settings"], content["terms"]["settings"]["limits"]):
        part["note"] = 1
    (folder / "race.json").write_bytes(json.dumps(content).encode())
    lane = json.loads((folder / "lane-weight-0.json").read_text())
    for part in (lane, lane["points"][0], lane["points"][0]["metrics"]):
        part["note"] = 1
    (folder / "lane-weight-0.json").write_text(json.dumps(lane))
    assert read_race(folder) == before
    (path,) = older.glob(f"work/tunings/*/{ASKED}")
    tuning = read_tuning(path)
    path.write_text(json.dumps({**json.loads(path.read_text()), "note": 1}))
    write_tuning(path, read_tuning(path))
    assert read_tuning(path) == tuning and json.loads(path.read_text())["note"] == 1
