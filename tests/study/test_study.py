"""A study: all parts in one file, the same after any interruption, and never mixed with another one."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from invoke import run

from explorer.cli import studying
from explorer.study import PARTS, read_study

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 120


def compared(folder: Path) -> dict[str, Any]:
    """What two studies must have in common."""
    content = json.loads((folder / "study.json").read_text())
    return {name: value for name, value in content.items() if name != "measured"}


def test_every_part_is_there_with_its_setting_and_its_counterpart(content: dict[str, Any]) -> None:
    assert [part["name"] for part in content["parts"]] == list(PARTS) and content["missing"] == []
    assert [part["paper"] for part in content["parts"]] == [
        "Table 1",
        "Fig. 2",
        "Fig. 3",
        "Figs 4, 5",
        "Figs 4, 5",
        "Fig. 6",
        "Table 2",
    ]
    for part in content["parts"]:
        said = part["setting"]
        assert "images of few" in said and "seed" in said and "on cpu" in said, part["name"]
        assert "fine-tuning" in said or "from random weights" in said, part["name"]
        assert part["published"]["says"] and part["look"]


def test_times_stand_apart_and_are_said_to_be_measured(content: dict[str, Any]) -> None:
    assert "no part of what two studies must have in common" in content["measured"]["about"]
    assert all(content["measured"][name]["seconds"] > 0 for name in PARTS)
    assert "median" not in json.dumps([part["result"] for part in content["parts"] if part["name"] == "speed"])
    assert content["measured"]["speed"]["latency"]["16"]["pruned B"]["batch"] == 16


def test_lanes_end_where_the_preset_says_and_start_from_the_same_network(content: dict[str, Any]) -> None:
    race, updates = (next(p for p in content["parts"] if p["name"] == name)["result"] for name in ("race", "updates"))
    assert [line["name"] for line in race["lines"]] == [
        "taylor",
        "activation_mean",
        "weight",
        "obd",
        "random",
        "flops",
        "flops-scaled",
    ]
    assert len({line["after"]["median"][0] for line in race["lines"]}) == 1
    assert all(line["units"][-1] <= 0.195 < line["units"][-2] for line in (*race["lines"], *updates["lines"]))
    taylor = race["lines"][0]
    (same,) = (line for line in updates["lines"] if line["name"] == "updates-5")
    assert {**same, "name": "", "label": ""} == {**taylor, "name": "", "label": ""}


@pytest.mark.parametrize("part", ["agreement", "race", "speed"])
def test_a_part_that_is_damaged_is_named_and_made_again_the_same_without_its_file(
    subject: list[object], whole: Path, tmp_path: Path, part: str
) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(whole, folder)
    (folder / "study.json").unlink()
    (folder / f"part-{part}.json").write_text("{")
    done = run("study", *subject, "--out", folder, "--resume")
    assert done.code == 2 and f"part-{part}.json is damaged: it is not JSON; delete this file, and" in done.err
    (folder / f"part-{part}.json").unlink()
    assert [each.name for each in read_study(folder).missing] == [part]
    done = run("study", *subject, "--out", folder, "--resume")
    assert done.code == 0, done.err
    assert compared(folder) == compared(whole)


def test_a_study_that_is_killed_in_a_race_goes_on_at_the_lane_that_is_missing(
    subject: list[object], whole: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "killed"
    code = f"import torch; torch.set_num_threads(1); from explorer.cli import main; main({_words(subject, folder)})"
    paths = os.pathsep.join([str(ROOT), str(ROOT / "tests" / "helpers")])
    process = subprocess.Popen(
        [sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": paths}, stderr=subprocess.DEVNULL
    )
    end = time.monotonic() + SECONDS
    while len(list(folder.glob("plain/lane-*.json"))) < 2 and time.monotonic() < end:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    lanes = {path.name: path.stat().st_mtime_ns for path in folder.glob("plain/lane-*.json")}
    assert len(lanes) >= 2 and not (folder / "study.json").exists()
    done = run("study", *subject, "--out", folder, "--resume")
    assert done.code == 0, done.err
    assert lanes.items() <= {p.name: p.stat().st_mtime_ns for p in folder.glob("plain/lane-*.json")}.items()
    assert compared(folder) == compared(whole)


def _words(subject: list[object], folder: Path) -> list[str]:
    return [str(word) for word in ("study", *subject, "--out", folder)]


def test_ctrl_c_leaves_what_is_finished_and_says_how_to_go_on(
    subject: list[object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, tell = tmp_path / "stopped", studying._tell

    def stop(found: Any) -> None:
        tell(found)
        if len(found.parts) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(studying, "_tell", stop)
    done = run("study", *subject, "--out", folder)
    assert done.code == 1 and "2 of 7 parts done; missing: Fig. 3, Figs 4, 5, Fig. 6, Table 2." in done.err
    assert f"Stopped; {folder} holds what is finished: --resume goes on with the rest." in done.err
    assert len(read_study(folder).parts) == 2 and not (folder / "study.json").exists()


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--seed", 1, "--resume"), "holds a study with data"),
        (("--preset", "full", "--resume"), "holds a study with preset quick, not full: give another folder."),
        (("--batch-size", 7, "--resume"), "holds a study with batch_size 32, not 7"),
        ((), "already holds a study: give another folder, or --resume"),
    ],
)
def test_another_study_is_not_mixed_with_it(subject: list[object], whole: Path, more: tuple, said: str) -> None:
    done = run("study", *subject, "--out", whole, *more)
    assert done.code == 2 and said in done.err and done.err.count("\n") == 1


@pytest.mark.parametrize(
    ("seconds", "done", "left", "said"),
    [
        (60, 0.25, 0.5, "about 2 min left; "),
        (40, 0.5, 0.5, "about 40 s left; "),
        (3, 0.5, 0.5, ""),
        (60, 0.01, 0.9, ""),
    ],
)
def test_the_time_that_is_left_goes_by_the_share_that_is_done(
    seconds: float, done: float, left: float, said: str
) -> None:
    assert studying._left(seconds, done, left) == said


def test_parts_may_be_chosen_and_bring_what_they_need(subject: list[object], whole: Path, tmp_path: Path) -> None:
    done = run("study", *subject, "--out", tmp_path / "some", "--only", "ranks")
    assert done.code == 0, done.err
    held, content = read_study(tmp_path / "some"), json.loads((tmp_path / "some" / "study.json").read_text())
    assert list(held.parts) == ["agreement", "ranks"] and content["missing"] == list(PARTS)[2:]
    assert content["parts"] == compared(whole)["parts"][:2]
    refused = run("study", *subject, "--out", tmp_path / "none", "--only", "rank")
    assert refused.code == 2 and "'rank' is no part of a study; its parts are agreement, ranks" in refused.err


def test_the_json_option_writes_the_same_and_the_tables_are_printed(
    subject: list[object], whole: Path, tmp_path: Path
) -> None:
    done = run("study", *subject, "--out", whole, "--resume", "--json", tmp_path / "a.json")
    written = json.loads((tmp_path / "a.json").read_text())
    assert written.pop("seconds") > 0
    assert written == json.loads((whole / "study.json").read_text())
    assert "Spearman's correlation with oracle-abs" in done.out and "The paper's findings" in done.out
    assert "Within layers, Taylor agrees best with the oracle." in done.out
