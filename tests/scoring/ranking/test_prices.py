"""Prices by arithmetic, and against what surgery really saves."""

from __future__ import annotations

import pytest
import torch
from networks_at_hand import MODULES, at_hand
from torch import nn

from explorer.core.errors import BadInput
from explorer.core.progress import silent
from explorer.networks.costs import measure_costs
from explorer.networks.surgery import prune
from explorer.networks.units import none_removed
from explorer.pruning.plan import with_removed
from explorer.scoring.ranking import PRICES, charges

PLAIN = at_hand("plain")  # conv 1 -> 5 on 8x8, pool, conv 5 -> 6 on 4x4, pool, linear 24 -> 8
COSTS = measure_costs(PLAIN)
WHOLE = none_removed(PLAIN.units)


def price(name: str, removed: torch.Tensor = WHOLE) -> list[float]:
    return PRICES[name].of(PLAIN, COSTS, silent)(removed).tolist()


def test_prices_by_arithmetic() -> None:
    assert price("flops") == pytest.approx([2 * 64 * 10 / 1e6] * 5 + [2 * 16 * 46 / 1e6] * 6)
    saved = [2 * 64 * 10 + 2 * 16 * 9 * 6] * 5 + [2 * 16 * 46 + 2 * 4 * 8] * 6
    assert price("saving") == pytest.approx([s / 1e6 for s in saved])
    assert price("parameters") == pytest.approx([(10 + 9 * 6) / 1e6] * 5 + [(46 + 4 * 8) / 1e6] * 6)
    assert price("memory") == pytest.approx([4 * 64 / 1e6] * 5 + [4 * 16 / 1e6] * 6)


def test_savings_are_those_at_the_plan() -> None:
    removed = with_removed(WHOLE, [[0, 1, 6]])
    assert price("saving", removed)[2] == pytest.approx((2 * 64 * 10 + 2 * 16 * 9 * 5) / 1e6)
    assert price("saving", removed)[7] == pytest.approx((2 * 16 * (3 * 9 + 1) + 2 * 4 * 8) / 1e6)
    assert price("flops", removed) == price("flops")  # the paper's does not move


@pytest.mark.parametrize("name", MODULES)
def test_savings_are_what_surgery_saves(name: str) -> None:
    network = at_hand(name)
    costs = measure_costs(network)
    whole = none_removed(network.units)
    flops, parameters = costs.savings(costs.flops, whole), costs.savings(costs.parameters, whole)
    for place in network.units.slices.values():
        for unit in (place.start, place.stop - 1):
            smaller = prune(network, with_removed(whole, [[unit]]))
            assert flops[unit] == costs.flops() - measure_costs(smaller).flops()
            assert parameters[unit] == _weights(network.module) - _weights(smaller.module)


def _weights(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


@pytest.mark.parametrize("name", PRICES)
def test_charges_are_penalty_times_price(name: str) -> None:
    network = at_hand("residual")
    costs, whole = measure_costs(network), none_removed(network.units)
    charged = charges(name, 0.5, network, costs)(whole)
    assert charged.shape == (len(network.units),) and charged.dtype == torch.float64
    assert (charged >= 0).all()
    if not PRICES[name].measured:
        torch.testing.assert_close(charged, 0.5 * PRICES[name].of(network, costs, silent)(whole))


def test_without_a_penalty_nothing_is_measured_or_charged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "explorer.scoring.ranking.prices.measure_unit_latency", lambda *_, **__: pytest.fail("measured")
    )
    assert charges("latency", 0.0, PLAIN, COSTS)(WHOLE).tolist() == [0.0] * 11


def test_every_price_says_what_it_is() -> None:
    for name, row in PRICES.items():
        assert row.name == name and row.unit and row.summary.endswith(".")


@pytest.mark.parametrize(
    ("name", "penalty", "message"),
    [
        ("kilos", 1.0, "Unknown price 'kilos'; known are flops, saving, parameters, memory, latency"),
        ("flops", -1.0, "penalty -1 of flops must be a finite number of at least 0"),
        ("saving", float("inf"), "penalty inf of saving must be a finite"),
        ("saving", float("nan"), "penalty nan of saving must be a finite"),
    ],
)
def test_bad_prices_are_named(name: str, penalty: float, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        charges(name, penalty, PLAIN, COSTS)
