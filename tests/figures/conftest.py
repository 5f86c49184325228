"""One small network's worth of made-up results."""

from __future__ import annotations

import numpy as np
import pytest

from explorer.figures.distributions import LayerValues


@pytest.fixture
def two_layers() -> list[LayerValues]:
    """Six units over three decades; two are exact zeros."""
    return [
        LayerValues("conv1", np.array([0.02, 0.2, 1.0], np.float32), threshold=0.05),
        LayerValues("conv2", np.array([0.0, 0.0, 0.001], np.float32), threshold=0.05),
    ]
