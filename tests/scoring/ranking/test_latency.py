"""The latency of units: what is timed, and that the arithmetic on the times is right."""

from __future__ import annotations

import pytest
import torch
from networks_at_hand import MODULES, at_hand
from networks_at_hand import network as network_of
from torch import Tensor, nn

from explorer.networks.costs import measure_costs
from explorer.scoring.ranking import latency


def by_multiplications(module: nn.Module, x: Tensor) -> float:
    """A clock that counts multiply-adds instead of time."""
    return module(x).numel() * module.weight[0].numel()


@pytest.mark.parametrize("name", MODULES)
def test_a_saving_is_the_work_of_half_the_layer_divided_by_its_units(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(latency, "timed", by_multiplications)
    network = at_hand(name)
    costs = measure_costs(network)
    found = latency.measure_unit_latency(network, costs, rounds=2)
    for layer, place in network.units.slices.items():
        removed = torch.zeros(len(network.units), dtype=torch.bool)
        removed[place][: len(removed[place]) // 2] = True
        saved = (_multiplications(costs, None) - _multiplications(costs, removed)) / int(removed.sum())
        assert found.median[place].tolist() == pytest.approx([saved] * len(removed[place])), layer
    assert torch.equal(found.median, found.lower_quartile) and torch.equal(found.median, found.upper_quartile)


def _multiplications(costs, removed: Tensor | None) -> int:
    """FLOPs without biases, halved: 2*P*(fan_in + 1)*out -> P*fan_in*out, and (2*I - 1)*O -> I*O."""
    widths = costs.widths(removed)
    total = 0
    for module in costs.modules:
        writes = widths[module.name][1]
        extra = 2 * module.positions * writes if module.kind == "conv" else -writes
        flops = module.flops(*widths[module.name])
        total += (flops - extra) // 2 if module.kind != "by channel" else 0
    return total


def test_quartiles_are_over_rounds_after_the_warm_up(monkeypatch: pytest.MonkeyPatch) -> None:
    rounds = [[10.0, 10.0, 10.0, 10.0 - saving] for saving in (100, 2, 4, 8)]  # two layers, full width and half width
    clock = iter([time for _ in ("layer 0", "layer 3") for each in rounds for time in each])
    monkeypatch.setattr(latency, "timed", lambda module, x: next(clock))
    monkeypatch.setattr(latency, "WARMUP", 1)
    network = at_hand("plain")
    found = latency.measure_unit_latency(network, measure_costs(network), rounds=3)
    for place, gone in ((slice(0, 5), 2), (slice(5, 11), 3)):
        numbers = [getattr(found, name)[place] for name in ("lower_quartile", "median", "upper_quartile")]
        assert [set(n.tolist()) for n in numbers] == [{3 / gone}, {4 / gone}, {6 / gone}]


def test_real_times_say_that_a_wide_layer_costs_more_than_a_narrow_one() -> None:
    class Uneven(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.dear, self.cheap = nn.Conv2d(3, 64, 7, padding=3), nn.Conv2d(64, 64, 1, stride=8)
            self.head = nn.Conv2d(64, 3, 1)

        def forward(self, x: Tensor) -> Tensor:
            return self.head(self.cheap(self.dear(x).relu()).relu()).mean((2, 3))

    found = network_of(Uneven(), (3, 64, 64))
    saved = latency.measure_unit_latency(found, measure_costs(found), rounds=5).median
    assert saved[:64].mean() > 2 * saved[64:].abs().mean() > 0
