from __future__ import annotations

import os

import numpy as np
import pytest
from pictures import picture
from PIL import Image

from explorer.core.errors import BadInput
from explorer.data import Batches, Preprocessing, open_images


def test_classes_are_the_sub_folders_in_alphabetical_order(make_folder):
    images = open_images(str(make_folder(zebra=3, ant=5)))
    assert images.name == "photos"
    assert images.classes == ("ant", "zebra")
    assert images.labels.tolist() == [0] * 5 + [1] * 3
    assert np.array_equal(np.asarray(images.image(0)), picture(100))  # ant was made second
    assert images.image_name(7).endswith("zebra/2.png")
    assert images.skipped == {}
    assert not images.stored_splits


def test_suffixes_of_any_case_and_sizes_of_any_kind(make_folder):
    folder = make_folder(a=1, b=1)
    Image.fromarray(picture(1, 9, 4)).save(folder / "a" / "x.JPEG", format="JPEG")
    Image.fromarray(picture(2, 3, 30)).save(folder / "a" / "y.WebP", format="WEBP")
    Image.fromarray(picture(3)).save(folder / "a" / "z.Jpg", format="JPEG")
    (folder / "a" / "notes.txt").write_text("not looked at")
    images = open_images(str(folder))
    assert len(images) == 5
    assert images.notes == ("Not looked at: a/notes.txt (no image).",)
    assert images.skipped == {}
    assert images.image(1).size == (4, 9)


def test_unreadable_files_are_skipped_with_the_reason_and_folders_without_images_are_no_classes(make_folder):
    folder = make_folder(a=2, b=0, c=2, d=0)
    for broken in ("a/broken.jpg", "d/broken.jpg"):
        (folder / broken).write_text("no image")
    (folder / "c" / "directory.png").mkdir()
    images = open_images(str(folder))
    assert images.classes == ("a", "c", "d")  # the images of d can't be read, but labels must not shift
    assert images.labels.tolist() == [0, 0, 1, 1]
    reason = "it is no JPEG, PNG, WEBP, BMP, GIF, TIFF, PPM or AVIF image"
    assert images.skipped == {str(folder / name): reason for name in ("a/broken.jpg", "d/broken.jpg")}
    assert images.notes == ("Not looked at: b, c/directory.png (no class, as no image is in it).",)


def test_a_photo_cut_off_is_skipped_and_in_no_split(make_folder):
    folder = make_folder(a=4, b=4)
    cut = folder / "a" / "1.png"
    cut.write_bytes(cut.read_bytes()[:-30])
    (folder / "b" / "gone.jpg").symlink_to(folder / "nowhere.jpg")
    images = open_images(str(folder))
    assert images.skipped == {
        str(cut): "it is cut off or damaged inside",
        str(folder / "b" / "gone.jpg"): "No such file or directory",
    }
    assert images.describe().endswith("seed 0, 2 skipped")
    assert sorted(np.concatenate(list(images.splits.values()))) == list(range(7))
    assert sum(len(y) for _, y in Batches(images, "all", Preprocessing((0.5,), (1.0,)))) == 7


def test_folders_that_hold_themselves_do_no_harm(make_folder):
    folder = make_folder(a=2, b=2)
    (folder / "a" / "again").symlink_to(folder)
    (folder / "loop").symlink_to(folder / "loop")
    images = open_images(str(folder))
    assert (images.classes, len(images), images.skipped) == (("a", "b"), 4, {})


def test_one_class(make_folder):
    images = open_images(str(make_folder(a=5)))
    assert images.classes == ("a",)
    assert sum(map(len, images.splits.values())) == 5


