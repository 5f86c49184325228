"""Selectors: a row decides all; no page or command asks which one it is."""

from __future__ import annotations

import pytest
import torch
from networks_at_hand import SHAPE, at_hand, images
from torch import Tensor

from explorer.core.errors import BadInput
from explorer.core.progress import Report, silent
from explorer.evaluation.evaluate import evaluate
from explorer.networks.surgery import prune
from explorer.networks.units import none_removed
from explorer.pruning import joint
from explorer.pruning.race import RaceTerms, race
from explorer.pruning.selectors import (
    SELECTORS,
    Candidates,
    Ranked,
    Selector,
    check_applies,
    check_from_updates,
    scaling_for,
    selector_of,
    selectors_for,
)
from explorer.pruning.settings import Settings
from explorer.scoring.criteria import CRITERIA
from explorer.scoring.evidence import FROM_UPDATES, PARTS, gather
from explorer.scoring.oracle import reference_oracle
from explorer.scoring.ranking import scaled

IMAGES = images(SHAPE, n=12)
LAST_FIRST = "last_first"


def candidates(name: str = "plain", **how: object) -> Candidates:
    """The units of a network that has lost its first one, as a step would show them."""
    network = at_hand(name)
    removed = none_removed(network.units)
    removed[0] = True
    smaller = prune(network, removed)
    charge = torch.linspace(0, 0.1, len(smaller.units), dtype=torch.float64)
    return Candidates(smaller, IMAGES, lambda: evaluate(network, IMAGES).logits, 3, charge, **how)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", CRITERIA)
def test_a_criterion_ranks_by_its_saliency_scaled_and_charged(name: str) -> None:
    shown = candidates("plain_batchnorm", scaling="l2", seed=3)
    found = SELECTORS[name].rank(shown, silent)
    raw = CRITERIA[name].saliency(gather(shown.network, IMAGES, CRITERIA[name].needs, seed=3))
    expected = scaled(raw, shown.network.units, "none" if name == "random" else "l2", shown.charge)
    torch.testing.assert_close(found.saliency, expected, rtol=1e-9, atol=1e-12)
    assert found.count == 3


def test_a_saliency_that_is_known_is_not_estimated_again() -> None:
    known = torch.arange(10, dtype=torch.float64)
    shown = candidates(saliency=known)
    assert torch.equal(SELECTORS["taylor"].rank(shown, silent).saliency, known - shown.charge)


def test_the_oracle_measures_the_units_left() -> None:
    shown = candidates(scaling="l2")
    expected = reference_oracle(shown.network, IMAGES).oracle_abs - shown.charge
    torch.testing.assert_close(SELECTORS["oracle"].rank(shown, silent).saliency, expected, rtol=1e-4, atol=1e-6)


def test_joint_linearised_keeps_what_the_network_as_loaded_says() -> None:
    shown = candidates()
    expected = joint.ranking(
        shown.network, IMAGES, evaluate(at_hand("plain"), IMAGES).logits, joint.Rules(3, shown.charge)
    )
    found = SELECTORS["joint"].rank(shown, silent)
    assert torch.equal(found.saliency, expected.places) and found.count == 3
    further = SELECTORS["joint"].rank(candidates(further=True), silent)
    assert further.count >= 3


def test_those_that_can_score_a_network_come_in_the_tables_order_and_the_others_say_why_not() -> None:
    assert list(selectors_for(at_hand("plain_batchnorm"))) == list(SELECTORS)
    assert set(SELECTORS) - set(selectors_for(at_hand("plain"))) == {"bn_scale"}
    with pytest.raises(BadInput, match=r"Batch-norm scale can't score this network: layer 0 and 1 more of plain"):
        check_applies("bn_scale", at_hand("plain"))
    for name in selectors_for(at_hand("plain")):
        check_applies(name, at_hand("plain"))


def test_the_paper_s_criteria_can_be_had_from_updates_and_the_others_say_why_not() -> None:
    others = ["taylor2", "linear_oracle", "obd", "hrank", "joint", "oracle"]
    assert [name for name, selector in SELECTORS.items() if not selector.from_updates] == others
    assert FROM_UPDATES - {"units", "seed"} < PARTS
    check_from_updates("taylor")
    sentence = "OBD can't be computed from the updates' own minibatches, as it needs passes over calibration images; "
    with pytest.raises(BadInput, match=sentence):
        check_from_updates("obd")
    with pytest.raises(BadInput, match="Joint linearised can't be computed"):
        check_from_updates("joint")


def test_what_is_never_scaled_and_how_many_units_go_by_themselves() -> None:
    assert [name for name in SELECTORS if scaling_for(name, "l2") == "none"] == ["random", "joint", "oracle"]
    demo = at_hand("plain").units
    assert {name: SELECTORS[name].default_step(demo) for name in ("taylor", "oracle", "joint")} == {
        "taylor": 1,
        "oracle": 1,
        "joint": joint.default_step(demo),
    }
    assert [name for name, selector in SELECTORS.items() if selector.anew] == ["joint"]


@pytest.fixture
def last_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """One more row: the units of the highest index go first."""

    def rank(shown: Candidates, report: Report) -> Ranked:
        return Ranked(-torch.arange(len(shown.network.units), dtype=torch.float64), shown.count)

    row = Selector(LAST_FIRST, "Last first", "The last unit first.", "place", "none", "this test", rank)
    monkeypatch.setitem(SELECTORS, LAST_FIRST, row)


def backwards(plan: Tensor) -> bool:
    """Whether in each layer of `plain` (6 and 5 units, the last layer first) only the last units are gone."""
    return bool((plan[:-1] <= plan[1:])[6:].all() and plan[6:].any())


def test_a_new_row_races_without_another_line(last_first: None) -> None:
    terms = RaceTerms((LAST_FIRST, "taylor"), (0, 1), Settings(target=0.6, step=2))
    splits = {"calibration": IMAGES, "validation": IMAGES}
    *_, found = race(at_hand("plain"), splits, terms)
    assert [(lane.selector, lane.every_seed) for lane in found] == [(LAST_FIRST, True), ("taylor", True)]
    network = at_hand("plain")
    gone = none_removed(network.units)
    gone[[network.units.labels.index(label) for point in found[0].points for label in point.removed]] = True
    assert backwards(gone) and int(gone.sum()) == 5


def test_a_persons_criterion_that_nobody_named_is_shown_and_not_run() -> None:
    row = selector_of("mine:my_score")
    assert (row.title, row.needs, row.anew) == ("My score", (), False) and "mine:my_score" not in SELECTORS
    splits = {"calibration": IMAGES, "validation": IMAGES}
    terms = RaceTerms(("mine:my_score",), (0, 1), Settings(target=0.6, step=2))
    assert terms.truth is None and terms.lanes(at_hand("plain")) == [("mine:my_score", 0)]
    why = "it is a person's own code, which runs only where they name it, with --criterion mine:my_score"
    with pytest.raises(BadInput, match=f"My score can't score this network: {why}"):
        next(race(at_hand("plain"), splits, terms))
    with pytest.raises(BadInput, match=f"mine:my_score can't rank units: {why}"):
        row.rank(candidates(), silent)
    with pytest.raises(BadInput, match="Unknown criterion 'mine'; known are taylor, "):
        Settings(criterion="mine")
