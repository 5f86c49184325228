from __future__ import annotations

import numpy as np
import pytest
import torch
import torchvision
from pictures import picture
from PIL import Image

from explorer.core.errors import BadInput
from explorer.data import Preprocessing, normalise, to_pixels, to_tensor
from explorer.networks.architectures.from_torchvision import preprocessing

GREY = Preprocessing((0.5,), (0.25,))
COLOUR = Preprocessing((0.1, 0.2, 0.3), (0.5, 1.0, 2.0))


def test_each_channel_by_arithmetic():
    image = np.array([[[51, 102, 255]]], dtype=np.uint8)  # 0.2, 0.4, 1.0
    tensor = to_tensor(image, COLOUR)
    assert tensor.dtype == torch.float32
    torch.testing.assert_close(tensor.flatten(), torch.tensor([0.1 / 0.5, 0.2 / 1.0, 0.7 / 2.0]))


def test_rows_stay_rows():
    image = picture(0, height=2, width=3, channels=1)
    expected = (torch.from_numpy(image) / 255 - 0.5) / 0.25
    torch.testing.assert_close(to_tensor(image, GREY), expected[None])


def test_grey_arrays_of_both_shapes_and_pil_agree():
    image = picture(1, channels=1)
    for same in (image[:, :, None], Image.fromarray(image)):
        assert torch.equal(to_tensor(same, GREY), to_tensor(image, GREY))


def test_grey_to_colour_repeats_and_colour_to_grey_weighs():
    grey, colour = picture(2, channels=1), picture(2)
    assert torch.equal(to_pixels(grey, COLOUR), torch.from_numpy(grey).expand(3, -1, -1))
    luma = colour @ np.array([0.299, 0.587, 0.114])  # ITU-R 601
    assert np.abs(to_pixels(colour, GREY).numpy()[0] - luma).max() <= 1


@pytest.mark.parametrize("arch", ["squeezenet1_0", "efficientnet_b0"])
@pytest.mark.parametrize("shape", [(300, 260), (230, 400), (224, 224)])
def test_same_as_torchvision_own_transforms(arch, shape):
    image = Image.fromarray(picture(3, *shape))
    reference = torchvision.models.get_model_weights(arch).DEFAULT.transforms()
    torch.testing.assert_close(to_tensor(image, preprocessing(arch)), reference(image), rtol=0, atol=1e-6)


def test_shorter_side_is_resized():
    assert to_tensor(picture(4, 20, 40), Preprocessing((0.5,), (1.0,), size=10)).shape == (1, 10, 20)
    assert to_tensor(picture(4, 40, 20), Preprocessing((0.5,), (1.0,), size=10)).shape == (1, 20, 10)


def test_resize_smooths_before_it_thins_out():
    checks = (np.indices((64, 64)).sum(0) % 2 * 255).astype(np.uint8)
    small = to_pixels(checks, Preprocessing((0.5,), (1.0,), size=8))
    assert small.min() >= 120 and small.max() <= 135


def test_crop_is_the_centre():
    image = picture(5, 9, 11, channels=1)
    cropped = to_pixels(image, Preprocessing((0.5,), (1.0,), crop=5))
    assert torch.equal(cropped, torch.from_numpy(image[2:7, 3:8])[None])


def test_normalise_of_a_batch_is_that_of_each_image():
    pixels = torch.stack([to_pixels(picture(seed), COLOUR) for seed in range(3)])
    each = [to_tensor(picture(seed), COLOUR) for seed in range(3)]
    assert torch.equal(normalise(pixels, COLOUR), torch.stack(each))


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (np.zeros((4, 4), np.float32), "it has 1 channel, but the network reads 3: give images of 3, or a network"),
        (np.zeros((4, 4, 4), np.uint8), "it has 4 channels, but the network reads 3"),
        (np.zeros((4, 4, 3), np.int64), "it holds int64, whose full value is not known: save it as uint8"),
        (np.full((4, 4, 3), np.nan), "values that are not finite"),
        (np.full((4, 4, 3), 1e300), "values that are not finite"),
        (np.zeros(4, np.uint8), r"it must be \(H, W\) or \(H, W, C\)"),
        (np.zeros((0, 4), np.uint8), r"it must be \(H, W\) or"),
        (np.zeros((2, 4, 4, 3), np.uint8), r"it must be \(H, W\) or"),
    ],
)
def test_other_arrays_are_refused(image, message):
    with pytest.raises(BadInput, match=message):
        to_tensor(image, COLOUR)


def test_a_crop_that_does_not_fit_is_refused():
    with pytest.raises(BadInput, match=r"image of 8x6 pixels is smaller than the crop of 7: give --size"):
        to_tensor(picture(6), Preprocessing((0.5,), (1.0,), crop=7))


def test_a_thread_like_image_is_not_blown_up():
    with pytest.raises(BadInput, match="20000x1 pixels has over 64 megapixels when its shorter side is resized to 256"):
        to_tensor(np.zeros((1, 20_000), np.uint8), Preprocessing((0.5,), (1.0,), size=256))
