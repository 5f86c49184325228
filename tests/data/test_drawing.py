"""Drawings and photographs made into the input of a network: nothing changes where nothing has to."""

from __future__ import annotations

from dataclasses import astuple, replace
from io import BytesIO
from itertools import product

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw

from explorer.core.errors import BadInput
from explorer.data import Preprocessing, to_tensor
from explorer.data.decoding import decode_bytes
from explorer.data.drawing import InputForm, from_canvas, from_picture, input_form, why_not_by_hand
from explorer.data.framing import Framing, Habits, averaged, framed, habits, ink_of

GREY = Preprocessing((0.13,), (0.31,))
COLOUR = Preprocessing((0.5, 0.4, 0.3), (0.2, 0.2, 0.25))
FORM = InputForm(28, 28, GREY, Habits(0, Framing(20, 14, 14)))


@pytest.fixture(scope="module")
def digits() -> np.ndarray:
    """Scribbles of white on black (64, 28, 28), 20 pixels along the longer side, centred by their mass."""
    dice = np.random.default_rng(0)
    return np.stack([scribble(dice) for _ in range(64)])


def scribble(dice: np.random.Generator) -> np.ndarray:
    sheet = Image.new("L", (200, 200))
    points = [tuple(point) for point in dice.integers(12, 188, (5, 2)).tolist()]
    ImageDraw.Draw(sheet).line(points, fill=255, width=22, joint="curve")
    box = sheet.crop(sheet.getbbox())
    small = np.asarray(box.resize([round(20 * side / max(box.size)) for side in box.size], Image.Resampling.BOX))
    weight = small / small.sum()
    row, column = (weight.sum(1 - axis) @ np.arange(0.5, small.shape[axis]) for axis in (0, 1))
    top, left = (min(max(0, round(14 - at)), 28 - side) for at, side in zip((row, column), small.shape, strict=True))
    image = np.zeros((28, 28), np.uint8)
    image[top : top + small.shape[0], left : left + small.shape[1]] = small
    return image


def enlarged(image: np.ndarray, times: int) -> np.ndarray:
    """Every pixel a square."""
    return image.repeat(times, 0).repeat(times, 1)


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)


def page(height: int, width: int, top: int, left: int, size: int = 280) -> np.ndarray:
    """A white rectangle on a black canvas."""
    canvas = np.zeros((size, size), np.uint8)
    canvas[top : top + height, left : left + width] = 255
    return canvas


def test_a_known_image_on_the_canvas_is_the_tensor_of_the_image_itself(digits: np.ndarray) -> None:
    form = replace(FORM, habits=habits(digits))
    for image in digits:
        found = from_canvas(enlarged(image, form.fineness)[:, :, None], form, fit=False)
        assert torch.equal(found.x, to_tensor(image, GREY))


def test_so_it_is_where_drawings_are_framed_as_it_lies_like_the_others_already(digits: np.ndarray) -> None:
    usual = habits(digits)
    assert usual.framing
    alike = [image for image in digits if usual.framing.fits(ink_of(image, usual.ground))]
    assert len(alike) > 0.9 * len(digits)
    for image in alike:
        assert torch.equal(from_canvas(enlarged(image, 10)[:, :, None], FORM).x, to_tensor(image, GREY))


def test_so_it_is_in_colour() -> None:
    form, image = InputForm(32, 24, COLOUR, Habits()), noise(32, 24, 3)
    assert form.fineness == 8
    assert torch.equal(from_canvas(enlarged(image, 8), form).x, to_tensor(image, COLOUR))


def test_each_pixel_is_the_mean_of_its_tile() -> None:
    canvas = np.array([[[0], [10], [200]], [[20], [31], [200]]], np.uint8).repeat(2, 1)[:, 1:5]
    assert averaged(canvas, 1, 2)[:, :, 0].tolist() == [
        [round((0 + 10 + 20 + 31) / 4), round((10 + 200 + 31 + 200) / 4)]
    ]


def test_a_bar_is_scaled_to_the_extent_and_its_centre_moved_to_the_usual_place() -> None:
    (found,) = from_canvas(page(100, 50, top=3, left=7)[:, :, None], FORM).pixels.numpy()
    assert ink_of(found, 0) == (4, 9, 20, 10, 14, 14)  # top, left, height, width, centre
    assert (found[4:24, 9:19] == 255).all() and found.sum() == 255 * 200


@pytest.mark.parametrize(("top", "left", "times"), [(0, 0, 4), (111, 60, 5), (20, 97, 6)])
def test_a_drawing_may_be_of_any_size_and_at_any_place(digits: np.ndarray, top: int, left: int, times: int) -> None:
    box = digits[0][ink_rows(digits[0])]
    canvas = np.zeros((280, 280), np.uint8)
    large = enlarged(box, times)
    canvas[top : top + len(large), left : left + large.shape[1]] = large
    assert torch.equal(
        from_canvas(canvas[:, :, None], FORM).pixels[0], torch.from_numpy(framed(box, 28, 28, FORM.habits))
    )


def ink_rows(image: np.ndarray) -> tuple[slice, slice]:
    ink = ink_of(image, 0)
    assert ink
    top, left, height, width = map(int, ink[:4])
    return slice(top, top + height), slice(left, left + width)


