from __future__ import annotations

import numpy as np
import pytest
from pictures import picture

from explorer.core.errors import BadInput
from explorer.data import open_images

X = np.stack([picture(i) for i in range(12)])
Y = np.arange(12) % 3


@pytest.fixture
def pair(tmp_path):
    """Call with two arrays, or the bytes of files: "X.npy,Y.npy"."""

    def save(x, y) -> str:
        for name, array in (("x", x), ("y", y)):
            path = tmp_path / f"{name}.npy"
            path.write_bytes(array) if isinstance(array, bytes) else np.save(path, array)
        return f"{tmp_path}/x.npy,{tmp_path}/y.npy"

    return save


@pytest.mark.parametrize("x", [X, X[..., 0], X[..., :1]], ids=["rgb", "grey", "grey 4d"])
def test_images_and_labels(pair, x):
    images = open_images(pair(x, Y.astype(np.uint8)))
    assert images.name == "x"
    assert images.classes == ("0", "1", "2")
    assert images.labels.tolist() == Y.tolist()
    assert np.array_equal(images.image(7), x[7])
    assert images.image_name(7) == "image 7 of x"


def test_images_stay_on_the_disk(pair):
    where = pair(X, Y)
    assert isinstance(open_images(where).source, np.memmap)
    few = open_images(where, limit=6)
    assert np.bincount(few.labels).tolist() == [2, 2, 2]
    assert all(isinstance(image, np.memmap) for image in few.source)
    originals = [next(j for j in range(12) if np.array_equal(few.image(i), X[j])) for i in range(6)]
    assert few.labels.tolist() == [j % 3 for j in originals]


def test_digest_follows_pixels_and_labels(pair):
    digests = [open_images(pair(x, y), limit=limit).digest for x, y, limit in CHANGES]
    assert len(set(digests)) == len(digests)


OTHER = X.copy()
OTHER[4, 0, 0, 0] ^= 1
CHANGES = [(X, Y, None), (OTHER, Y, None), (X, Y[::-1].copy(), None), (X, Y, 6), (X.reshape(12, 8, 6, 3), Y, None)]
BAD = {
    "float images": (X / 255, Y, r"x\.npy holds 'x' as float64: it must be uint8"),
    "flat images": (X.reshape(12, -1), Y, r"of shape \(12, 144\)"),
    "text labels": (X, Y.astype(str), r"y\.npy holds 'y' as <U21"),
    "channels first": (X.transpose(0, 3, 1, 2).copy(), Y, "channels first: save x.transpose"),
    "two labels an image": (X, np.stack([Y, Y], 1), "that is not one-hot"),
    "fewer labels": (X, Y[:-1], "has 12 images but .*y.npy 11 labels"),
    "negative label": (X, Y - 1, "has -1 in 'y'"),
    "objects": (np.array([{}], dtype=object), Y, "holds 'x' as object"),
    "columns first": (np.asfortranarray(X), Y, "is in Fortran order"),
    "text": (b"hello world", Y, r"x\.npy can't be read as \.npy"),
    "nothing": (b"", Y, r"x\.npy can't be read as \.npy"),
}


@pytest.mark.parametrize(("x", "y", "message"), BAD.values(), ids=BAD)
def test_bad_pairs_give_one_sentence(pair, x, y, message):
    with pytest.raises(BadInput, match=message) as caught:
        open_images(pair(x, y))
    assert "\n" not in str(caught.value)


def test_a_file_shorter_than_it_says(pair, tmp_path):
    where = pair(X, Y)
    path = tmp_path / "x.npy"
    path.write_bytes(path.read_bytes()[:-5])
    with pytest.raises(BadInput, match=r"x\.npy can't be read as \.npy"):
        open_images(where)
