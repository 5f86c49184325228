"""Decoding: image files, which may be anything, made into pictures; and clips, which are frames in files."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from PIL import Image, UnidentifiedImageError
from PIL.TiffImagePlugin import ImageFileDirectory_v2

from explorer.core.bounds import IMAGE_BYTES, IMAGE_PIXELS, check_file
from explorer.core.errors import BadInput
from explorer.core.text import quoted
from explorer.data.bands import COLOURS, MAGIC, array_form, array_image, described
from explorer.data.tiff import BEGINS, tiff_form, tiff_image

Image.init()  # now, so that what PIL knows of formats is the same in every thread
FORMATS = tuple(name for name in ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF", "PPM", "AVIF") if name in Image.OPEN)
"""What files may hold, whatever their names say; of several pictures in one file the first is taken."""

_READ = {".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".bmp", ".dib", ".gif", ".tif", ".tiff", ".avif"}
_PORTABLE = {".ppm", ".pgm", ".pbm", ".pnm"}
_NOT_READ = {".heic", ".heif", ".jp2", ".psd", ".tga", ".exr", ".ico"}
SUFFIXES = _READ | _PORTABLE | _NOT_READ
"""What names of image files end with, also of formats that are not read: these are counted as left out."""

DEEP = ("I;16", "I;16L", "I;16B", "I;16N")
MODES = {"1", "L", "LA", "La", "P", "PA", "RGB", "RGBA", "RGBa", "RGBX", "CMYK", "YCbCr", *DEEP}
ORIENTATION = 0x0112  # of EXIF
SAMPLES = 277  # tag of TIFF: the number of channels
BIG = (b"+\0", b"\0+")  # in the first bytes of TIFF files of over 4 GiB, or made for it
READ_WHOLE = 5_000  # files: of more than that, only begin and end are looked at before they are decoded
LAST = {"JPEG": b"\xff\xd9", "PNG": b"\0\0\0\0IEND\xaeB`\x82"}  # last bytes of a complete file


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


def decode(path: Path, channels: int = 3) -> Image.Image | np.ndarray:
    """The image of a file, for a network that reads so many channels; BadInput names the path.

    An array (H, W, C) of a .npy file, of a TIFF file that is neither grey nor RGB, and of any file where the network
    reads other channels than 1 or 3: all that there are, as they are stored. Else of mode L or RGB.
    As torchvision's own loader does it, so that a network sees what it was trained on: an alpha channel is dropped,
    and the rotation that a camera notes beside the pixels (EXIF) is not carried out. Unlike there, grey images of 16
    bits become value / 257, where PIL would make everything above 255 white.
    """
    if reader := _array_reader(path, channels):
        return reader.read(path)
    with _opened(path) as image:
        if channels not in COLOURS:
            return np.asarray(image.convert("RGB") if image.mode in ("P", "PA", "YCbCr") else image)
        if image.mode in DEEP or image.mode == "I":
            return Image.fromarray(np.rint(np.asarray(image).clip(0, 65_535) / 257).astype(np.uint8))
        if image.mode == "P" and "transparency" in image.info:
            image = image.convert("RGBA")  # the same colours, but without PIL's warning
        return image.convert("L" if image.mode in ("1", "L", "LA") else "RGB")


def decode_bytes(content: bytes, name: str, channels: int = 3) -> Image.Image | np.ndarray:
    """The image of an uploaded file, as `decode` gives it; BadInput calls it by the name that it came with."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "upload"
        path.write_bytes(content)
        try:
            found = decode(path, channels)
            return np.array(found) if isinstance(found, np.ndarray) else found  # nothing of the file itself
        except BadInput as error:
            raise BadInput(str(error).replace(str(path), quoted(name))) from error


@dataclass(frozen=True)
class ArrayReader:
    """How files are read that Pillow does not read, or not whole."""

    form: Callable[[Path], tuple[tuple[int, ...], np.dtype]]  # from headers alone
    read: Callable[[Path], np.ndarray]


NPY, TIFF = ArrayReader(array_form, array_image), ArrayReader(tiff_form, tiff_image)


def _array_reader(path: Path, channels: int = 3) -> ArrayReader | None:
    """What reads the file for a network that reads so many channels; None for Pillow."""
    begin = _begin(path)
    if begin.startswith(MAGIC):
        return NPY
    if begin.startswith(BEGINS) and (channels not in COLOURS or _has_more_channels(path)):
        return TIFF
    return None


def _has_more_channels(path: Path) -> bool:
    """Whether Pillow takes this TIFF file for what it is not, or not at all: it knows up to four channels."""
    try:
        if _samples(path) > 4:
            return True
        with Image.open(path, formats=["TIFF"]) as image:
            floats = image.mode == "F" and getattr(image, "n_frames", 1) > 1
            return floats or (image.mode in ("L", *DEEP) and _samples(path) > 2)
    except UnidentifiedImageError:
        return True
    except Exception:  # told where it is read
        return False


def _samples(path: Path) -> int:
    """The channels that a TIFF file says it has; Pillow itself logs an error for each file of more than six."""
    with path.open("rb") as file:
        begin = file.read(8)
        tags = ImageFileDirectory_v2(begin + file.read(8) if begin[2:4] in BIG else begin)
        file.seek(tags.next)
        tags.load(file)
        return int(tags.get(SAMPLES, 1))


def looks_like_image(path: Path) -> bool:
    """Whether a file's name or its first bytes are those of an image; pipes and devices are not opened."""
    if path.suffix.lower() in SUFFIXES:
        return True
    begin = _begin(path)
    return any(accept(begin) is True for name in FORMATS if (accept := Image.OPEN[name][1]))


