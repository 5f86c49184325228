from __future__ import annotations

import inspect
import pickle
import re
import struct

import numpy as np
import pytest
import scipy.io
from pictures import picture
from PIL import Image
from torchvision import datasets

from explorer.core.errors import BadInput
from explorer.data import open_images
from explorer.data.torchvision_sets import TORCHVISION_SETS, data_root


@pytest.fixture(autouse=True)
def root(tmp_path, monkeypatch):
    monkeypatch.setenv("PRUNING_EXPLORER_DATA", str(tmp_path))
    return tmp_path


def write_mnist(root, name: str, train: int, test: int) -> None:
    raw = root / name / "raw"
    raw.mkdir(parents=True)
    for part, count in {"train": train, "t10k": test}.items():
        x = np.stack([picture(i, 28, 28, channels=1) for i in range(count)])
        y = (np.arange(count) % 10).astype(np.uint8)
        (raw / f"{part}-images-idx3-ubyte").write_bytes(struct.pack(">4i", 2051, count, 28, 28) + x.tobytes())
        (raw / f"{part}-labels-idx1-ubyte").write_bytes(struct.pack(">2i", 2049, count) + y.tobytes())


@pytest.mark.parametrize("name", ["MNIST", "FashionMNIST", "KMNIST"])
def test_published_test_part_stays_the_test_split(root, name):
    write_mnist(root, name, train=40, test=20)
    images = open_images(f"torchvision:{name}")
    assert images.name == name
    assert len(images.classes) == 10
    assert images.stored_splits
    assert sorted(images.splits["test"]) == list(range(40, 60))
    assert {split: len(members) for split, members in images.splits.items()} == {
        "finetune": 20,
        "calibration": 10,
        "validation": 10,
        "test": 20,
    }
    assert np.array_equal(images.image(3), picture(3, 28, 28, channels=1))


def test_limit_is_for_each_published_part(root):
    write_mnist(root, "MNIST", train=40, test=20)
    images = open_images("torchvision:MNIST", limit=10)
    assert len(images) == 20
    assert len(images.splits["test"]) == 10


def test_cifar(root, monkeypatch):
    monkeypatch.setattr(datasets.CIFAR10, "_check_integrity", lambda self: True)
    monkeypatch.setattr("torchvision.datasets.cifar.check_integrity", lambda *_: True)
    folder = root / "cifar-10-batches-py"
    folder.mkdir()
    x = np.stack([picture(i, 32, 32) for i in range(10)])
    batch = {"data": x.transpose(0, 3, 1, 2).reshape(10, -1), "labels": list(range(10))}
    for file in ["test_batch", *(f"data_batch_{i}" for i in range(1, 6))]:
        (folder / file).write_bytes(pickle.dumps(batch))
    (folder / "batches.meta").write_bytes(pickle.dumps({"label_names": [f"class {i}" for i in range(10)]}))
    images = open_images("torchvision:CIFAR10")
    assert len(images) == 60
    assert images.classes[9] == "class 9"
    assert np.array_equal(images.image(52), picture(2, 32, 32))


@pytest.mark.parametrize("name", ["SVHN", "STL10"])
def test_channels_first_files_come_out_channels_last(root, monkeypatch, name):
    x = np.stack([picture(i, 96, 96) for i in range(10)])
    if name == "SVHN":
        monkeypatch.setattr(datasets.SVHN, "_check_integrity", lambda self: True)
        for part in ("train", "test"):
            labels = np.arange(1, 11)[:, None]
            scipy.io.savemat(root / f"{part}_32x32.mat", {"X": x.transpose(1, 2, 3, 0), "y": labels})
    else:
        monkeypatch.setattr(datasets.STL10, "_check_integrity", lambda self: True)
        folder = root / "stl10_binary"
        folder.mkdir()
        (folder / "class_names.txt").write_text("\n".join(f"class {i}" for i in range(10)))
        for part in ("train", "test"):
            (folder / f"{part}_X.bin").write_bytes(x.transpose(0, 3, 2, 1).tobytes())
            (folder / f"{part}_y.bin").write_bytes(bytes(range(1, 11)))
    images = open_images(f"torchvision:{name}")
    assert images.source.shape == (20, 96, 96, 3)
    assert np.array_equal(images.image(4), picture(4, 96, 96))
    assert len(images.classes) == 10


