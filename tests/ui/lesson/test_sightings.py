"""What a step says was seen: each sentence against arithmetic of its own, and for either outcome."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from scipy import stats
from torch import Tensor

from explorer.evaluation.metrics import Metrics
from explorer.networks.units import Units
from explorer.runs.timeline import State, Timeline
from explorer.scoring.oracle import Oracle
from explorer.ui.lesson import sightings
from explorer.ui.lesson.sightings import SIGHTINGS, sighted
from explorer.ui.work import workspace
from explorer.ui.work.session import View
from explorer.ui.work.workspace import Source


@pytest.fixture
def view() -> View:
    """The demo as loaded, of which nothing is known yet."""
    loaded = workspace.open_workspace(Source())
    units = loaded.network.units
    root = State(None, (), "as loaded", metrics(1.0, 0.95, len(units)))
    return View(loaded, loaded, Timeline({0: root}), torch.zeros(len(units), dtype=torch.bool), "of-the-sightings")


def metrics(share: float, accuracy: float, of: int, images: int = 256) -> Metrics:
    return Metrics(0.1, accuracy, images, round(share * of), 10, 10)


def measured(units: Units, mean: Tensor) -> Oracle:
    """An oracle of two images, exact, whose mean is this one."""
    return Oracle(units, torch.stack([mean - 0.5, mean + 0.5]), torch.arange(2), 2, "by hand")


def by_layer_l2(saliency: Tensor, units: Units) -> np.ndarray:
    return np.concatenate([saliency[at].numpy() / np.linalg.norm(saliency[at]) for at in units.slices.values()])


def step(view: View, number: int, state: State) -> View:
    return replace(view, timeline=replace(view.timeline, states={**view.timeline.states, number: state}))


def say(view: View, name: str) -> str:
    sentence = sighted(view, name)
    assert sentence
    return sentence


@pytest.mark.parametrize("name", SIGHTINGS)
def test_nothing_is_said_to_be_seen_before_it_was_done(view: View, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sightings, "oracle", lambda loaded: None)
    monkeypatch.setattr(sightings, "find_scoring_job", lambda *of: None)
    monkeypatch.setattr(sightings, "curves_of", lambda key: {})
    assert sighted(view, name) is None


def test_the_oracle_names_the_dearest_and_the_cheapest_unit(view: View, monkeypatch: pytest.MonkeyPatch) -> None:
    units = view.loaded.network.units
    mean = torch.linspace(-0.25, 0.75, len(units), dtype=torch.float64)
    mean[3] = 0.0
    monkeypatch.setattr(sightings, "oracle", lambda loaded: measured(units, mean))
    sentence, (layer, channel), (cheap, least) = say(view, "oracle-cost"), units.labels[-1], units.labels[3]
    assert f"{layer}, channel {channel} costs most when it alone goes: the loss changes by +0.75 nats" in sentence
    assert f"{cheap}, channel {least} costs least: +0" in sentence
    assert f"any one of {int((mean < 0).sum())} the network is better" in sentence


@pytest.mark.parametrize("better", ["weight", "taylor"])
def test_which_criterion_is_nearer_to_the_oracle_is_told_as_it_is(
    view: View, better: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    units, chance = view.loaded.network.units, torch.Generator().manual_seed(1)
    truth = torch.rand(len(units), generator=chance, dtype=torch.float64)
    good, bad = truth + 0.1, torch.rand(len(units), generator=chance, dtype=torch.float64)
    scores = {"weight": good, "taylor": bad} if better == "weight" else {"weight": bad, "taylor": good}
    monkeypatch.setattr(sightings, "oracle", lambda loaded: measured(units, truth))
    monkeypatch.setattr(sightings, "_saliencies", lambda view: scores)
    sentence = say(view, "weights-mislead")
    for name, title in (("weight", "weight"), ("taylor", "Taylor")):
        agrees = stats.spearmanr(by_layer_l2(scores[name], units), truth.numpy()).statistic
        assert f"{title} {agrees:.2f}" in sentence
    told = "here weights tell no less than Taylor does" if better == "weight" else "small weights tell less than Taylor"
    assert told in sentence
    few = np.argsort(by_layer_l2(scores["weight"], units))[: round(len(units) / 10)]
    assert (
        f"{int((truth.numpy()[few] > np.median(truth)).sum())} are among the oracle's more important half" in sentence
    )


def test_the_layers_at_both_ends_are_named(view: View, monkeypatch: pytest.MonkeyPatch) -> None:
    units = view.loaded.network.units
    rising = torch.arange(1.0, len(units) + 1, dtype=torch.float64)
    monkeypatch.setattr(sightings, "oracle", lambda loaded: measured(units, rising))
    first, last = units.layers[0], units.layers[-1]
    sentence = say(view, "ranks-by-layer")
    assert f"By the oracle, the units of {last.name} matter most: their median rank is" in sentence
    assert f"those of {first.name} least, with {len(units) - (len(first) - 1) / 2:.0f}" in sentence


@pytest.mark.parametrize(
    ("taylor", "chance", "told"),
    [(0.9, 0.4, "Taylor is ahead of chance"), (0.4, 0.9, "chance is ahead of Taylor"), (0.91, 0.9, "can't tell them")],
)
def test_half_gone_compares_states_of_one_criterion_before_fine_tuning(
    view: View, taylor: float, chance: float, told: str
) -> None:
    count = len(view.loaded.network.units)
    for number, (name, share, accuracy, updates) in enumerate(
        [
            ("taylor", 0.58, 0.1, 0),
            ("taylor", 0.5, taylor, 0),
            ("random", 0.5, chance, 0),
            ("random", 0.5, 0.2, 9),
            ("random", 0.3, 0.3, 0),
        ],
        1,
    ):
        there = State(0, (), name, metrics(share, accuracy, count), updates=updates, settings={"criterion": name})
        view = step(view, number, there)
    sentence = say(view, "half-gone")
    assert f"Taylor keeps {taylor:.1%} of the images right and chance {chance:.1%}" in sentence and told in sentence
    assert sentence.startswith(f"With {round(count / 2)} of {count} units left")


def test_fine_tuning_is_told_from_before_it_to_after(view: View) -> None:
    count = len(view.loaded.network.units)
    tuned = State(0, (), "turn", metrics(0.4, 0.9, count), metrics(0.4, 0.5, count), updates=7)
    sentence = say(step(view, 1, tuned), "fine-tuned")
    assert "7 updates took the accuracy from 50.0% to 90.0%; the whole network has 95.0%" in sentence


@pytest.mark.parametrize(("joint", "told"), [(0.9, "the joint choice is ahead of Taylor"), (0.5, "can't tell them")])
def test_the_trap_is_told_of_the_criterion_nearest_to_the_oracle(
    view: View, joint: float, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    units = view.loaded.network.units
    truth = torch.rand(len(units), generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    scores = {"taylor": truth, "weight": truth.flip(0), "random": truth.roll(1)}
    at_half = {"taylor": 0.5, "weight": 0.2, "joint": joint, "oracle": 0.6}
    curves = {name: [metrics(1.0, 1.0, 9)] * 5 + [metrics(0.5, value, 9)] for name, value in at_half.items()}
    monkeypatch.setattr(sightings, "oracle", lambda loaded: measured(units, truth))
    monkeypatch.setattr(sightings, "_saliencies", lambda view: scores)
    monkeypatch.setattr(sightings, "curves_of", lambda key: curves)
    sentence, agrees = say(view, "joint-choice"), stats.spearmanr(by_layer_l2(truth, units), truth.numpy()).statistic
    assert f"Taylor agrees best with the oracle ({agrees:.2f})" in sentence and told in sentence
    assert f"it keeps 50.0% right, units chosen jointly {joint:.1%}" in sentence
    assert sentence.endswith("The oracle's own order keeps 60.0%.")


def test_a_file_that_failed_its_proof_is_not_counted_as_proven(view: View, monkeypatch: pytest.MonkeyPatch) -> None:
    verdicts = [
        SimpleNamespace(ok=ok, max_abs_difference=off) for ok, off in ((True, 1e-6), (True, 3e-6), (False, 2.0))
    ]
    job = SimpleNamespace(result=SimpleNamespace(verdicts=verdicts, compared_on="256 validation images"))
    monkeypatch.setattr(sightings, "JOBS", SimpleNamespace(find=lambda key: job))
    sentence = say(view, "proven")
    assert sentence.startswith("2 of 3 files of state 0 computed") and sentence.endswith("at most 3.0e-06.")


@pytest.mark.parametrize("silent", [False, True])
def test_a_feature_map_is_told_by_the_classes_of_its_images(
    view: View, silent: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    units, classes = view.loaded.network.units, view.loaded.network.classes
    labels = torch.tensor([2] * 12 + [1] * 20)
    mean = torch.zeros(32, len(units))
    mean[:, 5] = torch.linspace(1, 0, 32)
    square = torch.zeros_like(mean) if silent else mean**2
    seen = SimpleNamespace(mean=mean, mean_square=square, labels=labels)
    scored = SimpleNamespace(evidence=SimpleNamespace(seen=seen), saliencies={})
    monkeypatch.setattr(sightings, "_scored", lambda view: scored)
    layer, channel = units.labels[5]
    monkeypatch.setattr(sightings.st, "query_params", {"unit": f"{layer}:{channel}"})
    sentence = say(view, "feature-map")
    if silent:
        assert sentence == f"{layer}, channel {channel} sees nothing: it is zero on all 32 calibration images."
    else:
        assert f"Of the 16 calibration images that excite {layer}, channel {channel} most, 12 are" in sentence
        assert sentence.endswith(f"of class {classes[2]}; of all images 12 in 32 are.")
