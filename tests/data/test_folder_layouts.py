"""How people arrange images in folders: the right classes and splits, or one sentence; nothing is lost in silence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from pictures import picture
from PIL import Image

from explorer.core.errors import BadInput
from explorer.data import ImageSet, open_images
from explorer.data.splits import split_named


@pytest.fixture
def tree(tmp_path: Path) -> Callable[..., Path]:
    """Call with the paths of images to write: the folder that they are in."""

    def make(*paths: str) -> Path:
        for number, name in enumerate(paths):
            path = tmp_path / "data" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(picture(number)).save(path, format="PNG")
        return tmp_path / "data"

    return make


def labelled(images: ImageSet, root: Path) -> dict[str, str]:
    """Path in the folder -> class."""
    names = (str(Path(images.image_name(i)).relative_to(root)) for i in range(len(images)))
    return dict(zip(names, [images.classes[label] for label in images.labels], strict=True))


def each(*folders: str, count: int = 2) -> list[str]:
    return [f"{folder}/{i}.png" for folder in folders for i in range(count)]


def test_a_flat_test_folder_beside_splits_of_classes_is_unlabelled(tree):
    folder = tree(*each("train/cat", "train/dog", "valid/cat", "valid/dog", "test"))
    images = open_images(str(folder))
    assert images.classes == ("cat", "dog")
    assert len(images) == 8
    assert len(images.splits["validation"]) == 4
    assert not any("/data/test/" in images.image_name(i) for part in images.splits.values() for i in part)
    assert images.skipped == {
        str(folder / "test" / f"{i}.png"): "unlabelled, in no class folder of test" for i in range(2)
    }
    assert images.account().startswith("2 of 10 images left out: unlabelled, in no class folder of test (2: ")


@pytest.mark.parametrize(
    ("names", "split"),
    [
        (
            "train Training TRAIN train2017 training_set train-images trainset seg_train TrainData traindata",
            "train",
        ),
        ("val valid Validation dev eval Evaluation val_images valset validate ValData", "validation"),
        ("test Testing TEST test_set test1 seg_test", "test"),
        ("finetune", "finetune"),
        ("cat trains contest value test_cat images set data dataset Dataset", None),
    ],
)
def test_splits_go_by_their_usual_names_in_any_case(names, split):
    assert {split_named(name) for name in names.split()} == {split}


@pytest.mark.parametrize("names", [("Training", "Testing"), ("train", "eval"), ("TRAIN", "val_set")])
def test_splits_of_any_name_have_the_classes_in_them(tree, names):
    folder = tree(*each(*(f"{name}/{label}" for name in names for label in "ab"), count=4))
    images = open_images(str(folder))
    assert (images.classes, images.stored_splits, len(images)) == (("a", "b"), True, 16)
    assert len(images.splits[split_named(names[1])]) == 8


def test_evaluation_beside_validation_is_the_test_split(tree):
    folder = tree(*each(*(f"{name}/{c}" for name in ("training", "validation", "evaluation") for c in "ab"), count=3))
    images = open_images(str(folder))
    for split in ("validation", "test"):
        parts = {Path(images.image_name(i)).parts[-3] for i in images.splits[split]}
        assert parts == {"validation" if split == "validation" else "evaluation"}


def test_images_at_any_depth_belong_to_the_class_above(tree):
    folder = tree(*each("cat/p0", "cat/p1/left", "dog", "dog/more"))
    images = open_images(str(folder))
    assert labelled(images, folder) == {path: path[:3] for path in each("cat/p0", "cat/p1/left", "dog", "dog/more")}
    assert images.notes == ("6 images lie in folders inside of their class's, and are read as images of it.",)


def test_folders_alike_in_every_class_may_be_the_classes_and_that_is_told(tree):
    images = open_images(str(tree(*each("fold1/cat", "fold1/dog", "fold2/cat", "fold2/dog"))))
    assert images.classes == ("fold1", "fold2")
    assert images.notes[1:] == ("If cat, dog are the classes, give one of fold1, fold2 alone.",)


def test_what_systems_leave_in_folders_is_no_class_and_told(tree):
    folder = tree(*each("train/a", "train/b", "test/a", "test/b"), "__MACOSX/train/a/0.png", "train/a/._0.png")
    for litter in (".DS_Store", "Thumbs.db", "train/desktop.ini"):
        (folder / litter).write_bytes(b"litter")
    (folder / "new folder").mkdir()
    images = open_images(str(folder))
    assert (images.classes, len(images)) == (("a", "b"), 8)
    assert images.notes == (
        "Not looked at: .DS_Store, Thumbs.db, __MACOSX and 2 more (hidden).",
        "Not looked at: new folder (no class, as no image is in it).",
    )


@pytest.mark.parametrize("top", ["images", "images/v2"])
def test_folders_around_everything_are_looked_into(tree, top):
    folder = tree(*each(f"{top}/train/a", f"{top}/train/b", f"{top}/val/a", f"{top}/val/b"))
    images = open_images(str(folder))
    assert (images.classes, images.stored_splits) == (("a", "b"), True)
    assert images.notes == (f"Classes are those in {top}, which holds all images.",)


@pytest.mark.parametrize("inner", [("train", "test"), ("images", "images")])
def test_folders_around_the_classes_of_every_split_are_looked_into(tree, inner):
    folder = tree(*each(*(f"{s}/{i}/{c}" for s, i in zip(("train", "test"), inner, strict=True) for c in "ab")))
    assert open_images(str(folder)).classes == ("a", "b")


@pytest.mark.parametrize("top", ["", "CUB/", "CUB/v2/"])
def test_masks_beside_images_are_no_classes(tree, top):
    folder = tree(*each(f"{top}images/a", f"{top}images/b", f"{top}Segmentations/a", f"{top}Segmentations/b"))
    images = open_images(str(folder))
    assert (images.classes, len(images), images.found) == (("a", "b"), 4, 8)
    assert set(images.skipped.values()) == {"in Segmentations, which is named like annotations, beside images"}


def test_classes_may_be_called_like_annotations(tree):
    assert open_images(str(tree(*each("face", "mask")))).classes == ("face", "mask")


def test_splits_within_each_class_are_the_splits(tree):
    folder = tree(*each("a/train", "a/test", "b/train", "b/test", count=4))
    images = open_images(str(folder))
    assert (images.classes, images.stored_splits) == (("a", "b"), True)
    assert all("/test/" in images.image_name(i) for i in images.splits["test"])
    assert len(images.splits["test"]) == 8


def test_classes_are_those_of_the_training_images(tree):
    folder = tree(*each("train/a", "train/b", "test/a", "test/unknown"))
    images = open_images(str(folder))
    assert images.classes == ("a", "b")
    assert Counter(images.skipped.values()) == {"of unknown, which is no class of train": 2}
    assert images.notes == ("test has no image of b.",)


def test_other_folders_beside_splits_are_left_out_and_told(tree):
    folder = tree(*each("train/a", "train/b", "test/a", "test/b", "docs"), "cover.png")
    images = open_images(str(folder))
    assert images.classes == ("a", "b")
    assert set(images.skipped) == {str(folder / name) for name in ("cover.png", "docs/0.png", "docs/1.png")}
    assert set(images.skipped.values()) == {"in no folder of a split or class"}


def test_one_class_may_be_called_train(tree):
    images = open_images(str(tree(*each("bus", "car", "train"))))
    assert images.classes == ("bus", "car", "train")
    assert images.notes == ("train is read as a class, because it stands beside others.",)


REFUSED = {
    "splits without classes": (
        each("train", "test"),
        "has test, train, named like splits, with no",
    ),
    "a split beside classes": (each("train/a", "b", "c"), "has train, which is named like a split, beside b, c: give"),
    "flat test beside classes": (each("a", "b", "test"), "has test, which is named like a split, beside a, b: give"),
    "two of one split": (each("val/a", "dev/a"), "the stored splits are dev, val: they may be"),
    "splits in some classes": (each("a/train", "a/test", "b"), "named like splits in some classes"),
}


@pytest.mark.parametrize(("paths", "message"), REFUSED.values(), ids=REFUSED)
def test_what_can_be_read_in_two_ways_is_refused(tree, paths, message):
    with pytest.raises(BadInput, match=message) as caught:
        open_images(str(tree(*paths)))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("folders", [("train/images", "valid/images"), ("train/JPEGImages",), ("images",)])
def test_a_folder_called_like_pictures_alone_is_no_class(tree, folders):
    folder = tree(*each(*folders))
    for label in folders:
        beside = folder / Path(label).parent / "labels"
        beside.mkdir()
        (beside / "0.txt").write_text("0 .5 .5 .1 .1")
    with pytest.raises(BadInput, match=r"(?i)images, which name no class: give each class a sub-folder"):
        open_images(str(folder))


def test_a_folder_called_like_pictures_beside_another_is_a_class(tree):
    assert open_images(str(tree(*each("images", "drawings")))).classes == ("drawings", "images")


def test_content_decides_whether_a_file_is_an_image(tree):
    folder = tree("a/scan", "a/photo.dat", "b/bitmap.jpg")
    (folder / "b" / "labels.xml").write_text("<xml/>")
    (folder / "b" / "view.heic").write_bytes(b"\0\0\0\x18ftypheic")
    images = open_images(str(folder))
    assert labelled(images, folder) == {"a/scan": "a", "a/photo.dat": "a", "b/bitmap.jpg": "b"}
    assert list(images.skipped) == [str(folder / "b" / "view.heic")]
    assert images.notes == ("Not looked at: b/labels.xml (no image).",)


def test_clips_may_be_in_splits_and_stray_frames_are_told(tree):
    folder = tree(*each("train/a/x", "train/b/y", "test/a/z", "test/b/z"), *each("train/a", "test/a/z/deep"))
    images = open_images(str(folder), clips=True)
    assert (images.classes, len(images), images.found) == (("a", "b"), 4, 12)
    assert [len(clip.frames) for clip in images.source] == [2] * 4
    assert Counter(images.skipped.values()) == {"in no clip of train": 2, "deeper than CLASS/CLIP of test": 2}
    assert np.array_equal(images.splits["test"] >= 0, [True, True])


def test_names_of_folders_and_files_are_told_on_one_line(tree):
    folder = tree(*each("a", "b\nc"))
    (folder / "a" / "d\n\x1be.txt").write_text("no image")
    images = open_images(str(folder))
    assert images.classes == ("a", "b c")
    assert images.account().isprintable()


def test_class_names_that_differ_in_case_alone_are_matched_with_the_training_images_and_told(tree):
    images = open_images(str(tree(*each("train/cat", "train/Dog", "val/Cat", "val/dog", count=3))))
    assert images.classes == ("Dog", "cat") and images.skipped == {}
    assert len(images.splits["validation"]) == 6
    assert "Cat is read as the class cat: the names differ in case alone." in images.account()
    assert "dog is read as the class Dog" in images.account()


def test_two_classes_that_differ_in_case_alone_stay_two_and_are_told(tree):
    images = open_images(str(tree(*each("cat", "Cat", "dog", count=3))))
    assert images.classes == ("Cat", "cat", "dog")
    assert images.account() == "Cat, cat are read as 2 classes: their names differ in case alone."
