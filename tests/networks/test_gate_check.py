"""The check that every network goes through when it is loaded."""

from __future__ import annotations

from typing import ClassVar

import pytest
import torch
from networks_at_hand import at_hand
from torch import Tensor, nn

from explorer.networks import gate_check
from explorer.networks.dependencies import find_units
from explorer.networks.gate_check import UNCHECKED, exact_units


class Watched(nn.Module):
    """Remembers the sides of the images that it and its copies saw; with `needs`, refuses smaller ones."""

    seen: ClassVar[set[int]] = set()

    def __init__(self, needs: int = 0) -> None:
        super().__init__()
        self.conv, self.head = nn.Conv2d(1, 4, 3), nn.Linear(4, 3)
        self.needs = needs

    def forward(self, x: Tensor) -> Tensor:
        if x.shape[-1] < self.needs:
            raise ValueError("too small")
        self.seen.add(x.shape[-1])
        return self.head(self.conv(x).relu().mean((2, 3)))


class Rolled(nn.Module):
    """Reads the channels of its convolution one place further on, which the dependency graph can't know."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second, self.head = nn.Conv2d(1, 4, 3), nn.Conv2d(4, 5, 3), nn.Linear(5, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = self.first(x).relu()
        return self.head(self.second(x + x.roll(1, dims=1)).relu().mean((2, 3)))


def test_large_images_are_shrunk_where_the_network_takes_smaller_ones() -> None:
    for needs, side in ((0, 56), (100, 112), (200, 224)):
        module = Watched(needs).requires_grad_(False)
        units = find_units(module, torch.zeros(1, 1, 224, 224))
        module.seen.clear()
        assert len(exact_units(module, units, (1, 224, 224))) == 4
        assert module.seen == {side}


def test_small_images_are_taken_as_they_are() -> None:
    module = Watched().requires_grad_(False)
    units = find_units(module, torch.zeros(1, 1, 32, 32))
    module.seen.clear()
    exact_units(module, units, (1, 32, 32))
    assert module.seen == {32}


def test_a_layer_whose_removal_computes_something_else_is_not_offered() -> None:
    torch.manual_seed(0)
    module = Rolled().requires_grad_(False)
    units = find_units(module, torch.zeros(1, 1, 9, 9))
    assert [layer.name for layer in units.layers] == ["first", "second"]
    checked = exact_units(module, units, (1, 9, 9))
    assert [layer.name for layer in checked.layers] == ["second"]
    assert checked.unprunable["first"] == "its channels change places"


def test_networks_that_are_right_stay_as_they_are() -> None:
    for name in ("grouped", "clip", "residual"):
        network = at_hand(name)
        assert exact_units(network.module, network.units, network.input_shape).layers == network.units.layers


def test_the_search_for_what_is_wrong_ends_after_a_number_of_checks(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    module = Rolled().requires_grad_(False)
    units = find_units(module, torch.zeros(1, 1, 9, 9))
    monkeypatch.setattr(gate_check, "LEAST_CHECKS", 1)
    monkeypatch.setattr(gate_check, "LAYERS_CHECKED", 1)
    checked = exact_units(module, units, (1, 9, 9))
    assert not checked.layers and [checked.unprunable[name] for name in ("first", "second")] == 2 * [UNCHECKED]


class InFloat(nn.Module):
    """Turns its images to float32 on the way, so that it can't be run in float64."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.head = nn.Conv2d(1, 4, 3), nn.Linear(4, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.conv(x.float()).relu().mean((2, 3)))


def test_a_network_that_turns_its_images_to_float32_is_checked_in_that() -> None:
    module = InFloat().eval()
    units = exact_units(module, find_units(module, torch.zeros(1, 1, 28, 28)), (1, 28, 28))
    assert [layer.name for layer in units.layers] == ["conv"]
    assert "conv" not in units.unprunable


def test_in_float32_too_a_layer_that_is_not_exact_is_found() -> None:
    class RolledInFloat(Rolled):
        def forward(self, x: Tensor) -> Tensor:
            return super().forward(x.float())

    module = RolledInFloat().eval()
    exact = exact_units(module, find_units(module, torch.zeros(1, 1, 28, 28)), (1, 28, 28))
    assert "first" not in [layer.name for layer in exact.layers] and "first" in exact.unprunable


class OfOneImage(nn.Module):
    """Takes one image at a time, so that it can't be compared on two."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.head = nn.Conv2d(1, 4, 3), nn.Linear(4 * 26 * 26, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.conv(x).relu().view(1, -1))


def test_a_network_that_cannot_be_compared_has_no_units_but_reasons() -> None:
    module = OfOneImage().eval()
    units = exact_units(module, find_units(module, torch.zeros(1, 1, 28, 28)), (1, 28, 28))
    assert not units.layers and "conv" in units.unprunable
