"""Decoding: image files, which may be anything, made into pictures; and clips, which are frames in files."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from explorer.errors import BadInput

FORMATS = ("JPEG", "PNG", "WEBP")
SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")
MAX_PIXELS = 64_000_000  # of one image, stored or resized: small files can claim huge pictures
READ_WHOLE = 5_000  # files: of more than that, only begin and end are looked at before they are decoded
LAST = {"JPEG": b"\xff\xd9", "PNG": b"\0\0\0\0IEND\xaeB`\x82"}  # the bytes that a whole file ends with


@dataclass(frozen=True)
class Clip:
    """A video as its frames in order, each in a file."""

    frames: tuple[Path, ...]

    @property
    def folder(self) -> Path:
        """Where the frames lie."""
        return self.frames[0].parent

    def spread(self, count: int) -> tuple[Path, ...]:
        """`count` frames evenly over the clip: frame i of them is the one at (i + 1/2) / count of its length.

        A clip of fewer frames gives some of them more than once, next to each other.
        """
        return tuple(self.frames[(2 * i + 1) * len(self.frames) // (2 * count)] for i in range(count))


def decode(path: Path) -> Image.Image:
    """The image of a file, mode L or RGB; BadInput names the path.

    As torchvision's own loader does it, so that a network sees what it was trained on: an alpha channel is dropped,
    and the rotation that a camera notes beside the pixels (EXIF) is not carried out.
    """
    with _opened(path) as image:
        if image.mode == "P" and "transparency" in image.info:
            image = image.convert("RGBA")  # the same colours, but without PIL's warning
        return image.convert("L" if image.mode in ("1", "L", "LA") else "RGB")


def unreadable(paths: Collection[Path]) -> set[Path]:
    """Those of the files that `decode` does not take, so that splits can be made of those that it does.

    Up to READ_WHOLE files are read whole (0.5 ms for 256x256 JPEG). Of more, only those whose end is not that of
    their format: this finds files of another kind and those cut off, at 0.1 ms each, and damage inside not.
    """
    whole = len(paths) <= READ_WHOLE
    return {path for path in paths if not is_readable(path, whole)}


def is_readable(path: Path, whole: bool = True) -> bool:
    """Whether `decode` takes the file; unless it is `whole`, judged by its begin and its end where they suffice."""
    try:
        with _opened(path) as image:
            if whole or not _ends_well(path, str(image.format)):
                image.draft("L", (1, 1))  # JPEG: all bytes are read, but few pixels computed
                image.load()
            return True
    except BadInput:
        return False


def _ends_well(path: Path, kind: str) -> bool:
    with path.open("rb") as file:
        if kind == "WEBP":
            return int.from_bytes(file.read(8)[4:], "little") + 8 <= path.stat().st_size
        file.seek(-len(LAST[kind]), os.SEEK_END)
        return file.read() == LAST[kind]


@contextmanager
def _opened(path: Path) -> Iterator[Image.Image]:
    try:
        with Image.open(path, formats=FORMATS) as image:
            _check_header(path, image)
            yield image
    except BadInput:
        raise
    except (UnidentifiedImageError, FileNotFoundError, PermissionError) as error:
        reason = "it is no JPEG, PNG or WebP image" if isinstance(error, UnidentifiedImageError) else error.strerror
        raise BadInput(f"image {path} can't be read: {reason}.") from error
    except Exception as error:  # decoders of damaged bytes raise errors of nearly every kind
        raise BadInput(f"image {path} can't be read: {str(error).rstrip('.') or type(error).__name__}.") from error


def _check_header(path: Path, image: Image.Image) -> None:
    if image.width * image.height > MAX_PIXELS:
        raise BadInput(
            f"image {path} has {image.width}x{image.height} pixels: at most {MAX_PIXELS // 10**6} megapixels are read."
        )
    if image.mode.startswith(("I", "F")):
        raise BadInput(f"image {path} has more than 8 bits a channel: images must have 8.")
