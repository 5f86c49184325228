"""The greedy order against an exhaustive one that recomputes everything in float64."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from networks_at_hand import MODULES, SHAPE, Tensors, at_hand, images
from torch import Tensor

from explorer.evaluation.evaluate import evaluate
from explorer.networks.units import Layer, Units
from explorer.pruning.joint import JointOrder, Rules, order
from explorer.scoring.linearise import Linearisation
from explorer.scoring.predict import linearise_all

IMAGES = images(SHAPE, n=10)


def divergence(reference: Tensor, logits: Tensor) -> float:
    """Mean KL(p || q) of two sets of logits, by its definition."""
    p, q = (z.double().softmax(1) for z in (reference, logits))
    return float((p * (p / q).log()).sum(1).mean())


NEAR = 1e-6  # nats: two units as near as this may change places


def assert_greedy(found: Linearisation, reference: Tensor, result: JointOrder, charge: Tensor) -> list[float]:
    """Every candidate is tried at every step, and none is better than the one that went; the KL after each step."""
    left = [len(layer) for layer in found.units.layers]
    of_unit = found.units.layer_index.tolist()
    values: list[float] = []
    for step, unit in enumerate(result.units.tolist()):
        gone = result.units[:step].tolist()
        candidates = [u for u in range(len(of_unit)) if u not in gone and left[of_unit[u]] > 1]
        tried = {u: divergence(reference, _moved(found, [*gone, u])) for u in candidates}
        assert tried[unit] - float(charge[unit]) <= min(tried[u] - float(charge[u]) for u in candidates) + NEAR
        values.append(tried[unit])
        left[of_unit[unit]] -= 1
    assert set(left) == {1}
    return values


def _moved(found: Linearisation, gone: list[int]) -> Tensor:
    return found.logits.scatter_add(1, found.classes, -found.slopes[:, :, gone].double().sum(2))


@pytest.mark.parametrize("priced", [False, True])
@pytest.mark.parametrize("name", MODULES)
def test_no_unit_would_have_been_better_at_any_step(name: str, priced: bool) -> None:
    network = at_hand(name)
    found, reference = linearise_all(network, IMAGES), evaluate(network, IMAGES).logits
    generator = torch.Generator().manual_seed(0)
    charge = 0.01 * torch.rand(len(network.units), generator=generator, dtype=torch.float64) * priced
    result = order(found, reference, Rules(charge=charge if priced else None))
    values = assert_greedy(found, reference, result, charge)
    torch.testing.assert_close(result.divergence, torch.tensor(values, dtype=torch.float64), rtol=1e-4, atol=NEAR)


def many_classes(classes: int = 40, followed: int = 4, n: int = 6) -> tuple[Linearisation, Tensor]:
    """A linearisation that follows few of its classes, and logits of a reference that are not its own."""
    generator = torch.Generator().manual_seed(3)
    logits = torch.randn(n, classes, generator=generator, dtype=torch.float64)
    chosen = torch.rand(n, classes, generator=generator).topk(followed).indices
    units = at_hand("plain").units
    slopes = torch.randn(n, followed, len(units), generator=generator) / 3
    reference = logits + torch.randn(n, classes, generator=generator)
    return Linearisation(units, logits, torch.zeros(n, dtype=torch.int64), chosen, slopes), reference


def test_logits_that_are_not_followed_stay_where_they_are() -> None:
    found, reference = many_classes()
    result = order(found, reference)
    values = assert_greedy(found, reference, result, torch.zeros(len(found.units)))
    # KL over all classes and over those followed with one for the rest differ by what no unit can change
    rest = divergence(reference, found.logits) - order_start(found, reference)
    torch.testing.assert_close(result.divergence + rest, torch.tensor(values, dtype=torch.float64), rtol=1e-4, atol=0)


def order_start(found: Linearisation, reference: Tensor) -> float:
    """KL before anything goes, the classes that are not followed taken as one."""
    p, q = (z.softmax(1) for z in (reference, found.logits))
    own, other = (
        torch.cat([x.gather(1, found.classes), 1 - x.gather(1, found.classes).sum(1, True)], 1) for x in (p, q)
    )
    return float((own * (own / other).log()).sum(1).mean())


def two_layers(slopes: list[list[float]]) -> tuple[Linearisation, Tensor]:
    """One image of two classes whose logits are 0; slopes: classes x units, of layers of two and three units."""
    whole = at_hand("plain").units
    first, second = whole.layers
    few = Units(tuple(_narrowed(layer, n) for layer, n in ((first, 2), (second, 3))), {})
    zero = torch.zeros(1, 2, dtype=torch.float64)
    found = Linearisation(few, zero, torch.zeros(1, dtype=torch.int64), torch.arange(2)[None], torch.tensor([slopes]))
    return found, zero


def _narrowed(layer: Layer, n: int) -> Layer:
    return replace(layer, channels=layer.channels[:n])


def test_effects_that_cancel_go_together_and_floors_hold() -> None:
    # alone, unit 1 is the cheapest; then 2, whose effect of 0.4 - 0.3 is the least; 0 and 1 are never both gone
    found, reference = two_layers([[5.0, 0.3, -0.4, 2.0, -0.9], [0.0, 0.0, 0.0, 0.0, 0.0]])
    result = order(found, reference)
    assert result.units.tolist() == [1, 2, 4]
    assert result.rest.tolist() == [0, 3]  # at the floor of their layers
    assert result.places.tolist() == [3, 0, 1, 4, 2]
    shift = -torch.tensor([0.3, -0.1, -1.0], dtype=torch.float64)  # of the first logit against the second
    expected = -(torch.log(4 * torch.sigmoid(shift) * torch.sigmoid(-shift))) / 2  # KL(1/2, 1/2 || q)
    torch.testing.assert_close(result.divergence, expected, rtol=1e-6, atol=1e-9)


def test_only_so_many_are_ordered_and_the_rest_by_what_they_would_add() -> None:
    found, reference = two_layers([[5.0, 0.3, -0.4, 2.0, -0.9], [0.0, 0.0, 0.0, 0.0, 0.0]])
    result = order(found, reference, Rules(1))
    assert (result.units.tolist(), result.rest.tolist()) == ([1], [2, 4, 3, 0])  # shifts of -0.1, -0.6, 2.3; floor
    assert order(found, reference, Rules(99)).units.tolist() == [1, 2, 4]


def test_what_changes_nothing_goes_on_for_free() -> None:
    found, reference = two_layers([[5.0, 0.0, 0.0, 2.0, 0.0], [0.0, 0.0, 0.0, 0.0, 0.0]])
    assert len(order(found, reference, Rules(1)).units) == 1
    assert sorted(order(found, reference, Rules(1, calm=1e-9)).units.tolist()) == [1, 2, 4]


def test_huge_slopes_neither_overflow_nor_underflow() -> None:
    found, reference = two_layers([[500.0, 400.0, -300.0, 2.0, 200.0], [0.0, 0.0, 0.0, 0.0, 0.0]])
    result = order(found, reference)
    assert result.divergence.isfinite().all()
    assert result.units.tolist()[0] == 3


def test_labels_do_not_matter() -> None:
    network = at_hand("residual")
    other = Tensors(IMAGES.x, (IMAGES.y + 1) % 3)
    reference = evaluate(network, IMAGES).logits
    first, second = (order(linearise_all(network, b), reference) for b in (IMAGES, other))
    assert torch.equal(first.units, second.units)


def test_each_unit_is_reported_and_may_be_the_last() -> None:
    found, reference = two_layers([[5.0, 0.3, -0.4, 2.0, -0.9], [0.0, 0.0, 0.0, 0.0, 0.0]])
    seen: list[tuple[int, int]] = []
    order(found, reference, Rules(2), report=lambda done, total, note="": seen.append((done, total)))
    assert seen == [(1, 2), (2, 2)]

    def stop(done: int, total: int, note: str = "") -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        order(found, reference, report=stop)
