from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
import torch
from pictures import picture
from PIL import Image

from explorer.core.errors import BadInput
from explorer.data import (
    Batches,
    ImageSet,
    Labelled,
    Preprocessing,
    batches,
    image_set,
    normalise,
    open_images,
    to_tensor,
)

PLAIN = Preprocessing((0.5, 0.4, 0.3), (0.2, 0.3, 0.4))


@pytest.fixture
def images() -> ImageSet:
    x = np.stack([picture(i) for i in range(50)])
    return image_set("set", Labelled(x, np.arange(50) % 5, list("abcde")), seed=0)


@pytest.mark.parametrize("size", [1, 7, 20, 64])
def test_batches_are_the_split_in_its_order(images, size):
    data = Batches(images, "finetune", PLAIN, size=size)
    parts = list(data)
    assert [len(y) for _, y in parts] == [min(size, 20 - start) for start in range(0, 20, size)]
    x, y = torch.cat([x for x, _ in parts]), torch.cat([y for _, y in parts])
    members = images.splits["finetune"]
    assert torch.equal(x, torch.stack([to_tensor(picture(i), PLAIN) for i in members]))
    assert y.dtype == torch.int64
    assert y.tolist() == [i % 5 for i in members]


def test_length_counts_images(images):
    data = Batches(images, "test", PLAIN, size=3)
    assert len(data) == 10
    assert np.array_equal(data.indices, images.splits["test"])
    assert data.classes == tuple("abcde")


def test_limit_takes_the_first(images):
    data = Batches(images, "calibration", PLAIN, limit=5)
    assert np.array_equal(data.indices, images.splits["calibration"][:5])
    assert sorted(next(iter(data))[1].tolist()) == [0, 1, 2, 3, 4]
    assert len(Batches(images, "calibration", PLAIN, limit=999)) == 10


def test_all_is_every_image_in_seeded_order(images):
    data = Batches(images, "all", PLAIN)
    assert sorted(data.indices) == list(range(50))
    assert not np.array_equal(data.indices, Batches(replace(images, seed=1), "all", PLAIN).indices)


def test_describe(images):
    assert Batches(images, "calibration", PLAIN).describe() == "10 calibration images of set, seed 0"
    assert Batches(images, "all", PLAIN, limit=1).describe() == "1 image of set, seed 0"


def counting(images: ImageSet, monkeypatch) -> list[int]:
    read: list[int] = []
    image = ImageSet.image
    monkeypatch.setattr(ImageSet, "image", lambda self, i, channels: read.append(int(i)) or image(self, i, channels))
    return read


def test_small_splits_are_decoded_once(images, monkeypatch):
    read = counting(images, monkeypatch)
    data = Batches(images, "test", PLAIN, size=4)
    first, second = list(data), list(data)
    assert sorted(read) == sorted(images.splits["test"])
    assert all(torch.equal(a, b) and torch.equal(y, z) for (a, y), (b, z) in zip(first, second, strict=True))


def test_large_splits_are_decoded_each_time(images, monkeypatch):
    monkeypatch.setattr(batches, "KEPT_BYTES", 10 * 6 * 8 * 3 - 1)
    read = counting(images, monkeypatch)
    data = Batches(images, "test", PLAIN, size=4)
    assert len(list(data)) == len(list(data)) == 3
    assert len(read) == 20


def test_what_was_not_read_to_the_end_is_not_kept(images, monkeypatch):
    data = Batches(images, "test", PLAIN, size=4)
    next(iter(data))
    read = counting(images, monkeypatch)
    assert sum(len(y) for _, y in data) == 10
    assert len(read) == 10


def test_writing_into_a_batch_changes_nothing(images):
    data = Batches(images, "test", PLAIN)
    before = [(x.clone(), y.clone()) for x, y in data]
    for x, y in data:
        x.zero_()
        y.zero_()
    (x, y), (again, labels) = before[0], next(iter(data))
    assert torch.equal(x, again)
    assert torch.equal(y, labels)
    assert np.array_equal(images.source, [picture(i) for i in range(50)])


def test_threads_read_the_same(images):
    data = Batches(images, "all", PLAIN, size=3)
    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(lambda _: torch.cat([x for x, _ in data]), range(16)))
    assert all(torch.equal(result, results[0]) for result in results)


def test_sizes_that_differ_name_two_images(make_folder):
    folder = make_folder(a=2)
    Image.fromarray(picture(0, 9, 5)).save(folder / "a" / "tall.png")
    images = open_images(str(folder))
    message = r"(is 5x9 and .* 8x6|is 8x6 and .* 5x9) pixels after preprocessing: give --size and --crop"
    for size in (1, 64):
        with pytest.raises(BadInput, match=message) as caught:
            list(Batches(images, "all", PLAIN, size=size))
        assert "tall.png" in str(caught.value)
    cropped = Batches(images, "all", replace(PLAIN, size=6, crop=6))
    assert next(iter(cropped))[0].shape == (3, 3, 6, 6)


def test_an_image_that_cannot_be_prepared_is_named(make_folder):
    images = open_images(str(make_folder(a=1)))
    with pytest.raises(BadInput, match=r"a/0\.png: an image of 8x6 pixels is smaller than the crop of 7"):
        list(Batches(images, "all", replace(PLAIN, crop=7)))


def test_an_image_damaged_after_opening_is_named(make_folder):
    folder = make_folder(a=1)
    images = open_images(str(folder))
    (folder / "a" / "0.png").write_bytes(b"gone")
    with pytest.raises(BadInput, match=r"a/0\.png can't be read"):
        list(Batches(images, "all", PLAIN))


def test_unknown_and_empty_splits(images):
    with pytest.raises(BadInput, match="set has no split 'train', but finetune, calibration, validation, test, all"):
        Batches(images, "train", PLAIN)
    one = image_set("one", Labelled(images.source[:1], images.labels[:1], ["a"]), seed=0)
    with pytest.raises(BadInput, match="the test split of one is empty: 1 images are too few for all splits"):
        Batches(one, "test", PLAIN)
    assert len(Batches(one, "all", PLAIN)) == 1


@pytest.mark.parametrize("setting", ["limit", "size"])
def test_settings_are_checked(images, setting):
    with pytest.raises(BadInput, match=f"{setting} is 0: at least 1 image is needed"):
        Batches(images, "test", PLAIN, **{setting: 0})


def test_a_still_is_what_the_network_gets_before_it_is_normalised(images):
    data = Batches(images, "test", replace(PLAIN, crop=4))
    x = torch.cat([x for x, _ in data])
    for position in (0, 9):
        pixels = data.still(position)
        assert pixels.dtype == torch.uint8 and pixels.shape == (3, 4, 4)
        torch.testing.assert_close(normalise(pixels, data.preprocessing), x[position])
