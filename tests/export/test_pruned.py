"""What pruning makes can be exported, reloaded, and pruned further."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from exported import export_bytes, logits
from networks_at_hand import MODULES, SHAPE, at_hand, images
from networks_at_hand import network as analysed
from torch import Tensor

from explorer.evaluation.evaluate import evaluate
from explorer.export.contents import contents
from explorer.networks.architectures.small import CifarResNet
from explorer.networks.dependencies import find_units
from explorer.networks.graph.manifest import LayerWidth
from explorer.networks.graph.safetensors_file import load_network
from explorer.networks.network import Network
from explorer.networks.surgery import prune


def every_other(network: Network) -> Tensor:
    """A plan that removes units 1, 3, 5, ... of every layer."""
    removed = torch.zeros(len(network.units), dtype=torch.bool)
    for place in network.units.slices.values():
        removed[place.start + 1 : place.stop : 2] = True
    return removed


@pytest.mark.parametrize("name", MODULES)
def test_a_reloaded_network_computes_what_the_app_showed(name: str) -> None:
    network, batches = at_hand(name), images(SHAPE)
    removed = every_other(network)
    pruned = prune(network, removed)
    reloaded, _ = load_network(export_bytes(pruned))
    assert torch.equal(logits(reloaded, batches.x), logits(pruned.module, batches.x))
    shown = evaluate(network, batches, removed).logits  # gated
    assert (logits(reloaded, batches.x) - shown).abs().max() <= 1e-5 * shown.abs().max()


@pytest.mark.parametrize("name", MODULES)
def test_a_reloaded_network_can_be_pruned_further(name: str) -> None:
    pruned = prune(at_hand(name), every_other(at_hand(name)))
    module, _ = load_network(export_bytes(pruned))
    reloaded = replace(pruned, module=module, units=find_units(module, torch.zeros(1, *SHAPE)))
    twice = (prune(n, every_other(n)).module for n in (pruned, reloaded))
    first, second = (logits(module, images(SHAPE).x) for module in twice)
    assert torch.equal(first, second)


def test_layers_map_back_to_the_original_channels() -> None:
    network = at_hand("plain")
    removed = torch.zeros(len(network.units), dtype=torch.bool)
    removed[[0, 2]] = True
    manifest = contents(prune(network, removed), metrics={}, provenance={}).manifest
    assert manifest.layers == (LayerWidth("0", 5, 3, (1, 3, 4)), LayerWidth("3", 6, 6, (0, 1, 2, 3, 4, 5)))


def test_a_kernel_that_is_never_trained_stays_so() -> None:
    network = analysed(CifarResNet(1), (3, 16, 16), classes=10)
    pruned = prune(network, every_other(network))
    reloaded, _ = load_network(export_bytes(pruned))
    assert dict(reloaded.named_parameters()).keys() == dict(pruned.module.named_parameters()).keys()
    assert "layer2.0.shortcut.weight" in reloaded.state_dict()
    x = torch.randn(2, 3, 16, 16)
    assert torch.equal(logits(reloaded, x), logits(pruned.module, x))
