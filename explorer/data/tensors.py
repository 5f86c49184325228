"""Tensors: stored images made into the input of a network."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from explorer.core.bounds import IMAGE_PIXELS
from explorer.core.errors import BadInput
from explorer.data.decoding import Clip, decode
from explorer.data.gestures import Gesture
from explorer.data.preprocessing import Preprocessing

RESAMPLING = {"bilinear": Image.Resampling.BILINEAR, "bicubic": Image.Resampling.BICUBIC}

Picture = np.ndarray | Image.Image | Clip | Gesture


def to_tensor(image: Picture, preprocessing: Preprocessing) -> Tensor:
    """The network's input (C, H, W), of a clip (C, T, H, W), float32: `to_pixels`, then `normalise`."""
    return normalise(to_pixels(image, preprocessing), preprocessing)


def to_pixels(image: Picture, preprocessing: Preprocessing) -> Tensor:
    """uint8 (C, H, W) from a uint8 array (H, W), (H, W, 1), (H, W, 3) or a PIL image; (C, T, H, W) from a clip.

    Converted to grey (ITU-R 601) or RGB by the number of means, resized and cropped. Raises BadInput for other arrays,
    a crop that does not fit, a side ratio so extreme that resizing would fill the memory, a clip for a network that
    takes still images, and the reverse.
    """
    if isinstance(image, Clip | Gesture):
        return _clip_pixels(image, preprocessing)
    if preprocessing.frames is not None:
        raise BadInput(
            f"this is a still image, but the network takes clips of {preprocessing.frames} frames: "
            "give a folder of CLASS/CLIP/FRAME.jpg."
        )
    picture = _as_pil(image).convert(preprocessing.mode)
    if preprocessing.size is not None:
        picture = _resized(picture, preprocessing.size, preprocessing.interpolation)
    if preprocessing.crop is not None:
        picture = _cropped(picture, preprocessing.crop)
    return torch.from_numpy(np.array(picture)).view(picture.height, picture.width, -1).permute(2, 0, 1).contiguous()


def still(image: Picture, preprocessing: Preprocessing) -> Tensor:
    """uint8 (C, H, W): an image as `to_pixels` gives it, or the middle one of the frames that it takes of a clip."""
    if not isinstance(image, Clip | Gesture) or preprocessing.frames is None:
        return to_pixels(image, preprocessing)
    middle = image.spread(preprocessing.frames)[preprocessing.frames // 2]
    return to_pixels(_picture(middle), replace(preprocessing, frames=None))


def normalise(x: Tensor, preprocessing: Preprocessing) -> Tensor:
    """(x / 255 - mean) / std by channel: uint8 (..., C, H, W), of clips (..., C, T, H, W) -> float32.

    Meant for whole batches: one operation an image waits for every core where other work keeps them busy.
    """
    behind = (1, 1) if preprocessing.frames is None else (1, 1, 1)  # the axes that follow the channel
    mean, std = (torch.tensor(values).view(-1, *behind) for values in (preprocessing.mean, preprocessing.std))
    return (x.float() / 255 - mean) / std


def _clip_pixels(clip: Clip | Gesture, preprocessing: Preprocessing) -> Tensor:
    if preprocessing.frames is None:
        raise BadInput(
            "this is a clip, but the network takes still images: give other images, or --frames for a video network."
        )
    chosen, still = clip.spread(preprocessing.frames), replace(preprocessing, frames=None)
    each_once = {id(frame): frame for frame in chosen}  # a short clip gives some more than once
    pixels = {key: to_pixels(_picture(frame), still) for key, frame in each_once.items()}
    sizes = {f"{each.shape[2]}x{each.shape[1]}" for each in pixels.values()}
    if len(sizes) > 1:
        raise BadInput(f"its frames are {' and '.join(sorted(sizes))} pixels after preprocessing: give --size, --crop.")
    return torch.stack([pixels[id(frame)] for frame in chosen], dim=1)


def _picture(frame: Path | np.ndarray) -> Image.Image | np.ndarray:
    return decode(frame) if isinstance(frame, Path) else frame


def _as_pil(image: np.ndarray | Image.Image) -> Image.Image:
    if isinstance(image, Image.Image):
        return image
    right = image.ndim == 2 or (image.ndim == 3 and image.shape[2] in (1, 3))
    if image.dtype != np.uint8 or not right or not image.size:
        raise BadInput(f"an image is {image.dtype} {image.shape}: it must be uint8 (H, W), (H, W, 1) or (H, W, 3).")
    return Image.fromarray(image[:, :, 0] if image.ndim == 3 and image.shape[2] == 1 else image)


def _resized(picture: Image.Image, size: int, interpolation: str) -> Image.Image:
    short, long = sorted(picture.size)
    if size * size * long > IMAGE_PIXELS.most * short:
        raise BadInput(
            f"an image of {picture.width}x{picture.height} pixels has over {IMAGE_PIXELS.most // 10**6} megapixels "
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
