"""Viewing: images of any number of channels as pictures for people."""

from __future__ import annotations

import numpy as np

from explorer.data.bands import COLOURS

BEYOND = 1e-3  # of 0 to 1, that rounding may lead


def viewable(image: np.ndarray) -> np.ndarray:
    """uint8 (H, W, 1) or (H, W, 3) of an image (H, W, C): grey and RGB of 8 bits, or floats from 0 to 1, as they are.

    Of all others the mean over the channels, from its least in the image (0) to its largest (255).
    """
    if not view_note(image):
        return image if image.dtype == np.uint8 else (image.clip(0, 1) * 255).round().astype(np.uint8)
    mean = np.nan_to_num(image.astype(np.float64)).mean(2, keepdims=True)
    span = float(np.ptp(mean))
    return np.asarray((mean - mean.min()) / (span or 1.0) * 255).round().astype(np.uint8)


def view_note(image: np.ndarray) -> str:
    """A sentence on how `viewable` shows an image (H, W, C); "" where it is as it is."""
    channels = image.shape[2]
    plain = image.dtype.kind == "f" and image.min() > -BEYOND and image.max() < 1 + BEYOND
    if channels in COLOURS and (image.dtype == np.uint8 or plain):
        return ""
    what = f"the mean over {channels} channels" if channels > 1 else "its values"
    return f"Each image is drawn in grey: {what}, from the least in it (black) to the largest (white)."
