"""Pictures for people: grey and RGB as they are, the mean over the channels of all others, and that is said."""

from __future__ import annotations

import numpy as np
import pytest
from pictures import picture

from explorer.data.viewing import view_note, viewable


@pytest.mark.parametrize("channels", [1, 3])
def test_grey_and_rgb_stay(channels: int) -> None:
    image = picture(0, channels=channels).reshape(6, 8, channels)
    for same in (image, image / np.float32(255)):
        assert np.array_equal(viewable(same), image) and view_note(same) == ""


def test_of_other_channels_the_mean_is_drawn_from_its_least_to_its_largest() -> None:
    image = np.zeros((1, 3, 4), np.uint16)
    image[0, :, 0], image[0, :, 3] = (1000, 2000, 3000), (3000, 4000, 5000)  # means 1000, 1500, 2000
    assert viewable(image).tolist() == [[[0], [128], [255]]]
    assert view_note(image) == (
        "Each image is drawn in grey: the mean over 4 channels, from the least in it (black) to the largest (white)."
    )


def test_floats_of_any_range_and_images_of_one_value_are_drawn() -> None:
    assert viewable(np.array([[[-3.0], [1.0]]])).tolist() == [[[0], [255]]]
    assert viewable(np.full((2, 2, 2), 7.0)).max() == 0
    assert "its values, from" in view_note(np.array([[[-3.0], [1.0]]]))
