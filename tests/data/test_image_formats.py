"""Files are read by what they hold, as torchvision's ImageFolder would, whatever their names say."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pictures import picture
from PIL import Image
from torchvision.datasets import ImageFolder

from explorer.core.errors import BadInput
from explorer.data import decoding, open_images
from explorer.data.decoding import FORMATS, decode, examine, fault, looks_like_image

LOSSLESS = ("BMP", "PNG", "PPM", "TIFF", "GIF", "WEBP")


@pytest.mark.parametrize("suffix", [".jpg", ".tif", "", ".data"])
@pytest.mark.parametrize("kind", [*FORMATS, "MPO"])
def test_content_decides_and_not_the_suffix(tmp_path, kind, suffix):
    path = tmp_path / f"a{suffix}"
    Image.fromarray(picture(0, 16, 16)).save(path, format=kind, lossless=True)
    assert looks_like_image(path)
    assert fault(path) == fault(path, whole=False) == ""
    with Image.open(path) as reference:
        expected = np.asarray(reference.convert("RGB"))
    assert np.array_equal(np.asarray(decode(path)), expected)
    if kind in LOSSLESS and kind != "GIF":
        assert np.array_equal(expected, picture(0, 16, 16))


def test_the_first_picture_of_a_file_is_taken(tmp_path):
    first, second = (Image.fromarray(np.full((4, 4, 3), value, np.uint8)) for value in (10, 200))
    for kind in ("GIF", "TIFF", "WEBP"):
        first.save(tmp_path / kind, format=kind, save_all=True, append_images=[second], lossless=True)
        assert np.unique(np.asarray(decode(tmp_path / kind))).tolist() == [10]


@pytest.mark.parametrize("suffix", ["png", "tif", "pgm"])
def test_sixteen_bits_of_grey_become_eight(tmp_path, suffix):
    values = np.array([[0, 257 * 7, 257 * 7 + 128], [257 * 7 + 129, 65_534, 65_535]], np.uint16)
    Image.fromarray(values).save(tmp_path / f"a.{suffix}")
    assert np.asarray(decode(tmp_path / f"a.{suffix}")).tolist() == [[0, 7, 7], [8, 255, 255]]


def test_many_files_of_formats_without_a_known_end_are_still_read(tmp_path, monkeypatch):
    monkeypatch.setattr(decoding, "READ_WHOLE", 1)
    paths = [tmp_path / f"{number}.jpg" for number in range(3)]
    for path, kind in zip(paths, ("MPO", "BMP", "TIFF"), strict=True):
        Image.fromarray(picture(1, 16, 16)).save(path, format=kind)
    assert examine(paths)[0] == {}
    paths[1].write_bytes(paths[1].read_bytes()[:-40])
    assert examine(paths)[0] == {paths[1]: "it is cut off or damaged inside"}


def saved(folder: Path, name: str, image: Image.Image, **options: object) -> None:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    image.save(folder / name, **options)


def turned() -> Image.Exif:
    """What a camera that was held upright writes."""
    exif = Image.Exif()
    exif[0x0112] = 6
    return exif


def test_a_folder_of_every_kind_of_pixels_has_the_values_of_pillow(tmp_path):
    image = Image.fromarray(picture(3, 16, 16))
    see_through = np.dstack([picture(3, 16, 16), np.full((16, 16), 99, np.uint8)])
    kinds = {
        "grey.png": image.convert("L"),
        "black and white.png": image.convert("1"),
        "palette.png": image.convert("P"),
        "grey with alpha.png": image.convert("LA"),
        "alpha.png": Image.fromarray(see_through),
        "four inks.jpg": image.convert("CMYK"),
        "four inks.tif": image.convert("CMYK"),
        "video.jpg": image.convert("YCbCr"),
    }
    for name, each in kinds.items():
        saved(tmp_path / "data" / "a", name, each)
    saved(tmp_path / "data" / "b", "palette.gif", image.convert("P"), transparency=3)
    saved(tmp_path / "data" / "b", "palette.png", image.convert("P"), transparency=3)
    images, reference = open_images(str(tmp_path / "data")), ImageFolder(tmp_path / "data", is_valid_file=bool)
    assert [images.image_name(i) for i in range(10)] == [path for path, _ in reference.samples]
    for i, (expected, label) in enumerate(reference):
        assert np.array_equal(np.asarray(images.image(i).convert("RGB")), np.asarray(expected)), images.image_name(i)
        assert images.labels[i] == label
    assert images.account() == ""


def test_what_other_readers_may_take_otherwise_is_told_with_its_number(tmp_path):
    image, deep = Image.fromarray(picture(0, 16, 16)), np.full((16, 16), 257 * 9, np.uint16)
    for number in range(2):
        saved(tmp_path / "data" / "a", f"{number}.png", Image.fromarray(deep))
        saved(tmp_path / "data" / "b", f"{number}.jpg", image, exif=turned())
        saved(tmp_path / "data" / "c", f"{number}.tif", image, save_all=True, append_images=[image.rotate(90)])
    saved(tmp_path / "data" / "c", "2.gif", image, save_all=True, append_images=[image.rotate(90)])
    saved(tmp_path / "data" / "c", "3.jpg", image, format="MPO", save_all=True, append_images=[image])
    saved(tmp_path / "data" / "c", "4.jpg", image, exif=b"Exif\0\0damaged")
    images = open_images(str(tmp_path / "data"))
    assert images.notes == (
        "2 images: 16 bits of grey, read as value / 257.",
        "3 images: several pictures in the file, of which the first is read.",
        "2 images: turned by EXIF, which is not carried out, as in torchvision.",
    )
    assert np.unique(np.asarray(images.image(0))).tolist() == [9]


def test_pixels_that_are_fractions_are_refused_with_the_way_out(tmp_path):
    Image.fromarray(np.full((4, 4), 0.5, np.float32)).save(tmp_path / "a.tif")
    assert fault(tmp_path / "a.tif").endswith("or all images as .npz with values from 0 to 1")
    with pytest.raises(BadInput, match="pixels that are fractions, of which the range is not known"):
        decode(tmp_path / "a.tif")
