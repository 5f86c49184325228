"""Networks to export, and exports to damage."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
import torchvision
from of_demo import DEMO, UNITS
from torch import Tensor, nn

from explorer.data.preprocessing import Preprocessing
from explorer.export.contents import ExportContents, contents
from explorer.export.proof import Proof, prove
from explorer.networks.graph.safetensors_file import ENTRY, to_bytes
from explorer.networks.network import Network
from explorer.networks.surgery import prune
from explorer.networks.units import Units

CLASSES = 7


def bare(module: nn.Module, shape: tuple[int, int, int] = (3, 64, 64), classes: int = CLASSES) -> Network:
    """A network without units around any module."""
    return Network(
        name="net",
        arch="test:net",
        module=module.eval().requires_grad_(False),
        units=Units((), {}),
        input_shape=shape,
        classes=tuple(f"class {i}" for i in range(classes)),
        preprocessing=Preprocessing((0.5,) * shape[0], (0.25,) * shape[0], size=72, crop=64),
        digest="0" * 64,
    )


def odd() -> Network:
    """A small plain network whose widths no architecture has, as pruning leaves them."""
    torch.manual_seed(0)
    return bare(
        nn.Sequential(
            nn.Conv2d(3, 5, 3, padding=1),
            nn.BatchNorm2d(5),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(2),
            nn.Conv2d(5, 3, 3),
            nn.PReLU(3),
            nn.AdaptiveAvgPool2d(2),
            nn.Flatten(),
            nn.Dropout(),
            nn.Linear(12, CLASSES),
        ),
        (3, 12, 12),
    )


def torchvision_network(name: str) -> Network:
    """A torchvision architecture with random weights and batch-norm statistics, its large linear layers made small."""
    torch.manual_seed(0)
    if name in ("alexnet", "vgg11"):
        return bare(_narrow_classifier(name))
    options = {"aux_logits": False, "init_weights": False, "transform_input": True} if name == "googlenet" else {}
    module = torchvision.models.get_model(name, weights=None, num_classes=CLASSES, **options)
    for layer in module.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.running_mean.normal_(std=0.1)
            layer.running_var.uniform_(0.5, 1.5)
    return bare(module)


def _narrow_classifier(name: str) -> nn.Module:
    with torch.device("meta"):
        module = torchvision.models.get_model(name, weights=None)
        wide = [i for i, layer in enumerate(module.classifier) if isinstance(layer, nn.Linear)]
        widths = (module.classifier[wide[0]].in_features, 17, 13, CLASSES)
        for place, read, write in zip(wide, widths[:-1], widths[1:], strict=True):
            module.classifier[place] = nn.Linear(read, write)
    module.to_empty(device="cpu")
    for weight in module.parameters():
        weight.data.normal_(std=0.05)
    return module


def names(folder: Path) -> list[str]:
    """The names of all files in a folder."""
    return sorted(path.name for path in folder.iterdir())


def logits(module: nn.Module, x: Tensor) -> Tensor:
    with torch.no_grad():
        return module(x)


def images(network: Network, n: int = 2) -> Tensor:
    return torch.randn(n, *network.input_shape, generator=torch.Generator().manual_seed(1))


def export_bytes(network: Network) -> bytes:
    return to_bytes(network, metrics={}, provenance={})


def described(network: Network, **more: Any) -> ExportContents:
    """What the files of a network tell of it."""
    return contents(network, **{"metrics": {}, "provenance": {}, **more})


def proven(network: Network, n: int = 8) -> Proof:
    """A proof on noise with labels that are partly right."""
    x = images(network, n)
    return prove(network, x, logits(network.module, x).argmax(1) * (torch.arange(n) % 4 > 0))


def open_file(data: bytes) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """An export's manifest as JSON, and its tensors."""
    header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
    return json.loads(header["__metadata__"][ENTRY]), safetensors.torch.load(data)


def close_file(manifest: Any, tensors: dict[str, Tensor]) -> bytes:
    """The reverse of `open_file`, for a manifest that somebody has changed."""
    return safetensors.torch.save(tensors, metadata={ENTRY: json.dumps(manifest)})


def without_last_channels() -> bytes:
    """An export of the demo whose layers have lost their last channels, so that none that stays tells their widths."""
    ends = torch.tensor([place.stop for place in DEMO.units.slices.values()])
    return export_bytes(prune(DEMO, torch.isin(torch.arange(UNITS), ends - 1)))
