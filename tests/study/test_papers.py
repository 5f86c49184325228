"""The paper's own settings: found on the disk, or one sentence with what gets them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from invoke import run

from explorer.cli import studying
from explorer.study.papers import PAPERS, like, weights_path
from explorer.study.presets import PRESETS
from explorer.study.published import LIKE, TABLE_1


@pytest.fixture(autouse=True)
def nothing_at_hand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRUNING_EXPLORER_DATA", str(tmp_path / "data"))
    monkeypatch.setattr("torch.hub.get_dir", lambda: str(tmp_path / "hub"))


@pytest.mark.parametrize(
    ("name", "more", "said"),
    [
        ("alexnet-flowers", [], "pruning-explorer study alexnet-flowers --out"),
        ("vgg16-flowers", [], "the images of Oxford Flowers-102 (torchvision:Flowers102), not on this disk"),
        ("vgg16-birds", [], "curl -L https://data.caltech.edu/records/65de6-vp158/files/CUB_200_2011.tgz | tar -xz"),
        ("alexnet-imagenet", [], "image-net.org gives them to those who sign up"),
        ("alexnet-birds", ["--data", "birds"], "alexnet-birds needs the published weights of torchvision:alexnet"),
    ],
)
def test_what_is_absent_is_named_with_what_gets_it(tmp_path: Path, name: str, more: list[str], said: str) -> None:
    done = run("study", name, *more, "--out", tmp_path / "out")
    assert done.code == 2 and said in done.err and done.err.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_with_all_at_hand_the_network_is_fine_tuned_first_and_then_studied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = weights_path(PAPERS["alexnet-birds"])
    assert path.name.startswith("alexnet-") and path.suffix == ".pth"
    path.parent.mkdir(parents=True)
    path.touch()
    asked: list[Any] = []
    monkeypatch.setattr(studying.finetune, "main", lambda words, **how: asked.append(words))
    monkeypatch.setattr(studying, "open_subject", lambda request: asked.append(request) or exit(0))
    run("study", "alexnet-birds", "--data", "birds", "--out", tmp_path / "out")
    words, request = asked
    told = dict(zip(words[::2], words[1::2], strict=False))
    assert told["--arch"] == "torchvision:alexnet" and told["--data"] == "birds" and told["--epochs"] == "60"
    assert told["--out"] == request.network == str(tmp_path / "out" / "network")


def test_imagenet_needs_no_fine_tuning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = weights_path(PAPERS["vgg16-imagenet"])
    path.parent.mkdir(parents=True)
    path.touch()
    asked: list[Any] = []
    monkeypatch.setattr(studying, "imagenet", asked.append)
    monkeypatch.setattr(studying, "open_subject", lambda request: asked.append(request) or exit(0))
    run("study", "vgg16-imagenet", "--data", "val", "--out", tmp_path / "out")
    assert asked[0] == asked[1].arch == "torchvision:vgg16" and asked[1].network == str(path)


def test_they_prune_with_the_papers_training() -> None:
    preset = PAPERS["vgg16-birds"].fitted(PRESETS["quick"])
    recipe = preset.recipe
    assert (preset.updates, recipe.learning_rate, recipe.momentum, recipe.batch_size) == (30, 1e-4, 0.9, 32)
    assert preset.compared == (1, 5, 20, 30)


def test_a_study_of_one_of_them_stands_beside_its_own_row() -> None:
    for paper in PAPERS.values():
        assert like({"settings": {"preset": paper.fitted(PRESETS["full"]).name}}) == paper.like
    assert like({"settings": {"preset": "quick"}}) == like({"settings": {}}) == LIKE
    assert {paper.like for paper in PAPERS.values()} - set(TABLE_1) == {"VGG-16 / ImageNet"}
