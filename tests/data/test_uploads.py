"""Uploads: what is given from a browser is kept once, and nothing of it leads out of its folder."""

from __future__ import annotations

import io
import os
import stat
import time
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pictures import png_bytes, zipped
from watching import little_memory

from explorer.core.bounds import UPLOAD_UNPACKED
from explorer.core.errors import BadInput
from explorer.data import open_images, unpacking, uploads
from explorer.data.unpacking import content_digest, directory_bytes

LONG_AGO = 0.0


def pictures(*names: str) -> dict[str, bytes]:
    """A small image of its own shade under each name."""
    return {name: png_bytes(shade) for shade, name in enumerate(names)}


SHADES = pictures(*(f"{label}/{i}.png" for label in ("bright", "dark") for i in range(10)))


def streams(files: dict[str, bytes]) -> list[tuple[str, io.BytesIO]]:
    return [(name, io.BytesIO(content)) for name, content in files.items()]


def kept(workdir: Path) -> list[Path]:
    """All files that the work folder holds."""
    return sorted(path for path in workdir.rglob("*") if path.is_file())


def test_a_zip_of_folders_opens_like_the_folder(tmp_path: Path) -> None:
    where = uploads.keep_archive(tmp_path, zipped(SHADES), "shades.zip")
    path = uploads.kept_images(where, tmp_path)
    images = open_images(path)
    assert (images.name, images.classes, len(images), images.account()) == ("shades", ("bright", "dark"), 20, "")
    for name, content in SHADES.items():
        assert (Path(path) / name).read_bytes() == content
    assert uploads.title(where) == "shades"


def test_a_folder_opens_like_the_zip_of_it_and_is_the_same_copy(tmp_path: Path) -> None:
    first = uploads.keep_archive(tmp_path, zipped(SHADES), "a.zip")
    before = kept(tmp_path)
    second = uploads.keep_folder(tmp_path, streams({f"chosen/{name}": c for name, c in SHADES.items()}))
    assert uploads.referred(first) == uploads.referred(second) and second.endswith("/chosen")
    assert kept(tmp_path) == before


def test_a_chosen_folder_called_like_a_split_is_not_taken_for_one(tmp_path: Path) -> None:
    where = uploads.keep_folder(tmp_path, streams({f"test/{name}": content for name, content in SHADES.items()}))
    images = open_images(uploads.kept_images(where, tmp_path))
    assert images.classes == ("bright", "dark") and not images.stored_splits


def test_an_npz_is_kept_as_it_is(tmp_path: Path) -> None:
    stream = io.BytesIO()
    np.savez(stream, x=np.zeros((20, 8, 8), np.uint8), y=np.arange(20) % 2)
    where = uploads.keep_archive(tmp_path, stream, "mine.npz")
    assert Path(uploads.kept_images(where, tmp_path)).read_bytes() == stream.getvalue()
    assert len(open_images(uploads.kept_images(where, tmp_path))) == 20


def test_folders_of_windows_are_folders(tmp_path: Path) -> None:
    where = uploads.keep_archive(tmp_path, zipped({n.replace("/", "\\"): c for n, c in SHADES.items()}), "w.zip")
    assert open_images(uploads.kept_images(where, tmp_path)).classes == ("bright", "dark")


TRICKS: dict[str, tuple[dict[str, bytes], str]] = {
    "above": ({"../../evil.png": b""}, "'../../evil.png' in it, which leads out of the folder"),
    "above inside": ({"a/../../evil.png": b""}, "leads out of the folder"),
    "above in Windows": ({"a\\..\\..\\evil.png": b""}, "leads out of the folder"),
    "root": ({"/etc/evil.png": b""}, "begins at the root of a disk"),
    "drive": ({"C:/evil.png": b""}, "begins at the root of a disk"),
    "share": ({"\\\\host\\share\\evil.png": b""}, "begins at the root of a disk"),
    "control": ({"a/\x1b[2Jevil.png": b""}, "has control characters in its name"),
    "newline": ({"a/ev\nil.png": b""}, "has control characters in its name"),
    "long": ({f"a/{'x' * 300}.png": b""}, "has a name that is too long"),
    "twice": ({"a/b.png": b"1", "./a/b.png": b"2"}, "has 'a/b.png' in it twice"),
    "file and folder": ({"a": b"1", "a/b.png": b"2"}, "has 'a' in it as a file and as a folder"),
    "deep": ({"a/" * 40 + "b.png": b""}, "has 40 levels of folders: at most 16 levels of folders are read"),
}


