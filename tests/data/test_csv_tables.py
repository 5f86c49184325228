from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pictures import picture
from PIL import Image

from explorer.data import open_images
from explorer.errors import BadInput


@pytest.fixture
def table(tmp_path: Path):
    """Call with the text of a table beside six images, img/0.png to img/5.png: its path."""
    (tmp_path / "img").mkdir()
    for i in range(6):
        Image.fromarray(picture(i)).save(tmp_path / "img" / f"{i}.png")

    def write(text: str | bytes) -> str:
        (tmp_path / "set.csv").write_bytes(text if isinstance(text, bytes) else text.encode())
        return str(tmp_path / "set.csv")

    return write


ROWS = "\n".join(f"img/{i}.png,{name}" for i, name in enumerate(["dog", "cat", "dog", "ant", "cat", "ant"]))
PAIRS = [row.split(",") for row in ROWS.split()]
RIGHT = {
    "no header": ROWS,
    "header": "path,label\n" + ROWS,
    "other names": "Filename,Class\n" + ROWS,
    "windows": "\ufeffpath,label\r\n" + ROWS.replace("\n", "\r\n") + "\r\n",
    "semicolons": "path;label\n" + ROWS.replace(",", ";"),
    "tabs": ROWS.replace(",", "\t"),
    "blank lines and spaces": "path , label\n\n" + ROWS.replace(",", " , ") + "\n\n",
    "more columns in another order": "id,label,path\n" + "\n".join(f"7,{label},{path}" for path, label in PAIRS),
    "quotes": "path,label\n" + "\n".join(f'"{path}","{label}"' for path, label in PAIRS),
}


@pytest.mark.parametrize("text", RIGHT.values(), ids=RIGHT)
def test_rows_are_images(table, text):
    images = open_images(table(text))
    assert images.name == "set"
    assert images.classes == ("ant", "cat", "dog")
    assert images.labels.tolist() == [2, 1, 2, 0, 1, 0]
    assert images.skipped == {}
    assert not images.stored_splits
    assert all(np.array_equal(np.asarray(images.image(i)), picture(i)) for i in range(6))


def test_whole_numbers_count_the_classes(table):
    images = open_images(table("img/0.png,10\nimg/1.png,2\nimg/2.png,0"))
    assert images.classes == tuple(map(str, range(11)))
    assert images.labels.tolist() == [10, 2, 0]


def test_absolute_paths(table, tmp_path):
    text = f"{tmp_path}/img/3.png,a\nimg/1.png,b"
    assert np.array_equal(np.asarray(open_images(table(text)).image(0)), picture(3))


def test_files_that_cannot_be_read_are_skipped_and_named(table, tmp_path):
    (tmp_path / "img" / "1.png").write_bytes(b"no image")
    images = open_images(table(ROWS + "\nimg/absent.png,emu"))
    assert list(images.skipped) == [str(tmp_path / "img" / "1.png"), str(tmp_path / "img" / "absent.png")]
    assert images.classes == ("ant", "cat", "dog", "emu")
    assert images.labels.tolist() == [2, 2, 0, 1, 0]


def test_a_column_of_splits(table):
    parts = ["train", "train", "train", "train", "val", "test"]
    rows = [f"{row},{part}" for row, part in zip(ROWS.split(), parts, strict=True)]
    images = open_images(table("path,label,split\n" + "\n".join(rows)))
    assert images.stored_splits
    assert (images.splits["validation"].tolist(), images.splits["test"].tolist()) == ([4], [5])
    assert sorted([*images.splits["finetune"], *images.splits["calibration"]]) == [0, 1, 2, 3]


BAD = {
    "empty": ("", "set.csv is empty: it needs a row an image"),
    "header alone": ("path,label\n", "names no images"),
    "no path column": ("name,label\na,b", "begins with 'name,label': give a header with path and label"),
    "three values": ("img/0.png,a\nimg/1.png,b,c", "line 2, has 3 values: a row without a header is path, label"),
    "one value": ("img/0.png,a\nimg/1.png", "line 2, has 1 values"),
    "no label": ("path,label\nimg/0.png,a\nimg/1.png,", "line 3, has the label ''"),
    "short row": ("path,label\nimg/0.png", "line 2, has the label ''"),
    "no path": ("path,label\n ,a", "line 2, has the path ''"),
    "control characters": ("path,label\nimg/0.png,a\x07", r"line 2, has the label 'a\\x07'"),
    "twice": ("img/0.png,a\nimg/1.png,b\nimg/../img/0.png,b", "line 3, names img/../img/0.png again: .* line 1"),
    "nothing readable": ("img/8.png,a\nimg/9.png,b", "names 2 images, and none of them can be read: .*8.png"),
    "other text": (b"\xff\xfe\x00", "not UTF-8"),
    "open quote": ('path,label\n"img/0.png,a', "can't be read as a table"),
    "number too high": ("img/0.png,0\nimg/1.png,70000", "has 70001 classes, but at most 65536"),
    "odd split": ("path,label,split\nimg/0.png,a,extra", "the stored splits are extra"),
    "blank split": ("path,label,split\nimg/0.png,a,", "line 2, has the split ''"),
}


@pytest.mark.parametrize(("text", "message"), BAD.values(), ids=BAD)
def test_bad_tables_give_one_sentence(table, text, message):
    with pytest.raises(BadInput, match=message) as caught:
        open_images(table(text))
    assert "\n" not in str(caught.value)