def test_images_in_files_are_not_decoded_on_opening(root, monkeypatch):
    monkeypatch.setattr(datasets.Flowers102, "_check_integrity", lambda self: True)
    folder = root / "flowers-102"
    (folder / "jpg").mkdir(parents=True)
    for i in range(1, 13):
        (folder / "jpg" / f"image_{i:05d}.jpg").write_text("no image")
    Image.fromarray(picture(0)).save(folder / "jpg" / "image_00001.jpg")
    scipy.io.savemat(folder / "imagelabels.mat", {"labels": np.arange(1, 13) % 3 + 1})
    parts = {"trnid": np.arange(1, 5), "valid": np.arange(5, 9), "tstid": np.arange(9, 13)}
    scipy.io.savemat(folder / "setid.mat", parts)
    images = open_images("torchvision:Flowers102")
    assert len(images.classes) == 102
    assert {split: len(members) for split, members in images.splits.items()} == {
        "finetune": 3,
        "calibration": 1,
        "validation": 4,
        "test": 4,
    }
    assert images.labels.tolist() == [1, 2, 0] * 4
    first = next(i for i in range(12) if images.image_name(i).endswith("image_00001.jpg"))
    assert images.image(first).size == (8, 6)
    with pytest.raises(BadInput, match=r"image_00002\.jpg can't be read"):
        images.image(next(i for i in range(12) if images.image_name(i).endswith("image_00002.jpg")))


@pytest.mark.parametrize("name", TORCHVISION_SETS)
def test_absent_set_names_the_line_that_downloads_it(root, name):
    with pytest.raises(
        BadInput, match=f"{name} is missing or incomplete under {root}; give --download, or .*: python -c"
    ) as caught:
        open_images(f"torchvision:{name}")
    line = re.search(r'python -c "(.*)"$', str(caught.value))[1]
    imports, calls = line.split("; ", 1)
    assert imports == f"from torchvision.datasets import {name}"

    def check(*args, **kwargs):
        bound = inspect.signature(getattr(datasets, name)).bind(*args, **kwargs)
        assert bound.arguments["root"] == str(root)
        assert bound.arguments["download"] is True

    exec(calls, {name: check})
    assert list(root.iterdir()) == []


def test_download_is_asked_of_every_part_and_only_when_wanted(root, monkeypatch):
    asked = []

    def fetch(self):
        asked.append(self.train)
        if not (root / "MNIST").exists():
            write_mnist(root, "MNIST", train=40, test=20)

    monkeypatch.setattr(datasets.MNIST, "download", fetch)
    with pytest.raises(BadInput, match="MNIST is missing or incomplete"):
        open_images("torchvision:MNIST")
    assert asked == []
    assert len(open_images("torchvision:MNIST", download=True)) == 60
    assert sorted(asked) == [False, True]


def test_a_download_that_fails_says_why(root, monkeypatch):
    def fetch(self):
        raise OSError("no route to host\nat all")

    monkeypatch.setattr(datasets.MNIST, "download", fetch)
    with pytest.raises(BadInput, match=f"MNIST can't be downloaded to {root}: no route to host\\.$"):
        open_images("torchvision:MNIST", download=True)


def test_only_sets_of_torchvision_can_be_downloaded():
    with pytest.raises(BadInput, match="only data sets of torchvision can be downloaded, and 'demo' is none"):
        open_images("demo", download=True)
    with pytest.raises(BadInput, match="'mnist' is unknown"):
        open_images("torchvision:mnist", download=True)


def test_unknown_set(root):
    with pytest.raises(BadInput, match="'mnist' is unknown: use one of CIFAR10, CIFAR100, Country211"):
        open_images("torchvision:mnist")


def test_default_root(monkeypatch):
    monkeypatch.setenv("HOME", "/home/ada")
    monkeypatch.delenv("PRUNING_EXPLORER_DATA")
    assert str(data_root()) == "/home/ada/.cache/pruning-explorer/data"
