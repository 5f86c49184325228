"""Networks that treat channels in odd ways, each (N, 3, 16, 16) -> (N, 3)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils import parametrizations, prune

SHAPE = (3, 16, 16)


def conv(reads: int, writes: int, **options: Any) -> nn.Module:
    return nn.Conv2d(reads, writes, 3, padding=1, **options)


def batchwise(channels: int) -> nn.Module:
    return nn.BatchNorm2d(channels, track_running_stats=False)


class Odd(nn.Module):
    """A stem, a second layer, and a forward pass of its own between them and the head."""

    def __init__(self, forward: Callable[[Odd, Tensor], Tensor], stem: nn.Module, second: nn.Module, head: int) -> None:
        super().__init__()
        self.stem, self.second, self.head, self.body = stem, second, nn.Linear(head, 3), forward

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.body(self, x).flatten(2).mean(2))


def split(net: Odd, x: Tensor) -> Tensor:
    x = net.stem(x).relu()
    return torch.cat([x[:, :6], net.second(x[:, 6:])], 1)


def chunk(net: Odd, x: Tensor) -> Tensor:
    left, right = net.stem(x).relu().chunk(2, 1)
    return torch.cat([left, net.second(right)], 1)


def zero_padded(net: Odd, x: Tensor) -> Tensor:
    x = net.stem(x).relu()
    return net.second(x) + F.pad(x, (0, 0, 0, 0, 4, 4))


def zeros_beside(net: Odd, x: Tensor) -> Tensor:
    x = net.stem(x).relu()
    return net.second(x) + torch.cat([x, torch.zeros_like(x)[:, :8]], 1)


def shuffled(net: Odd, x: Tensor) -> Tensor:
    x = net.stem(x).relu()
    n, channels, *sides = x.shape
    return net.second(x.view(n, 3, channels // 3, *sides).transpose(1, 2).reshape(n, channels, *sides))


def twice_itself(net: Odd, x: Tensor) -> Tensor:
    x = net.stem(x).relu()
    return net.second(torch.cat([x, x], 1))


def pixel_shuffled(net: Odd, x: Tensor) -> Tensor:
    return net.second(F.pixel_shuffle(net.stem(x), 2))


def again(net: Odd, x: Tensor) -> Tensor:
    return net.second(net.second(net.stem(x).relu()).relu())


def in_turn(net: Odd, x: Tensor) -> Tensor:
    return net.second(net.stem(x).relu())


def functional(net: Odd, x: Tensor) -> Tensor:
    return F.conv2d(net.stem(x).relu(), net.second.weight, net.second.bias, padding=1)


def both_ways(net: Odd, x: Tensor) -> Tensor:
    return functional(net, x) + net.second(net.stem(x))


def rolled_sum(net: Odd, x: Tensor) -> Tensor:
    return net.stem(x) + net.second(x).roll(1, 1)


def permuted(net: Odd, x: Tensor) -> Tensor:
    return net.second(net.stem(x)[:, [2, 1, 0, 5, 4, 3]])


def counted_by(reshape: Callable[[Tensor], Tensor]) -> Callable[[Odd, Tensor], Tensor]:
    """Maps (N, 8, 4, 4) -> a row of 128 for `second`, by a call that counts on the number of channels."""

    def forward(net: Odd, x: Tensor) -> Tensor:
        x = F.dropout(F.max_pool2d(net.stem(x).relu(), 4), 0.2, training=net.training)
        return net.second(reshape(x)).unflatten(1, (8, 1))

    return forward


COUNTED: dict[str, Callable[[Tensor], Tensor]] = {
    "view(-1, n)": lambda x: x.view(-1, 8 * 4 * 4),
    "view(batch, n)": lambda x: x.view(x.size(0), 8 * 4 * 4),
    "view(len, n)": lambda x: x.view((x.shape[0], 8 * 4 * 4)),
    "torch.reshape": lambda x: torch.reshape(x, (-1, 8 * 4 * 4)),
    "by name": lambda x: x.view(size=(-1, 8 * 4 * 4)),
    "rows of channels": lambda x: x.reshape(-1, 8, 16).flatten(1),
    "parts of channels": lambda x: x.view(-1, 16, 8).flatten(1),
}


def counted_if(net: Odd, x: Tensor) -> Tensor:
    x = net.stem(x)
    return net.second((x if x.sum() < 1e9 else -x).view(-1, 8 * 16 * 16)).unflatten(1, (8, 1))


def attended(net: Odd, x: Tensor) -> Tensor:
    """Efficient channel attention: a convolution over the row of channels weighs each by its neighbours."""
    x = net.stem(x)
    row = net.second[0](x.mean((2, 3), keepdim=True).squeeze(-1).transpose(1, 2)).transpose(1, 2)
    return net.second[1](x * row.unsqueeze(-1).sigmoid())


def branching(net: Odd, x: Tensor) -> Tensor:
    x = net.stem(x)
    return net.second(x if x.sum() > 0 else -x)


def flattened(net: Odd, x: Tensor) -> Tensor:
    return net.second(net.stem(x).flatten(2))


def recurrent(net: Odd, x: Tensor) -> Tensor:
    return net.second(net.stem(x).flatten(2).transpose(1, 2))[0].transpose(1, 2)


Maker = Callable[[], nn.Module]
LAYERS: dict[str, tuple[Callable[[Odd, Tensor], Tensor], Maker, Maker, int]] = {
    "split": (split, lambda: conv(3, 12), lambda: conv(6, 6), 12),
    "chunk": (chunk, lambda: conv(3, 12), lambda: conv(6, 6), 12),
    "zero-padded shortcut": (zero_padded, lambda: conv(3, 12), lambda: conv(12, 20), 20),
    "zeros beside": (zeros_beside, lambda: conv(3, 12), lambda: conv(12, 20), 20),
    "shuffle": (shuffled, lambda: conv(3, 12), lambda: conv(12, 8), 8),
    "cat([x, x])": (twice_itself, lambda: conv(3, 6), lambda: conv(12, 8), 8),
    "pixel shuffle": (pixel_shuffled, lambda: conv(3, 16), lambda: conv(4, 8), 8),
    "shared layer": (again, lambda: conv(3, 8), lambda: conv(8, 8), 8),
    "weight norm": (in_turn, lambda: parametrizations.weight_norm(conv(3, 8)), lambda: conv(8, 8), 8),
    "spectral norm": (in_turn, lambda: conv(3, 8), lambda: parametrizations.spectral_norm(conv(8, 8)), 8),
    "masked": (in_turn, lambda: prune.random_unstructured(conv(3, 8), "weight", 0.5), lambda: conv(8, 8), 8),
    "group norm": (in_turn, lambda: nn.Sequential(conv(3, 12), nn.GroupNorm(4, 12)), lambda: conv(12, 8), 8),
    "layer norm of maps": (in_turn, lambda: nn.Sequential(conv(3, 12), nn.GroupNorm(1, 12)), lambda: conv(12, 8), 8),
    "norms over images": (
        in_turn,
        lambda: nn.Sequential(
            conv(3, 8), nn.InstanceNorm2d(8), conv(8, 6), nn.BatchNorm2d(6, track_running_stats=False)
        ),
        lambda: nn.Sequential(nn.InstanceNorm2d(6, affine=True, track_running_stats=True), nn.PReLU(6), conv(6, 8)),
        8,
    ),
    "one slope": (in_turn, lambda: nn.Sequential(conv(3, 8), nn.PReLU()), lambda: conv(8, 8), 8),
    "group norm of a sum": (
        lambda net, x: net.second[1](net.stem(x) + net.second[0](x)),
        lambda: conv(3, 8),
        lambda: nn.Sequential(conv(3, 8), nn.Sequential(nn.GroupNorm(4, 8), conv(8, 8))),
        8,
    ),
    "group norm of a concat": (
        lambda net, x: net.second[1](torch.cat([net.stem(x), net.second[0](x)], 1)),
        lambda: conv(3, 6),
        lambda: nn.Sequential(conv(3, 6), nn.Sequential(nn.GroupNorm(4, 12), conv(12, 8))),
        8,
    ),
    "group norm across a concat": (
        lambda net, x: net.second[1](torch.cat([net.stem(x), net.second[0](x)], 1)),
        lambda: conv(3, 7),
        lambda: nn.Sequential(conv(3, 5), nn.Sequential(nn.GroupNorm(4, 12), conv(12, 8))),
        8,
    ),
    "neighbours": (in_turn, lambda: nn.Sequential(conv(3, 8), nn.LocalResponseNorm(3, 1.0)), lambda: conv(8, 8), 8),
    "counted": (
        lambda net, x: net.second(net.stem(x).view(-1, 8 * 256)).view(-1, 8, 1),
        lambda: conv(3, 8),
        lambda: nn.Linear(8 * 256, 8),
        8,
    ),
    **{
        name: (counted_by(reshape), lambda: conv(3, 8), lambda: nn.Linear(8 * 16, 8), 8)
        for name, reshape in COUNTED.items()
    },
    "counted if": (counted_if, lambda: conv(3, 8), lambda: nn.Linear(8 * 256, 8), 8),
    "channel attention": (
        attended,
        lambda: nn.Sequential(conv(3, 12), nn.BatchNorm2d(12), nn.ReLU()),
        lambda: nn.Sequential(nn.Conv1d(1, 1, 3, padding=1), conv(12, 8)),
        8,
    ),
    "transposed": (in_turn, lambda: nn.ConvTranspose2d(3, 8, 2), lambda: conv(8, 8, groups=4), 8),
    "functional": (functional, lambda: conv(3, 8), lambda: conv(8, 8), 8),
    "module and functional": (both_ways, lambda: conv(3, 8), lambda: conv(8, 8), 8),
    "rolled sum": (rolled_sum, lambda: conv(3, 8), lambda: conv(3, 8), 8),
    "permuted": (permuted, lambda: conv(3, 6), lambda: conv(6, 8), 8),
    "branching": (branching, lambda: conv(3, 6), lambda: conv(6, 8), 8),
    "flattened": (flattened, lambda: conv(3, 6), lambda: nn.Conv1d(6, 8, 3), 8),
    "recurrent": (recurrent, lambda: conv(3, 6), lambda: nn.GRU(6, 8, batch_first=True), 8),
    "never run": (lambda net, x: net.stem(x), lambda: conv(3, 8), lambda: conv(8, 8), 8),
}


def odd(name: str) -> nn.Module:
    """One of them, with seeded weights."""
    forward, stem, second, head = LAYERS[name]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return Odd(forward, stem(), second(), head).requires_grad_(False).eval()
