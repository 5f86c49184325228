"""TIFF files of more channels than grey and RGB, as satellites' and microscopes' software writes them."""

from __future__ import annotations

import importlib
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from explorer.core.bounds import IMAGE_BYTES, IMAGE_CHANNELS, IMAGE_VALUES, check_file
from explorer.core.errors import BadInput
from explorer.core.text import quoted
from explorer.data.array_headers import Shape, channel_axis
from explorer.data.bands import check_kind, check_size, oriented, oriented_shape

BEGINS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
PLAIN, PACKBITS, DEFLATE = 1, 32773, (8, 32946)  # compressions


def tiff_form(path: Path) -> tuple[Shape, np.dtype]:
    """(H, W, C) and type of the image in a file, from its headers; raises BadInput if it can't be read.

    The channels are those of the first picture; where that is grey, and others like it follow, each is a channel.
    """
    with _pages(path) as pages:
        return _form(path, pages)


def tiff_image(path: Path) -> np.ndarray:
    """(H, W, C) in the file's own type; raises BadInput as `tiff_form`, and for contents of other sizes than stated."""
    with _pages(path) as pages:
        _form(path, pages)
        for page in pages:
            _check_contents(path, page)
        planes = [page.asarray(maxworkers=1) for page in pages]
        if pages[0].samplesperpixel > 1:
            return np.moveaxis(planes[0], pages[0].axes.index("S"), -1)
        return oriented(np.stack(planes) if len(planes) > 1 else planes[0])


@contextmanager
def _pages(path: Path) -> Iterator[list[Any]]:
    """The pictures of a file that are read."""
    try:
        check_file(path, IMAGE_BYTES)
        tifffile = importlib.import_module("tifffile")
        with tifffile.TiffFile(path) as file:
            first = file.pages[0]
            several = first.samplesperpixel == 1
            yield list(islice(file.pages, IMAGE_CHANNELS.most + 1)) if several else [first]
    except BadInput:
        raise
    except ImportError as error:
        raise BadInput(
            f"{path} is a TIFF file of other channels than grey and RGB, for which tifffile is not installed: "
            "pip install 'pruning-explorer[tiff]'."
        ) from error
    except Exception as error:  # readers of damaged bytes raise errors of nearly every kind
        raise BadInput(f"{path} can't be read: it is cut off or damaged inside.") from error


def _form(path: Path, pages: list[Any]) -> tuple[Shape, np.dtype]:
    first = pages[0]
    kinds = {(page.shape, page.dtype, page.compression) for page in pages}
    if len(kinds) > 1 or len(first.shape) != (3 if first.samplesperpixel > 1 else 2) or first.dtype is None:
        raise BadInput(f"{path} holds several pictures of unlike sizes or kinds, which are no channels of one.")
    if int(first.compression) not in (PLAIN, PACKBITS, *DEFLATE):
        name = quoted(getattr(first.compression, "name", first.compression))
        raise BadInput(f"{path} is compressed by {name}: save it uncompressed, or with deflate.")
    shape = first.shape if first.samplesperpixel > 1 else (len(pages), *first.shape)
    if first.samplesperpixel > 1:
        form = oriented_shape(shape, 1 if first.axes[0] == "S" else 3)
    elif (axis := channel_axis((1, *shape))) is not None:
        form = oriented_shape(shape, axis)
    else:
        raise BadInput(f"{path} holds pictures of {shape}: which of these are the channels can't be told.")
    try:
        check_kind(first.dtype)
    except BadInput as error:
        raise BadInput(f"{path} can't be read: {error}.") from error
    check_size(path, form)
    return form, first.dtype


def _check_contents(path: Path, page: Any) -> None:
    """Raises BadInput if a part of the picture is stated, or unpacked, larger than a whole one may be."""
    IMAGE_VALUES.check(path, prod(page.chunks))
    if int(page.compression) not in DEFLATE:
        return
    most = prod(page.chunks) * page.dtype.itemsize
    with path.open("rb") as file:
        for place, size in zip(page.dataoffsets, page.databytecounts, strict=True):
            file.seek(place)
            unpacked = zlib.decompressobj().decompress(file.read(size), most + 1)
            if len(unpacked) > most:
                raise BadInput(f"{path} can't be read: its parts are larger than it says.")