@pytest.mark.parametrize("name", TRICKS)
def test_names_that_may_do_harm_are_refused_before_anything_is_written(tmp_path: Path, name: str) -> None:
    files, words = TRICKS[name]
    with pytest.raises(BadInput) as refused:
        uploads.keep_archive(tmp_path / "work", zipped(SHADES | files), "evil.zip")
    assert words in str(refused.value) and str(refused.value).startswith(("evil.zip ", "'a/"))
    with pytest.raises(BadInput):
        uploads.keep_folder(tmp_path / "work", streams(SHADES | files))
    assert kept(tmp_path) == []


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR])
def test_links_and_devices_are_refused(tmp_path: Path, kind: int) -> None:
    stream = zipped(SHADES)
    with zipfile.ZipFile(stream, "a") as archive:
        info = zipfile.ZipInfo("a/link.png")
        info.external_attr = (kind | 0o777) << 16
        archive.writestr(info, "/etc/passwd")
    with pytest.raises(BadInput, match=r"link\.png' in it, which is a link or a device"):
        uploads.keep_archive(tmp_path, stream, "evil.zip")
    assert kept(tmp_path) == []


def bomb(total: int) -> io.BytesIO:
    """An archive whose list says that its only file has so many bytes."""
    content = bytearray(zipped({"a/b.png": bytes(1000)}).getvalue())
    at = content.rfind(b"PK\1\2")
    content[at + 24 : at + 28] = total.to_bytes(4, "little")
    return io.BytesIO(bytes(content))


