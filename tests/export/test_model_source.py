"""The generated model.py: it computes the same bits, needs torch alone, and reads as a person writes."""

from __future__ import annotations

import ast
import importlib.util
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest
import torch
from exported import bare, described, images, logits, odd, torchvision_network
from networks_at_hand import MODULES, UNUSUAL, at_hand
from networks_at_hand import network as analysed
from test_pruned import every_other
from torch import Tensor, nn

from explorer.export import model_source
from explorer.export.source.expressions import quoted
from explorer.networks.architectures.small import CifarResNet
from explorer.networks.graph import safetensors_file
from explorer.networks.network import Network
from explorer.networks.surgery import prune

TORCHVISION = ("efficientnet_b0", "mobilenet_v2", "resnet18", "shufflenet_v2_x0_5", "squeezenet1_0")


def written(network: Network, folder: Path) -> str:
    contents = described(network)
    (folder / "network.safetensors").write_bytes(safetensors_file.render(contents))
    (folder / "model.py").write_bytes(model_source.render(contents))
    return (folder / "model.py").read_text()


def imported(folder: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("model", folder / "model.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def check_same(network: Network, folder: Path) -> str:
    source, x = written(network, folder), images(network, 3)
    assert torch.equal(logits(imported(folder).load(), x), logits(network.module, x))
    return source


@pytest.mark.parametrize("name", [*MODULES, *UNUSUAL])
def test_a_pruned_network_computes_the_same_bits(name: str, tmp_path: Path) -> None:
    network = at_hand(name)
    check_same(prune(network, every_other(network)), tmp_path)


@pytest.mark.parametrize("name", TORCHVISION)
def test_a_torchvision_network_computes_the_same_bits(name: str, tmp_path: Path) -> None:
    source = check_same(torchvision_network(name), tmp_path)
    assert max(map(len, source.splitlines())) <= 110
    found = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Import | ast.ImportFrom)]
    names = {node.module if isinstance(node, ast.ImportFrom) else node.names[0].name for node in found}
    assert names <= {"__future__", "json", "collections", "operator", "pathlib", "torch", "torch.nn"}


def test_blocks_of_one_form_share_a_class_that_reads_as_written_by_hand(tmp_path: Path) -> None:
    network = analysed(CifarResNet(2), (3, 8, 8), classes=10)
    source = check_same(prune(network, every_other(network)), tmp_path)
    assert source.count("(nn.Module):") == 3
    block = source[source.index("class LayerBlock2") : source.index("class Network")].splitlines()
    assert block[1] == '    """layer2.0 to layer3.0, 2 blocks."""'
    assert block[3].startswith("    def __init__(self, conv1_in: int, conv1_out: int")
    assert "        self.bn1 = nn.BatchNorm2d(conv1_out)" in block
    assert "        bn2 = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))" in block
    assert "        return F.relu(bn2 + self.shortcut(x))" in block
    model = imported(tmp_path).load()
    assert not model.layer2[0].shortcut.weight.requires_grad
    assert model.layer2[0].conv1.weight.requires_grad


HOSTILE = ('"""', "'''", "a\nimport os", "\\", 'say "x"', "it's", "\u2028")


def test_hostile_names_stay_names(tmp_path: Path) -> None:
    evil = 'x""" + __import__("os").abort() + """\n\\'
    source = check_same(replace(odd(), name=evil, arch=evil, classes=HOSTILE), tmp_path)
    module = imported(tmp_path)
    assert module.CLASSES == HOSTILE
    assert not [n for n in ast.walk(ast.parse(source)) if isinstance(n, ast.Name) and n.id == "__import__"]
    assert all(eval(quoted(name)) == name for name in HOSTILE)


class Oddly(nn.Module):
    """Layers whose names are no Python names, and tensors and layers in blocks that none calls."""

    def __init__(self) -> None:
        super().__init__()
        self.add_module("my-layer", nn.Conv2d(3, 4, 3))
        self.add_module("1st", nn.BatchNorm2d(4))
        self.parts = nn.ModuleDict({"2": nn.Conv2d(4, 4, 1), "b-c": nn.Conv2d(4, 4, 1)})
        self.parts.register_parameter("scale", nn.Parameter(torch.rand(4, 1, 1)))
        self.register_buffer("shift", torch.rand(4, 1, 1))
        self.gap = nn.Sequential(nn.Conv2d(4, 5, 1), nn.ReLU(), nn.Flatten())
        del self.gap[1]
        self.gap.add_module("7", nn.Linear(5 * 36, 7))
        self.head = nn.Linear(7, 7)

    def forward(self, x: Tensor) -> Tensor:
        x = getattr(self, "1st")(self.get_submodule("my-layer")(x))
        x = self.parts["2"](x) * self.parts.scale - self.parts["b-c"](x)
        x += self.shift
        return self.head(-self.gap(x))


def test_odd_layer_names_and_loose_tensors_are_kept(tmp_path: Path) -> None:
    source = check_same(bare(Oddly(), (3, 8, 8)), tmp_path)
    assert 'self.add_module("my-layer", nn.Conv2d(3, 4, 3))' in source


class Shared(nn.Module):
    """In-place sums into what is read again, and one layer called twice."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 3, padding=1)
        self.head = nn.Linear(3, 7)

    def forward(self, x: Tensor) -> Tensor:
        y = self.conv(x)
        z = y[:, :1]
        y.add_(self.conv(y))
        y.mul_(z)
        return self.head((y / 2 - (z + y) ** 2).mean((2, 3)))


def test_in_place_sums_stay_in_place_where_others_see_them(tmp_path: Path) -> None:
    check_same(bare(Shared(), (3, 8, 8)), tmp_path)


def test_the_input_is_normalised_as_the_network_was_trained(tmp_path: Path) -> None:
    written(odd(), tmp_path)
    pixels = torch.rand(2, 3, 12, 12)
    assert torch.allclose(imported(tmp_path).normalised(pixels), (pixels - 0.5) / 0.25)
