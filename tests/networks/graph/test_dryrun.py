"""What a graph would take is bounded before it takes it."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, fx, nn
from torch.nn import functional as F

from explorer.core.errors import BadInput
from explorer.networks.graph import dryrun
from explorer.networks.graph.dryrun import output_shape

SHAPE = (1, 28, 28)


class Around(nn.Module):
    """A convolution, one step of its own, another convolution, and a head."""

    def __init__(self, step: Callable[[Tensor], Tensor], reads: int = 8) -> None:
        super().__init__()
        self.first, self.second = nn.Conv2d(1, 8, 3, padding=1), nn.Conv2d(reads, 8, 3, padding=1)
        self.head, self.step = nn.Linear(8, 3), step

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.second(self.step(self.first(x)).relu()).mean((2, 3)))


def shape_of(module: nn.Module, shape: tuple[int, ...] = SHAPE) -> tuple[int, ...]:
    return output_shape(fx.symbolic_trace(module).to("meta").eval(), shape)


LARGE: dict[str, Callable[[Tensor], Tensor]] = {
    "interpolate": lambda x: F.interpolate(x, scale_factor=160),
    "interpolate to a size": lambda x: F.interpolate(x, size=(5000, 5000)),
    "upsample": nn.Upsample(scale_factor=160),
    "repeat": lambda x: x.repeat(1, 1, 160, 160),
    "expand": lambda x: (x.unsqueeze(-1).expand(-1, -1, -1, -1, 30_000) * 1).sum(-1),
    "pad": lambda x: F.pad(x, (2500,) * 4),
    "a layer that pads": nn.ZeroPad2d(2500),
    "a convolution that pads": nn.Conv2d(8, 8, 1, padding=2500),
    "stack": lambda x: torch.stack([x] * 30_000).sum(0),
    "cat": lambda x: torch.cat([x] * 30_000, 2),
    "outer product": lambda x: x.flatten(1).unsqueeze(2).matmul(x.flatten(1).repeat(1, 4).unsqueeze(1)),
    "transposed convolution": nn.ConvTranspose2d(8, 8, 1, stride=160),
    "many channels": nn.Conv2d(8, 200_000, 1),
}


@pytest.mark.parametrize("name", LARGE)
def test_small_files_that_make_large_maps_are_refused_at_once_by_name(name: str) -> None:
    with torch.device("meta"):
        module = Around(LARGE[name] if not isinstance(LARGE[name], nn.Module) else LARGE[name].to("meta"))
    started = time.process_time()
    with pytest.raises(BadInput, match=r"up to node \w+, the feature maps of one image hold more than 134,217,728"):
        shape_of(module)
    assert time.process_time() - started < 20


def test_usual_networks_pass() -> None:
    assert shape_of(Around(lambda x: x)) == (1, 3)
    assert shape_of(Around(lambda x: F.interpolate(x, scale_factor=4))) == (1, 3)
    assert shape_of(Around(nn.PixelShuffle(2), reads=2)) == (1, 3)


def test_what_is_held_at_one_time_is_bounded_by_the_memory_that_is_free(monkeypatch: pytest.MonkeyPatch) -> None:
    maps, unfolded = 8 * 28 * 28, 8 * 9 * 28 * 28  # a map, and what the second convolution makes of one
    asked: list[int] = []
    monkeypatch.setattr(dryrun, "check_room", lambda need, what: asked.append(need))
    shape_of(Around(nn.Identity()))
    assert max(asked) == dryrun.TRIED * (2 * maps + unfolded)  # its input and output are held as well

    def refuse(need: int, what: str) -> None:
        if need > dryrun.TRIED * (2 * maps + 9 * 28 * 28):
            raise BadInput(what)

    monkeypatch.setattr(dryrun, "check_room", refuse)
    with pytest.raises(BadInput, match=r"^Node second of this export"):
        shape_of(Around(nn.Identity()))


def test_values_that_nothing_reads_any_more_do_not_count() -> None:
    chain = nn.Sequential(*(nn.Tanh() for _ in range(50)))
    asked: list[int] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dryrun, "check_room", lambda need, what: asked.append(need))
        shape_of(nn.Sequential(chain, nn.Flatten(), nn.Linear(784, 3)))
    assert max(asked) == dryrun.TRIED * 2 * 784


def test_work_without_end_is_refused() -> None:
    with torch.device("meta"):
        module = Around(nn.Conv2d(8, 2000, 3, padding=1), reads=2000)
        module.second = nn.Sequential(nn.Conv2d(2000, 2000, 3, padding=1), nn.Conv2d(2000, 8, 1))
    with pytest.raises(BadInput, match="up to node second_0, one image takes more than 17,179,869,184 FLOPs"):
        shape_of(module)


def test_layers_without_number_are_refused() -> None:
    deep = nn.Sequential(*(nn.Conv2d(1, 1, 1) for _ in range(1100)), nn.Flatten(), nn.Linear(784, 3))
    with pytest.raises(BadInput, match="it has 1,101 convolutions and linear layers, more than 1,024"):
        shape_of(deep)