def _begin(path: Path) -> bytes:
    """The first bytes of a file; none of what is no file, or too large."""
    try:
        check_file(path, IMAGE_BYTES)
        with path.open("rb") as file:
            return file.read(16)
    except (OSError, BadInput):
        return b""


def examine(paths: Collection[Path]) -> tuple[dict[Path, str], list[str]]:
    """The files that `decode` can't read, with the reason; and sentences about the others, see TRAITS.

    Splits are then made of readable files only. Up to READ_WHOLE files are read whole (0.5 ms for a 256x256 JPEG). If
    there are more, only those whose last bytes are not their format's: this finds files of another kind and truncated
    ones, at 0.1 ms each, but no damage inside.
    """
    whole = len(paths) <= READ_WHOLE
    looked = {path: _looked_at(path, whole) for path in paths}
    counts = Counter(trait for reason, traits in looked.values() if not reason for trait in traits)
    notes = [f"{number:,} {'images' if number > 1 else 'image'}: {trait}." for trait, number in sorted(counts.items())]
    return {path: reason for path, (reason, _) in looked.items() if reason}, notes


def fault(path: Path, whole: bool = True) -> str:
    """Why `decode` does not take the file, or ""; unless it is `whole`, judged by begin and end where they suffice."""
    return _looked_at(path, whole)[0]


def _looked_at(path: Path, whole: bool) -> tuple[str, list[str]]:
    """The fault of a file, or "", and its TRAITS."""
    try:
        if reader := _array_reader(path):
            (_, _, channels), dtype = reader.form(path)
            return "", [described(channels, dtype)]
        with _opened(path) as image:
            if whole or not _ends_well(path, str(image.format)):
                image.draft("L", (1, 1))  # JPEG: all bytes are read, but few pixels computed
                image.load()
            return "", [trait for trait, has in TRAITS.items() if _has(image, has)]
    except BadInput as error:
        return str(error).removeprefix(f"image {path} ").removeprefix("can't be read: ").rstrip("."), []


def _has(image: Image.Image, has: Callable[[Image.Image], bool]) -> bool:
    try:
        return has(image)
    except Exception:  # metadata may be damaged although the pixels are not
        return False


def _is_turned(image: Image.Image) -> bool:
    """Whether EXIF asks for a rotation; of PNG only if it is before the pixels, as its own reader would decode them."""
    return Image.Image.getexif(image).get(ORIENTATION, 1) not in (0, 1)


def _several(image: Image.Image) -> bool:
    return bool(image.format != "MPO" and getattr(image, "is_animated", False))  # MPO: what cameras add is a preview


def _stack(image: Image.Image) -> bool:
    return image.format == "TIFF" and image.mode in ("L", *DEEP)


TRAITS: dict[str, Callable[[Image.Image], bool]] = {
    "16 bits of grey, read as value / 257": lambda image: image.mode in DEEP or image.mode == "I",
    "turned by EXIF, which is not carried out, as in torchvision": _is_turned,
    "several pictures in the file, of which the first is read": lambda image: _several(image) and not _stack(image),
    "several grey pictures: the first is read, or each as a channel by a network of so many": lambda image: (
        _several(image) and _stack(image)
    ),
    "four channels, of which a network that reads grey or RGB gets the first three": lambda image: (
        image.format == "TIFF" and image.mode == "RGB" and image.tag_v2.get(SAMPLES, 3) > 3  # type: ignore[attr-defined]
    ),
}
"""What is told of a file that can be read, because other readers may take it otherwise."""


def _ends_well(path: Path, kind: str) -> bool:
    if kind not in (*LAST, "WEBP"):
        return False
    with path.open("rb") as file:
        if kind == "WEBP":
            return int.from_bytes(file.read(8)[4:], "little") + 8 <= path.stat().st_size
        file.seek(-len(LAST[kind]), os.SEEK_END)
        return file.read() == LAST[kind]


@contextmanager
def _opened(path: Path) -> Iterator[Image.Image]:
    try:
        check_file(path, IMAGE_BYTES)
        with Image.open(path, formats=FORMATS) as image:
            _check_header(path, image)
            yield image
    except BadInput as error:
        raise BadInput(f"image {str(error).removeprefix('image ')}") from error
    except UnidentifiedImageError as error:
        raise BadInput(
            f"image {path} can't be read: it is no {', '.join(FORMATS[:-1])} or {FORMATS[-1]} image."
        ) from error
    except Image.DecompressionBombError as error:
        raise BadInput(f"image {path} has over {IMAGE_PIXELS.shown(IMAGE_PIXELS.most)}: no more are read.") from error
    except OSError as error:
        reason = error.strerror or "it is cut off or damaged inside"  # PIL's own have no number
        raise BadInput(f"image {path} can't be read: {reason}.") from error
    except Exception as error:  # decoders of damaged bytes raise errors of nearly every kind
        raise BadInput(f"image {path} can't be read: it is damaged inside.") from error


def _check_header(path: Path, image: Image.Image) -> None:
    IMAGE_PIXELS.check(path, image.width * image.height)
    if image.mode == "F":
        raise BadInput(
            f"{path} has pixels that are fractions, of which the range is not known: save it with 8 or 16 bits a "
            "channel, or all images as .npz with values from 0 to 1."
        )
    if image.mode not in MODES and (image.mode, image.format) != ("I", "PPM"):
        raise BadInput(
            f"{path} has pixels of the kind {image.mode}: at most 16 bits a channel, grey or colour, are read."
        )
