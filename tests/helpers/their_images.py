"""Sets of images as people have them, drawn at random: folders, tables and arrays, with the label of each image."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

import numpy as np
from hypothesis import strategies as st
from theirs import Brought, Draw, drawn, image_bytes

CLASSES = ("cat", "dog", "Ant", "élan", "a b", "0", "1", "10", "2", "n0144", "unknown", "x.y", "train_station")
SPLITS = (
    (),
    (),
    ("train", "test"),
    ("Training", "Testing"),
    ("seg_train", "seg_test"),
    ("train", "valid", "test"),
    ("TRAIN", "VAL", "TEST"),
    ("train", "dev", "eval"),
    ("train", "val"),
)
LITTER: Mapping[str, bytes] = {
    "__MACOSX/._0.png": b"\0\5\x16\7",
    ".DS_Store": b"\0",
    "Thumbs.db": b"\0",
    "readme.txt": b"by me",
    "labels.csv": b"0.png,cat\n",
    ".hidden/0.png": b"",
    "desktop.ini": b"",
}
FORMS = {
    ".png": "PNG",
    ".PNG": "PNG",
    ".bmp": "BMP",
    ".tif": "TIFF",
    ".ppm": "PPM",
    ".jpg": "PNG",
    ".jpeg": "BMP",
    "": "PNG",
}


@st.composite
def folders(draw: Draw) -> Brought:
    """Images in folders by class, some with splits, wrappers and litter, some that can't be read."""
    names = sorted(draw(st.lists(st.sampled_from(CLASSES), min_size=2, max_size=4, unique=True)))
    splits = draw(st.sampled_from(SPLITS))
    count = 2 * len(names) * max(1, len(splits))
    wrapper, inner = (
        draw(st.sampled_from(("", "", "data/", "my set/data/"))),
        draw(st.sampled_from(("", "", "p1/", "%d/"))),
    )
    suffix, swapped = draw(st.sampled_from(sorted(FORMS))), draw(st.booleans()) and bool(splits)
    files: dict[str, bytes] = {}
    parts: list[str] = []
    for i in range(count):
        label = names[i % len(names)]
        split = splits[i // len(names) % len(splits)] if splits else ""
        way = [label, split] if swapped else [split, label]
        inside = inner % (i % 3) if "%" in inner else inner
        files[wrapper + "/".join([*filter(None, way), f"{inside}{i}{suffix}"])] = image_bytes(drawn(i), FORMS[suffix])
        parts.append(split)
    for name in draw(st.lists(st.sampled_from(sorted(LITTER)), max_size=2)):
        files[draw(st.sampled_from(("", wrapper))) + name] = LITTER[name]
    if draw(st.sampled_from((False, False, True))):  # beside the last one, and left out
        files[list(files)[count - 1].rpartition("/")[0] + "/broken.png"] = b"no image"
    test = next((split for split in splits if split.lower().endswith(("test", "testing", "eval"))), None)
    kept = [i for i in range(count) if test in (None, parts[i])]
    options = () if test or not splits else ("--split", "all")
    labels = [i % len(names) for i in kept]
    return Brought(files, "", kept, labels, len(names), options, clear=not (swapped and inner))


PATHS = ("path", "Filename", "image_id", "img", "file path", "ImageName", "id_code")
LABELS = ("label", "Class", "category", "target", "dx", "LabelName")
NUMBERS = ("age", "source url", "width")  # which one-hot columns can't be told from
OTHERS = (*NUMBERS, "", "Unnamed: 0")
SEPARATORS, ENCODINGS = ",;\t", ("utf-8", "utf-8-sig", "utf-16", "cp1252")
WRITTEN = (
    "images/{0}.png",
    "images/{0}.PNG",
    "images\\{0}.png",
    "images/{0}",
    "{0}.png",
    "{0}",
    "./images/{0}.png",
    "C:\\Users\\Me\\set\\images\\{0}.png",
    "/kaggle/input/set/images/{0}.png",
)
KINDS = ("names", "names", "numbers", "from one", "floats", "one-hot", "minus", "blank")


@st.composite
def tables(draw: Draw) -> Brought:
    """Images in one folder, and a .csv table beside it that says what they are."""
    kind = draw(st.sampled_from(KINDS))
    names = sorted(draw(st.lists(st.sampled_from(CLASSES), min_size=2, max_size=3, unique=True)))
    if all(name.isdecimal() for name in names):
        names = ["cat", "dog"]
    count = 4 * len(names)
    gone = [1] if kind in ("minus", "blank") else []
    written = draw(st.sampled_from(WRITTEN))
    rows = [{"path": written.format(f"im{i}"), **_label(kind, i, names, i in gone)} for i in range(count)]
    header = {"path": draw(st.sampled_from(PATHS)), "label": draw(st.sampled_from(LABELS))}
    columns = [*rows[0]]
    split = draw(st.sampled_from((None, None, ("train", "test"), ("Training", "PublicTest", "PrivateTest"))))
    if split:
        columns.append("split")
        header["split"] = draw(st.sampled_from(("split", "Usage", "subset")))
        for i, row in enumerate(rows):
            row["split"] = split[i // len(names) % len(split)]
    for other in draw(st.lists(st.sampled_from(OTHERS), max_size=2, unique=True)):
        columns.append(other)
        for i, row in enumerate(rows):
            row[other] = str(i)
    columns = draw(st.permutations(columns))
    headless = len(columns) == 2 and kind != "one-hot" and draw(st.booleans())
    lines = [] if headless else [[header.get(column, column) for column in columns]]
    lines += [[row[column] for column in columns] for row in rows]
    content = _text(draw, lines)
    files = {f"images/im{i}.png": image_bytes(drawn(i), "PNG") for i in range(count)} | {"set.csv": content}
    test = split[-1] if split else None
    kept = [i for i in range(count) if i not in gone and test in (None, rows[i].get("split"))]
    if kind == "one-hot":  # classes are in the order of the columns
        names = [column for column in columns if column in names]
    labels = [names.index(sorted(names)[i % len(names)]) for i in kept]
    clear = kind != "one-hot" or set(columns).isdisjoint(NUMBERS)
    return Brought(files, "set.csv", kept, labels, len(names), clear=clear)


def _label(kind: str, i: int, names: list[str], gone: bool) -> dict[str, str]:
    label = i % len(names)
    if kind == "one-hot":
        return {name: str(int(at == label)) for at, name in enumerate(names)}
    if kind == "names" or kind == "blank":
        return {"label": "" if gone else names[label]}
    return {"label": {"from one": str(label + 1), "floats": f"{label}.0"}.get(kind, "-1" if gone else str(label))}


def _text(draw: Draw, lines: list[list[str]]) -> bytes:
    separator, encoding = draw(st.sampled_from(SEPARATORS)), draw(st.sampled_from(ENCODINGS))
    quote, end = draw(st.sampled_from(("", '"'))), draw(st.sampled_from(("\n", "\r\n")))
    text = end.join(separator.join(f"{quote}{cell}{quote}" for cell in line) for line in lines)
    return (text + draw(st.sampled_from(("", end, end + end)))).encode(encoding)


PAIRS = (
    *(("x", "y"), ("images", "labels"), ("X", "Y"), ("data", "target"), ("image", "label"), ("arr_0", "arr_1")),
    *(("x_train", "y_train", "x_test", "y_test"), ("train_images", "train_labels", "test_images", "test_labels")),
    ("train_images", "train_labels", "val_images", "val_labels", "test_images", "test_labels"),
)
PIXELS = ("uint8", "unit", "float", "first", "int64", "object")


@st.composite
def arrays(draw: Draw) -> Brought:
    """Images in a NumPy archive, under the names that libraries give them."""
    classes, pair = draw(st.integers(2, 4)), draw(st.sampled_from(PAIRS))
    kind, labelled = draw(st.sampled_from(PIXELS)), draw(st.sampled_from(("flat", "column", "one-hot", "one", "float")))
    parts = len(pair) // 2
    count = 2 * classes
    held: dict[str, Any] = {}
    for part in range(parts):
        pixels = np.stack([drawn(part * count + i) for i in range(count)])
        held[pair[2 * part]] = _pixels(pixels, kind)
        held[pair[2 * part + 1]] = _numbers(np.arange(count) % classes, labelled, classes)
    if draw(st.booleans()):
        held["info"] = np.array(["by me"])
    stream = io.BytesIO()
    np.savez(stream, **held)
    start = (parts - 1) * count
    images = [start + i for i in range(count)]
    clear = kind in ("uint8", "unit", "float", "first")
    labels = [i % classes for i in range(count)]
    return Brought({"set.npz": stream.getvalue()}, "set.npz", images, labels, classes, clear=clear)


def _pixels(pixels: np.ndarray, kind: str) -> np.ndarray:
    changed = {"unit": pixels / np.float32(255), "float": pixels.astype(np.float32), "int64": pixels.astype(np.int64)}
    changed |= {"first": pixels.transpose(0, 3, 1, 2), "object": pixels.astype(object)}
    return changed.get(kind, pixels)


def _numbers(labels: np.ndarray, kind: str, classes: int) -> np.ndarray:
    changed = {"column": labels[:, None], "one-hot": np.eye(classes)[labels], "one": labels + 1}
    return (changed | {"float": labels.astype(np.float32)}).get(kind, labels)
