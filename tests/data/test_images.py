from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from pictures import picture
from PIL import Image

from explorer.data.images import decode, has_header, image_set
from explorer.errors import BadInput


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


def unreadable(folder: Path) -> dict[str, tuple[Path, str]]:
    files = {
        "text": (b"hello", "it is no JPEG, PNG or WebP image"),
        "empty": (b"", "it is no JPEG, PNG or WebP image"),
        "huge": (png_claiming(9000, 8000), "has 9000x8000 pixels: at most 64 megapixels are read"),
        "bomb": (png_claiming(60_000, 60_000), "can't be read"),
    }
    paths = {name: (folder / f"{name}.png", message) for name, (_, message) in files.items()}
    for name, (content, _) in files.items():
        paths[name][0].write_bytes(content)
    paths["sixteen bits"] = (folder / "deep.png", "more than 8 bits")
    Image.fromarray(np.zeros((2, 2), np.uint16)).save(folder / "deep.png")
    paths["other format"] = (folder / "other.png", "it is no JPEG, PNG or WebP image")
    Image.fromarray(picture(2)).save(folder / "other.png", format="GIF")
    paths["absent"] = (folder / "absent.png", "No such file")
    return paths


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_unreadable_files_are_named_with_the_reason(tmp_path):
    for path, message in unreadable(tmp_path).values():
        assert not has_header(path)
        with pytest.raises(BadInput, match=message) as caught:
            decode(path)
        assert str(path) in str(caught.value)


def test_a_cut_off_file_fails_when_its_pixels_are_read(tmp_path):
    path = tmp_path / "a.jpg"
    Image.fromarray(picture(3, 64, 64)).save(path)
    path.write_bytes(path.read_bytes()[:-900])
    assert has_header(path)
    with pytest.raises(BadInput, match=r"image .*a\.jpg can't be read: .*truncated"):
        decode(path)


def arrays(count: int, **changes):
    given = {"name": "set", "source": np.stack([picture(i) for i in range(count)]), "labels": np.arange(count) % 3}
    return image_set(**{**given, "classes": ["a", "b", "c"], "seed": 0, **changes})


def test_set_of_arrays():
    images = arrays(30)
    assert len(images) == 30
    assert images.labels.dtype == np.int64
    assert np.array_equal(images.image(7), picture(7))
    assert images.image_name(7) == "image 7 of set"
    assert not images.stored_splits
    assert images.describe() == (
        "set: 30 images of 3 classes (12 finetune, 6 calibration, 6 validation, 6 test), seed 0"
    )
    assert arrays(30, skipped=["x.png"]).describe().endswith("seed 0, 1 skipped")


def test_limit_keeps_the_classes_in_proportion():
    images = arrays(30, limit=9)
    assert np.bincount(images.labels).tolist() == [3, 3, 3]
    originals = [i for i in range(30) if any(np.array_equal(picture(i), kept) for kept in images.source)]
    assert len(originals) == 9
    assert images.labels.tolist() == [i % 3 for i in originals]
    assert sorted(np.concatenate(list(images.splits.values()))) == list(range(9))


def test_limit_above_the_size_keeps_everything():
    assert arrays(30, limit=99).digest == arrays(30).digest


def test_limit_of_stored_splits_is_for_each():
    stored = {"calibration": np.arange(20), "test": np.arange(20, 30)}
    images = arrays(30, stored=stored, limit=6)
    assert {name: len(members) for name, members in images.splits.items()} == {"calibration": 6, "test": 6}
    for name, members in images.splits.items():
        for i in members:
            original = next(j for j in range(30) if np.array_equal(images.image(i), picture(j)))
            assert original in stored[name]
            assert images.labels[i] == original % 3


def test_digest_follows_everything_that_changes_a_batch():
    source = np.stack([picture(i) for i in range(30)])
    source[4, 0, 0, 0] ^= 1
    stored = {"test": np.arange(10), "train": np.arange(10, 30)}
    others = [
        arrays(30, source=source),
        arrays(30, source=source.reshape(30, 8, 6, 3)),
        arrays(30, labels=np.arange(30) % 2),
        arrays(30, classes=["a", "b", "d"]),
        arrays(30, seed=1),
        arrays(30, limit=29),
        arrays(30, stored=stored),
    ]
    assert arrays(30).digest == arrays(30, name="renamed").digest
    assert len({images.digest for images in [arrays(30), *others]}) == 1 + len(others)
