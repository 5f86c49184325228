"""The race command: lanes on disk, a table, a page of curves, and a race that goes on after a stop."""

from __future__ import annotations

from pathlib import Path

import pytest
from invoke import result, run

from explorer.pruning import race as races
from explorer.pruning.selectors import SELECTORS
from explorer.runs.race_folders import read_race

SHORT = ("--until", "units=0.6", "--step", 2, "--limit", 8)


def asked(tiny: list[object], out: Path, *more: object) -> list[object]:
    return ["race", *tiny, *SHORT, "--out", out, *more]


def test_every_lane_is_kept_shown_and_written(tiny: list[object], tmp_path: Path) -> None:
    page = tmp_path / "curves.html"
    done, found = result(
        tmp_path,
        *asked(tiny, tmp_path / "race", "--criteria", "taylor,random,oracle", "--seeds", 2, "--seed", 3),
        "--updates",
        2,
        "--learning-rate",
        0.01,
        "--figure",
        page,
    )
    lanes = found["lanes"]
    assert [(lane["selector"], lane["seed"]) for lane in lanes] == [
        (name, seed) for seed in (3, 4) for name in ("taylor", "random", "oracle")
    ]
    assert [[point["metrics"]["units"] for point in lane["points"]] for lane in lanes] == [[11, 9, 7, 6]] * 6
    assert all(point["pruned"]["loss"] > 0 for lane in lanes for point in lane["points"][1:])
    assert found["overlap"]["oracle"] == {"0.1": 1.0, "0.25": 1.0, "0.5": None}
    assert found["settings"]["settings"]["recipe"]["learning_rate"] == 0.01
    kept = read_race(tmp_path / "race")
    assert kept.terms.seeds == (3, 4) and len(kept.lanes) == 6
    assert kept.lanes[0].points[-1].metrics.loss == lanes[0]["points"][-1]["metrics"]["loss"]
    said = " ".join(done.out.split())
    for words in (
        "tiny.pt, raced down to units=0.6",
        "Oracle's first 10%",
        "median of 2 seeds (3 to 4)",
        "seed 3, on cpu",
        "2 units a step, then 2 updates: SGD, learning rate 0.01, minibatches of 32. All after fine-tuning.",
    ):
        assert words in said
    html = page.read_text()
    assert "median of 2 seeds" in html and "Taylor, before fine-tuning" in html and "src=" not in html.split("<p ")[-1]


def test_without_updates_what_is_the_same_for_every_seed_is_run_once(tiny: list[object], tmp_path: Path) -> None:
    done, found = result(tmp_path, *asked(tiny, tmp_path / "race", "--criteria", "weight, random", "--latency"))
    assert [(lane["selector"], lane["seed"]) for lane in found["lanes"]] == [
        ("weight", 0),
        *(("random", s) for s in range(3)),
    ]
    said = " ".join(done.out.split())
    assert "Run once, because every seed would give the same: Weight." in said
    assert "all before fine-tuning" in said and "batch 1, the pruned network and the one as given in turn" in said
    speed = found["lanes"][0]["points"][-1]["speed"]
    assert speed["full"]["runs"] == speed["pruned"]["runs"] == 20
    assert found["overlap"] == {}


def test_all_are_those_that_can_score_the_network(tiny: list[object], tmp_path: Path) -> None:
    assert run(*asked(tiny, tmp_path / "race", "--criteria", "all", "--seeds", 1)).code == 0
    assert set(read_race(tmp_path / "race").terms.selectors) == set(SELECTORS) - {"bn_scale"}


def test_stopped_it_goes_on_to_the_same_race(
    tiny: list[object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    more = ("--criteria", "taylor,weight", "--seeds", 2, "--updates", 2)
    assert run(*asked(tiny, tmp_path / "whole", *more)).code == 0
    iterate, calls = races.iterate, iter(range(100))

    def stopped(*given):
        if next(calls) == 2:
            raise KeyboardInterrupt
        return iterate(*given)

    monkeypatch.setattr(races, "iterate", stopped)
    done = run(*asked(tiny, tmp_path / "race", *more))
    assert (done.code, "holds the finished lanes: --resume goes on" in done.err) == (1, True)
    monkeypatch.undo()
    assert len(read_race(tmp_path / "race").lanes) == 2
    refused = run(*asked(tiny, tmp_path / "race", *more))
    assert (refused.code, "already holds a race.json: give another folder, or --resume" in refused.err) == (2, True)
    assert run(*asked(tiny, tmp_path / "race", *more, "--resume")).code == 0
    whole, again = ({p.name: p.read_bytes() for p in (tmp_path / name).iterdir()} for name in ("whole", "race"))
    assert again == whole
    other = run(*asked(tiny, tmp_path / "race", *more, "--minibatch", 4, "--resume"))
    assert (other.code, "holds a race with recipe" in other.err) == (2, True)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (("--criteria", "magic"), "Unknown criterion 'magic'; known are taylor"),
        (("--criteria", "taylor,taylor"), "at least one selector, and each only once"),
        (("--criteria", "bn_scale"), "batch-norm"),
        (("--seeds", 0), "--seeds"),
        (("--against", "latency"), "--against latency needs --latency"),
        (("--until", "units=0.01"), "units=0.01 can't be reached"),
        (("--figure", "."), "--figure . is a folder"),
        (("--learning-rate", -1), "learning rate -1.0 must be above 0"),
    ],
)
def test_bad_input_gets_one_sentence_before_any_work(
    tiny: list[object], tmp_path: Path, more: tuple[object, ...], message: str
) -> None:
    done = run(*asked(tiny, tmp_path / "race", *more))
    assert (done.code, message in done.err, done.err.count("\n")) == (2, True, 1)
    assert not (tmp_path / "race").exists()
