"""Images for tests."""

from __future__ import annotations

import numpy as np


def picture(seed: int, height: int = 6, width: int = 8, channels: int = 3) -> np.ndarray:
    """Random pixels, uint8 (H, W, C) or (H, W) for one channel."""
    shape = (height, width) if channels == 1 else (height, width, channels)
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)
