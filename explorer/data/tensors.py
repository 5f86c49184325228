"""Tensors: stored images made into the input of a network."""

from __future__ import annotations

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torchvision.transforms import InterpolationMode
from torchvision.transforms.v2 import functional as F

from explorer.data.preprocessing import Preprocessing
from explorer.errors import BadInput

MAX_PIXELS = 64_000_000  # of one image, stored or resized: small files can claim huge pictures

Picture = np.ndarray | Image.Image


def to_tensor(image: Picture, preprocessing: Preprocessing) -> Tensor:
    """The network's input (C, H, W), float32, from one image: `to_pixels`, then `normalise`."""
    return normalise(to_pixels(image, preprocessing), preprocessing)


def to_pixels(image: Picture, preprocessing: Preprocessing) -> Tensor:
    """uint8 (C, H, W) from a uint8 array (H, W), (H, W, 1), (H, W, 3) or a PIL image.

    Converted to grey (ITU-R 601) or RGB by the number of means, resized and cropped. BadInput for other
    arrays, a crop that does not fit, and a side ratio so extreme that resizing would fill the memory.
    """
    picture = _as_pil(image).convert(preprocessing.mode)
    if preprocessing.size is not None:
        picture = _resized(picture, preprocessing.size, preprocessing.interpolation)
    if preprocessing.crop is not None:
        picture = _cropped(picture, preprocessing.crop)
    return F.pil_to_tensor(picture)


def normalise(x: Tensor, preprocessing: Preprocessing) -> Tensor:
    """(x / 255 - mean) / std by channel: uint8 (..., C, H, W) -> float32.

    Meant for whole batches: one operation an image waits for every core where other work keeps them busy.
    """
    return F.normalize(F.to_dtype(x, torch.float32, scale=True), list(preprocessing.mean), list(preprocessing.std))


def _as_pil(image: Picture) -> Image.Image:
    if isinstance(image, Image.Image):
        return image
    right = image.ndim == 2 or (image.ndim == 3 and image.shape[2] in (1, 3))
    if image.dtype != np.uint8 or not right or not image.size:
        raise BadInput(f"an image is {image.dtype} {image.shape}: it must be uint8 (H, W), (H, W, 1) or (H, W, 3).")
    return Image.fromarray(image[:, :, 0] if image.ndim == 3 and image.shape[2] == 1 else image)


def _resized(picture: Image.Image, size: int, interpolation: str) -> Image.Image:
    short, long = sorted(picture.size)
    if size * size * long > MAX_PIXELS * short:
        raise BadInput(
            f"an image of {picture.width}x{picture.height} pixels has over {MAX_PIXELS // 10**6} megapixels "
            f"when its shorter side is resized to {size}."
        )
    return F.resize(picture, [size], interpolation=InterpolationMode(interpolation), antialias=True)


def _cropped(picture: Image.Image, crop: int) -> Image.Image:
    if crop > min(picture.size):
        raise BadInput(
            f"an image of {picture.width}x{picture.height} pixels is smaller than the crop of {crop}: "
            "give --size too, so that it is resized first."
        )
    return F.center_crop(picture, [crop])
