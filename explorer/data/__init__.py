"""Data: in comes a name, a file or a folder, out images in disjoint splits and the tensors made of them."""

from explorer.data.assets import asset
from explorer.data.batches import ALL, Batches, Splits, pixels_of
from explorer.data.images import Account, ImageSet, Labelled, image_set
from explorer.data.preprocessing import (
    IMAGENET_MEAN,
    IMAGENET_STD,
    UNCHANGED,
    Changes,
    Preprocessing,
    changes_from_json,
    numbers,
)
from explorer.data.sources import SOURCES, open_images
from explorer.data.splits import SHARES, split_indices, stratified_order
from explorer.data.tensors import normalise, to_pixels, to_tensor

__all__ = [
    "ALL",
    "IMAGENET_MEAN",
    "IMAGENET_STD",
    "SHARES",
    "SOURCES",
    "UNCHANGED",
    "Account",
    "Batches",
    "Changes",
    "ImageSet",
    "Labelled",
    "Preprocessing",
    "Splits",
    "asset",
    "changes_from_json",
    "image_set",
    "normalise",
    "numbers",
    "open_images",
    "pixels_of",
    "split_indices",
    "stratified_order",
    "to_pixels",
    "to_tensor",
]
