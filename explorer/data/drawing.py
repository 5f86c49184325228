"""Drawing: what a person drew, or took a picture of, made into the input of a network, and what was done to it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor

from explorer.core.errors import BadInput
from explorer.data.bands import COLOURS
from explorer.data.framing import Habits, averaged, framed, ink_of
from explorer.data.preprocessing import Preprocessing
from explorer.data.tensors import RESAMPLING, Picture, normalise, to_pixels

CANVAS = 280  # pixels, about, of the longer side of a canvas
LARGEST = 64  # pixels of the longer side of a network's input, up to which it is drawn by hand
FINE = 10  # pixels of a picture for each of the network's, before what it shows is put into the frame
SHADOW = 0.4  # of the strongest ink: what is weaker counts as paper
STRONGEST = 0.99  # quantile of what differs from the paper that counts as the strongest ink


@dataclass(frozen=True)
class InputForm:
    """What a network takes, and what the images that it learned from have in common."""

    height: int
    width: int
    preprocessing: Preprocessing
    habits: Habits

    @property
    def fineness(self) -> int:
        """Pixels of the canvas for each pixel of the input, along a side."""
        return max(1, CANVAS // max(self.height, self.width))

    @property
    def size(self) -> str:
        """For people."""
        return f"{self.width}×{self.height}"


@dataclass(frozen=True, eq=False)
class Prepared:
    """A picture as the network gets it."""

    pixels: Tensor  # (C, H, W) before normalisation, uint8 or float32
    x: Tensor  # (C, H, W) float32: the network's input
    how: str  # what was done to it, as a sentence


def input_form(input_shape: tuple[int, ...], preprocessing: Preprocessing, usual: Habits) -> InputForm:
    """The form of a network's input (C, H, W); raises BadInput if no single picture can be one."""
    if preprocessing.clips or len(input_shape) != 3:
        raise BadInput("This network takes clips, of several frames each: a single picture is no input of it.")
    return InputForm(*input_shape[1:], preprocessing, usual)


def why_not_by_hand(form: InputForm) -> str:
    """The sentence that says why the input can't be drawn by hand; "" where it can."""
    channels = form.preprocessing.channels
    if channels not in COLOURS:
        return f"The network reads {channels} channels, which no pen draws: give a file with as many (.npy or .tif)."
    if max(form.height, form.width) > LARGEST:
        return (
            f"The network takes pictures of {form.size} pixels, photographs rather than drawings (more than {LARGEST} "
            "along a side): take one with the camera, or give a file."
        )
    return ""


def from_canvas(canvas: np.ndarray, form: InputForm, *, fit: bool = True) -> Prepared:
    """A canvas (k * H, k * W, 1 or 3) uint8 made into the input: the mean of each k x k pixels.

    Where the network's images are framed alike, a grey drawing is put into the frame like them, unless it lies so
    already; without `fit` it stays where it was drawn. No resize or crop of the preprocessing: that is for photographs.
    """
    height, width = len(canvas), canvas.shape[1]
    how = f"The canvas of {width}×{height} pixels, averaged to {form.size}."
    return _framed(canvas, form if fit else replace(form, habits=Habits()), how)


