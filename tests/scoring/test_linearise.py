"""The linearisation against its closed form, autograd's Jacobian, and a plain re-computation."""

from __future__ import annotations

import closed_form
import numpy as np
import pytest
import torch
from networks_at_hand import MODULES, SHAPE, Tensors, at_hand, images, many_classes
from torch import Tensor
from torch.nn import functional as F

from explorer.networks.gates import Gated
from explorer.networks.network import Network
from explorer.scoring.linearise import EXACT_CLASSES, LARGEST, Linearisation, linear_change, linearise


def whole(network: Network, batches: Tensors, **options) -> Linearisation:
    (found,) = linearise(network, Tensors(batches.x, batches.y, len(batches)), **options)
    return found


def jacobians(network: Network, batches: Tensors, gates: Tensor) -> Tensor:
    """(N, classes, units): autograd's Jacobian of the logits in the gates."""
    gated = Gated(network.module, network.units)
    rows = [torch.autograd.functional.jacobian(lambda g, x=x: gated(x[None], g)[0], gates) for x in batches.x]
    return torch.stack(rows)


def test_linear_change_in_closed_form() -> None:
    found = whole(closed_form.network(), closed_form.batches())
    np.testing.assert_allclose(found.logits, closed_form.LOGITS, rtol=1e-5)
    np.testing.assert_allclose(found.slopes, closed_form.J, rtol=1e-5)
    np.testing.assert_allclose(linear_change(found), closed_form.CHANGES, rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("name", MODULES)
def test_slopes_are_autograds_jacobian_at_any_gates(name: str) -> None:
    network, batches = at_hand(name), images(SHAPE, n=3)
    gates = torch.rand(len(network.units), generator=torch.Generator().manual_seed(3)).round()
    found = whole(network, batches, gates=gates)
    assert torch.equal(found.classes, torch.arange(3).expand(3, 3))
    torch.testing.assert_close(found.slopes, jacobians(network, batches, gates), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("name", MODULES)
def test_linear_change_is_the_loss_at_the_moved_logits(name: str) -> None:
    found = whole(at_hand(name), images(SHAPE))
    before = F.cross_entropy(found.logits, found.labels, reduction="none")
    for unit in range(len(found.units)):
        after = F.cross_entropy(found.logits - found.slopes[:, :, unit], found.labels, reduction="none")
        torch.testing.assert_close(linear_change(found)[:, unit], after - before, rtol=1e-9, atol=1e-12)


def test_of_many_classes_the_label_and_the_largest_are_followed() -> None:
    network, batches = many_classes(), images(SHAPE, classes=40)
    assert len(network.classes) > EXACT_CLASSES
    found = whole(network, batches)
    for n, label in enumerate(batches.y.tolist()):
        order = found.logits[n].argsort(descending=True).tolist()
        largest = [c for c in order if c != label][:LARGEST]
        assert found.classes[n].tolist() == [label, *largest]
    slopes = jacobians(network, batches, torch.ones(len(network.units)))
    expected = slopes.gather(1, found.classes[:, :, None].expand(-1, -1, slopes.shape[2]))
    torch.testing.assert_close(found.slopes, expected, rtol=1e-4, atol=1e-6)


def test_of_many_classes_the_logits_not_followed_stay_where_they_are() -> None:
    found = whole(many_classes(), images(SHAPE, classes=40))
    before = F.cross_entropy(found.logits, found.labels, reduction="none")
    for unit in range(len(found.units)):
        moved = found.logits.scatter_add(1, found.classes, -found.slopes[:, :, unit].double())
        after = F.cross_entropy(moved, found.labels, reduction="none")
        torch.testing.assert_close(linear_change(found)[:, unit], after - before, rtol=1e-9, atol=1e-12)


def test_others_are_drawn_by_their_probability_and_averaged_with_all() -> None:
    network, batches = many_classes(), images(SHAPE, n=2, classes=40)
    found = whole(network, batches, draws=500)
    assert found.others is not None
    slopes = jacobians(network, batches, torch.ones(len(network.units)))
    p = found.logits.softmax(1).float()
    torch.testing.assert_close(found.others.average, torch.einsum("nc,ncu->nu", p, slopes), rtol=1e-4, atol=1e-5)
    for n in range(2):
        drawn = (found.others.slopes[n][:, None] - slopes[n][None]).abs().sum(2).argmin(1)  # which class each is of
        counts = torch.bincount(drawn, minlength=40).double()
        assert not counts[found.classes[n]].any()
        chance = p[n].double().scatter(0, found.classes[n], 0)
        chance = chance / chance.sum()
        assert ((counts / 500 - chance).abs() <= 5 * (chance / 500).sqrt()).all()


def test_few_classes_leave_no_others() -> None:
    assert whole(at_hand("plain"), images(SHAPE), draws=3).others is None


def test_a_gate_that_moves_no_logit_changes_nothing() -> None:
    network = at_hand("plain")
    network.module[0].weight.data[2], network.module[0].bias.data[2] = 0, -1  # behind its ReLU always 0
    assert not linear_change(whole(network, images(SHAPE)))[:, 2].any()


@pytest.mark.parametrize("draws", [0, 2])
def test_the_batch_split_does_not_matter(draws: int) -> None:
    network = many_classes()
    parts = [list(linearise(network, images(SHAPE, classes=40, size=size), draws=draws)) for size in (12, 5)]
    one, other = (torch.cat([linear_change(found) for found in part]) for part in parts)
    torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-6)
    if draws:
        one, other = (torch.cat([found.others.slopes for found in part]) for part in parts)
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)
