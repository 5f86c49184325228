from __future__ import annotations

import numpy as np
from pictures import picture

from explorer.data.images import Account, Labelled, image_set


def arrays(count: int, *, name="set", seed=0, limit=None, skipped=(), notes=(), **changes):
    given = {"source": np.stack([picture(i) for i in range(count)]), "labels": np.arange(count) % 3}
    labelled = Labelled(**{**given, "classes": ["a", "b", "c"], **changes})
    return image_set(name, labelled, seed=seed, limit=limit, account=Account(dict(skipped), notes))


def test_set_of_arrays():
    images = arrays(30)
    assert len(images) == 30
    assert images.labels.dtype == np.int64
    assert np.array_equal(images.image(7), picture(7))
    assert images.image_name(7) == "image 7 of set"
    assert not images.stored_splits
    assert images.describe() == (
        "set: 30 images of 3 classes (12 finetune, 6 calibration, 6 validation, 6 test), seed 0"
    )
    assert arrays(30, skipped={"x.png": "damaged"}).describe().endswith("seed 0, 1 skipped")


def test_limit_keeps_the_classes_in_proportion():
    images = arrays(30, limit=9)
    assert np.bincount(images.labels).tolist() == [3, 3, 3]
    originals = [i for i in range(30) if any(np.array_equal(picture(i), kept) for kept in images.source)]
    assert len(originals) == 9
    assert images.labels.tolist() == [i % 3 for i in originals]
    assert sorted(np.concatenate(list(images.splits.values()))) == list(range(9))


def test_limit_above_the_size_keeps_everything():
    assert arrays(30, limit=99).digest == arrays(30).digest


def test_limit_of_stored_splits_is_for_each():
    stored = {"calibration": np.arange(20), "test": np.arange(20, 30)}
    images = arrays(30, stored=stored, limit=6)
    assert {name: len(members) for name, members in images.splits.items()} == {"calibration": 6, "test": 6}
    for name, members in images.splits.items():
        for i in members:
            original = next(j for j in range(30) if np.array_equal(images.image(i), picture(j)))
            assert original in stored[name]
            assert images.labels[i] == original % 3


def test_digest_follows_everything_that_changes_a_batch():
    source = np.stack([picture(i) for i in range(30)])
    source[4, 0, 0, 0] ^= 1
    stored = {"test": np.arange(10), "train": np.arange(10, 30)}
    others = [
        arrays(30, source=source),
        arrays(30, source=source.reshape(30, 8, 6, 3)),
        arrays(30, labels=np.arange(30) % 2),
        arrays(30, classes=["a", "b", "d"]),
        arrays(30, seed=1),
        arrays(30, limit=29),
        arrays(30, stored=stored),
    ]
    assert arrays(30).digest == arrays(30, name="renamed").digest
    assert len({images.digest for images in [arrays(30), *others]}) == 1 + len(others)


def test_images_left_out_are_counted_by_reason_and_the_first_of_them_named():
    assert arrays(30).account() == ""
    one = arrays(30, skipped={"x.png": "damaged"})
    assert (one.found, one.account()) == (31, "1 of 31 images left out: damaged (1: x.png).")
    many = arrays(30, skipped={f"{i}.png": "damaged" if i else "unlabelled" for i in range(6)}, notes=["Told."])
    assert many.account() == (
        "6 of 36 images left out: unlabelled (1: 0.png); damaged (5: 1.png, 2.png, 3.png and 2 more). Told."
    )
    varied = arrays(30, skipped={f"{i}.png": f"reason {i}" for i in range(5)})
    assert varied.account().endswith("reason 2 (1: 2.png); other reasons (2).")
    assert arrays(30, skipped={"x.png": "damaged"}, limit=3).found == 31
