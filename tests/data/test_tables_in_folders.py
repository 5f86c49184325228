"""Folders as competitions give them out: a table, and images beside it in folders that name no classes."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from pictures import picture, png_bytes, zipped

from explorer.core.errors import BadInput
from explorer.data import ImageSet, open_images, uploads

TRAIN = "".join(f"im{i},{'cat' if i % 2 else 'dog'}\n" for i in range(6))
Files = dict[str, str | bytes]


def kaggle(folder: str = "train", table: str = "train.csv", rows: str = "id,breed\n" + TRAIN) -> Files:
    return {table: rows, **{f"{folder}/im{i}.png": png_bytes(i) for i in range(6)}}


def put(folder: Path, files: Files) -> Path:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
    return folder


def are_cats_and_dogs(images: ImageSet) -> bool:
    pixels = all(np.array_equal(np.asarray(images.image(i)), picture(i)) for i in range(6))
    return images.classes == ("cat", "dog") and images.labels.tolist() == [1, 0] * 3 and pixels


KINDS: dict[str, Files] = {
    "Kaggle's": kaggle() | {"test/im9.png": png_bytes(9), "sample_submission.csv": "id,breed\nim9,cat\n"},
    "labels called so": kaggle("train_images", "trainLabels.csv"),
    "parts that are no classes": {**kaggle("part_1"), "part_2/more.png": png_bytes(7)},
    "one folder called images": kaggle("images", "labels.csv", "path,label\n" + TRAIN.replace("im", "images/im")),
    "all in one folder": {name.replace("train/", ""): content for name, content in kaggle().items()},
    "capitals": kaggle("TRAIN", "train.CSV"),
}


@pytest.mark.parametrize("files", KINDS.values(), ids=KINDS)
def test_a_table_says_what_the_images_of_its_folder_are(tmp_path: Path, files: Files) -> None:
    images = open_images(str(put(tmp_path / "set", files)))
    assert are_cats_and_dogs(images)
    assert images.name == "set"
    assert images.notes[0].startswith("Images and labels are those of the table ")
    unnamed = [name for name in files if name.endswith(("im9.png", "more.png"))]
    assert [note for note in images.notes if "not named" in note] == [f"1 image not named in it: {n}." for n in unnamed]


@pytest.mark.parametrize("wrapper", ["", "dog-breeds/"])
def test_an_uploaded_zip_or_folder_is_read_by_its_table(tmp_path: Path, wrapper: str) -> None:
    files = {wrapper + name: c.encode() if isinstance(c, str) else c for name, c in kaggle().items()}
    kept = uploads.keep_archive(tmp_path, zipped(files), "theirs.zip")
    assert are_cats_and_dogs(open_images(uploads.kept_images(kept, tmp_path)))
    again = uploads.keep_folder(tmp_path, [(name, io.BytesIO(content)) for name, content in files.items()])
    assert are_cats_and_dogs(open_images(uploads.kept_images(again, tmp_path)))


def test_a_table_of_pixels_alone_is_read(tmp_path: Path) -> None:
    rows = [f"{i % 2},{','.join(map(str, picture(i, 4, 4, 1).flatten()))}" for i in range(6)]
    header = ",".join(["label", *(f"pixel{i}" for i in range(16))])
    images = open_images(str(put(tmp_path, {"train.csv": "\n".join([header, *rows]), "test.csv": header[6:]})))
    assert images.labels.tolist() == [0, 1] * 3
    assert np.array_equal(images.image(5), picture(5, 4, 4, 1))


def test_folders_that_name_the_classes_come_before_tables_that_say_the_same_or_little(tmp_path: Path) -> None:
    files: Files = {f"{'cat' if i % 2 else 'dog'}/im{i}.png": png_bytes(i) for i in range(6)}
    rows = "".join(f"{name},{name.partition('/')[0]}\n" for name in files)
    for table in ("path,label\n" + rows, "path,label\ncat/im1.png,striped\n"):
        images = open_images(str(put(tmp_path, {**files, "about.csv": table})))
        assert (len(images), images.classes) == (6, ("cat", "dog"))
        assert images.notes == ("Not looked at: about.csv (no image).",)


BAD: dict[str, tuple[Files, str]] = {
    "two tables": (kaggle() | {"train2.csv": "id,breed\n" + TRAIN}, r"several tables of images, train.csv, train2.csv"),
    "images elsewhere": (kaggle(rows="id,breed\nno1,a\nno2,b\n"), r"train.csv begins with 'id,breed': give a header"),
    "no labels": (kaggle(rows="id\nim0\nim1\n"), r"train.csv begins with 'id': which of its columns holds the labels"),
}


@pytest.mark.parametrize(("files", "message"), BAD.values(), ids=BAD)
def test_what_does_not_tell_is_one_sentence(tmp_path: Path, files: Files, message: str) -> None:
    with pytest.raises(BadInput, match=message) as caught:
        open_images(str(put(tmp_path, files)))
    assert "\n" not in str(caught.value)
