"""Every reader refuses what is beyond its bound by size or header: at once, and in little memory."""

from __future__ import annotations

import io
import os
import struct
import time
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from exported import export_bytes
from networks_at_hand import at_hand
from pictures import zipped
from PIL import Image
from watching import little_memory

from explorer import open_network
from explorer.core import bounds
from explorer.core.bounds import BOUNDS, MIB
from explorer.core.errors import BadInput
from explorer.data import inventory, open_images, unpacking, uploads
from explorer.data.decoding import decode
from explorer.export import plan_file
from explorer.networks.checkpoints import safe_pickle, safe_zip, safetensors_reader
from explorer.networks.graph import manifest, rebuild, safetensors_file
from explorer.networks.graph.safetensors_file import load_network
from explorer.ui.lesson.reading import read_lesson

NOTHINGS = b"\x80\x02NNN."  # a pickle of five instructions
SECONDS, MEMORY = 10.0, 32 * MIB  # that a refusal may take


def npy(shape: tuple[int, ...], kind: str = "|u1") -> bytes:
    """The header of an array whose values are not there."""
    header = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}}}\n".encode()
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header


def sparse(path: Path, size: int, begin: bytes = b"") -> Path:
    """A file of that many bytes that takes no room on the disk."""
    with path.open("wb") as file:
        file.write(begin)
        file.truncate(size)
    return path


def archive(folder: Path, **members: bytes) -> str:
    with zipfile.ZipFile(folder / "a.npz", "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in members.items():
            file.writestr(f"{name}.npy", content)
    return str(folder / "a.npz")


def png(folder: Path, width: int, height: int) -> Path:
    parts = (b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0), b"IDAT" + zlib.compress(b"\0"))
    chunks = [struct.pack(">I", len(part) - 4) + part + struct.pack(">I", zlib.crc32(part)) for part in parts]
    (folder / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(chunks))
    return folder / "a.png"


def table(folder: Path, text: str = "") -> str:
    (folder / "a.csv").write_text(text)
    return str(folder / "a.csv")


def pair(folder: Path, x: bytes, y: bytes, size: int = 0) -> str:
    (folder / "x.npy").write_bytes(x)
    sparse(folder / "y.npy", max(size, len(y)), y)
    return f"{folder}/x.npy,{folder}/y.npy"


def nested(folder: Path, levels: int) -> str:
    deepest = folder.joinpath("data", *"a" * levels)
    deepest.mkdir(parents=True)
    (deepest / "a.png").write_bytes(b"")
    return str(folder / "data")


