"""Where torch-pruning gives up: what is found along plain chains, and the reasons for the rest."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from explorer.networks.architectures.families import build
from explorer.networks.chains import chains
from explorer.networks.dependencies import find_units
from explorer.networks.units import Layer


class Shuffled(nn.Module):
    """Half of the channels go through a bottleneck, then all are shuffled, as in ShuffleNet."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(1, 8, 3)
        self.first, self.norm, self.depthwise = (
            nn.Conv2d(4, 6, 1),
            nn.BatchNorm2d(6),
            nn.Conv2d(6, 6, 3, 1, 1, groups=6),
        )
        self.last, self.head = nn.Conv2d(6, 4, 1), nn.Linear(8, 3)

    def forward(self, x: Tensor) -> Tensor:
        kept, x = self.stem(x).relu().chunk(2, dim=1)
        x = torch.cat([kept, self.last(self.depthwise(self.norm(self.first(x)).relu()))], 1)
        n, c, h, w = x.shape
        return self.head(x.view(n, 2, c // 2, h, w).transpose(1, 2).reshape(n, c, h, w).mean((2, 3)))


RUNS = dict.fromkeys(("stem", "first", "depthwise", "last", "head"), 1)


def test_a_chain_runs_through_batch_norm_activation_and_depthwise_convolution() -> None:
    (layer,) = (found for found in chains(Shuffled(), RUNS).values() if isinstance(found, Layer))
    assert (layer.name, layer.writers, layer.consumers) == ("first", ("first", "depthwise"), ("last",))
    assert {(c.module, c.side) for c in layer.couplings} == {
        ("first", "out"),
        ("norm", "out"),
        ("depthwise", "out"),
        ("last", "in"),
    }


def test_the_rest_has_a_reason() -> None:
    reasons = {name: found for name, found in chains(Shuffled(), RUNS).items() if isinstance(found, str)}
    assert set(reasons) == {"stem", "last"}
    assert reasons["stem"].startswith("its feature maps go into the operation chunk, behind which")
    assert reasons["last"].startswith("its feature maps go into the operation cat, behind which")


def test_chains_of_a_plain_network_are_the_layers_of_the_dependency_graph() -> None:
    module = build("torchvision:squeezenet1_1", 5).eval()
    units = find_units(module, torch.zeros(1, 3, 64, 64))
    runs = dict.fromkeys([*(w for layer in units.layers for w in layer.writers), *units.unprunable], 1)
    found = {name: layer for name, layer in chains(module, runs).items() if isinstance(layer, Layer)}
    graph = {layer.name: layer for layer in units.layers}
    assert set(found) == {"features.0", *(name for name in graph if name.endswith("squeeze"))}
    for name, layer in found.items():
        assert layer.consumers == graph[name].consumers and layer.channels == graph[name].channels
