"""Whatever is uploaded: its images, all of them, or one sentence; and nothing outside of its folder."""

from __future__ import annotations

import io
import random
import tempfile
import zipfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from pictures import png_bytes, zipped

from explorer.core.errors import BadInput
from explorer.data import open_images, uploads
from explorer.data.unpacking import content_digest

TRIES = 60
PARTS = (
    "a",
    "b",
    "train",
    "Test",
    "__MACOSX",
    ".git",
    "..",
    ".",
    "",
    "C:",
    "x" * 300,
    "na\x07me",
    "é",
    "images",
    "masks",
)
ENDS = ("1.png", "2.PNG", "3.jpg", "4.txt", "labels.csv", "x.npy", "link", "")
CONTENTS = (png_bytes(0), png_bytes(1), b"", b"no image", b"path,label\n1.png,a\n")

names = st.builds(
    lambda parts, end, slash: slash.join([*parts, end]),
    st.lists(st.sampled_from(PARTS), max_size=4),
    st.sampled_from(ENDS),
    st.sampled_from(["/", "\\"]),
)
trees = st.dictionaries(names.filter(bool), st.sampled_from(CONTENTS), max_size=8)


def judged(workdir: Path, content: bytes, files: dict[str, bytes] | None = None) -> None:
    """Keep an upload and open it: images, or one sentence each; nothing is left over, or lies elsewhere."""
    try:
        if files is None:
            where = uploads.keep_archive(workdir / "work", io.BytesIO(content), "theirs.zip")
        else:
            where = uploads.keep_folder(workdir / "work", [(name, io.BytesIO(each)) for name, each in files.items()])
        place = Path(uploads.kept_images(where, workdir / "work"))
        assert content_digest(place) == uploads.referred(where)
        images = open_images(str(place))
        assert len(images) + len(images.skipped) == images.found
    except BadInput as problem:
        assert "\n" not in str(problem) and str(problem).endswith(".")
    assert [path.name for path in workdir.iterdir()] in ([], ["work"])
    assert not list(workdir.rglob("*.tmp"))


@settings(max_examples=TRIES)
@given(trees)
def test_any_names_give_images_or_one_sentence(files: dict[str, bytes]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        judged(Path(folder), zipped(files).getvalue())
        judged(Path(folder), b"", files)


@settings(max_examples=TRIES)
@given(st.integers(0, 2**32), st.integers(1, 40))
def test_any_damage_to_an_archive_gives_images_or_one_sentence(seed: int, changes: int) -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(4):
            archive.writestr(f"{'ab'[number % 2]}/{number}.png", CONTENTS[number % 2])
    content, chance = bytearray(stream.getvalue()), random.Random(seed)
    for _ in range(changes):
        content[chance.randrange(len(content))] = chance.randrange(256)
    with tempfile.TemporaryDirectory() as folder:
        judged(Path(folder), bytes(content[: chance.choice([len(content), chance.randrange(len(content))])]))
