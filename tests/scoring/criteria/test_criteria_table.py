"""The table of criteria: every entry on every network at hand, and what it says of itself."""

from __future__ import annotations

import pytest
import torch
from networks_at_hand import MODULES, SHAPE, at_hand, images

from explorer.networks.surgery import prune
from explorer.scoring.criteria import CRITERIA, Criterion, applicable, score
from explorer.scoring.criteria.table import combined
from explorer.scoring.evidence import Evidence, gather
from explorer.scoring.ranking import l2


@pytest.fixture(scope="module", params=MODULES)
def gathered(request: pytest.FixtureRequest):
    network = at_hand(request.param)
    return network, gather(network, images(SHAPE))


@pytest.mark.parametrize("name", CRITERIA)
def test_every_criterion_gives_every_unit_of_every_network_a_finite_value(name: str, gathered) -> None:
    network, evidence = gathered
    if name not in applicable(network):
        assert name not in score(evidence)
        return
    saliency = CRITERIA[name].saliency(evidence)
    assert saliency.shape == (len(network.units),)
    assert saliency.dtype == torch.float64
    assert saliency.isfinite().all()
    assert len(saliency.unique()) > 1 or name == "bn_scale"  # fresh batch-norms all have a scale of 1


@pytest.mark.parametrize("name", CRITERIA)
def test_what_a_criterion_needs_is_enough_for_it(name: str) -> None:
    network, batches = at_hand("residual"), images(SHAPE)
    alone = gather(network, batches, CRITERIA[name].needs, seed=2)
    together = gather(network, batches, seed=2)
    assert torch.equal(CRITERIA[name].saliency(alone), CRITERIA[name].saliency(together))


def test_score_is_of_what_the_evidence_suffices_for() -> None:
    network, batches = at_hand("plain_batchnorm"), images(SHAPE)
    assert list(score(gather(network, batches))) == list(CRITERIA)
    assert set(score(Evidence(network.units))) == {"random"}
    assert set(score(gather(network, batches, {"kernels"}))) == {"weight", "l1", "bn_scale", "random"}


def test_a_criterion_that_does_not_apply_says_so_and_is_left_out() -> None:
    network = at_hand("plain")
    assert set(CRITERIA) - set(applicable(network)) == {"bn_scale"}
    assert list(applicable(at_hand("plain_batchnorm"))) == list(CRITERIA)


def test_random_is_seeded_and_uniform() -> None:
    units = at_hand("plain").units
    a, b, again = (CRITERIA["random"].saliency(Evidence(units, seed=seed)) for seed in (0, 1, 0))
    assert torch.equal(a, again)
    assert not torch.equal(a, b)
    assert ((a >= 0) & (a < 1)).all()


def test_two_criteria_are_combined_at_equal_length_in_every_layer() -> None:
    network = at_hand("plain")
    found = score(gather(network, images(SHAPE), {"seen"}))
    first, second = found["taylor"], found["activation_mean"]
    torch.testing.assert_close(found["taylor_activation"], (l2(first, network.units) + l2(second, network.units)) / 2)
    assert torch.equal(combined(first, second, network.units, 0.0), l2(first, network.units))
    assert torch.equal(combined(first, second, network.units, 1.0), l2(second, network.units))
    torch.testing.assert_close(
        combined(3 * first, 0.1 * second, network.units, 0.25), combined(first, second, network.units, 0.25)
    )


@pytest.mark.parametrize("criterion", CRITERIA.values(), ids=CRITERIA)
def test_every_criterion_states_formula_range_direction_and_source(criterion: Criterion) -> None:
    text = criterion.function.__doc__ or ""
    assert "(units,)" in text
    assert "higher = keep" in text or criterion.name == "random"
    assert "s[u] =" in text or criterion.name == "random"
    assert criterion.summary.endswith(".")
    assert criterion.source and criterion.cost and criterion.unit


def test_titles_and_summaries_tell_criteria_apart() -> None:
    assert len({c.title for c in CRITERIA.values()}) == len({c.summary for c in CRITERIA.values()}) == len(CRITERIA)


def test_random_keeps_to_one_order_while_units_go() -> None:
    network = at_hand("plain")
    removed = torch.tensor([True, False, False, True, False, False, True, False, True, False, False])
    pruned = prune(network, removed)
    before, after = (CRITERIA["random"].saliency(Evidence(n.units, seed=4)) for n in (network, pruned))
    assert torch.equal(after, before[~removed])
