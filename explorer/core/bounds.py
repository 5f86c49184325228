"""Bounds: the most that each reader takes. Anything larger is refused by its size or header, before it is read."""

from __future__ import annotations

import stat
from dataclasses import dataclass
from pathlib import Path

from explorer.core.errors import BadInput

MIB = 1024**2
SCALES = ((2**40, "TiB"), (2**30, "GiB"), (2**20, "MiB"), (2**10, "KiB"), (1, "bytes"))


@dataclass(frozen=True)
class Bound:
    """The most of something that a reader takes."""

    reader: str
    most: int
    unit: str

    def check(self, subject: object, value: int) -> None:
        """Raises BadInput if the subject has more than that."""
        if value > self.most:
            raise BadInput(f"{subject} {self.clause(value)}.")

    def clause(self, value: int) -> str:
        """A clause that says that a subject has more than that."""
        return f"has {self.shown(value)}: at most {self.shown(self.most)} are read"

    def shown(self, value: int) -> str:
        """The value with its unit, to be read."""
        if not self.unit.startswith("bytes"):
            return f"{value:,} {self.unit}"
        size = next(f"{value / scale:,.3g} {unit}" for scale, unit in SCALES if value >= scale or scale == 1)
        return size + self.unit.removeprefix("bytes")


IMAGE_BYTES = Bound("image file", 256 * MIB, "bytes")
IMAGE_PIXELS = Bound("image file", 64_000_000, "pixels")
IMAGE_CHANNELS = Bound("image of any number of channels", 1024, "channels")
IMAGE_VALUES = Bound("image of any number of channels", 3 * IMAGE_PIXELS.most, "values of pixels")
FOLDER_ENTRIES = Bound("image folder", 2_000_000, "files and folders")
FOLDER_LEVELS = Bound("image folder", 16, "levels of folders")
FOLDER_SECONDS = Bound("image folder", 120, "seconds to list it")
TABLE_BYTES = Bound(".csv table", 256 * MIB, "bytes")
TABLE_LINES = Bound(".csv table", 1_500_000, "lines")
TABLE_LINE = Bound(".csv table", 100_000, "characters in a line")
NPZ_BYTES = Bound(".npz file", 2048 * MIB, "bytes")
NPZ_UNPACKED = Bound(".npz file", 2048 * MIB, "bytes unpacked")
NPZ_DIRECTORY = Bound(".npz file", MIB, "bytes in its list of arrays")
UPLOAD_FILES = Bound("uploaded folder or .zip of images", 100_000, "files")
UPLOAD_UNPACKED = Bound("uploaded folder or .zip of images", 4096 * MIB, "bytes unpacked")
UPLOAD_DIRECTORY = Bound("uploaded folder or .zip of images", 16 * MIB, "bytes in its list of files")
NPY_LABELS = Bound(".npy pair", 2048 * MIB, "bytes of labels")
ARRAY_HEADER = Bound(".npz file and .npy pair", 8 * 1024, "bytes of a header")
ARRAY_IMAGES = Bound(".npz file and .npy pair", 1_500_000, "images")  # ImageNet has 1.33 million
CHECKPOINT_BYTES = Bound("checkpoint or export", 2048 * MIB, "bytes")
ARCHIVE_MEMBERS = Bound("checkpoint", 20_000, "files in its archive")
PICKLE_BYTES = Bound("checkpoint", 16 * MIB, "bytes of pickle")
PICKLE_INSTRUCTIONS = Bound("checkpoint", 2_000_000, "instructions of pickle")
SAFETENSORS_HEADER = Bound("safetensors file", 16 * MIB, "bytes of a header")
EXPORT_MANIFEST = Bound("export", 32 * MIB, "bytes of manifest")  # DenseNet-201 has 0.3 MB
EXPORT_NODES = Bound("export", 10_000, "nodes")
EXPORT_UNITS = Bound("export", 2**20, "units before pruning")  # those that went are listed one by one
PLAN_BYTES = Bound("plan", 128 * MIB, "bytes")
CLASSES = Bound("any images", 65_536, "classes")
LESSON_BYTES = Bound("lesson", 256 * 1024, "bytes")
LESSON_STEPS = Bound("lesson", 40, "steps")
LESSON_TEXT = Bound("lesson", 400, "characters in a text")

BOUNDS = tuple(value for value in globals().values() if isinstance(value, Bound))
"""All of them, in this order."""


def check_file(path: Path, bound: Bound | None = None) -> None:
    """Raises BadInput unless the path is a regular file, within its bound in bytes; OSError where there is none.

    Pipes and devices are not even opened: that may wait for ever.
    """
    found = path.stat()
    if not stat.S_ISREG(found.st_mode):
        raise BadInput(f"{path} is no regular file: folders, pipes and devices can't be read as one.")
    if bound:
        bound.check(path, found.st_size)
