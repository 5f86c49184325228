from __future__ import annotations

import os
import random
import struct
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
from pictures import picture
from PIL import Image

from explorer.core.errors import BadInput
from explorer.data import decoding
from explorer.data.decoding import Clip, decode, examine, fault


def png_claiming(width: int, height: int) -> bytes:
    """A few bytes that say they are a huge picture."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0")) + chunk(b"IEND", b"")


@pytest.mark.parametrize("suffix", ["png", "webp", "jpg"])
def test_decode_gives_the_pixels(tmp_path, suffix):
    path = tmp_path / f"a.{suffix}"
    Image.fromarray(picture(0)).save(path, lossless=True)
    with Image.open(path) as reference:
        assert np.array_equal(np.asarray(decode(path)), np.asarray(reference))
    assert suffix == "jpg" or np.array_equal(np.asarray(decode(path)), picture(0))


@pytest.mark.parametrize(
    ("mode", "decoded"),
    [("1", "L"), ("L", "L"), ("LA", "L"), ("P", "RGB"), ("RGB", "RGB"), ("RGBA", "RGB")],
)
def test_decode_gives_grey_or_colour(tmp_path, mode, decoded):
    Image.fromarray(picture(1)).convert(mode).save(tmp_path / "a.png")
    assert decode(tmp_path / "a.png").mode == decoded


def test_cmyk_photos_become_colour(tmp_path):
    Image.fromarray(picture(1)).convert("CMYK").save(tmp_path / "a.jpg")
    assert decode(tmp_path / "a.jpg").mode == "RGB"


def test_a_palette_with_transparency_keeps_its_colours_without_a_warning(tmp_path):
    palette = Image.new("P", (2, 1))
    palette.putpalette([200, 100, 50, 10, 20, 30])
    palette.putdata([0, 1])
    palette.save(tmp_path / "a.png", transparency=b"\x00\x80")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.asarray(decode(tmp_path / "a.png")).tolist() == [[[200, 100, 50], [10, 20, 30]]]


def test_sixteen_bits_a_channel_of_colour_become_eight(tmp_path):
    header = struct.pack(">IIBBBBB", 1, 1, 16, 2, 0, 0, 0)
    parts = {b"IHDR": header, b"IDAT": zlib.compress(b"\0" + struct.pack(">3H", 0x1234, 0xABCD, 0xFFFF)), b"IEND": b""}
    chunks = [struct.pack(">I", len(b)) + k + b + struct.pack(">I", zlib.crc32(k + b)) for k, b in parts.items()]
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(chunks))
    assert np.asarray(decode(tmp_path / "a.png")).tolist() == [[[0x12, 0xAB, 0xFF]]]


def test_the_rotation_beside_the_pixels_is_left_alone_as_in_training(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # to be shown rotated by 90 degrees
    Image.fromarray(picture(1, 6, 8)).save(tmp_path / "a.png", exif=exif)
    assert np.array_equal(np.asarray(decode(tmp_path / "a.png")), picture(1, 6, 8))


def damaged(folder: Path) -> dict[str, tuple[Path, str]]:
    files = {
        "text": (b"hello", "it is no JPEG, PNG, WEBP"),
        "empty": (b"", "it is no JPEG, PNG, WEBP"),
        "huge": (png_claiming(9000, 8000), "has 72,000,000 pixels: at most 64,000,000 pixels are read"),
        "bomb": (png_claiming(60_000, 60_000), "has over 64,000,000 pixels"),
    }
    paths = {name: (folder / f"{name}.png", message) for name, (_, message) in files.items()}
    for name, (content, _) in files.items():
        paths[name][0].write_bytes(content)
    paths["32 bits"] = (folder / "deep.tif", "has pixels that are fractions, of which the range is not known")
    Image.fromarray(np.zeros((2, 2), np.float32)).save(folder / "deep.tif")
    paths["other format"] = (folder / "other.png", "it is no JPEG, PNG, WEBP")
    Image.fromarray(picture(2)).save(folder / "other.png", format="ICO")
    paths["pipe"] = (folder / "pipe.png", "is no regular file")
    os.mkfifo(folder / "pipe.png")
    paths["absent"] = (folder / "absent.png", "No such file")
    paths["loop"] = (folder / "loop.png", "Too many levels of symbolic links")
    (folder / "loop.png").symlink_to(folder / "loop.png")
    return paths


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize("whole", [True, False])
def test_unreadable_files_are_named_with_the_reason(tmp_path, whole):
    for path, message in damaged(tmp_path).values():
        assert message in fault(path, whole)
        with pytest.raises(BadInput, match=message) as caught:
            decode(path)
        assert str(path) in str(caught.value)


@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize("suffix", ["png", "webp", "jpg"])
def test_files_cut_off_anywhere_are_found(tmp_path, suffix, whole):
    path = tmp_path / f"a.{suffix}"
    Image.fromarray(picture(3, 40, 40)).save(path)
    content = path.read_bytes()
    assert fault(path, whole) == ""
    for left in range(0, len(content) - 64, 61):
        path.write_bytes(content[:left])
        assert fault(path, whole)
        with pytest.raises(BadInput, match=f"image .*a.{suffix} can't be read"):
            decode(path)


def test_what_was_read_whole_decodes_and_what_was_not_does_not(tmp_path):
    chance = random.Random(0)
    for suffix in ("png", "webp", "jpg"):
        path = tmp_path / f"a.{suffix}"
        Image.fromarray(picture(4, 24, 24)).save(path)
        content = path.read_bytes()
        for _ in range(60):
            changed = bytearray(content)
            for _ in range(3):
                changed[chance.randrange(len(changed))] = chance.randrange(256)
            path.write_bytes(changed)
            try:
                decode(path)
                decodes = True
            except BadInput:
                decodes = False
            assert (fault(path) == "") == decodes


def test_bytes_behind_a_photo_do_no_harm(tmp_path):
    path = tmp_path / "a.jpg"
    Image.fromarray(picture(5, 24, 24)).save(path)
    path.write_bytes(path.read_bytes() + b"made by a telephone")
    assert fault(path, whole=False) == ""


def test_many_files_are_judged_by_begin_and_end(tmp_path, monkeypatch):
    paths = [tmp_path / f"{i}.png" for i in range(3)]
    for path in paths:
        Image.fromarray(picture(6, 20, 20)).save(path)
    content = bytearray(paths[1].read_bytes())
    content[content.index(b"IDAT") + 4] ^= 255
    paths[1].write_bytes(content)
    assert set(examine(paths)[0]) == {paths[1]}
    monkeypatch.setattr(decoding, "READ_WHOLE", 2)
    assert examine(paths)[0] == {}
    paths[2].write_bytes(paths[2].read_bytes()[:-64])
    assert set(examine(paths)[0]) == {paths[2]}


@pytest.mark.parametrize(
    ("length", "count", "chosen"),
    [(8, 4, [1, 3, 5, 7]), (10, 3, [1, 5, 8]), (5, 5, [0, 1, 2, 3, 4]), (2, 4, [0, 0, 1, 1]), (1, 3, [0, 0, 0])],
)
def test_frames_are_spread_evenly(length, count, chosen):
    clip = Clip(tuple(Path(f"v/{i}.jpg") for i in range(length)))
    assert [int(path.stem) for path in clip.spread(count)] == chosen
    assert clip.folder == Path("v")
