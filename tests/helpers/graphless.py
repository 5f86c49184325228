"""Networks whose forward pass is no fixed list of steps, each (N, 1, 28, 28) -> (N, 10): all decide while they run."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn


class Plain(nn.Module):
    """Two layers of feature maps and a head; the others change what happens between them."""

    def __init__(self, num_classes: int = 10) -> None:
        super().__init__()
        self.first, self.second = nn.Conv2d(1, 4, 3, stride=4), nn.Conv2d(4, 6, 3)
        self.head = nn.Linear(6, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        return self.ended(self.second(self.first(x).relu()).relu())

    def ended(self, x: Tensor) -> Tensor:
        return self.head(x.mean((2, 3)))


class Deciding(Plain):
    def forward(self, x: Tensor) -> Tensor:
        x = self.first(x).relu()
        if x.max() > 1e6:
            x = x / 2
        return self.ended(self.second(x).relu())


class BySize(Plain):
    def forward(self, x: Tensor) -> Tensor:
        if x.shape[-1] > 500:
            x = x[..., ::2, ::2]
        return super().forward(x)


class Leaving(Plain):
    def forward(self, x: Tensor) -> Tensor:
        early = self.first(x).relu()
        assert early.isfinite().all()
        return self.ended(self.second(early).relu())


class Length(Plain):
    def forward(self, x: Tensor) -> Tensor:
        found = self.second(self.first(x).relu()).relu().mean((2, 3))
        return self.head(found.reshape(len(x), -1))


class OneByOne(Plain):
    def forward(self, x: Tensor) -> Tensor:
        found = self.first(x).relu()
        return torch.cat([self.ended(self.second(image[None]).relu()) for image in found])


class Numbers(Plain):
    def forward(self, x: Tensor) -> Tensor:
        found = self.first(x).relu()
        largest = float(found.detach().abs().amax())
        return self.ended(self.second(found / (1.0 if largest < 1e6 else largest)).relu())


class Numpy(Plain):
    def forward(self, x: Tensor) -> Tensor:
        found = self.second(self.first(x).relu()).relu()
        return self.head(found.sum((2, 3)) / np.prod(np.asarray(found.shape)[2:]))


class Counting(Plain):
    def forward(self, x: Tensor) -> Tensor:
        for _ in range(x.shape[1]):
            x = self.first(x).relu()
        return self.ended(self.second(x).relu())


class Dict(Plain):
    def forward(self, x: Tensor) -> Tensor:
        steps = {len(x.shape): self.second}
        return self.ended(steps[4](self.first(x).relu()).relu())


class Summed(Plain):
    def __init__(self, num_classes: int = 10) -> None:
        super().__init__(num_classes)
        self.third = nn.Conv2d(6, 6, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.second(self.first(x).relu()).relu()
        y = self.third(x)
        return self.ended((x + y if y.sum() < 1e9 else x - y).relu())


GRAPHLESS: dict[type[Plain], str] = {
    Deciding: "`if x.max() > 1e6:`, decides by what a run computes; write torch.where, or leave the decision out",
    BySize: "`if x.shape[-1] > 500:`, decides by what a run computes; write torch.where, or leave the decision out",
    Leaving: "`assert early.isfinite().all()`, decides by what a run computes; write torch.where, or leave the",
    Length: "`return self.head(found.reshape(len(x), -1))`, asks a tensor for its len; write x.shape[0] for it",
    OneByOne: "goes through the parts of a tensor one by one; let one call do all of them",
    Numbers: "`largest = float(found.detach().abs().amax())`, makes a plain number of a tensor; leave it a tensor",
    Numpy: "np.prod(np.asarray(found.shape)[2:]))`, leaves torch for numpy; write torch's own function",
    Counting: "`for _ in range(x.shape[1]):`, counts by what a run computes; write the number",
    Dict: "`steps = {len(x.shape): self.second}`, asks a tensor for its len; write x.shape[0] for it",
    Summed: "`return self.ended((x + y if y.sum() < 1e9 else x - y).relu())`, decides by what a run computes",
}
"""Network -> a part of the sentence that says why it can't be exported."""


def summed(num_classes: int = 10) -> nn.Module:
    """A factory of one of them, with a seeded start."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return Summed(num_classes)
