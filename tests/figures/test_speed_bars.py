"""Speed bars: what is drawn is what was measured, and the sentence says it."""

from __future__ import annotations

import numpy as np
import pytest

from explorer.core.errors import BadInput
from explorer.figures.speed_bars import Pair, speed_bars
from explorer.figures.style import alt_text


def test_bars_and_whiskers_are_medians_and_quartiles() -> None:
    fig = speed_bars([Pair("batch 1", (10, 9, 12), (4, 3.5, 5)), Pair("batch 2", (8, 7, 9), (8, 7, 9))])
    full, pruned = fig.data
    assert np.allclose(full.x, [10, 8]) and np.allclose(pruned.x, [4, 8])
    assert np.allclose(pruned.error_x.array, [1, 1]) and np.allclose(pruned.error_x.arrayminus, [0.5, 1])
    assert list(fig.layout.yaxis.ticktext) == ["batch 1: <b>2.50×</b>", "batch 2: <b>1.00×</b>"]
    assert "batch 1: 4 instead of 10 ms an image; batch 2" in alt_text(fig)
    with pytest.raises(BadInput, match="at least one condition"):
        speed_bars([])
