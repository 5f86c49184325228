"""Pictures of units in few bytes: the image that excites each most, and where."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from explorer.core.progress import Report
from explorer.data import Batches
from explorer.networks.feature_maps import unit_maps
from explorer.networks.network import Network
from explorer.scoring.detail import without_normalisation
from explorer.scoring.observe import Observation

SIDES = (64, 48, 32, 24, 16, 12, 8, 4)  # pixels that pictures may have at most: the first of them that fits
MAPS, IMAGES = 1_200_000, 800_000  # bytes of all feature maps, and of all images


@dataclass(frozen=True, eq=False)
class _Place:
    """Which unit is looked at in which image."""

    images: Tensor  # (n,) the images that excite some unit most
    of_unit: Tensor  # (units,) which of these


def images_shown(seen: Observation) -> int:
    """The number of images that excite some unit most: as many forward passes the pictures take."""
    return len(seen.mean.argmax(0).unique())


def unit_pictures(network: Network, images: Batches, seen: Observation, report: Report) -> dict[str, Any]:
    """Of every unit the image with its largest mean activation, and its feature map there, as base64 of bytes.

    Each map from 0 (0 or below) to 255 (its own largest value, in `tops`). Pictures larger than there is room for are
    brought to fewer pixels, each the mean over those that it stands for.
    """
    place = _Place(*seen.mean.argmax(0).unique(return_inverse=True))
    tops, labels, shown = torch.zeros(len(network.units)), [], []
    drawn: dict[str, Tensor] = {}
    for number, (image, label) in enumerate(_one_by_one(images.picked(place.images))):
        report(number, len(place.images), "pictures of units")
        maps = {
            name: found.reshape(len(found), -1, found.shape[-1]) for name, found in unit_maps(network, image).items()
        }
        if not drawn:
            side = largest_side([each.shape for each in maps.values()], MAPS)
            drawn = {name: _shrunk(each, side) for name, each in maps.items()}
        for name, found in maps.items():
            units = network.units.slices[name]
            own = place.of_unit[units] == number
            drawn[name][own] = _shrunk(found[own], side)
            tops[units][own] = found[own].amax((1, 2)).float()
        labels.append(label)
        shown.append(without_normalisation(image[None], network.preprocessing)[0])
    return {
        "maps": {name: _bytes_of(_to_own_top(each)) for name, each in drawn.items()},
        "tops": [float(f"{value:.4g}") for value in tops.tolist()],
        "image_of_unit": place.of_unit.tolist(),
        "labels": labels,
        "images": _images(shown),
    }


def _one_by_one(images: Batches) -> Iterable[tuple[Tensor, int]]:
    for x, y in images:
        yield from zip(x, y.tolist(), strict=True)


def largest_side(shapes: Iterable[torch.Size], room: int) -> int:
    """The largest of SIDES with which pictures of such shapes, (count, height, width) each, fit into so many bytes."""
    shapes = list(shapes)
    sizes = {side: sum(n * min(h, side) * min(w, side) for n, h, w in shapes) for side in SIDES}
    return next((side for side, size in sizes.items() if size <= room), SIDES[-1])


def _shrunk(pictures: Tensor, side: int) -> Tensor:
    """(n, H, W) -> at most (n, side, side)."""
    height, width = (min(each, side) for each in pictures.shape[1:])
    return F.adaptive_avg_pool2d(pictures.float()[:, None], (height, width))[:, 0]


def _to_own_top(maps: Tensor) -> Tensor:
    tops = maps.amax((1, 2), keepdim=True).clamp(min=0)
    return maps.clamp(min=0) / tops.where(tops > 0, 1) * 255


def _images(shown: list[Any]) -> dict[str, Any]:
    """Pictures uint8 (H, W, 1 or 3), all alike, side by side."""
    pixels = torch.stack([torch.from_numpy(each) for each in shown]).permute(0, 3, 1, 2)  # (n, channels, H, W)
    n, channels, height, width = pixels.shape
    small = _shrunk(pixels.flatten(0, 1), largest_side([torch.Size((n * channels, height, width))], IMAGES))
    return {"channels": channels, **_bytes_of(small)}


def _bytes_of(pictures: Tensor) -> dict[str, Any]:
    """(n, H, W) with values from 0 to 255."""
    content = pictures.round().clamp(0, 255).to(torch.uint8).contiguous().numpy().tobytes()
    return {"size": list(pictures.shape[1:]), "bytes": base64.b64encode(content).decode("ascii")}
