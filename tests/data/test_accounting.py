"""Whatever a folder, table or archive holds: all is used or told of, or one sentence says what to change."""

from __future__ import annotations

import os
import random
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from explorer.core.errors import BadInput
from explorer.data import ImageSet, open_images

TREES = 60
PLAIN = ("ant", "bee", "Cat 2", "é")
KINDS = ("png", "bmp", "no suffix", "broken", "pipe", "nowhere", "text", "hidden")
BYTES = {}


@pytest.fixture(scope="module", autouse=True)
def contents(tmp_path_factory: pytest.TempPathFactory) -> None:
    """The bytes of one image of every kind."""
    for kind, suffix in (("png", "png"), ("bmp", "bmp"), ("no suffix", "png")):
        path = tmp_path_factory.mktemp("one") / f"a.{suffix}"
        Image.fromarray(np.full((2, 2, 3), 9, np.uint8)).save(path)
        BYTES[kind] = path.read_bytes()


def put(folder: Path, number: int, kind: str) -> None:
    """A file of one kind in the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    name = {"png": "{}.png", "bmp": "{}.JPG", "no suffix": "{}", "text": "{}.txt", "hidden": ".{}.png"}.get(kind)
    path = folder / (name or "{}.jpeg").format(number)
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "nowhere":
        path.symlink_to("nothing-of-that-name")
    else:
        path.write_bytes(BYTES["png"] if kind == "hidden" else BYTES.get(kind, b"no image"))


def grown(root: Path, chance: random.Random) -> None:
    """A tree of classes, in splits or not, with files at all depths, links and what systems leave behind."""
    tops = chance.choice([[""], ["Train", "val_set"], ["training", "valid", "test"]])
    for split in tops:
        for label in chance.sample(PLAIN, chance.randint(2, len(PLAIN))):
            for number in range(chance.randint(0, 6)):
                inside = chance.choice(["", "", "p1", "p1/left", ".cache", "__MACOSX"])
                put(root / split / label / inside, number, chance.choice(KINDS[:3] * 4 + KINDS[3:]))
    if chance.random() < 0.5:
        put(root / chance.choice(tops), 99, chance.choice(KINDS))
    if chance.random() < 0.5:
        (root / tops[0] / "ant").mkdir(parents=True, exist_ok=True)
        (root / tops[0] / "ant" / "again").symlink_to(root)
    (root / "empty").mkdir(exist_ok=True)


def named_like_images(root: Path) -> list[Path]:
    """Independent of the reader: all that find would list, by the names that `put` gives."""
    found = []
    for folder, _, names in os.walk(root):
        seen = Path(folder).relative_to(root).parts
        if not any(part.startswith(".") or part == "__MACOSX" for part in seen):
            found += [Path(folder) / name for name in names if not name.startswith(".") and not name.endswith(".txt")]
    return found


def reads(path: Path) -> bool:
    """Whether this is one of the whole images that `put` wrote."""
    return path.is_file() and path.read_bytes() in BYTES.values()


def expected(root: Path) -> dict[str, str]:
    """Path -> class, by the rules as the README states them, for the trees above."""
    parts = {path: path.relative_to(root).parts[:-1] for path in named_like_images(root)}
    splits = {name for name in ("Train", "val_set", "training", "valid", "test") if (root / name).is_dir()}
    labels = {path: dirs[1:2] if splits else dirs[:1] for path, dirs in parts.items()}
    trained = {labels[path] for path, dirs in parts.items() if not splits or dirs[:1] in (("Train",), ("training",))}
    known = trained if any(trained) else set(labels.values())
    return {str(path): label[0] for path, label in labels.items() if label and label in known and reads(path)}


@pytest.mark.parametrize("seed", range(TREES))
def test_every_image_found_is_used_or_told_of(tmp_path, seed):
    root = tmp_path / "data"
    root.mkdir()
    grown(root, random.Random(seed))
    there, right = named_like_images(root), expected(root)
    try:
        images = open_images(str(root))
    except BadInput as error:
        assert "\n" not in str(error)
        assert not right or "called like" in str(error), f"{len(right)} images could be used, but: {error}"
        return
    used = {images.image_name(i): images.classes[label] for i, label in enumerate(images.labels)}
    assert used == right
    assert sorted([*used, *images.skipped]) == sorted(map(str, there))
    assert images.found == len(there)
    assert f"{len(images.skipped)} of {len(there)} images left out" in images.account() or not images.skipped
    assert Counter(np.concatenate(list(images.splits.values())).tolist()) == Counter(range(len(images)))


FOLDERS = (
    *("train", "Training", "test_set", "TEST", "val", "valid", "eval", "validate", "data", "images", "Images"),
    *("masks", "labels", "a", "b", "Cat", "0", "1", "__MACOSX", ".x"),
)
TREE = st.lists(
    st.lists(st.sampled_from(FOLDERS), max_size=4).map(tuple),
    min_size=1,
    max_size=12,
    unique_by=lambda dirs: "/".join(dirs).lower(),
)
HEADS = ("path", "Image Name", "image_id", "label", "Class ID", "dx", "split", "data set", "", "Unnamed: 0", "cat", "x")
PATHS = ("0.png", "img/0.png", "img\\1.png", "2", "img/3", "./img/4.png", "5", "bad.png", "absent.png", "absent")
CELLS = ("0", "1", "1.0", "0.5", "-1", "2", "cat", "Käfer", "train", "val", "", "\x07", "0.png", "9.png")
ROW = st.tuples(st.sampled_from(PATHS), st.lists(st.sampled_from(CELLS), min_size=1, max_size=4))
TABLE = st.tuples(
    st.lists(st.sampled_from(HEADS), max_size=5, unique=True),
    st.lists(ROW, max_size=6, unique_by=lambda row: row[0]),
    st.sampled_from([",", ";", "\t"]),
    st.sampled_from(["utf-8", "cp1252", "utf-16"]),
    st.booleans(),
)
ARRAYS = (
    *("x", "y", "X", "Y", "images", "labels", "data", "target", "arr_0", "arr_1", "x_train", "y_train"),
    *("x_test", "y_test", "train_images", "train_labels", "classes"),
)
ARRAY = st.tuples(
    st.sampled_from([(4, 3, 3), (4, 3, 3, 3), (4, 3, 5, 5), (4,), (4, 1), (4, 3), (3,), ()]),
    st.sampled_from(["u1", "i8", "f4", "f8", "U2", "?"]),
    st.sampled_from([0.0, 0.5, 1.0, 2.0, -1.0, 300.0, float("nan")]),
)


@pytest.fixture(scope="module")
def beside(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for tables, with six images in a folder of it and one file that is none."""
    folder = tmp_path_factory.mktemp("tables")
    for number in range(6):
        put(folder / "img", number, "png")
    (folder / "img" / "bad.png").write_bytes(b"no image")
    return folder


