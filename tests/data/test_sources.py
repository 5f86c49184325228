from __future__ import annotations

import numpy as np
import pytest
from pictures import picture

from explorer.core.errors import BadInput
from explorer.data import assets, open_images
from explorer.data.sources import SOURCES


@pytest.fixture
def arrays():
    return {"x": np.stack([picture(i) for i in range(10)]), "y": np.arange(10) % 2}


def test_kinds():
    folder = "FOLDER (one sub-folder a class)"
    assert list(SOURCES) == [
        "demo",
        "gestures (synthetic clips)",
        "torchvision:NAME",
        folder,
        "FILE.npz",
        "X.npy,Y.npy",
        "FILE.csv",
    ]


def test_demo_is_the_embedded_file(tmp_path, monkeypatch, arrays):
    np.savez(tmp_path / "images.npz", **arrays)
    monkeypatch.setattr(assets, "FOLDERS", (tmp_path / "absent", tmp_path))
    images = open_images("demo")
    assert images.name == "demo"
    assert np.array_equal(images.source, arrays["x"])


def test_missing_asset_is_one_sentence(tmp_path, monkeypatch):
    monkeypatch.setattr(assets, "FOLDERS", (tmp_path,))
    with pytest.raises(BadInput, match=r"embedded file 'images\.npz' is missing"):
        open_images("demo")


def test_asset_of_an_installed_package_comes_first(tmp_path, monkeypatch):
    for folder in ("installed", "checkout"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "a.txt").touch()
    monkeypatch.setattr(assets, "FOLDERS", (tmp_path / "installed", tmp_path / "checkout"))
    assert assets.asset("a.txt") == tmp_path / "installed" / "a.txt"


def test_home_and_any_case(tmp_path, monkeypatch, arrays):
    np.savez(tmp_path / "set.npz", **arrays)
    (tmp_path / "set.npz").rename(tmp_path / "set.NPZ")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert len(open_images("~/set.NPZ")) == 10


@pytest.mark.parametrize(
    "where", ["", "  ", "nowhere", "nowhere.npz", "a\0b", "x" * 5000, "~nobody-of-that-name/x", "torchvision"]
)
def test_unknown_places(where):
    with pytest.raises(
        BadInput, match=r"does not exist, or is of no known kind: give demo or gestures \(synthetic clips\) or t"
    ):
        open_images(where)


def test_other_files(tmp_path):
    for name in ("a.zip", "a.npy", "a.txt"):
        (tmp_path / name).write_text("1,2")
        with pytest.raises(BadInput, match="of no known kind"):
            open_images(str(tmp_path / name))


def test_settings_are_checked():
    with pytest.raises(BadInput, match="seed is -1"):
        open_images("demo", seed=-1)
    with pytest.raises(BadInput, match="limit is 0"):
        open_images("demo", limit=0)
