"""--data in all its forms, and what goes with it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from invoke import result, run
from PIL import Image
from tiny import make

PLAIN = ("--mean", "0.13", "--std", "0.31")


@pytest.fixture
def digits(tmp_path: Path, few: Path) -> Path:
    """A folder of the few digits as `x.npy`, `y.npy`, and as images that `set.csv` names."""
    with np.load(few) as stored:
        x, y = stored["x"], stored["y"]
    np.save(tmp_path / "x.npy", x)
    np.save(tmp_path / "y.npy", y)
    for i, image in enumerate(x):
        Image.fromarray(image.reshape(28, 28)).save(tmp_path / f"{i}.png")
    (tmp_path / "set.csv").write_text("\n".join(f"{i}.png,{label}" for i, label in enumerate(y)))
    return tmp_path


def test_every_form_of_the_same_images_gives_the_same(digits: Path, few: Path, tmp_path: Path) -> None:
    forms = (few, f"{digits}/x.npy,{digits}/y.npy", digits / "set.csv")
    found = [result(tmp_path, "evaluate", "demo", "--data", form)[1] for form in forms]
    assert [each["images"] for each in found] == [80] * 3
    assert found[1]["loss"] == found[2]["loss"] == pytest.approx(found[0]["loss"], rel=1e-9)
    assert len({each["accuracy"] for each in found}) == 1


def test_tables_say_what_the_images_went_through_and_how_many_were_skipped(digits: Path) -> None:
    (digits / "0.png").write_bytes(b"no image")
    done = run("evaluate", "demo", "--data", digits / "set.csv")
    assert done.code == 0
    assert "1 of 80 images left out: it is no JPEG, " in done.err and "0.png" in done.err
    assert "Preprocessing: no resize, no crop, grey, mean " in " ".join(done.out.split())


def test_ones_own_architecture_is_asked_how_its_images_are_prepared(few: Path, tmp_path: Path) -> None:
    torch.save(make().state_dict(), tmp_path / "tiny.pt")
    own = (tmp_path / "tiny.pt", "--arch", "tiny:make", "--data", few)
    done = run("evaluate", *own, "--size", 28)
    assert done.code == 2
    assert done.err.startswith("Error: Give --mean and --std, and --size and --crop where images are resized")
    assert done.err.count("\n") == 1
    assert run("evaluate", *own, "--size", 28, *PLAIN).code == 0


def test_clips_for_a_network_of_still_images_are_refused(few: Path) -> None:
    done = run("evaluate", "demo", "--data", few, "--frames", 4)
    assert done.code == 2
    assert "this is a still image, but the network takes clips of 4 frames" in done.err


def test_nothing_is_downloaded_unless_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from torchvision import datasets

    def fetch(self: object) -> None:
        raise OSError("asked for")

    monkeypatch.setenv("PRUNING_EXPLORER_DATA", str(tmp_path))
    monkeypatch.setattr(datasets.MNIST, "download", fetch)
    refused = run("evaluate", "demo", "--data", "torchvision:MNIST")
    assert refused.code == 2 and "give --download, or this downloads it: python -c" in refused.err
    tried = run("evaluate", "demo", "--data", "torchvision:MNIST", "--download")
    assert tried.code == 2 and "MNIST can't be downloaded" in tried.err and "asked for" in tried.err


def test_a_test_folder_without_labels_is_told_and_the_rest_measured_as_ever(few: Path, tmp_path: Path) -> None:
    with np.load(few) as stored:
        for i, (image, label) in enumerate(zip(stored["x"], stored["y"], strict=True)):
            for where in (f"{('train', 'valid')[i % 2]}/{label}", *(["test"] if i < 5 else [])):
                (tmp_path / "data" / where).mkdir(parents=True, exist_ok=True)
                Image.fromarray(image.reshape(28, 28)).save(tmp_path / "data" / where / f"{i}.png")
    done, found = result(tmp_path, "evaluate", "demo", "--data", tmp_path / "data", "--split", "all")
    expected = result(tmp_path, "evaluate", "demo", "--data", few, "--split", "all")[1]
    assert (found["images"], found["accuracy"]) == (80, expected["accuracy"])
    assert found["loss"] == pytest.approx(expected["loss"], rel=1e-6)
    assert "Note: 5 of 85 images left out: unlabelled, in no class folder of test (5: " in done.err
    assert found["data"]["skipped"] == [str(tmp_path / "data" / "test" / f"{i}.png") for i in range(5)]
    assert found["data"]["notes"] == []
