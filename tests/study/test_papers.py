"""The paper's own settings: found on the disk, or one sentence with what gets them."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import miniatures
import pytest
from invoke import run

from explorer.cli import studying
from explorer.data import Changes
from explorer.study.papers import PAPERS, like, weights_path
from explorer.study.presets import PRESETS
from explorer.study.published import LIKE, TABLE_1
from explorer.training.finetune import IMAGENET, Recipe


@pytest.fixture(autouse=True)
def nothing_at_hand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRUNING_EXPLORER_DATA", str(tmp_path / "data"))
    monkeypatch.setattr("torch.hub.get_dir", lambda: str(tmp_path / "hub"))


@pytest.mark.parametrize(
    ("name", "more", "said", "gets"),
    [
        ("alexnet-flowers", [], "the images of Oxford Flowers-102 (torchvision:Flowers102), not on this disk", []),
        ("vgg16-flowers", [], "vgg16-flowers needs the published weights of torchvision:vgg16", []),
        ("vgg16-birds", [], "needs the images of Caltech-UCSD Birds-200", ["--data", "CUB_200_2011/images"]),
        ("alexnet-imagenet", [], "image-net.org gives them to those who sign up", ["--data", "FOLDER"]),
        ("alexnet-birds", ["--data", "birds"], "needs the published weights", ["--data", "birds"]),
        ("alexnet-flowers", ["--data", "f", "--preset", "full"], "needs the published weights", ["--data", "f"]),
    ],
)
def test_what_is_absent_is_named_with_the_command_that_gets_it(
    tmp_path: Path, name: str, more: list[str], said: str, gets: list[str]
) -> None:
    done = run("study", name, *more, "--out", tmp_path / "out")
    assert done.code == 2 and said in done.err and done.err.count("\n") == 1
    assert not (tmp_path / "out").exists()
    preset = "full" if "full" in more else "quick"
    line = shlex.join(["pruning-explorer", "study", name, *gets, "--preset", preset, "--out", str(tmp_path / "out")])
    assert done.err.endswith(f"{line} --download\n")


def test_birds_come_from_their_archive_before_the_study_starts(tmp_path: Path) -> None:
    said = run("study", "alexnet-birds", "--out", tmp_path / "out").err
    archive = "curl -L https://data.caltech.edu/records/65de6-vp158/files/CUB_200_2011.tgz | tar -xz"
    assert f"where there is internet, this gets them and goes on: {archive} && pruning-explorer study" in said


@pytest.mark.parametrize(
    ("name", "folder", "reason"),
    [
        ("alexnet-flowers", False, "torchvision data set Flowers102 can't be downloaded to"),
        ("vgg16-birds", True, "The ImageNet weights of torchvision:vgg16 can't be downloaded"),
        ("alexnet-imagenet", True, "The ImageNet weights of torchvision:alexnet can't be downloaded"),
    ],
)
def test_without_a_connection_the_command_that_gets_it_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, folder: bool, reason: str
) -> None:
    def unreachable(*given: Any, **named: Any) -> None:
        raise OSError("Network is unreachable")

    monkeypatch.setattr("socket.getaddrinfo", unreachable)
    given = ["--data", miniatures.birds(tmp_path)] if folder else []
    done = run("study", name, *given, "--out", tmp_path / "out", "--download")
    assert done.code == 2 and reason in done.err and "Network is unreachable" in done.err and done.err.count("\n") == 1


def test_with_all_at_hand_the_network_is_fine_tuned_first_and_then_studied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = weights_path(PAPERS["alexnet-birds"])
    assert path.name.startswith("alexnet-") and path.suffix == ".pth"
    path.parent.mkdir(parents=True)
    path.touch()
    asked: list[Any] = []
    monkeypatch.setattr(studying, "finetuned", lambda *given: asked.extend(given))
    monkeypatch.setattr(studying, "open_subject", lambda request, **how: asked.append(request) or exit(0))
    more = ("--limit", 9, "--batch-size", 2, "--frames", 8, "--crop", 64, "--mean", "0,0,0", "--seed", 3)
    run("study", "alexnet-birds", "--data", "birds", "--out", tmp_path / "out", *more)
    tuning, recipe, epochs, folder, request = asked
    assert (tuning.network, tuning.arch, tuning.data) == (IMAGENET, "torchvision:alexnet", "birds")
    assert (tuning.limit, tuning.batch_size, tuning.seed) == (9, 2, 3), "nothing that was asked for is lost on the way"
    assert tuning.changes == request.changes == Changes(crop=64, mean=(0, 0, 0), frames=8)
    assert (recipe, epochs) == (Recipe(learning_rate=1e-4), 60)
    assert str(folder) == request.network == str(tmp_path / "out" / "network")


def test_frames_are_asked_of_the_fine_tuning_too(tmp_path: Path) -> None:
    where = ("--data", miniatures.birds(tmp_path), "--download", "--frames", 8)
    done = run("study", "alexnet-birds", *where, "--out", tmp_path / "out")
    assert (done.code, done.err.count("\n")) == (2, 1) and "frames" in done.err


def test_imagenet_needs_no_fine_tuning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = weights_path(PAPERS["vgg16-imagenet"])
    path.parent.mkdir(parents=True)
    path.touch()
    asked: list[Any] = []
    monkeypatch.setattr(studying, "imagenet", asked.append)
    monkeypatch.setattr(studying, "open_subject", lambda request, **how: asked.append(request) or exit(0))
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
