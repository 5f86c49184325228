"""The networks and images that benchmarks run on."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F
from torchvision.models import mobilenet_v2, vgg16_bn

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "helpers"))

from networks_at_hand import Tensors, network

from explorer import open_network
from explorer.data import open_images
from explorer.data.preprocessing import Preprocessing
from explorer.evaluation.evaluate import evaluate
from explorer.networks.load import assemble, batches_for
from explorer.networks.network import Network

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"
KEPT = Path("~/.cache/pruning-explorer/benchmarks").expanduser()
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
EPOCHS = 30

Subject = tuple[Network, Tensors]


def demo(images: int) -> Subject:
    """The embedded demo."""
    found = open_network("demo")
    return found, _together(batches_for(found, open_images("demo"), "all", images))


def resnet20(images: int) -> Subject:
    """ResNet-20 of ../shared/data on CIFAR-10 test images."""
    return _shared(images, "cifar10/resnet20-12fca82f.th", "explorer:resnet20", "cifar10/test_jpeg")


def squeezenet(images: int) -> Subject:
    """SqueezeNet of ../shared/data, fine-tuned to leaf diseases."""
    return _shared(images, "leaf/squeezenet1_0_leaf.pth", "torchvision:squeezenet1_0", "leaf/test")


def vgg16(images: int) -> Subject:
    """VGG-16 with batch-norm for 32x32 images, trained here on the 4,000 of ../shared/data and kept."""
    module = nn.Sequential(vgg16_bn(weights=None).features, nn.Flatten(), nn.Linear(512, 10))
    x, y = _cifar()
    path = KEPT / f"vgg16-cifar-{EPOCHS}.pt"
    if not path.is_file():
        _train(module, x[:-512], y[:-512])
        path.parent.mkdir(parents=True, exist_ok=True)
        torch.save(module.state_dict(), path)
    module.load_state_dict(torch.load(path, weights_only=True))
    found = assemble("VGG-16 at 32x32", "test:vgg16", module, (3, 32, 32), Preprocessing(MEAN, STD))
    held_out = Tensors(x[-512:], y[-512:])
    print(f"VGG-16: accuracy on 512 images not trained on: {evaluate(found, held_out).accuracy:.3f}")
    return found, Tensors(held_out.x[:images], held_out.y[:images], 32)


def mobilenet(images: int) -> Subject:
    """MobileNetV2 at 96x96 with random weights."""
    torch.manual_seed(0)
    generator = torch.Generator().manual_seed(0)
    x, y = torch.randn(images, 3, 96, 96, generator=generator), torch.randint(10, (images,), generator=generator)
    return network(mobilenet_v2(weights=None, num_classes=10), (3, 96, 96), "MobileNetV2", 10), Tensors(x, y, 32)


SUBJECTS: dict[str, Callable[[int], Subject]] = {
    "demo": demo,
    "vgg16": vgg16,
    "resnet20": resnet20,
    "mobilenet": mobilenet,
    "squeezenet": squeezenet,
}


def _shared(images: int, checkpoint: str, arch: str, folder: str) -> Subject:
    found = open_network(SHARED / checkpoint, arch=arch)
    return found, _together(batches_for(found, open_images(str(SHARED / folder)), "all", images))


def _together(batches: object) -> Tensors:
    x, y = zip(*batches, strict=True)  # type: ignore[call-overload]
    return Tensors(torch.cat(x), torch.cat(y), 32)


def _cifar() -> tuple[torch.Tensor, torch.Tensor]:
    with np.load(SHARED / "cifar10" / "train4000_lossless.npz") as file:
        x, y = file["x"], file["y"]
    x = torch.from_numpy((x / 255 - np.array(MEAN)) / np.array(STD)).permute(0, 3, 1, 2).float()
    order = torch.randperm(len(x), generator=torch.Generator().manual_seed(0))
    return x[order], torch.from_numpy(y)[order]


def _train(module: nn.Module, x: torch.Tensor, y: torch.Tensor) -> None:
    torch.manual_seed(0)
    module = module.to(memory_format=torch.channels_last).train()
    optimizer = torch.optim.SGD(module.parameters(), 0.05, momentum=0.9, weight_decay=5e-4)
    rate = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.05, total_steps=EPOCHS * (len(x) // 64))
    for epoch in range(EPOCHS):
        for chosen in torch.randperm(len(x))[: len(x) // 64 * 64].split(64):
            seen = x[chosen].flip(3) if torch.rand(()) < 0.5 else x[chosen]
            loss = F.cross_entropy(module(seen.to(memory_format=torch.channels_last)), y[chosen])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            rate.step()
        print(f"VGG-16: epoch {epoch + 1} of {EPOCHS}, loss of the last batch {loss.item():.2f}", flush=True)