def test_sub_folders_called_like_splits_are_the_splits(make_folder):
    folder = make_folder(cat=10, dog=10)
    for split, numbers in {"Train": range(6), "val": range(6, 8), "test": range(8, 10)}.items():
        for name in ("cat", "dog"):
            (folder / "root" / split / name).mkdir(parents=True)
            for i in numbers:
                (folder / name / f"{i}.png").rename(folder / "root" / split / name / f"{i}.png")
    images = open_images(str(folder / "root"))
    assert images.stored_splits
    assert (images.name, images.classes, images.clips) == ("root", ("cat", "dog"), False)
    for split, part, count in (("finetune", "Train", 12), ("validation", "val", 4), ("test", "test", 4)):
        members = images.splits[split]
        assert all(f"/{part}/{images.classes[images.labels[i]]}/" in images.image_name(i) for i in members)
        assert len(members) == (8 if split == "finetune" else count)
    assert len(images.splits["calibration"]) == 4


def test_a_pipe_named_like_an_image_does_not_block(make_folder):
    folder = make_folder(a=1)
    os.mkfifo(folder / "a" / "pipe.png")
    assert len(open_images(str(folder))) == 1


def test_hidden_folders_and_files_are_not_looked_at(make_folder):
    folder = make_folder(a=1, b=1)
    (folder / ".cache").mkdir()
    (folder / "a" / "._0.png").write_text("resource fork")
    images = open_images(str(folder))
    assert (images.classes, len(images), images.skipped) == (("a", "b"), 2, {})


def test_class_names_that_are_no_text_can_be_shown(make_folder):
    folder = make_folder(a=1)
    (folder / "a").rename(folder / os.fsdecode(b"caf\xe9"))
    images = open_images(str(folder))
    assert images.classes == ("caf?",)
    assert len(images.digest) == 64


def test_empty_folder(tmp_path):
    with pytest.raises(BadInput, match="needs images in sub-folders, one for each class: there is none in it"):
        open_images(str(tmp_path))


def test_images_without_class_folders(tmp_path):
    Image.fromarray(picture(0)).save(tmp_path / "a.png")
    with pytest.raises(BadInput, match=r"none of the 1 found can be used; .*a\.png is the first: unlabelled"):
        open_images(str(tmp_path))


def test_class_folders_without_images(make_folder):
    with pytest.raises(BadInput, match="needs images in sub-folders, one for each class: there is none in it"):
        open_images(str(make_folder(a=0, b=0)))


def test_folder_one_level_too_high_is_that_in_it_and_says_so(make_folder):
    images = open_images(str(make_folder(a=2, b=1).parent))
    assert (images.classes, images.labels.tolist()) == (("a", "b"), [0, 0, 1])
    assert images.notes == ("Classes are those in photos, which holds all images.",)


def test_nothing_readable(make_folder):
    folder = make_folder(a=0)
    (folder / "a" / "x.png").write_text("no image")
    with pytest.raises(BadInput, match=r"none of the 1 found can be used; .*x\.png is the first: it is no JPEG"):
        open_images(str(folder))


def test_limit_and_seed(make_folder):
    folder = str(make_folder(a=8, b=16))
    assert np.bincount(open_images(folder, limit=6).labels).tolist() == [2, 4]
    first, again, other = (open_images(folder, seed=seed, limit=6) for seed in (1, 1, 2))
    assert first.source == again.source
    assert first.digest == again.digest
    assert first.source != other.source


def test_digest_sees_a_changed_file(make_folder):
    folder = make_folder(a=4)
    before = open_images(str(folder)).digest
    Image.fromarray(picture(9, 20, 20)).save(folder / "a" / "0.png")
    assert open_images(str(folder)).digest != before


def test_real_cifar_images(shared_data):
    images = open_images(str(shared_data / "cifar10" / "test_jpeg"))
    names = "airplane automobile bird cat deer dog frog horse ship truck"
    assert images.classes == tuple(names.split())
    assert np.bincount(images.labels).tolist() == [100] * 10
    assert {name: len(members) for name, members in images.splits.items()} == {
        "finetune": 400,
        "calibration": 200,
        "validation": 200,
        "test": 200,
    }
    assert images.image(0).size == (32, 32)


def test_real_leaf_images(shared_data):
    images = open_images(str(shared_data / "leaf" / "test"))
    assert len(images) == 800
    assert len(images.classes) == 4
    assert images.image(799).size == (256, 256)