def test_an_empty_canvas_is_an_empty_input() -> None:
    assert not from_canvas(np.zeros((280, 280, 1), np.uint8), FORM).pixels.any()


def test_habits_are_those_of_the_images(digits: np.ndarray) -> None:
    for images, ground in ((digits, 0), (255 - digits, 255)):
        found = habits(images)
        assert found.ground == ground and found.framing
        assert astuple(found.framing) == pytest.approx((20, 14, 14), abs=0.2)


def test_images_that_lie_anyhow_have_no_framing() -> None:
    anyhow = np.stack([page(8, 8, top=3 * i, left=2 * i, size=32) for i in range(1, 8)])
    assert habits(anyhow) == Habits(0)
    assert habits(noise(9, 20, 20)).framing is None
    assert habits(np.zeros((5, 8, 8), np.uint8)) == Habits(0)


def test_a_file_of_the_networks_size_is_taken_pixel_by_pixel(digits: np.ndarray) -> None:
    stream = BytesIO()
    Image.fromarray(digits[1]).save(stream, "PNG")
    found = from_picture(decode_bytes(stream.getvalue(), "digit.png", 1), FORM)
    assert torch.equal(found.x, to_tensor(digits[1], GREY)) and "pixel by pixel" in found.how


def test_a_network_with_a_size_of_its_own_prepares_photographs_like_its_images() -> None:
    own = replace(COLOUR, size=40, crop=32)
    photograph = Image.fromarray(noise(50, 90, 3))
    assert torch.equal(from_picture(photograph, InputForm(32, 32, own, Habits())).x, to_tensor(photograph, own))


def test_of_a_photograph_of_another_size_the_centre_is_scaled() -> None:
    sheet = np.zeros((60, 100, 3), np.uint8)
    sheet[:, 20:80] = (10, 20, 30)  # the square centre
    found = from_picture(Image.fromarray(sheet), InputForm(32, 32, COLOUR, Habits()))
    assert found.pixels[:, :, 1:-1].flatten(1).unique(dim=1).flatten().tolist() == [10, 20, 30]
    assert "100×60 pixels, scaled to 32×32" in found.how


def test_ink_on_paper_in_bad_light_becomes_white_on_black_in_its_frame(digits: np.ndarray) -> None:
    """Photographs of digits on grey paper: nearly what their drawings are."""
    for image in digits[:8]:
        ink = np.asarray(Image.fromarray(image).resize((420, 420), Image.Resampling.BILINEAR)) / 255
        sheet = 190 + np.linspace(-25, 25, 640)[None] + np.random.default_rng(1).normal(0, 4, (480, 640))
        sheet[30:450, 130:550] -= 140 * ink
        found = from_picture(Image.fromarray(sheet.clip(0, 255).astype(np.uint8)), FORM)
        moved = [np.roll(image, shift, (0, 1)) for shift in product((-1, 0, 1), repeat=2)]  # by rounding
        assert max(np.corrcoef(found.pixels[0].flatten(), each.flatten())[0, 1] for each in moved) > 0.85
        assert found.pixels[0, 0, 0] == 0


def test_the_turn_that_a_camera_notes_is_carried_out(digits: np.ndarray) -> None:
    turned, stream = Image.fromarray(digits[2]).transpose(Image.Transpose.ROTATE_90), BytesIO()
    exif = Image.Exif()
    exif[0x0112] = 6  # turn it by 270 degrees to see it upright
    turned.save(stream, "PNG", exif=exif)
    assert torch.equal(
        from_picture(decode_bytes(stream.getvalue(), "turned.png", 1), FORM).x, to_tensor(digits[2], GREY)
    )


def test_what_no_hand_can_draw_is_said() -> None:
    assert why_not_by_hand(FORM) == ""
    assert "224×224 pixels" in why_not_by_hand(InputForm(224, 224, COLOUR, Habits()))
    five = Preprocessing((0.0,) * 5, (1.0,) * 5)
    assert "reads 5 channels" in why_not_by_hand(InputForm(32, 32, five, Habits()))
    with pytest.raises(BadInput, match="takes clips"):
        input_form((1, 8, 28, 28), replace(GREY, frames=8), Habits())


def test_a_file_of_many_channels_must_have_the_size() -> None:
    form = InputForm(16, 16, Preprocessing((0.0,) * 5, (1.0,) * 5), Habits())
    stream = BytesIO()
    np.save(stream, noise(16, 16, 5))
    found = from_picture(decode_bytes(stream.getvalue(), "five.npy", 5), form)
    assert torch.equal(found.pixels, torch.from_numpy(noise(16, 16, 5)).permute(2, 0, 1))
    with pytest.raises(BadInput, match="20×16 pixels in 5 channels: the network takes 16×16"):
        from_picture(noise(16, 20, 5), form)


@pytest.mark.parametrize("content", [b"", b"no image", b"\x89PNG\r\n\x1a\n" + 60 * b"x", b"\x93NUMPY\1\0"])
def test_bad_bytes_are_called_by_the_name_that_they_came_with(content: bytes) -> None:
    with pytest.raises(BadInput) as told:
        decode_bytes(content, "my <b>digit</b>.png", 1)
    assert "'my <b>digit</b>.png'" in str(told.value) and "/upload" not in str(told.value)
