"""Archives as Keras, MedMNIST and others write them, read to the same images and labels."""

from __future__ import annotations

import numpy as np
import pytest
from pictures import picture

from explorer.data import open_images

N = 12
X = np.stack([picture(i) for i in range(N)])
Y = np.arange(N) % 3
ONE_HOT = "'y' is one-hot: classes are its columns."
FORMS = {
    "a column of labels": ({"x": X, "y": Y[:, None]}, ()),
    "one-hot": ({"x": X, "y": np.eye(3, dtype=np.int64)[Y]}, (ONE_HOT,)),
    "channels first": ({"x": X.transpose(0, 3, 1, 2), "y": Y}, ()),
    "from one": ({"x": X, "y": Y + 1}, ("Labels 1 to 3 are read as classes 0 to 2, as there is no label 0.",)),
    "from 0 to 1": ({"x": (X / 255).astype("f4"), "y": Y}, ("'x' is float32, from 0 to 1: 255 times that, rounded.",)),
    "whole floats": ({"x": X.astype("f8"), "y": Y.astype("f4")}, ("'x' is float64, whole.",)),
    "capitals": ({"X": X, "Y": Y}, ()),
    "capital X alone": ({"X": X, "y": Y}, ()),
    "other names": ({"images": X, "labels": Y}, ("Images are 'images', labels 'labels'.",)),
    "names of sklearn": ({"data": X, "target": Y}, ("Images are 'data', labels 'target'.",)),
    "no names": ({"arr_0": X, "arr_1": Y}, ("Images are 'arr_0', labels 'arr_1'.",)),
    "more": ({"x": X, "y": Y, "ids": Y, "area": Y}, ("Not read: 'area', 'ids', for which there is no use.",)),
    "from one, named": (
        {"x": X, "y": Y + 1, "classes": ["0", "1", "2"]},
        ("Labels 1 to 3 are read as classes 0 to 2, as there is no label 0.",),
    ),
}


@pytest.mark.parametrize(("arrays", "notes"), FORMS.values(), ids=FORMS)
def test_other_forms_of_the_same_images_are_read_alike(save_npz, arrays, notes):
    images = open_images(str(save_npz(**arrays)))
    assert np.array_equal(images.source, X)
    assert (images.labels.tolist(), images.classes, images.notes) == (Y.tolist(), ("0", "1", "2"), notes)


def test_four_names_for_labels_from_one_to_three_number_them_from_nought(save_npz):
    images = open_images(str(save_npz(x=X, y=Y + 1, classes=["none", "a", "b", "c"])))
    assert images.labels.tolist() == (Y + 1).tolist()


@pytest.mark.parametrize("names", ["x_{} y_{}", "{}_images {}_labels"])
def test_parts_are_the_stored_splits(save_npz, names):
    x, y = names.split()
    parts = {"train": slice(0, 6), "val": slice(6, 9), "test": slice(9, 12)}
    arrays = {name.format(p): a[part] for p, part in parts.items() for name, a in ((x, X), (y, Y[:, None]))}
    images = open_images(str(save_npz(**arrays)))
    assert np.array_equal(images.source, X)
    assert images.labels.tolist() == Y.tolist()
    assert [sorted(images.splits[name]) for name in ("validation", "test")] == [[6, 7, 8], [9, 10, 11]]


def test_a_part_without_labels_is_told(save_npz):
    images = open_images(str(save_npz(x_train=X, y_train=Y, x_test=X)))
    assert len(images) == N
    assert images.notes == ("Not read: 'x_test', for which there are no labels.",)


def test_the_largest_value_of_all_parts_tells_what_floats_mean(save_npz):
    dark = np.minimum(X, 1).astype("f4")
    images = open_images(str(save_npz(x_train=X.astype("f4"), y_train=Y, x_test=dark, y_test=Y)))
    assert np.array_equal(images.source, np.concatenate([X, dark.astype(np.uint8)]))
