"""Tables that hold the images themselves: every pixel where it belongs, or one sentence."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from explorer.core.errors import BadInput
from explorer.data import open_images

IMAGES = np.random.default_rng(0).integers(0, 256, (6, 4, 4), dtype=np.uint8)


@pytest.fixture
def table(tmp_path: Path) -> Callable[[str], str]:
    def write(text: str) -> str:
        (tmp_path / "t.csv").write_text(text)
        return str(tmp_path / "t.csv")

    return write


def rows(images: np.ndarray, *beside: list[object], join: str = ",") -> str:
    """A line an image: what stands beside it, then its pixels."""
    lines = zip(*beside, (join.join(map(str, image.flatten())) for image in images), strict=True)
    return "\n".join(",".join(map(str, line)) for line in lines)


@pytest.mark.parametrize("name", ["pixel{0}", "Pixel {0}", "px_{0}", "{1}x{2}"])
def test_a_column_a_pixel_is_an_image_row_by_row(table, name):
    header = ",".join(name.format(i, i // 4 + 1, i % 4 + 1) for i in range(16))
    images = open_images(table(f"label,{header}\n{rows(IMAGES, [3, 0, 1, 2, 3, 0])}\n"))
    assert images.classes == ("0", "1", "2", "3")
    assert images.labels.tolist() == [3, 0, 1, 2, 3, 0]
    assert np.array_equal(images.source, IMAGES)
    assert images.notes == ("Each row holds the pixels of an image: 4 x 4.",)


def test_one_column_of_pixels_with_labels_and_splits_as_in_competitions(table):
    usage = ["Training"] * 3 + ["PublicTest"] * 2 + ["PrivateTest"]
    text = "\n".join(
        f"{label},{' '.join(map(str, image.flatten()))},{use}"
        for label, image, use in zip([0, 1, 0, 1, 0, 1], IMAGES, usage, strict=True)
    )
    images = open_images(table(f"emotion,pixels,Usage\n{text}\n"))
    assert np.array_equal(images.source, IMAGES)
    assert images.stored_splits
    assert (images.splits["validation"].tolist(), images.splits["test"].tolist()) == ([3, 4], [5])
    assert images.notes[1:] == ("Labels are those of the column 'emotion'.",)


def test_three_times_a_square_is_in_colour_with_the_colours_of_a_pixel_together(table):
    colours = np.random.default_rng(1).integers(0, 256, (4, 4, 4, 3), dtype=np.uint8)
    header = ",".join(f"pixel{i:04}" for i in range(48))
    text = "\n".join(",".join(map(str, image.flatten())) + f",{i % 2}" for i, image in enumerate(colours))
    images = open_images(table(f"{header},label\n{text}\n"))
    assert np.array_equal(images.source, colours)
    assert images.notes == ("Each row holds the pixels of an image: 4 x 4 x 3.",)


HEADER = "label," + ",".join(f"pixel{i}" for i in range(16))
ZEROS = ",".join("0" * 16)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (f"{HEADER}\n1,{ZEROS}\n0,256{ZEROS[1:]}\n", "line 3, has '256' among its pixels"),
        (f"{HEADER}\n1,-1{ZEROS[1:]}\n", "line 2, has '-1' among its pixels"),
        (f"{HEADER}\n1,0.5{ZEROS[1:]}\n", "line 2, has '0.5' among its pixels"),
        (f"{HEADER}\n1,{ZEROS},0\n", "line 2, has 18 values, its header 17"),
        (f"{HEADER}\n,{ZEROS}\n", "column 'label', is empty in every row: images"),
        (f"{HEADER}\n", "has a header but no rows"),
        (f"{HEADER},pixel16\n1,{ZEROS},0\n", "17 pixels an image: grey or of three colours"),
        (f"{HEADER.replace('pixel3,', 'pixel30,')}\n1,{ZEROS}\n", "out of order"),
        (f"id,sex,{HEADER[6:]}\n1,m,{ZEROS}\n", "which column holds the labels is unclear"),
        (f"label,pixels\n1,{'0 ' * 16}\n0,{'0 ' * 25}\n", "images of 16 and of 25 pixels"),
    ],
)
def test_what_can_be_no_table_of_pixels_is_one_sentence(table, text, message):
    with pytest.raises(BadInput, match=re.escape(message)) as caught:
        open_images(table(text))
    assert "\n" not in str(caught.value)


def test_a_column_called_pixels_that_holds_a_number_is_none_of_pixels(table):
    with pytest.raises(BadInput, match="give a header with path and label"):
        open_images(table("pixels,label\n784,1\n"))


def test_rows_without_a_label_are_left_out_and_counted(table):
    images = open_images(table(f"{HEADER}\n1,{ZEROS}\n,{ZEROS}\n0,{ZEROS}\n-1,{ZEROS}\n"))
    assert images.labels.tolist() == [1, 0]
    assert [path.rpartition(", ")[2] for path in images.skipped] == ["line 3", "line 5"]
    assert images.account().startswith("2 of 4 images left out: unlabelled, with an empty label (1: ")
