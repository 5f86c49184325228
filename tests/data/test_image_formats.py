"""Files are read by what they hold, as torchvision's ImageFolder would, whatever their names say."""

from __future__ import annotations

import numpy as np
import pytest
from pictures import picture
from PIL import Image

from explorer.data import decoding
from explorer.data.decoding import FORMATS, decode, fault, looks_like_image, unreadable

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
    assert unreadable(paths) == {}
    paths[1].write_bytes(paths[1].read_bytes()[:-40])
    assert unreadable(paths) == {paths[1]: "it is cut off or damaged inside"}
