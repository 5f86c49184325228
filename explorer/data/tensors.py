"""Tensors: stored images made into the input of a network."""

from __future__ import annotations

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from explorer.data.preprocessing import Preprocessing
from explorer.errors import BadInput

RESAMPLING = {"bilinear": Image.Resampling.BILINEAR, "bicubic": Image.Resampling.BICUBIC}
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
    return torch.from_numpy(np.array(picture)).view(picture.height, picture.width, -1).permute(2, 0, 1).contiguous()


def normalise(x: Tensor, preprocessing: Preprocessing) -> Tensor:
    """(x / 255 - mean) / std by channel: uint8 (..., C, H, W) -> float32.

    Meant for whole batches: one operation an image waits for every core where other work keeps them busy.
    """
    mean, std = (torch.tensor(values).view(-1, 1, 1) for values in (preprocessing.mean, preprocessing.std))
    return (x.float() / 255 - mean) / std


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
    width, height = (size if side == short else size * long // short for side in picture.size)
    return picture.resize((width, height), RESAMPLING[interpolation])


def _cropped(picture: Image.Image, crop: int) -> Image.Image:
    if crop > min(picture.size):
        raise BadInput(
            f"an image of {picture.width}x{picture.height} pixels is smaller than the crop of {crop}: "
            "give --size too, so that it is resized first."
        )
    left, top = (round((side - crop) / 2) for side in picture.size)
    return picture.crop((left, top, left + crop, top + crop))
