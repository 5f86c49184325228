"""The race: lanes are the procedure's own runs, on equal terms, and a stopped one goes on as if it had not been."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from networks_at_hand import SHAPE, at_hand, images, many_classes

from explorer.core.errors import BadInput
from explorer.evaluation.evaluate import Latency, measure_latencies
from explorer.evaluation.metrics import Metrics
from explorer.pruning import procedure
from explorer.pruning.procedure import Settings, iterate
from explorer.pruning.race import Lane, PointLatency, Race, RacePoint, RaceTerms, race
from explorer.pruning.race_bands import bands, first_at_share, first_removed, overlap_with
from explorer.runs.race_folders import FILE, begin_race, kept_race, read_race
from explorer.runs.store import Run
from explorer.training.finetune import Recipe

IMAGES = images(SHAPE, n=24)
SPLITS = {"calibration": IMAGES, "finetune": images(SHAPE, n=20, seed=5), "validation": IMAGES}
SETTINGS = Settings(target=0.5, step=2, updates=3, recipe=Recipe(learning_rate=0.05, batch_size=8))
TERMS = RaceTerms(("taylor", "random", "joint", "oracle"), (0, 1), SETTINGS)
STILL = replace(TERMS, settings=replace(SETTINGS, updates=0))
ABOUT = Run({"digest": "plain"}, {"digest": "noise", "splits": {"validation": 24}})


@pytest.fixture(scope="module")
def whole() -> list[Race]:
    """A race with fine-tuning, after every step."""
    return list(race(at_hand("plain"), SPLITS, TERMS))


def test_a_lane_is_the_procedures_own_run(whole: list[Race]) -> None:
    network = at_hand("plain")
    for lane in whole[-1]:
        steps = list(iterate(network, SPLITS, TERMS.of_lane(lane.selector, lane.seed)))
        assert [(point.metrics, point.pruned) for point in lane.points] == [(s.metrics, s.pruned) for s in steps]
        gone = [label for point in lane.points for label in point.removed]
        assert sorted(gone) == [network.units.labels[u] for u in steps[-1].removed.nonzero()[:, 0].tolist()]
        assert [len(point.removed) for point in lane.points] == [0, 2, 2, 2]


def test_the_lanes_of_a_seed_take_their_steps_in_turns(whole: list[Race]) -> None:
    assert [(lane.selector, lane.seed) for lane in whole[-1]] == TERMS.lanes(at_hand("plain"))
    assert [seed for _, seed in TERMS.lanes(at_hand("plain"))] == [0, 0, 0, 0, 1, 1, 1, 1]
    lengths = [[len(lane.points) for lane in lanes] for lanes in whole]
    assert lengths[:6] == [[1], [1, 1], [1, 1, 1], [1, 1, 1, 1], [2, 1, 1, 1], [2, 2, 1, 1]]
    assert lengths[15] == lengths[19] == [4, 4, 4, 4] and lengths[20] == [4, 4, 4, 4, 1]
    assert [sum(lane.finished for lane in lanes) for lanes in whole[15:20]] == [0, 1, 2, 3, 4]
    assert all(lane.finished for lane in whole[-1])


def test_progress_never_goes_back() -> None:
    told: list[tuple[int, int]] = []
    *_, last = race(at_hand("plain"), SPLITS, TERMS, report=lambda done, total, note: told.append((done, total)))
    shares = [done / total for done, total in told]
    assert shares == sorted(shares) and shares[-1] == 1
    told.clear()
    list(race(at_hand("plain"), SPLITS, TERMS, last[:6], lambda done, total, note: told.append((done, total))))
    assert told[5] == (750, 1000) and min(told[5:]) == told[5]


def test_all_lanes_of_a_seed_have_the_same_minibatches_and_the_same_updates(monkeypatch: pytest.MonkeyPatch) -> None:
    streams: list[tuple[object, ...]] = []
    budgets: list[tuple[object, ...]] = []
    minibatches, train = procedure.minibatches, procedure.train

    def drawn(*given):
        streams.append(given)
        return minibatches(*given)

    def trained(module, stream, updates, training, report):
        budgets.append((updates, training.recipe, training.seed))
        return train(module, stream, updates, training, report)

    monkeypatch.setattr(procedure, "minibatches", drawn)
    monkeypatch.setattr(procedure, "train", trained)
    *_, last = race(at_hand("plain"), SPLITS, TERMS)
    assert len(last) == len(streams) == 8
    assert set(streams[:4]) == {(SPLITS["finetune"], 8, 0, 0)} and set(streams[4:]) == {(SPLITS["finetune"], 8, 1, 0)}
    by_turn = [set(budgets[i : i + 4]) for i in range(0, len(budgets), 4)]
    assert [len(turn) for turn in by_turn] == [1] * 6 and len(set().union(*by_turn)) == 6


def test_the_same_terms_give_the_same_race_and_another_seed_another_lane(whole: list[Race]) -> None:
    *_, again = race(at_hand("plain"), SPLITS, TERMS)
    assert again == whole[-1]
    for first, second in zip(again[:4], again[4:], strict=True):
        assert first.points[0] == second.points[0]
        assert first.points[-1].metrics != second.points[-1].metrics


def test_without_updates_only_chance_has_a_lane_for_every_seed() -> None:
    *_, lanes = race(at_hand("plain"), SPLITS, STILL)
    assert [(lane.selector, lane.seed, lane.every_seed) for lane in lanes] == [
        ("taylor", 0, True),
        ("random", 0, False),
        ("joint", 0, True),
        ("oracle", 0, True),
        ("random", 1, False),
    ]
    assert lanes[1].points[1].removed != lanes[4].points[1].removed
    assert {point.pruned for lane in lanes for point in lane.points} == {None}
    alone = [list(iterate(at_hand("plain"), SPLITS, STILL.of_lane("taylor", seed)))[-1] for seed in (0, 1)]
    assert alone[0].metrics == alone[1].metrics == lanes[0].points[-1].metrics
    drawn = RaceTerms(("taylor", "obd"), (0, 1), STILL.settings)
    assert drawn.lanes(many_classes()) == [("taylor", 0), ("obd", 0), ("obd", 1)]


class Stopped(Exception):
    """What a person's cancelling raises."""


