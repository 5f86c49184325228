"""Images of any number of channels: which axis they are, what their numbers mean, and what is refused."""

from __future__ import annotations

import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from pictures import picture
from PIL import Image

from explorer.core.errors import BadInput
from explorer.data import Batches, Preprocessing, open_images, to_pixels, to_tensor
from explorer.data.array_headers import channel_axis
from explorer.data.decoding import decode, examine

SIX = Preprocessing((0.0,) * 6, (1.0,) * 6)


def bands(seed: int, channels: int = 6, dtype: str = "uint16", height: int = 16, width: int = 18) -> np.ndarray:
    """Random values (H, W, C) of any type that is read."""
    random = np.random.default_rng(seed)
    if np.dtype(dtype).kind == "f":
        return random.normal(size=(height, width, channels)).astype(dtype)
    return random.integers(0, np.iinfo(dtype).max, (height, width, channels), dtype=dtype, endpoint=True)


def prepared(channels: int, **sizes: int) -> Preprocessing:
    return Preprocessing((0.0,) * channels, (1.0,) * channels, **sizes)


@pytest.mark.parametrize(
    ("shape", "axis"),
    [
        ((9, 28, 28), 3),
        ((9, 28, 28, 3), 3),
        ((9, 3, 28, 28), 1),
        ((9, 2, 28, 28), 1),
        ((9, 28, 28, 2), 3),
        ((9, 13, 64, 48), 1),
        ((9, 64, 48, 13), 3),
        ((9, 11, 11, 200), 3),  # a small patch of a hyperspectral image
        ((9, 200, 11, 11), 1),
        ((9, 8, 8, 8), None),
        ((9, 6, 3, 8), None),
        ((9, 12), None),
    ],
)
def test_the_axis_of_the_channels_is_told_or_not(shape, axis):
    assert channel_axis(shape) == axis


@given(st.integers(2, 40), st.integers(2, 40), st.integers(2, 40))
def test_both_orders_of_axes_mean_the_same_image_or_none(height, width, channels):
    last, first = channel_axis((9, height, width, channels)), channel_axis((9, channels, height, width))
    if channels < min(height, width) and 3 not in (height, width):
        assert (last, first) == (3, 1)


@pytest.mark.parametrize(
    ("dtype", "full"), [("uint8", 255), ("uint16", 65_535), ("int16", 32_767), ("float32", 1), ("float64", 1)]
)
def test_whole_numbers_are_shares_of_their_largest_and_floats_stay(dtype, full):
    image = bands(0, dtype=dtype)
    expected = torch.from_numpy(image.astype(np.float64) / full).permute(2, 0, 1)
    torch.testing.assert_close(to_tensor(image, SIX).double(), expected, rtol=1e-6, atol=1e-7)


def test_each_channel_has_its_own_mean_and_deviation():
    means, stds = (0.1, 0.2, 0.3, 0.4), (0.5, 1.0, 2.0, 4.0)
    image = np.full((2, 2, 4), 51, np.uint8)  # 0.2
    expected = torch.tensor([(0.2 - mean) / std for mean, std in zip(means, stds, strict=True)])
    torch.testing.assert_close(to_tensor(image, Preprocessing(means, stds))[:, 1, 1], expected)


def test_channels_are_resized_and_cropped_each_as_rgb_would_be():
    colours = picture(1, 20, 30)
    two = np.concatenate([colours, colours], axis=2)
    expected = to_pixels(colours, prepared(3, size=12, crop=10))
    assert torch.equal(to_pixels(two, prepared(6, size=12, crop=10)), torch.cat([expected, expected]))
    deep = to_pixels(two.astype(np.float32) / 255, prepared(6, size=12, crop=10))
    assert (deep[:3] * 255 - expected).abs().max() <= 1  # rounded once a direction there


def test_resizing_counts_every_channel():
    with pytest.raises(BadInput, match=r"has over 1.92 megapixels when its shorter side is resized to 2000"):
        to_pixels(np.zeros((4, 4, 100), np.uint8), prepared(100, size=2000))


@pytest.fixture
def folder(tmp_path):
    """Call with what writes a file of six channels: a folder of two classes of such files."""

    def made(write, suffix: str = ".npy") -> Path:
        for number in range(10):
            path = tmp_path / "set" / "ab"[number % 2] / f"{number}{suffix}"
            path.parent.mkdir(parents=True, exist_ok=True)
            write(path, bands(number))
        return tmp_path / "set"

    return made


