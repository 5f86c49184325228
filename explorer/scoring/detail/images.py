"""The images that excite a unit, and the places in them."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from explorer.data.preprocessing import Preprocessing
from explorer.data.viewing import viewable
from explorer.networks.feature_maps import FeatureMaps, by_image
from explorer.networks.network import Network, replica
from explorer.scoring.detail.weights import locate
from explorer.scoring.observe import Observation

EXCITEMENT = {"mean": "mean activation", "largest": "largest activation"}
"""Parts of the observation by which images can be put in order."""


def most_exciting(seen: Observation, unit: int, by: str = "mean", label: int | None = None) -> Tensor:
    """Positions of the images, int64, by what the unit answers, strongest first; only those of one class if named."""
    order: Tensor = getattr(seen, by)[:, unit].argsort(descending=True, stable=True)
    return order if label is None else order[seen.labels[order] == label]


@torch.no_grad()
def activation(network: Network, unit: int, x: Tensor, writer: str) -> Tensor:
    """(N, H, W): the unit's feature map as a convolution writes it, for images or clips x (N, C, ...), on the CPU.

    The mean over the unit's channels, and of clips over time: the mean over H and W is the observation's.
    """
    layer, place = locate(network.units, unit)
    body = replica(network.module)
    recorder = FeatureMaps(body, [writer])
    with recorder:
        body(x.to(network.device))
    z = by_image(recorder.maps[writer], len(x))[:, torch.from_numpy(layer.written(writer)[place])].cpu()
    z = z if z.dim() > 3 else z[:, :, None]  # a sequence is one row
    return z.flatten(1, -3).mean(1)


def upsampled(maps: Tensor, height: int, width: int) -> np.ndarray:
    """Maps (N, H, W) brought to the size of the image, bilinear: (N, height, width)."""
    grown = F.interpolate(maps[:, None].float(), size=(height, width), mode="bilinear", align_corners=False)
    return grown[:, 0].numpy()


def without_normalisation(x: Tensor, preprocessing: Preprocessing) -> np.ndarray:
    """Images as the network got them, without the normalisation: (N, C, ..., H, W) -> uint8 (N, H, W, 1 or 3).

    Of a clip, the mean over time; each as `viewable` shows it.
    """
    ones = [1] * (x.dim() - 2)
    mean, std = (torch.tensor(values).view(-1, *ones) for values in (preprocessing.mean, preprocessing.std))
    pixels = x.cpu() * std + mean
    if pixels.dim() > 4:
        pixels = pixels.flatten(2, -3).mean(2)
    return np.stack([viewable(image) for image in pixels.permute(0, 2, 3, 1).numpy()])