def test_stopped_it_goes_on_with_the_lanes_that_are_missing(whole: list[Race], tmp_path: Path) -> None:
    network = at_hand("plain")
    begin_race(tmp_path, ABOUT, TERMS)

    def stopping(done: int, total: int, note: str = "") -> None:
        if note.startswith("Joint linearised, seed 1 (lane 7 of 8); 4 units"):
            raise Stopped

    with pytest.raises(Stopped):
        list(kept_race(network, SPLITS, TERMS, tmp_path, stopping))
    kept = read_race(tmp_path).lanes
    assert [(lane.selector, lane.seed) for lane in kept] == [(name, 0) for name in TERMS.selectors]
    notes: list[str] = []
    going_on = list(kept_race(network, SPLITS, TERMS, tmp_path, lambda done, total, note: notes.append(note)))
    assert len(going_on[0]) == 4 and going_on[-1] == whole[-1]
    assert {note for note in notes if ", seed 0 " in note} == {
        f"{name}, seed 0 (lane {number} of 8); kept"
        for number, name in enumerate(("Taylor", "Random", "Joint linearised", "Oracle"), 1)
    }
    assert read_race(tmp_path).lanes == whole[-1] and read_race(tmp_path).terms == TERMS
    assert list(kept_race(network, SPLITS, TERMS, tmp_path)) == [whole[-1]]