def from_picture(picture: Picture, form: InputForm) -> Prepared:
    """A photograph or a file made into the input: by the network's own preprocessing where that resizes pictures.

    Otherwise the largest centre of the right side ratio is scaled to the size; and where the network's images are grey
    ink on an even ground and framed alike, the ink is told from its paper and put into the frame like theirs.
    Raises BadInput if the picture has other channels, or can't be prepared.
    """
    if isinstance(picture, Image.Image):
        picture = ImageOps.exif_transpose(picture)
    own = form.preprocessing if form.preprocessing.size else replace(form.preprocessing, crop=None)
    pixels = to_pixels(picture, own)  # a crop alone says how large the images are, which a photograph is not
    if pixels.shape[1:] == (form.height, form.width):
        return Prepared(pixels, normalise(pixels, form.preprocessing), _own_way(form))
    if not isinstance(picture, Image.Image) and form.preprocessing.channels not in COLOURS:
        raise BadInput(
            f"The picture has {pixels.shape[2]}×{pixels.shape[1]} pixels in {form.preprocessing.channels} channels: "
            f"the network takes {form.size}, so give a file of that size."
        )
    shown = Image.fromarray(_bytes(pixels))
    if form.habits.framing is None:
        small = np.asarray(_centre(shown, form, 1))
        how = f"The centre of {shown.width}×{shown.height} pixels, scaled to {form.size}."
        return _prepared(small.reshape(form.height, form.width, -1), form, how)
    ink = _ink_on_ground(np.asarray(_centre(shown, form, FINE)), form.habits.ground)
    told = f"The centre of {shown.width}×{shown.height} pixels, ink told from paper."
    return _framed(ink[:, :, None], form, told)


def _framed(image: np.ndarray, form: InputForm, how: str) -> Prepared:
    """An image (k * H, k * W, C) uint8 on the ground of the network's images: put into the frame, or averaged."""
    found = _put_like_theirs(image[:, :, 0], form)
    if found is None:
        return _prepared(averaged(image, form.height, form.width), form, how)
    return _prepared(found[:, :, None], form, f"{how} {_as_theirs(form)}")


def _put_like_theirs(image: np.ndarray, form: InputForm) -> np.ndarray | None:
    """The image put into the frame as the network's images are; None where they are in none, or it is already."""
    framing = form.habits.framing
    if framing is None or form.preprocessing.channels != 1:
        return None
    ink = ink_of(image, form.habits.ground)
    if ink is None or framing.fits(ink.scaled(form.height / len(image))):
        return None
    return framed(image, form.height, form.width, form.habits)


def _as_theirs(form: InputForm) -> str:
    framing = form.habits.framing
    assert framing
    return (
        f"Scaled and moved to lie as the network's own images do: {framing.extent:g} pixels along the longer side, the "
        f"centre of mass {framing.row:g} pixels from the top and {framing.column:g} from the left."
    )


def _own_way(form: InputForm) -> str:
    own = form.preprocessing
    if own.size is None:
        return f"Taken pixel by pixel: it has the network's {form.size}."
    return f"Prepared like the network's own images: {own.describe()}."


def _prepared(small: np.ndarray, form: InputForm, how: str) -> Prepared:
    pixels = to_pixels(small, replace(form.preprocessing, size=None, crop=None))
    return Prepared(pixels, normalise(pixels, form.preprocessing), how)


def _bytes(pixels: Tensor) -> np.ndarray:
    """uint8 (H, W) or (H, W, 3) of pixels (C, H, W)."""
    whole = pixels if pixels.dtype == torch.uint8 else (pixels.clamp(0, 1) * 255).round().to(torch.uint8)
    return np.asarray(whole.permute(1, 2, 0).squeeze(2).numpy())


def _centre(picture: Image.Image, form: InputForm, finer: int) -> Image.Image:
    """The largest centre of the input's side ratio, `finer` times its size."""
    size = (finer * form.width, finer * form.height)
    return ImageOps.fit(picture, size, RESAMPLING[form.preprocessing.interpolation])


def _ink_on_ground(image: np.ndarray, ground: int) -> np.ndarray:
    """A photographed drawing (H, W) uint8, its ink on an even ground: paper is the median, ink what differs most."""
    paper = float(np.median(image))
    differs = ((image - paper) * (-1 if paper > 127 else 1)).clip(min=0)
    strongest = float(np.quantile(differs[differs > 0], STRONGEST)) if differs.any() else 1.0
    strength = (differs / strongest).clip(max=1)
    strength[strength < SHADOW] = 0
    return np.asarray(np.rint(ground + strength * ((255 if ground < 128 else 0) - ground)), np.uint8)