NPY = {"last": lambda path, x: np.save(path, x), "first": lambda path, x: np.save(path, x.transpose(2, 0, 1))}


@pytest.mark.parametrize("write", NPY.values(), ids=NPY)
def test_a_folder_of_arrays_a_class(folder, write):
    images = open_images(str(folder(write)))
    assert (len(images), images.classes) == (10, ("a", "b"))
    assert images.notes == ("10 images: 6 channels of uint16, read as value / 65535.",)
    x, _ = next(iter(Batches(images, "all", SIX)))
    found = {tuple(each.flatten().tolist()) for each in (x * 65_535).round().int().permute(0, 2, 3, 1)}
    assert found == {tuple(bands(number).flatten().tolist()) for number in range(10)}


def test_arrays_beside_pictures_are_no_images(folder, tmp_path):
    where = folder(NPY["last"])
    Image.fromarray(picture(0)).save(where / "a" / "p.png")
    images = open_images(str(where))
    assert len(images) == 1
    assert images.notes[0].endswith("and 7 more (an array, beside files of images).")


def test_the_file_and_the_network_are_named_where_their_channels_differ(folder):
    images = open_images(str(folder(NPY["last"])))
    with pytest.raises(
        BadInput, match=r"\.npy: it has 6 channels, but the network reads 4: give images of 4, or a network .* reads 6"
    ):
        next(iter(Batches(images, "all", prepared(4))))


def tiff(path: Path, image: np.ndarray, **options: object) -> None:
    tifffile = pytest.importorskip("tifffile")
    tifffile.imwrite(path, image, **options)


MULTI = {"photometric": "minisblack"}
TIFFS = {
    "by pixel": lambda path, x: tiff(path, x, planarconfig="contig", **MULTI),
    "by band": lambda path, x: tiff(path, x.transpose(2, 0, 1), planarconfig="separate", **MULTI),
    "deflated": lambda path, x: tiff(path, x, planarconfig="contig", compression="zlib", predictor=True, **MULTI),
    "tiled": lambda path, x: tiff(path, x, planarconfig="contig", compression="zlib", tile=(16, 16), **MULTI),
    "big": lambda path, x: tiff(path, x, planarconfig="contig", bigtiff=True, **MULTI),
    "big-endian": lambda path, x: tiff(path, x, planarconfig="contig", byteorder=">", **MULTI),
    "pages": lambda path, x: tiff(path, x.transpose(2, 0, 1), **MULTI),
}


@pytest.mark.parametrize("write", TIFFS.values(), ids=TIFFS)
def test_tiff_files_of_many_channels(folder, write, caplog):
    images = open_images(str(folder(write, ".tif")))
    assert not caplog.records
    assert len(images) == 10 and not images.skipped
    for i in range(len(images)):
        number = int(Path(images.image_name(i)).stem)
        assert np.array_equal(images.image(i, 6), bands(number))
    if write is not TIFFS["pages"]:
        assert images.notes == ("10 images: 6 channels of uint16, read as value / 65535.",)
        with pytest.raises(BadInput, match="it has 6 channels, but the network reads 3"):
            next(iter(Batches(images, "all", prepared(3))))


def test_floats_of_tiff_stay(tmp_path):
    image = bands(0, 5, "float32")
    tiff(tmp_path / "a.tif", image, planarconfig="contig", **MULTI)
    assert np.array_equal(decode(tmp_path / "a.tif", 5), image)


def test_all_four_channels_for_a_network_of_four_and_rgb_for_one_of_three(tmp_path):
    image = bands(0, 4, "uint8")
    for name, options in {
        "near.tif": {"photometric": "rgb", "extrasamples": ["unspecified"]},
        "ink.tif": MULTI,
    }.items():
        tiff(tmp_path / name, image, planarconfig="contig", **options)
        assert np.array_equal(decode(tmp_path / name, 4), image)
    assert np.array_equal(np.asarray(decode(tmp_path / "near.tif")), image[..., :3])
    assert examine([tmp_path / "near.tif"])[1] == [
        "1 image: four channels, of which a network that reads grey or RGB gets the first three."
    ]
    Image.fromarray(image).save(tmp_path / "alpha.png")
    assert np.array_equal(decode(tmp_path / "alpha.png", 4), image)
    assert decode(tmp_path / "alpha.png").mode == "RGB"