def test_a_damaged_lane_is_named_until_its_file_is_gone_and_another_race_is_refused(
    whole: list[Race], tmp_path: Path
) -> None:
    begin_race(tmp_path, ABOUT, TERMS)
    list(kept_race(at_hand("plain"), SPLITS, TERMS, tmp_path))
    paths = sorted(tmp_path.glob("lane-*"))
    spoiled = (
        *("{", '{"points": [], "every_seed": false, "finished": true}', paths[3].read_text()),
        paths[0].read_text().replace('"accuracy": 0', '"accuracy": 1'),
    )
    for content in spoiled:
        paths[0].write_text(content)
        with pytest.raises(BadInput, match=f"{paths[0].name} is damaged: .*; delete this file, and going on"):
            list(kept_race(at_hand("plain"), SPLITS, TERMS, tmp_path))
    paths[0].unlink()
    *_, again = kept_race(at_hand("plain"), SPLITS, TERMS, tmp_path)
    assert again == whole[-1]
    begin_race(tmp_path, ABOUT, TERMS)
    other = replace(TERMS, settings=replace(SETTINGS, updates=4))
    with pytest.raises(BadInput, match="holds a race with updates 3, not 4: give another folder"):
        begin_race(tmp_path, ABOUT, other)
    with pytest.raises(BadInput, match="holds a race with network plain, not mine"):
        begin_race(tmp_path, replace(ABOUT, network={"digest": "mine"}), TERMS)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "is not a race folder: it holds no race.json"),
        ("{", "is damaged: it is not JSON"),
        ('{"format": "pruning-explorer run 2"}', "is not in the format 'pruning-explorer race 2'"),
        ('{"format": "pruning-explorer race 1", "terms": {}}', "does not say what was raced"),
    ],
)
def test_a_folder_that_holds_no_race_is_named(content: str | None, message: str, tmp_path: Path) -> None:
    if content:
        (tmp_path / FILE).write_text(content)
    with pytest.raises(BadInput, match=message):
        read_race(tmp_path)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"selectors": ()}, "at least one selector, and each only once, not \\[\\]"),
        ({"selectors": ("taylor", "taylor")}, "at least one selector, and each only once"),
        ({"seeds": (1, 1)}, "at least one seed, and each only once, not \\[1, 1\\]"),
        ({"seeds": (0, "/../../x")}, "A seed must be a whole number, not '/../../x'"),
        ({"selectors": ("magic",)}, "Unknown criterion 'magic'; known are taylor"),
        ({"selectors": ("taylor", "bn_scale")}, "batch-norm"),
        ({"settings": replace(SETTINGS, target=0.01)}, "units=0.01 can't be reached"),
    ],
)
def test_bad_terms_are_named_before_any_work(given: dict, message: str) -> None:
    def working(done: int, total: int, note: str = "") -> None:
        raise AssertionError("work has begun")

    with pytest.raises(BadInput, match=message):
        list(race(at_hand("plain"), SPLITS, replace(TERMS, **given), report=working))
    without = {name: SPLITS[name] for name in ("calibration", "validation")}
    with pytest.raises(BadInput, match="needs images for fine-tuning"):
        list(race(at_hand("plain"), without, TERMS))


def test_networks_are_timed_in_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    clock: Iterator[float] = iter(range(1000))
    order: list[int] = []

    def timed(body, x) -> float:
        order.append(id(body))
        return float(next(clock))

    monkeypatch.setattr("explorer.evaluation.evaluate.timed", timed)
    small, large = at_hand("plain"), at_hand("residual")
    first, second = measure_latencies([small, large], batch=2, runs=3, warmup=1)
    assert order == [id(small.module), id(large.module)] * 4
    assert (first.median, second.median) == (4.0, 5.0)  # of 2 4 6 and 3 5 7, after 0 1
    assert (first.lower_quartile, first.upper_quartile, first.batch, first.runs) == (3.0, 5.0, 2, 3)
    *_, (lane,) = race(small, SPLITS, replace(STILL, selectors=("taylor",), timed=True))
    assert [point.speed.share for point in lane.points] == [
        p.speed.pruned.lower_quartile / p.speed.full.lower_quartile for p in lane.points
    ]
    assert bands((lane,), "loss", "latency", fine_tuned=False)[0].x[-1] == lane.points[-1].speed.share


def _point(units: int, accuracy: float, before: float | None, *channels: int, share: float = 1.0) -> RacePoint:
    metrics = Metrics(1 - accuracy, accuracy, 10, units, 100 * units, 1000 * units)
    pruned = None if before is None else replace(metrics, accuracy=before)
    latency = Latency(2.0, 1.0, 3.0, 1, 20, "cpu", 1)
    speed = PointLatency(latency, replace(latency, lower_quartile=share))
    return RacePoint(metrics, pruned, tuple(("conv", channel) for channel in channels), speed)