def test_bombs_are_refused_by_what_their_list_says(tmp_path: Path) -> None:
    large = zipped({})
    with zipfile.ZipFile(large, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for number in range(3):
            with archive.open(f"a/{number}.bmp", "w") as file:
                for _ in range(40):
                    file.write(bytes(2**20))
    with pytest.MonkeyPatch.context() as patch, little_memory(10 * 2**20):
        patch.setattr(unpacking, "UPLOAD_UNPACKED", replace(UPLOAD_UNPACKED, most=100 * 2**20))
        with pytest.raises(BadInput, match="at most 100 MiB unpacked are read"):
            uploads.keep_archive(tmp_path, large, "bomb.zip")
    assert kept(tmp_path) == []


@pytest.mark.parametrize("stated", [10, 100_000, 2**31])
def test_a_list_that_lies_about_sizes_is_refused_and_leaves_nothing(tmp_path: Path, stated: int) -> None:
    with pytest.raises(BadInput, match=r"is damaged, or packed in a way|does not fit on the disk"):
        uploads.keep_archive(tmp_path, bomb(stated), "bomb.zip")
    assert kept(tmp_path) == []


def test_a_list_of_files_that_would_fill_the_memory_is_not_read(tmp_path: Path) -> None:
    content = bytearray(zipped({"a/b.png": b""}).getvalue())
    content[-10:-6] = (2**30).to_bytes(4, "little")
    with pytest.raises(BadInput, match="list of files"):
        uploads.keep_archive(tmp_path, io.BytesIO(bytes(content)), "evil.zip")
    many = io.BytesIO()
    with zipfile.ZipFile(many, "w") as archive:
        for number in range(66_000):  # over 65,535 there is a further record at the end
            archive.writestr(f"{number}", b"")
    assert directory_bytes(many) > 66_000 * 46


def test_what_is_no_zip_is_told(tmp_path: Path) -> None:
    for content in (b"", b"hello", b"PK\3\4" + bytes(100), zipped(SHADES).getvalue()[:-30]):
        with pytest.raises(BadInput, match=r"x\.rar is no \.zip archive, or a damaged one"):
            uploads.keep_archive(tmp_path, io.BytesIO(content), "x.rar")


def test_encrypted_and_damaged_members_are_told(tmp_path: Path) -> None:
    content = bytearray(zipped(SHADES).getvalue())
    content[content.find(b"PNG") + 20] ^= 255
    with pytest.raises(BadInput, match="is damaged"):
        uploads.keep_archive(tmp_path, io.BytesIO(bytes(content)), "x.zip")
    content = bytearray(zipped(SHADES).getvalue())
    content[content.rfind(b"PK\1\2") + 8] |= 1
    with pytest.raises(BadInput, match="is encrypted"):
        uploads.keep_archive(tmp_path, io.BytesIO(bytes(content)), "x.zip")
    assert kept(tmp_path) == []


def keep(workdir: Path) -> str:
    return uploads.keep_archive(workdir, zipped(SHADES), "shades.zip")


def test_uploads_go_when_nothing_names_them(tmp_path: Path) -> None:
    where = keep(tmp_path)
    run = tmp_path / "runs" / "one" / "run.json"
    run.parent.mkdir(parents=True)
    run.write_text(f'{{"data": {{"source": "{where}"}}}}')
    later = time.time() + 10
    assert uploads.drop_unused(tmp_path, later) == []
    run.unlink()
    assert uploads.drop_unused(tmp_path, time.time() - 3600) == [], "somebody may be about to open them"
    assert [path.name for path in uploads.drop_unused(tmp_path, later)] == [uploads.referred(where)]
    with pytest.raises(BadInput, match="'shades' are no longer in the work folder: upload them again"):
        uploads.kept_images(where, tmp_path)


def test_an_upload_that_somebody_looks_at_stays(tmp_path: Path) -> None:
    where = keep(tmp_path)
    folder = Path(uploads.kept_images(where, tmp_path)).parent
    os.utime(folder, (LONG_AGO, LONG_AGO))
    uploads.touch(where, tmp_path)
    assert uploads.drop_unused(tmp_path, time.time() - 60) == []


def test_a_document_that_cannot_be_read_keeps_everything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keep(tmp_path)
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "run.json").write_text("{}")
    monkeypatch.setattr(Path, "read_text", _refuse)
    assert uploads.drop_unused(tmp_path, time.time() + 10) == []


def _refuse(*_: object, **__: object) -> str:
    raise PermissionError


def test_uploaded_checkpoints_and_what_killed_writers_left_go_too(tmp_path: Path) -> None:
    home = tmp_path / "uploads"
    (home / "images" / ".abc.tmp" / "cut").mkdir(parents=True)
    (home / ("0" * 64)).write_bytes(b"a checkpoint")
    (home / "notes.txt").write_text("a person's own")
    uploads.drop_unused(tmp_path, time.time() + 10)
    assert [path.name for path in sorted(home.rglob("*"))] == ["images", "notes.txt"]


def test_the_digest_is_of_names_and_contents(tmp_path: Path) -> None:
    digests = set()
    for number, files in enumerate(({"a": b"1", "b": b"2"}, {"a": b"2", "b": b"1"}, {"a": b"12"}, {"c/a": b"12"})):
        for name, content in files.items():
            path = tmp_path / str(number) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        digests.add(content_digest(tmp_path / str(number)))
    assert len(digests) == 4


def test_the_folder_that_a_zip_holds_is_what_was_packed(tmp_path: Path) -> None:
    files = {f"test/{name}": content for name, content in SHADES.items()} | {"__MACOSX/test/._1.png": b"of a Mac"}
    images = open_images(uploads.kept_images(uploads.keep_archive(tmp_path, zipped(files), "leaf.zip"), tmp_path))
    assert images.classes == ("bright", "dark") and not images.stored_splits
    assert images.account() == "Not looked at: __MACOSX (hidden)."
