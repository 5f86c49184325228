"""Tensors: stored images made into the input of a network."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from explorer.core.bounds import IMAGE_PIXELS, IMAGE_VALUES
from explorer.core.errors import BadInput
from explorer.core.text import counted
from explorer.data.bands import COLOURS, unit_values
from explorer.data.decoding import Clip, decode
from explorer.data.gestures import Gesture
from explorer.data.preprocessing import Preprocessing

RESAMPLING = {"bilinear": Image.Resampling.BILINEAR, "bicubic": Image.Resampling.BICUBIC}

Picture = np.ndarray | Image.Image | Clip | Gesture


def to_tensor(image: Picture, preprocessing: Preprocessing) -> Tensor:
    """The network's input (C, H, W), of a clip (C, T, H, W), float32: `to_pixels`, then `normalise`."""
    return normalise(to_pixels(image, preprocessing), preprocessing)


def to_pixels(image: Picture, preprocessing: Preprocessing) -> Tensor:
    """(C, H, W) from an array (H, W) or (H, W, C), or a PIL image; (C, T, H, W) from a clip. Resized and cropped.

    uint8 of values that are so stored, else float32 on the scale of mean and std, see `unit_values`. Grey and RGB of 8
    bits are converted into each other (ITU-R 601); others must have a channel a mean. Raises BadInput if they have not,
    for other arrays, a crop that does not fit, a side ratio so extreme that resizing would fill the memory, a clip for
    a network that takes still images, and the reverse.
    """
    if isinstance(image, Clip | Gesture):
        return _clip_pixels(image, preprocessing)
    if preprocessing.frames is not None:
        raise BadInput(
            f"this is a still image, but the network takes clips of {preprocessing.frames} frames: "
            "give a folder of CLASS/CLIP/FRAME.jpg."
        )
    layers = _layers(image, preprocessing.channels)
    if (size := preprocessing.size) is not None:
        most = IMAGE_VALUES.most // preprocessing.channels
        layers = [_resized(layer, size, preprocessing.interpolation, most) for layer in layers]
    if preprocessing.crop is not None:
        layers = [_cropped(layer, preprocessing.crop) for layer in layers]
    return torch.cat([_channels_first(layer) for layer in layers])


def still(image: Picture, preprocessing: Preprocessing) -> Tensor:
    """(C, H, W): an image as `to_pixels` gives it, or the middle one of the frames that it takes of a clip."""
    if not isinstance(image, Clip | Gesture) or preprocessing.frames is None:
        return to_pixels(image, preprocessing)
    middle = image.spread(preprocessing.frames)[preprocessing.frames // 2]
    return to_pixels(_picture(middle, preprocessing.channels), replace(preprocessing, frames=None))


def normalise(x: Tensor, preprocessing: Preprocessing) -> Tensor:
    """(x - mean) / std by channel: (..., C, H, W), of clips (..., C, T, H, W), as `to_pixels` gives it -> float32.

    x is divided by 255 where it is uint8.
    Meant for whole batches: one operation an image waits for every core where other work keeps them busy.
    """
    behind = (1, 1) if preprocessing.frames is None else (1, 1, 1)  # the axes that follow the channel
    mean, std = (torch.tensor(values).view(-1, *behind) for values in (preprocessing.mean, preprocessing.std))
    return ((x.float() / 255 if x.dtype == torch.uint8 else x) - mean) / std


def _clip_pixels(clip: Clip | Gesture, preprocessing: Preprocessing) -> Tensor:
    if preprocessing.frames is None:
        raise BadInput(
            "this is a clip, but the network takes still images: give other images, or --frames for a video network."
        )
    chosen, still = clip.spread(preprocessing.frames), replace(preprocessing, frames=None)
    each_once = {id(frame): frame for frame in chosen}  # a short clip gives some more than once
    pixels = {key: to_pixels(_picture(frame, still.channels), still) for key, frame in each_once.items()}
    sizes = {f"{each.shape[2]}x{each.shape[1]}" for each in pixels.values()}
    if len(sizes) > 1:
        raise BadInput(f"its frames are {' and '.join(sorted(sizes))} pixels after preprocessing: give --size, --crop.")
    return torch.stack([pixels[id(frame)] for frame in chosen], dim=1)


def _picture(frame: Path | np.ndarray, channels: int) -> Image.Image | np.ndarray:
    return decode(frame, channels) if isinstance(frame, Path) else frame


def _layers(image: np.ndarray | Image.Image, channels: int) -> list[Image.Image]:
    """One picture in grey or RGB, or one of each channel, of 8 bits or floats."""
    if channels in COLOURS and isinstance(image, Image.Image):
        return [image.convert(COLOURS[channels])]
    values = unit_values(np.asarray(image))
    found = values.shape[2]
    if values.dtype == np.uint8 and {found, channels} <= set(COLOURS):
        return [Image.fromarray(values[:, :, 0] if found == 1 else values).convert(COLOURS[channels])]
    if found != channels:
        raise BadInput(
            f"it has {counted(found, 'channel')}, but the network reads {channels}: give images of {channels}, or a "
            f"network whose first layer reads {found}."
        )
    return [Image.fromarray(np.ascontiguousarray(values[:, :, channel])) for channel in range(channels)]


def _channels_first(layer: Image.Image) -> Tensor:
    return torch.from_numpy(np.array(layer)).view(layer.height, layer.width, -1).permute(2, 0, 1).contiguous()


def _resized(picture: Image.Image, size: int, interpolation: str, most: int) -> Image.Image:
    short, long = sorted(picture.size)
    if size * size * long > min(most, IMAGE_PIXELS.most) * short:
        raise BadInput(
            f"an image of {picture.width}x{picture.height} pixels has over {min(most, IMAGE_PIXELS.most) / 10**6:.3g} "
            f"megapixels when its shorter side is resized to {size}."
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