def _lane(selector: str, seed: int, *points: RacePoint, every_seed: bool = False) -> Lane:
    return Lane(selector, seed, every_seed, points, True)


WHOLE = _point(10, 0.9, None)
BY_HAND = (
    _lane("oracle", 0, WHOLE, _point(8, 0.9, 0.8, 0, 1, share=0.75), _point(6, 0.8, 0.6, 2, 3, share=0.5)),
    _lane("taylor", 0, WHOLE, _point(8, 0.7, 0.5, 1, 4), _point(6, 0.6, 0.3, 0, 2)),
    _lane("oracle", 1, WHOLE, _point(8, 0.8, 0.7, 5, 6)),
    _lane("taylor", 1, WHOLE, _point(8, 0.8, 0.6, 6, 5), _point(6, 0.5, 0.4, 0, 1)),
)


def test_bands_are_median_least_and_largest_over_the_seeds_that_have_come_so_far() -> None:
    after, taylor = bands(BY_HAND, "accuracy", "units", fine_tuned=True)
    assert (after.selector, after.x.tolist(), after.seeds.tolist()) == ("oracle", [1.0, 0.8, 0.6], [2, 2, 1])
    assert after.y == pytest.approx([0.9, 0.85, 0.8])
    assert (after.low.tolist(), after.high.tolist()) == ([0.9, 0.8, 0.8], [0.9, 0.9, 0.8])
    assert taylor.y == pytest.approx([0.9, 0.75, 0.55])
    before = bands(BY_HAND, "accuracy", "flops", fine_tuned=False)[1]
    assert before.y == pytest.approx([0.9, 0.55, 0.35]) and before.x.tolist() == [1.0, 0.8, 0.6]
    timed = bands(BY_HAND[:1], "accuracy", "latency", fine_tuned=True)[0]
    assert timed.x.tolist() == [1.0, 0.75, 0.5]
    unknown = replace(WHOLE, speed=None)
    assert np.isnan(bands((_lane("taylor", 0, unknown),), "loss", "latency", fine_tuned=True)[0].x).all()
    assert [first_at_share(after, share) for share in (0.9, 0.8, 0.7, 0.5)] == [1, 1, 2, None]


def test_what_went_first_is_counted_to_the_end_of_the_step() -> None:
    channels = [first_removed(BY_HAND[1], share) for share in (0.1, 0.2, 0.25, 0.5)]
    assert channels == [
        {("conv", 1), ("conv", 4)},
        {("conv", 1), ("conv", 4)},
        {("conv", n) for n in (0, 1, 2, 4)},
        None,
    ]


def test_the_overlap_is_with_the_oracle_of_the_same_seed() -> None:
    assert overlap_with(BY_HAND, "taylor", 0.1) == (1 / 2 + 2 / 2) / 2
    assert overlap_with(BY_HAND, "taylor", 0.4) == 3 / 4  # seed 1's oracle has not come so far
    assert overlap_with(BY_HAND, "taylor", 0.5) is None
    assert overlap_with(BY_HAND, "oracle", 0.4) == 1
    assert overlap_with(BY_HAND[1:2], "taylor", 0.1) is None
    for_all = replace(BY_HAND[0], every_seed=True), BY_HAND[1], BY_HAND[3]
    assert overlap_with(for_all, "taylor", 0.2) == (1 / 2 + 0 / 2) / 2


def test_files_hold_numbers_to_the_last_bit(whole: list[Race], tmp_path: Path) -> None:
    begin_race(tmp_path, ABOUT, replace(TERMS, timed=True))
    list(kept_race(at_hand("plain"), SPLITS, replace(TERMS, timed=True), tmp_path))
    kept = read_race(tmp_path).lanes
    again = json.loads((tmp_path / "lane-taylor-1.json").read_text())
    assert again["points"][-1]["metrics"]["loss"] == whole[-1][4].points[-1].metrics.loss
    assert all(point.speed is not None and point.speed.full.runs == 20 for lane in kept for point in lane.points)
