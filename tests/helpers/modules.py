"""Networks whose way of computing is odd, for running them in parts."""

from __future__ import annotations

from collections.abc import Callable

import torch
from networks_at_hand import SHAPE, network
from torch import Tensor, nn
from torch.nn import functional as F

from explorer.networks.network import Network


class Sizes(nn.Module):
    """Reads the size of the batch from the images and uses it far behind the gates."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second, self.head = nn.Conv2d(1, 4, 3), nn.Conv2d(4, 5, 3), nn.Linear(80, 3)

    def forward(self, x: Tensor) -> Tensor:
        n = x.shape[0]
        x = self.second(self.first(x).relu()).relu()
        return self.head(x.view(n, x.size(1) * 16))


class InPlace(nn.Module):
    """Changes tensors in place that others read before and after."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second, self.third = (nn.Conv2d(read, 4, 3, padding=1) for read in (1, 4, 4))
        self.head = nn.Linear(4, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = self.first(x)
        F.relu(x, inplace=True)  # its result is read under the old name
        y = self.second(x)
        y.relu_()
        y *= 0.5
        z = self.third(y)
        z += x
        return self.head(F.hardtanh(z, -1.0, 2.0, True).mean((2, 3)))


class Dense(nn.Module):
    """Batch-norm before each convolution, over everything so far: nothing can be folded."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(1, 4, 3, padding=1)
        self.norm1, self.conv1 = nn.BatchNorm2d(4), nn.Conv2d(4, 3, 3, padding=1)
        self.norm2, self.conv2 = nn.BatchNorm2d(7), nn.Conv2d(7, 3, 3, padding=1)
        self.norm3, self.head = nn.BatchNorm2d(10), nn.Linear(10, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        x = torch.cat([x, self.conv1(self.norm1(x).relu())], 1)
        x = torch.cat([x, self.conv2(self.norm2(x).relu())], 1)
        return self.head(self.norm3(x).relu().mean((2, 3)))


class Strange(nn.Module):
    """Stride, dilation and reflected borders; the second convolution reads in groups, so nothing is a plain sum."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(1, 4, 3, stride=2, padding=1)
        self.second = nn.Conv2d(4, 4, (3, 1), padding=(2, 0), dilation=(2, 1), padding_mode="reflect")
        self.third = nn.Conv2d(4, 6, 3, groups=2, padding="same")
        self.head = nn.Linear(6, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = self.second(self.first(x).relu()).relu()
        return self.head(self.third(x).relu().amax((2, 3)))


class Video(nn.Module):
    """Convolutions over time."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Conv3d(1, 4, 3, padding=1), nn.Conv3d(4, 5, 3, stride=2, padding=1)
        self.norm, self.head = nn.BatchNorm3d(5), nn.Linear(5, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = F.max_pool3d(self.first(x).relu_(), 2)
        return self.head(self.norm(self.second(x)).relu_().mean((2, 3, 4)))


class Branches(nn.Module):
    """Goes another way for other images: nothing that torch.fx could follow."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.head = nn.Conv2d(1, 4, 3), nn.Linear(4, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv(x)
        return self.head((x.relu() if x.sum() > 0 else x.sigmoid()).mean((2, 3)))


ODD: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...]]] = {
    "sizes": (Sizes, SHAPE),
    "in_place": (InPlace, SHAPE),
    "dense": (Dense, SHAPE),
    "strange": (Strange, SHAPE),
    "video": (Video, (1, 4, 8, 8)),
}


def odd(name: str) -> Network:
    """One of ODD with seeded random weights."""
    make, shape = ODD[name]
    torch.manual_seed(0)
    return network(make(), shape, name)


def branching() -> Network:
    """`Branches` with seeded random weights."""
    torch.manual_seed(0)
    return network(Branches(), SHAPE, "branches")
