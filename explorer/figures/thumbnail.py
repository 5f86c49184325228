"""A feature map as a small picture for a table."""

from __future__ import annotations

import base64
import io
from functools import cache

import numpy as np
from PIL import Image
from plotly.colors import sample_colorscale, unlabel_rgb

SIDE = 72  # pixels


def thumbnail(values: np.ndarray, top: float) -> str:
    """values (H, W), drawn from 0 (dark) to `top` (bright) in cividis; a PNG as a data URI."""
    levels = np.clip(np.asarray(values, np.float64) / (top or 1.0), 0, 1)
    picture = Image.fromarray(_colours()[(levels * 255).round().astype(int)])
    stream = io.BytesIO()
    picture.resize((SIDE, SIDE), Image.Resampling.NEAREST).save(stream, "PNG")
    return "data:image/png;base64," + base64.b64encode(stream.getvalue()).decode("ascii")


@cache
def _colours() -> np.ndarray:
    """(256, 3) uint8."""
    return np.array([unlabel_rgb(c) for c in sample_colorscale("Cividis", np.linspace(0, 1, 256))]).astype(np.uint8)
