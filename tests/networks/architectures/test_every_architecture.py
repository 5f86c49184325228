"""Gated = pruned on every kind of architecture, and a reason for every layer that has no units.

Layers are taken as they are found, before the check that loading makes, except where that check is what is tested.
"""

from __future__ import annotations

from collections.abc import Iterable

import pytest
import torch
from networks_at_hand import images, network
from torch import Tensor, nn
from torch.nn.modules.conv import _ConvNd
from torchvision.models import get_model_builder

from explorer.data.preprocessing import Preprocessing
from explorer.export import model_source
from explorer.export.contents import contents
from explorer.networks.architectures.families import build, known_architectures
from explorer.networks.costs import measure_costs
from explorer.networks.gate_check import exact_units
from explorer.networks.gates import Gated, open_gates
from explorer.networks.network import Network
from explorer.networks.surgery import cut
from explorer.networks.units import Units

SMALL, LARGER, CLIP = (3, 64, 64), (3, 96, 96), (3, 8, 32, 32)
# Name -> shape of an image and number of layers with units, as found with torch 2.15 and torch-pruning 1.6.1.
ARCHITECTURES: dict[str, tuple[tuple[int, ...], int]] = {
    "explorer:vgg_small": ((1, 28, 28), 6),
    "explorer:resnet20": ((3, 32, 32), 12),
    "explorer:resnet56": ((3, 32, 32), 30),
    "explorer:r3dcnn": ((3, 16, 64, 64), 4),
    "torchvision:alexnet": (SMALL, 5),
    "torchvision:vgg11_bn": (SMALL, 8),
    "torchvision:resnet18": (SMALL, 12),
    "torchvision:resnet50": (SMALL, 37),
    "torchvision:resnext50_32x4d": (SMALL, 37),
    "torchvision:squeezenet1_0": (SMALL, 25),
    "torchvision:squeezenet1_1": (SMALL, 25),
    "torchvision:densenet121": (SMALL, 120),
    "torchvision:googlenet": (SMALL, 57),
    "torchvision:inception_v3": (LARGER, 94),
    "torchvision:mobilenet_v2": (SMALL, 25),
    "torchvision:mobilenet_v3_small": (SMALL, 26),
    "torchvision:mobilenet_v3_large": (SMALL, 29),
    "torchvision:mnasnet0_5": (SMALL, 25),
    "torchvision:efficientnet_b0": (SMALL, 40),
    "torchvision:efficientnet_v2_s": (SMALL, 75),
    "torchvision:regnet_x_400mf": (SMALL, 49),
    "torchvision:regnet_y_400mf": (SMALL, 53),
    "torchvision:shufflenet_v2_x0_5": (SMALL, 17),
    "torchvision:shufflenet_v2_x1_0": (SMALL, 17),
    "torchvision:r3d_18": (CLIP, 12),
    "torchvision:mc3_18": (CLIP, 12),
    "torchvision:r2plus1d_18": (CLIP, 29),
}
FROM_TIMM: dict[str, tuple[tuple[int, ...], int]] = {
    "timm:densenet121": (SMALL, 120),
    "timm:dla34": (SMALL, 25),
    "timm:dpn68": (SMALL, 45),
    "timm:hrnet_w18_small": (SMALL, 45),
    "timm:regnety_002": (SMALL, 44),
    "timm:repvgg_a0": (SMALL, 5),
    "timm:res2net50_26w_4s": (SMALL, 17),
    "timm:resnetv2_50": (SMALL, 37),
    "timm:seresnet50": (SMALL, 53),
    "timm:xception41": (SMALL, 33),
}
WITHOUT = "torchvision:convnext_tiny"


def opened(arch: str, shape: tuple[int, ...]) -> Network:
    return network(build(arch, 5), shape, arch, classes=5)


def random_plan(found: Network, seed: int = 3) -> Tensor:
    removed = torch.rand(len(found.units), generator=torch.Generator().manual_seed(seed)) < 0.5
    for place in found.units.slices.values():
        removed[place.start] = False
    return removed


@torch.no_grad()
def assert_gated_is_pruned(found: Network) -> None:
    x, removed = images(found.input_shape, n=1).x, random_plan(found)
    gated = Gated(found.module, found.units)
    closed, before = gated(x, open_gates(removed)), gated(x, torch.ones(len(removed)))
    after = cut(found.module, found.units, removed.numpy())(x)
    assert (after - closed).abs().max() <= 1e-4 * closed.abs().max()
    assert (before - closed).abs().max() > 1e-3 * closed.abs().max()  # the gates did something


def assert_every_layer_is_accounted_for(found: Network) -> None:
    kinds = (_ConvNd, nn.Linear)
    layers = [n for n in measure_costs(found).widths() if isinstance(found.module.get_submodule(n), kinds)]
    written = [writer for layer in found.units.layers for writer in layer.writers]
    assert sorted([*written, *found.units.unprunable]) == sorted(layers)


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_a_closed_gate_computes_what_removal_computes(arch: str) -> None:
    shape, layers = ARCHITECTURES[arch]
    found = opened(arch, shape)
    assert len(found.units.layers) == layers
    assert_every_layer_is_accounted_for(found)
    assert_gated_is_pruned(found)


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_its_graph_keeps_to_the_kinds_and_its_source_to_the_list(arch: str) -> None:
    shape, _ = ARCHITECTURES[arch]
    with torch.device("cpu" if "regnet" in arch else "meta"):  # a regnet computes its widths as tensors
        module = build(arch, 5).eval().to("meta")
    prepared = Preprocessing((0.5,) * shape[0], (0.25,) * shape[0])
    named = Network(arch, arch, module, Units((), {}), shape, tuple("abcde"), prepared, "0" * 64)
    written = contents(named, metrics={}, provenance={})  # which is checked as a file would be
    assert b"class Network(nn." in model_source.render(written)


@pytest.mark.parametrize("arch", FROM_TIMM)
def test_the_same_of_timm(arch: str) -> None:
    pytest.importorskip("timm")
    shape, layers = FROM_TIMM[arch]
    found = opened(arch, shape)
    assert len(found.units.layers) == layers
    assert_every_layer_is_accounted_for(found)
    assert_gated_is_pruned(found)


def test_a_network_may_have_no_units_at_all() -> None:
    found = opened(WITHOUT, SMALL)
    assert not found.units.layers and "features.0.0" in found.units.unprunable
    assert_every_layer_is_accounted_for(found)


def test_every_family_of_torchvision_is_among_them() -> None:
    def families(names: Iterable[str]) -> set[str]:
        return {
            get_model_builder(name.partition(":")[2]).__module__ for name in names if name.startswith("torchvision")
        }

    assert families([*ARCHITECTURES, WITHOUT]) == families(known_architectures("torchvision"))


def test_what_the_dependency_graph_gets_wrong_is_not_offered() -> None:
    pytest.importorskip("timm")
    found = opened("timm:cspresnet50", SMALL)
    checked = exact_units(found.module, found.units, SMALL)
    assert 0 < len(checked) < len(found.units)
    assert set(checked.unprunable) > set(found.units.unprunable)
