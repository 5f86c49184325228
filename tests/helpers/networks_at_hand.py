"""Small networks and image tensors that the engine's tests run on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from explorer.data.preprocessing import Preprocessing
from explorer.networks.dependencies import find_units
from explorer.networks.network import Network


@dataclass(frozen=True)
class Tensors:
    """Images that are at hand already, in batches of a given size: what the engine asks of `Batches`."""

    x: Tensor
    y: Tensor
    size: int = 64

    def __len__(self) -> int:
        return len(self.y)

    def picked(self, positions: Tensor) -> Tensors:
        return Tensors(self.x[positions], self.y[positions], self.size)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        return zip(self.x.split(self.size), self.y.split(self.size), strict=True)


def images(shape: tuple[int, ...], n: int = 12, classes: int = 3, seed: int = 0, size: int = 64) -> Tensors:
    """Noise images with random labels."""
    generator = torch.Generator().manual_seed(seed)
    return Tensors(torch.randn(n, *shape, generator=generator), torch.randint(classes, (n,), generator=generator), size)


def network(module: nn.Module, shape: tuple[int, ...], name: str = "test", classes: int = 3) -> Network:
    """A network around any module, with batch-norm statistics that are not the trivial ones."""
    generator = torch.Generator().manual_seed(1)
    for layer in module.modules():
        if isinstance(layer, _BatchNorm):
            for tensor in (layer.running_mean, layer.bias.data):
                tensor.copy_(0.3 * torch.randn(tensor.shape, generator=generator))
            layer.running_var.copy_(0.5 + torch.rand(layer.running_var.shape, generator=generator))
    module = module.requires_grad_(False).eval()
    return Network(
        name=name,
        arch=f"test:{name}",
        module=module,
        units=find_units(module, torch.zeros(1, *shape)),
        input_shape=shape,
        classes=tuple(map(str, range(classes))),
        preprocessing=Preprocessing(mean=(0.0,) * shape[0], std=(1.0,) * shape[0]),
        digest=name,
    )


def plain() -> nn.Module:
    """conv-ReLU-pool, dropout, and a linear layer behind a flatten."""
    return nn.Sequential(
        *(nn.Conv2d(1, 5, 3, padding=1), nn.ReLU(inplace=True), nn.MaxPool2d(2)),
        *(nn.Conv2d(5, 6, 3, padding=1), nn.ReLU(inplace=True), nn.MaxPool2d(2)),
        *(nn.Flatten(), nn.Dropout(), nn.Linear(24, 8), nn.ReLU(), nn.Dropout(), nn.Linear(8, 3)),
    )


def plain_batchnorm() -> nn.Module:
    """Batch-norm after every convolution, average pooling, global pooling before the classifier."""
    return nn.Sequential(
        *(nn.Conv2d(1, 5, 3, padding=1, bias=False), nn.BatchNorm2d(5), nn.ReLU(), nn.AvgPool2d(2)),
        *(nn.Conv2d(5, 7, 3), nn.BatchNorm2d(7), nn.SiLU(), nn.AdaptiveAvgPool2d(1)),
        *(nn.Flatten(), nn.Linear(7, 3)),
    )


class Fire(nn.Module):
    """Squeeze and two expansions, concatenated, as in SqueezeNet; the output layer is a convolution."""

    def __init__(self) -> None:
        super().__init__()
        self.squeeze = nn.Conv2d(1, 4, 3)
        self.left, self.right = nn.Conv2d(4, 3, 1), nn.Conv2d(4, 5, 3, padding=1)
        self.head = nn.Conv2d(8, 3, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.squeeze(x).relu()
        return self.head(torch.cat([self.left(x).relu(), self.right(x).relu()], 1)).mean((2, 3))


class Residual(nn.Module):
    """A residual block with in-place addition: two convolutions write the same coupled channels."""

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.norm0 = nn.Conv2d(1, 6, 3, padding=1), nn.BatchNorm2d(6)
        self.conv1, self.norm1 = nn.Conv2d(6, 4, 3, padding=1), nn.BatchNorm2d(4)
        self.conv2, self.norm2 = nn.Conv2d(4, 6, 3, padding=1), nn.BatchNorm2d(6)
        self.head = nn.Linear(6, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = self.norm0(self.stem(x)).relu()
        y = self.norm2(self.conv2(self.norm1(self.conv1(x)).relu_()))
        y += x
        return self.head(y.relu_().mean((2, 3)))


class Depthwise(nn.Module):
    """Expansion, depthwise convolution and projection, as in MobileNet."""

    def __init__(self) -> None:
        super().__init__()
        self.expand, self.norm1 = nn.Conv2d(1, 6, 1), nn.BatchNorm2d(6)
        self.depthwise, self.norm2 = nn.Conv2d(6, 6, 3, groups=6), nn.BatchNorm2d(6)
        self.project, self.head = nn.Conv2d(6, 4, 1), nn.Linear(4, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = nn.functional.relu6(self.norm1(self.expand(x)))
        x = self.project(nn.functional.relu6(self.norm2(self.depthwise(x))))
        return self.head(x.mean((2, 3)))


class SqueezeExcite(nn.Module):
    """An inverted residual block with squeeze-excite: the same units are read by two layers, one behind the other."""

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.expand = nn.Conv2d(1, 5, 3), nn.Conv2d(5, 6, 1)
        self.down, self.up = nn.Conv2d(6, 3, 1), nn.Conv2d(3, 6, 1)
        self.project, self.head = nn.Conv2d(6, 5, 1), nn.Linear(5, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x).relu()
        y = nn.functional.hardswish(self.expand(x))
        y = y * self.up(self.down(nn.functional.adaptive_avg_pool2d(y, 1)).relu()).sigmoid()
        return self.head((x + self.project(y)).mean((2, 3)))


MODULES: dict[str, Callable[[], nn.Module]] = {
    "plain": plain,
    "plain_batchnorm": plain_batchnorm,
    "fire": Fire,
    "residual": Residual,
    "depthwise": Depthwise,
    "squeeze_excite": SqueezeExcite,
}
SHAPE = (1, 8, 8)


class Grouped(nn.Module):
    """A convolution of two groups between two plain ones: its channels come and go in pairs, one of each group."""

    def __init__(self) -> None:
        super().__init__()
        self.reduce, self.norm = nn.Conv2d(1, 6, 3), nn.BatchNorm2d(6)
        self.grouped, self.expand = nn.Conv2d(6, 8, 3, groups=2), nn.Conv2d(8, 4, 1)
        self.head = nn.Linear(4, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = self.grouped(self.norm(self.reduce(x)).relu()).relu()
        return self.head(self.expand(x).relu().mean((2, 3)))


class Clip(nn.Module):
    """Clips in segments of 4 frames, which the convolutions see as images, and a recurrent layer over the segments."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.norm, self.second = nn.Conv3d(1, 5, 3, padding=1), nn.BatchNorm3d(5), nn.Conv3d(5, 4, 3)
        self.reduce, self.recurrent = nn.Linear(4 * 2 * 2, 6), nn.GRU(6, 5, batch_first=True)
        self.head = nn.Linear(5, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = x.unflatten(2, (-1, 4)).transpose(1, 2).flatten(0, 1)
        x = nn.functional.max_pool3d(self.norm(self.first(x)).relu(), (1, 2, 2))
        x = self.reduce(self.second(x).relu().amax(2).flatten(1)).relu()
        return self.head(self.recurrent(x.unflatten(0, (-1, 2)))[0]).mean(1)


UNUSUAL: dict[str, Callable[[], nn.Module]] = {"grouped": Grouped, "clip": Clip}
"""Units of several channels, and parts of an image folded into the batch."""
SHAPES = {"clip": (1, 8, 8, 8)}


def shape_of(name: str) -> tuple[int, ...]:
    """One image of a network of MODULES or UNUSUAL."""
    return SHAPES.get(name, SHAPE)


def at_hand(name: str) -> Network:
    """One of MODULES or UNUSUAL with seeded random weights."""
    torch.manual_seed(0)
    return network((MODULES | UNUSUAL)[name](), shape_of(name), name)


def many_classes(classes: int = 40) -> Network:
    """More classes than are followed one by one, of unlike probabilities."""
    torch.manual_seed(0)
    body = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(4, 5, 2), nn.ReLU(), nn.Flatten())
    last = nn.Linear(20, classes)
    last.weight.data *= 4
    return network(nn.Sequential(*body, last), SHAPE, "many classes", classes)
