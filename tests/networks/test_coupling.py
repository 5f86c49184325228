"""From coupled channels to units, or to the reason why there are none."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from explorer.networks.coupling import layer_of
from explorer.networks.dependencies import find_units
from explorer.networks.units import Layer


def after(*layers: nn.Module) -> nn.Module:
    """Layers between a convolution of 4 maps and a head."""
    return nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.ReLU(), *layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.LazyLinear(3)
    )


class Twice(nn.Module):
    """One convolution that runs twice."""

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.again, self.head = nn.Conv2d(1, 4, 3), nn.Conv2d(4, 4, 3, padding=1), nn.Linear(4, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.again(self.again(self.stem(x).relu()).relu()).relu().mean((2, 3)))


@pytest.mark.parametrize(
    ("module", "layer", "reason"),
    [
        (after(nn.Conv2d(4, 8, 3, groups=4)), "0", "all its channels are tied together by 2, a grouped convolution"),
        (after(nn.GroupNorm(1, 4)), "0", "all its channels are tied together by 2, a GroupNorm of 1"),
        (after(nn.LocalResponseNorm(3), nn.Conv2d(4, 4, 3)), "6", "a fully connected layer"),
        (Twice(), "again", "again runs 2 times in one pass"),
    ],
)
def test_reasons(module: nn.Module, layer: str, reason: str) -> None:
    example = torch.zeros(1, 1, 9, 9)
    module(example)  # settles the width of the lazy layer
    assert find_units(module, example).unprunable[layer].startswith(reason)


def test_units_of_unlike_numbers_of_channels_are_none() -> None:
    module = nn.Sequential(nn.Conv2d(1, 3, 1), nn.Conv2d(4, 2, 1))
    same, uneven = {(c, c) for c in range(3)}, {(0, 0), (1, 1), (2, 2), (2, 3)}
    runs = {"0": 1, "1": 1}
    assert isinstance(layer_of({("0", "out"): same, ("1", "in"): same}, module, ["0"], runs), Layer)
    found = layer_of({("0", "out"): same, ("1", "in"): uneven}, module, ["0"], runs)
    assert str(found).startswith("only some of its channels reach 1")


def test_a_grouped_convolution_that_several_layers_share_can_not_be_cut() -> None:
    module = nn.Sequential(nn.Conv2d(1, 4, 1), nn.Conv2d(8, 4, 1, groups=2))  # channels 4 to 7 are another layer's
    same = {(c, c) for c in range(4)}
    found = layer_of({("0", "out"): same, ("1", "in"): same}, module, ["0"], {"0": 1, "1": 1})
    assert str(found).startswith("1, a grouped convolution, shares its groups between several layers")


def test_two_grouped_convolutions_tie_what_either_ties() -> None:
    module = nn.Sequential(nn.Conv2d(1, 12, 1), nn.Conv2d(12, 4, 1, groups=2), nn.Conv2d(12, 4, 1, groups=4))
    same = {(c, c) for c in range(12)}
    places = {("0", "out"): same, ("1", "in"): same, ("2", "in"): same}
    found = layer_of(places, module, ["0"], {"0": 1, "1": 1, "2": 1})
    assert isinstance(found, Layer) and found.channels == (0, 1, 2)  # positions modulo 6 and modulo 3
    assert found.written("0").tolist() == [[0, 3, 6, 9], [1, 4, 7, 10], [2, 5, 8, 11]]


@pytest.mark.parametrize("space", [2, 3])
def test_a_linear_layer_behind_a_flatten_reads_each_channel_at_every_position(space: int) -> None:
    kind, pool = ((nn.Conv2d, nn.MaxPool2d), (nn.Conv3d, nn.MaxPool3d))[space - 2]
    k = 2**space
    module = nn.Sequential(kind(1, 3, 3), nn.ReLU(), pool(2), nn.Flatten(), nn.Linear(3 * k, 2))
    (layer,) = find_units(module, torch.zeros(1, 1, *[6] * space)).layers
    (read,) = (c.channels for c in layer.couplings if c.module == "4")
    assert read.tolist() == [[c * k + place for place in range(k)] for c in range(3)]
