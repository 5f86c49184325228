from __future__ import annotations

import numpy as np
import pytest

from explorer.core.errors import BadInput
from explorer.figures.epochs import epoch_curves
from explorer.figures.style import alt_text


def test_both_panels_run_from_epoch_0_and_leave_room_for_all() -> None:
    fig = epoch_curves([2.0, 1.0, 0.5], [0.1, 0.6, 0.8], 10)
    loss, accuracy = fig.data
    np.testing.assert_allclose(loss.x, [0, 1, 2])
    np.testing.assert_allclose(loss.y, [2, 1, 0.5])
    np.testing.assert_allclose(accuracy.y, [0.1, 0.6, 0.8], rtol=1e-6)
    assert fig.layout.xaxis.range[1] > 10 and fig.layout.xaxis2.range == fig.layout.xaxis.range
    assert (fig.layout.yaxis.title.text, fig.layout.yaxis2.title.text) == ("loss (nats)", "accuracy")
    assert alt_text(fig).endswith("after epoch 2 of 10 loss 0.5000 nats, 80.0% right.")


@pytest.mark.parametrize(("count", "step"), [(1, 1), (3, 1), (10, 1), (11, 2), (100, 10)])
def test_the_axis_names_whole_epochs(count: int, step: int) -> None:
    assert epoch_curves([1.0], [0.5], count).layout.xaxis.dtick == step


def test_before_fine_tuning_is_told_without_colour() -> None:
    for trace in epoch_curves([2.0, 1.0], [0.1, 0.6], 1).data:
        assert trace.marker.symbol[0] == f"{trace.marker.symbol[1]}-open"
        assert trace.customdata[0] == "before fine-tuning"


@pytest.mark.parametrize(("loss", "accuracy"), [([], []), ([1.0], [0.1, 0.2]), ([1.0] * 4, [0.5] * 4)])
def test_wrong_numbers_of_epochs_are_refused(loss: list[float], accuracy: list[float]) -> None:
    with pytest.raises(BadInput, match="Epochs 0 to 2 have at most 3 losses and as many accuracies"):
        epoch_curves(loss, accuracy, 2)
