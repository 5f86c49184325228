"""Whatever a folder holds: every image is used or told of, under the class that the rules give it."""

from __future__ import annotations

import os
import random
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from explorer.core.errors import BadInput
from explorer.data import open_images

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