def test_damaged_and_odd_files_are_left_out_with_the_reason(tmp_path):
    whole = bands(0)
    np.save(tmp_path / "cut.npy", whole)
    (tmp_path / "cut.npy").write_bytes((tmp_path / "cut.npy").read_bytes()[:-1])
    np.save(tmp_path / "wide.npy", whole.astype(np.int64))
    np.save(tmp_path / "cube.npy", bands(0, 16, height=16, width=16))
    np.save(tmp_path / "code.npy", np.array([[{}]], dtype=object))
    np.save(tmp_path / "flat.npy", np.zeros(9, np.uint8))
    tiff(tmp_path / "cut.tif", whole, planarconfig="contig", **MULTI)
    (tmp_path / "cut.tif").write_bytes((tmp_path / "cut.tif").read_bytes()[:60])
    reasons = {path.name: reason for path, reason in examine(sorted(tmp_path.iterdir()))[0].items()}
    assert "is cut off" in reasons["cut.npy"] and "cut off or damaged" in reasons["cut.tif"]
    assert "int64, whose full value is not known" in reasons["wide.npy"]
    assert "which axis has its channels can't be told" in reasons["cube.npy"]
    assert "object" in reasons["code.npy"] and "of shape (9,)" in reasons["flat.npy"]


def test_parts_that_unpack_to_more_than_is_said_are_refused(tmp_path):
    tifffile = pytest.importorskip("tifffile")
    tiff(tmp_path / "a.tif", bands(0), planarconfig="contig", compression="zlib", **MULTI)
    with tifffile.TiffFile(tmp_path / "a.tif") as file:
        page = file.pages[0]
        (place,), (size,) = page.dataoffsets, page.databytecounts
    bomb = zlib.compress(bytes(10**6), 9)
    assert len(bomb) <= size
    data = bytearray((tmp_path / "a.tif").read_bytes())
    data[place : place + len(bomb)] = bomb
    (tmp_path / "a.tif").write_bytes(data)
    with pytest.raises(BadInput, match="its parts are larger than it says"):
        decode(tmp_path / "a.tif", 6)


def test_sizes_are_judged_by_headers(tmp_path):
    with (tmp_path / "a.npy").open("wb") as file:
        np.lib.format.write_array_header_1_0(
            file, {"descr": "|u1", "fortran_order": False, "shape": (2**14, 2**14, 13)}
        )
    with pytest.raises(BadInput, match="is cut off"):
        decode(tmp_path / "a.npy", 13)
    np.save(tmp_path / "b.npy", np.zeros((4, 4, 2000), np.uint8))
    with pytest.raises(BadInput, match="has 2,000 channels: at most 1,024 channels are read"):
        decode(tmp_path / "b.npy", 13)


LABELS = np.arange(12) % 3


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
@pytest.mark.parametrize("first", [True, False])
def test_npz_files_of_many_channels(tmp_path, dtype, first):
    x = np.stack([bands(number, dtype=dtype) for number in range(12)])
    np.savez(tmp_path / "set.npz", x=x.transpose(0, 3, 1, 2) if first else x, y=LABELS)
    images = open_images(str(tmp_path / "set.npz"))
    assert np.array_equal(np.stack([images.image(i) for i in range(12)]), x)
    how = {"uint8": "read as value / 255", "uint16": "read as value / 65535", "float32": "read as they are"}[dtype]
    assert images.notes == (f"'x' has 6 channels of {dtype}, {how} ({'second' if first else 'last'} axis).",)


def test_pairs_of_many_channels_stay_on_the_disk(tmp_path):
    x = np.stack([bands(number, dtype="float32") for number in range(12)])
    np.save(tmp_path / "x.npy", x)
    np.save(tmp_path / "y.npy", LABELS)
    images = open_images(f"{tmp_path}/x.npy,{tmp_path}/y.npy")
    assert isinstance(images.source, np.memmap) and np.array_equal(images.image(3), x[3])
    assert images.notes == ("'x' has 6 channels of float32, read as they are (last axis).",)