def outcome(where: Path) -> Iterator[ImageSet]:
    """The images, in splits that hold each once, or none and a single sentence."""
    try:
        images = open_images(str(where))
    except BadInput as error:
        assert str(error).strip().endswith(".")
        assert "\n" not in str(error)
        return
    members = np.concatenate(list(images.splits.values()))
    assert sorted(members) == list(range(len(images)))
    assert images.labels.min() >= 0
    assert images.labels.max() < len(images.classes)
    assert images.account().isprintable()
    yield images


@settings(max_examples=80, deadline=None, database=None)
@given(TREE)
def test_images_in_folders_of_any_name_are_used_or_told_of(tree):
    with tempfile.TemporaryDirectory() as name:
        root = Path(name) / "data"
        for number, dirs in enumerate(tree):
            put(root.joinpath(*dirs), number, "png")
        for images in outcome(root):
            used = [images.image_name(i) for i in range(len(images))]
            assert sorted([*used, *images.skipped]) == sorted(map(str, named_like_images(root)))


@settings(max_examples=150, deadline=None, database=None)
@given(TABLE)
def test_rows_of_any_table_are_used_or_told_of(beside, table):
    head, rows, separator, encoding, last = table
    lines = [[*cells, path] if last else [path, *cells] for path, cells in rows]
    text = "\n".join(separator.join(cells) for cells in ([head, *lines] if head else lines))
    (beside / "set.csv").write_bytes(text.encode(encoding))
    for images in outcome(beside / "set.csv"):
        as_header = "is read as a header" in images.account() and not head
        assert len(images) + len(images.skipped) + as_header == len(rows)


@settings(max_examples=100, deadline=None, database=None)
@given(st.dictionaries(st.sampled_from(ARRAYS), ARRAY, max_size=5))
def test_arrays_of_any_archive_are_read_or_told_of(beside, arrays):
    with np.errstate(invalid="ignore"):
        made = {name: np.full(shape, value).astype(kind) for name, (shape, kind, value) in arrays.items()}
    np.savez(beside / "set.npz", **made)
    for images in outcome(beside / "set.npz"):
        plain = [name for name in arrays if name in ("x", "y", "X", "Y", "x_train", "y_train", "x_test", "y_test")]
        named = [name for name in arrays if name.endswith(("_images", "_labels")) or name == "classes"]
        untold = [name for name in arrays if name not in (*plain, *named) and repr(name) not in images.account()]
        assert not untold or " more, for which there is no use" in images.account()
