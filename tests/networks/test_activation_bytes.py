"""The memory that feature maps take is known before any is taken."""

from __future__ import annotations

import pytest
from networks_at_hand import network
from torch import Tensor, nn
from torch.nn import functional as F

from explorer.core.errors import BadInput
from explorer.core.parallel import workers
from explorer.data.preprocessing import Preprocessing
from explorer.networks import activations
from explorer.networks.activations import MAPS_HELD_PER_IMAGE, SHARE_OF_FREE_MEMORY, activation_bytes, images_that_fit
from explorer.networks.load import assemble, fitting_batch

SHAPE = (1, 8, 8)


class Enlarging(nn.Module):
    """Small weights, and maps `by` times as wide and high as its image."""

    def __init__(self, by: int) -> None:
        super().__init__()
        self.conv, self.head, self.by = nn.Conv2d(1, 4, 3, padding=1), nn.Linear(4, 3), by

    def forward(self, x: Tensor) -> Tensor:
        return self.head(F.interpolate(self.conv(x), scale_factor=self.by).relu().mean((2, 3)))


class OnValues(nn.Module):
    """Looks at its values, so that shapes alone are not enough."""

    def __init__(self) -> None:
        super().__init__()
        self.body = Enlarging(1)

    def forward(self, x: Tensor) -> Tensor:
        return self.body(x if float(x.sum()) > 0 else -x)


def test_every_value_that_is_made_counts_once() -> None:
    by = 10
    maps, wide = 4 * 64, 4 * 64 * by**2
    least = 4 * (maps + 2 * wide + 4 + 3)  # convolution, interpolation, relu, mean, head
    assert least <= activation_bytes(Enlarging(by).eval(), SHAPE) <= least * 1.01 + 64
    views = nn.Sequential(nn.Flatten(), nn.Unflatten(1, SHAPE), nn.Conv2d(1, 4, 3), nn.ReLU(inplace=True))
    assert activation_bytes(views, SHAPE) == 4 * (64 + 4 * 36)  # the image and the maps
    assert activation_bytes(views.double(), SHAPE) == 8 * (64 + 4 * 36)


def test_no_network_is_too_large_to_be_asked() -> None:
    assert activation_bytes(Enlarging(100_000).eval(), SHAPE) > 2**40


def test_it_can_t_be_known_of_a_network_that_looks_at_values() -> None:
    module = OnValues().eval()
    assert activation_bytes(module, SHAPE) is None
    assert images_that_fit(module, SHAPE, 32) == 32
    assert assemble("mine", "own:mine", module, SHAPE, Preprocessing((0.0,), (1.0,)))


def test_a_network_whose_maps_are_larger_than_the_memory_is_refused_before_it_runs() -> None:
    with pytest.raises(BadInput, match=r"wide, for the feature maps of one image of 1x8x8, takes .* GiB of memory"):
        assemble("wide", "own:wide", Enlarging(100_000), SHAPE, Preprocessing((0.0,), (1.0,)))


def test_batches_are_as_large_as_memory_allows(monkeypatch: pytest.MonkeyPatch) -> None:
    found = network(Enlarging(4), SHAPE)
    an_image = activation_bytes(found.module, SHAPE)
    for images, expected in ((1000, 32), (7, 7), (0.1, 1)):
        room = int(images * MAPS_HELD_PER_IMAGE * an_image * workers(found.device) / SHARE_OF_FREE_MEMORY) + 1
        monkeypatch.setattr(activations, "free", lambda device, room=room: room)
        assert fitting_batch(found) == expected


def test_recurrent_layers_and_clips_are_counted() -> None:
    clip = nn.Sequential(nn.Conv3d(1, 2, 3, padding=1), nn.ReLU())
    assert activation_bytes(clip, (1, 4, 8, 8)) == 4 * (1 + 2 + 2) * 4 * 64
    gru = nn.Sequential(nn.Flatten(2), nn.GRU(64, 5, batch_first=True))
    found = activation_bytes(gru, SHAPE)
    assert found is None or found >= 4 * 5
