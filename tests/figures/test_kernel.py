from __future__ import annotations

import numpy as np
import pytest

from explorer.core.errors import BadInput
from explorer.figures.kernel import kernel_figure
from explorer.figures.style import alt_text

NONE = np.zeros((0, 3, 3))


def test_an_only_kernel_is_drawn_around_zero() -> None:
    fig = kernel_figure(np.array([[1.0, -2.0]]), NONE, [], [], signed=True)
    (plane,) = fig.data
    assert plane.z.tolist() == [[1, -2]] and (plane.zmin, plane.zmax) == (-2, 2)
    assert "1×2 weights, from -2 to 1" in alt_text(fig)
    assert fig.layout.yaxis.range == (0.5, -0.5)  # the first row on top


def test_slices_share_a_scale_that_the_mean_does_not_have() -> None:
    slices = np.stack([np.full((2, 2), -3.0), np.full((2, 2), 1.0)])
    fig = kernel_figure(np.full((2, 2), 0.5), slices, ["conv1, 4", "layer4.2.conv1, 9"], [0.3, 0.125], signed=False)
    mean, *others = fig.data
    assert (mean.zmin, mean.zmax) == (0, 0.5)
    assert {(plane.zmin, plane.zmax) for plane in others} == {(-3, 3)}
    assert [a.text for a in fig.layout.annotations] == ["mean |w|", "conv1, 4<br>30%", "…r4.2.conv1, 9<br>12%"]
    assert "layer4.2.conv1, 9" in others[1].hovertemplate
    assert "strongest inputs: conv1, 4; layer4.2.conv1, 9." in alt_text(fig)


def test_a_kernel_over_colours_is_grey_at_zero() -> None:
    weights = np.zeros((1, 2, 3))
    weights[0, 1] = [0.5, -0.5, 0.25]
    (image,) = kernel_figure(weights, NONE, [], [], signed=True).data
    assert image.type == "image"
    assert np.asarray(image.z).tolist() == [[[128] * 3, [255, 0, 191]]]


def test_a_dead_kernel_can_be_drawn() -> None:
    mean, *slices = kernel_figure(np.zeros((3, 3)), np.zeros((2, 3, 3)), ["a", "b"], [0, 0], signed=False).data
    assert mean.zmax == 1 and slices[0].zmax == 1


def test_every_slice_has_a_name_and_a_share() -> None:
    with pytest.raises(BadInput, match="not 2, 1 and 2"):
        kernel_figure(np.zeros((3, 3)), np.zeros((2, 3, 3)), ["a"], [0, 0], signed=False)
