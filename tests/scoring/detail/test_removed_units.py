"""Which removed units changed an answer, against the pruned network without each of them."""

from __future__ import annotations

import pytest
import torch
from networks_at_hand import MODULES, UNUSUAL, at_hand, images, shape_of

from explorer.core.errors import BadInput
from explorer.evaluation.evaluate import evaluate
from explorer.networks.surgery import prune
from explorer.scoring.detail import removed_units


def plan(units: int, *gone: int) -> torch.Tensor:
    found = torch.zeros(units, dtype=torch.bool)
    found[list(gone)] = True
    return found


@pytest.mark.parametrize("name", [*MODULES, *UNUSUAL])
def test_each_is_measured_as_by_the_network_that_is_pruned_so(name: str) -> None:
    network, batches = at_hand(name), images(shape_of(name), n=1)
    units = len(network.units)

    def measured(*gone: int) -> tuple[float, int]:
        outcome = evaluate(prune(network, plan(units, *gone)), batches)
        return outcome.loss, int(outcome.logits.argmax())

    found = removed_units(network, batches.x[0], int(batches.y[0]), (plan(units, 1), plan(units, 0, 1, 3)))
    assert found.units.tolist() == [0, 3]
    assert found.before == pytest.approx(measured(1)[0], rel=1e-4, abs=1e-6)
    assert found.after == pytest.approx(measured(0, 1, 3)[0], rel=1e-4, abs=1e-6)
    for place, (unit, other) in enumerate([(0, 3), (3, 0)]):
        assert float(found.alone[place]) == pytest.approx(measured(1, unit)[0], rel=1e-4, abs=1e-6)
        kept, answer = measured(1, other)
        assert float(found.without[place]) == pytest.approx(kept, rel=1e-4, abs=1e-6)
        assert int(found.answers[place]) == answer
    torch.testing.assert_close(found.healed, found.after - found.without)
    torch.testing.assert_close(found.harmed, found.alone - found.before)
    nearer = (found.without - found.before).abs() < abs(found.after - found.before)
    assert (found.undone[nearer] > 0).all()


def test_of_one_removed_unit_both_measures_are_the_whole_change() -> None:
    network, batches = at_hand("plain"), images(shape_of("plain"), n=1)
    units = len(network.units)
    found = removed_units(network, batches.x[0], int(batches.y[0]), (plan(units), plan(units, 3)))
    whole = torch.tensor([found.after - found.before], dtype=torch.float64)
    assert whole.abs() > 0
    torch.testing.assert_close(found.healed, whole)
    torch.testing.assert_close(found.harmed, whole)


def test_states_without_a_removal_between_them_are_refused() -> None:
    network, batches = at_hand("plain"), images(shape_of("plain"), n=1)
    units = len(network.units)
    for before, after in (((1,), (1,)), ((1,), ())):
        with pytest.raises(BadInput, match="No unit is removed"):
            removed_units(network, batches.x[0], 0, (plan(units, *before), plan(units, *after)))