def stored(folder: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(folder / "a.pth", "w") as file:
        for name, content in members.items():
            file.writestr(name, content)
    return folder / "a.pth"


def checkpoint(path: Path) -> object:
    return open_network(path, arch="torchvision:alexnet")


def keep(upload: tuple[Path, io.BytesIO]) -> str:
    return uploads.keep_archive(*upload, "a.zip")


def many_members(folder: Path) -> str:
    with zipfile.ZipFile(folder / "a.npz", "w") as file:
        for number in range(9_000):
            file.writestr(f"{number:090}.npy", b"")
    return str(folder / "a.npz")


def header_bomb(folder: Path) -> str:
    """64 MiB of header in 64 KiB of file."""
    where = archive(folder, y=npy((3,), "<i8"))
    with zipfile.ZipFile(where, "a", zipfile.ZIP_DEFLATED) as file, file.open("x.npy", "w") as member:
        member.write(b"\x93NUMPY\x02\x00" + struct.pack("<I", 64 * MIB))
        for _ in range(64):
            member.write(b" " * MIB)
    return where


def lesson(folder: Path, question: str, steps: int) -> Path:
    step = f'[[step]]\npage = "prune"\nquestion = "{question}"\ndo = "Look."\n'
    (folder / "a.toml").write_text('title = "T"\n' + steps * step)
    return folder / "a.toml"


BEYOND: dict[bounds.Bound, Callable[[Path], object]] = {
    bounds.IMAGE_BYTES: lambda f: decode(sparse(f / "a.png", 300 * MIB)),
    bounds.IMAGE_PIXELS: lambda f: decode(png(f, 9_000, 8_000)),
    bounds.IMAGE_CHANNELS: lambda f: decode(sparse(f / "a.npy", MIB, npy((2_000, 8, 8)))),
    bounds.IMAGE_VALUES: lambda f: decode(sparse(f / "a.npy", 200 * MIB, npy((4_000, 4_000, 13)))),
    bounds.FOLDER_LEVELS: lambda f: open_images(nested(f, 40)),
    bounds.TABLE_BYTES: lambda f: open_images(str(sparse(f / "a.csv", 300 * MIB))),
    bounds.TABLE_LINES: lambda f: open_images(table(f, "path,label\na.png,1" + "\n" * 1_500_001 + "b.png,2")),
    bounds.TABLE_LINE: lambda f: open_images(table(f, "path,label\n" + "a" * 200_000)),
    bounds.NPZ_BYTES: lambda f: open_images(str(sparse(f / "a.npz", 3072 * MIB))),
    bounds.NPZ_UNPACKED: lambda f: open_images(archive(f, x=npy((3, 40_000, 40_000)), y=npy((3,), "<i8"))),
    bounds.NPZ_DIRECTORY: lambda f: open_images(many_members(f)),
    bounds.NPY_LABELS: lambda f: open_images(pair(f, npy((3, 2, 2)) + bytes(12), npy((3,)), 3072 * MIB)),
    bounds.ARRAY_HEADER: lambda f: open_images(header_bomb(f)),
    bounds.ARRAY_IMAGES: lambda f: open_images(archive(f, x=npy((1_900_000, 8, 8)), y=npy((1_900_000,), "<i8"))),
    bounds.CHECKPOINT_BYTES: lambda f: open_network(sparse(f / "a.pth", 3072 * MIB), arch="torchvision:alexnet"),
    bounds.ARCHIVE_MEMBERS: lambda f: checkpoint(stored(f, {f"a/{number}": b"" for number in range(20_001)})),
    bounds.PLAN_BYTES: lambda f: plan_file.read(sparse(f / "plan.json", 300 * MIB)),
    bounds.CLASSES: lambda f: open_images(table(f, "a.png,0\nb.png,70000")),
    bounds.LESSON_BYTES: lambda f: read_lesson(sparse(f / "a.toml", MIB)),
    bounds.LESSON_STEPS: lambda f: read_lesson(lesson(f, "Why?", 41)),
    bounds.LESSON_TEXT: lambda f: read_lesson(lesson(f, "y" * 401, 1)),
}


LOWERED: dict[bounds.Bound, tuple[Any, Callable[[Path], Any], Callable[[Any], object]]] = {
    bounds.PICKLE_BYTES: (safe_zip, lambda f: stored(f, {"a/data.pkl": NOTHINGS}), checkpoint),
    bounds.PICKLE_INSTRUCTIONS: (safe_pickle, lambda f: stored(f, {"a/data.pkl": NOTHINGS}), checkpoint),
    bounds.SAFETENSORS_HEADER: (
        safetensors_reader,
        lambda f: sparse(f / "a.safetensors", 99, (40).to_bytes(8, "little")),
        checkpoint,
    ),
    bounds.EXPORT_MANIFEST: (safetensors_file, lambda f: export_bytes(at_hand("plain")), load_network),
    bounds.EXPORT_NODES: (rebuild, lambda f: export_bytes(at_hand("plain")), load_network),
    bounds.UPLOAD_FILES: (unpacking, lambda f: (f, zipped({"a": b"", "b": b""})), keep),
    bounds.UPLOAD_UNPACKED: (unpacking, lambda f: (f, zipped({"a": b"1", "b": b"2"})), keep),
    bounds.UPLOAD_DIRECTORY: (unpacking, lambda f: (f, zipped({"a": b""})), keep),
    bounds.EXPORT_UNITS: (manifest, lambda f: export_bytes(at_hand("plain")), load_network),
}


def refusal(do: Callable[[], object]) -> str:
    """What a call is refused with, after few seconds of work and with little memory."""
    begun = time.thread_time()
    with little_memory(MEMORY), pytest.raises(BadInput) as caught:
        do()
    assert time.thread_time() - begun < SECONDS
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("bound", BEYOND, ids=lambda bound: f"{bound.reader}, {bound.unit}")
def test_what_is_beyond_a_bound_is_refused_at_once_and_in_little_memory(bound, tmp_path):
    message = refusal(lambda: BEYOND[bound](tmp_path))
    assert bound.shown(bound.most) in message or (bound is bounds.ARRAY_HEADER and "can't be read as .npz" in message)


@pytest.mark.parametrize("bound", LOWERED, ids=lambda bound: f"{bound.reader}, {bound.unit}")
def test_what_takes_long_to_make_is_refused_beyond_a_lower_bound(bound, tmp_path, monkeypatch):
    module, make, read = LOWERED[bound]
    made, name = make(tmp_path), next(name for name, value in vars(bounds).items() if value is bound)
    monkeypatch.setattr(module, name, replace(bound, most=1))
    with pytest.raises(BadInput, match=r"at most 1\b"):
        read(made)


@pytest.mark.parametrize("name", ["FOLDER_ENTRIES", "FOLDER_SECONDS"])
def test_folders_that_are_too_large_or_slow_to_list_are_refused(name, tmp_path, monkeypatch):
    nested(tmp_path, 3)
    monkeypatch.setattr(inventory, name, replace(getattr(bounds, name), most=-1 if name == "FOLDER_SECONDS" else 2))
    with pytest.raises(BadInput, match=r"data (has 3 files and folders: at most 2|takes over -1 seconds to list)"):
        open_images(str(tmp_path / "data"))


def test_every_bound_is_tested():
    assert set(BOUNDS) == {*BEYOND, *LOWERED, bounds.FOLDER_ENTRIES, bounds.FOLDER_SECONDS}


def test_what_is_no_regular_file_is_never_opened(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for suffix in ("csv", "npz", "npy", "png", "pth", "safetensors"):
        (tmp_path / f"pipe.{suffix}").symlink_to(tmp_path / "pipe")
    for where in ("pipe.csv", "pipe.npz", "pipe.npy,pipe.npy"):
        given = ",".join(str(tmp_path / name) for name in where.split(","))
        assert "no regular file" in refusal(lambda given=given: open_images(given))
    assert "no regular file" in refusal(lambda: decode(tmp_path / "pipe.png"))
    for where in ("pipe", "pipe.pth", "pipe.safetensors", "/dev/zero"):
        assert "no regular file" in refusal(
            lambda where=where: open_network(tmp_path / where, arch="torchvision:alexnet")
        )
    for read in (plan_file.read, load_network):
        assert "no regular file" in refusal(lambda read=read: read(tmp_path / "pipe"))


def test_a_table_that_names_pipes_is_read_without_them(tmp_path):
    os.mkfifo(tmp_path / "pipe.png")
    Image.fromarray(np.zeros((2, 2), np.uint8)).save(tmp_path / "a.png")
    images = open_images(table(tmp_path, "a.png,0\npipe.png,1"))
    assert list(images.skipped) == [str(tmp_path / "pipe.png")]
    assert "no regular file" in images.account()
