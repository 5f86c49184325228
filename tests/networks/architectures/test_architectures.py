"""Architectures by name: built without touching the global random state, and described for their images."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from threading import Event

import pytest
import torch
from torch import nn

from explorer.core.errors import BadInput
from explorer.data.preprocessing import Preprocessing
from explorer.networks.architectures import families, from_torchvision
from explorer.networks.architectures.families import build, input_shape_for, known_architectures, preprocessing_for

FACTORY = """
from torch import nn

class Net(nn.Module):
    def __init__(self, num_classes):
        super().__init__()
        self.model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, num_classes))

    def forward(self, x):
        return self.model(x)

def make(num_classes=5):
    return Net(num_classes)

def fixed():
    return Net(3)

def wrong():
    return "a network"

def broken():
    raise KeyError("no such width")
"""


@pytest.fixture
def factory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The name of an importable module with factories in it."""
    (tmp_path / "own_factories.py").write_text(FACTORY)
    monkeypatch.syspath_prepend(tmp_path)
    yield "own_factories"
    sys.modules.pop("own_factories", None)


def test_known_architectures_are_classification_cnns() -> None:
    known = known_architectures()
    assert known_architectures("explorer") == tuple(
        f"explorer:{n}" for n in ("vgg_small", "vgg_tiny", "resnet20", "resnet32", "resnet56", "r3dcnn")
    )
    assert {"torchvision:vgg16", "torchvision:resnet50", "torchvision:squeezenet1_0"} < set(known)
    assert not [
        arch for arch in known if any(word in arch for word in ("vit_", "swin", "rcnn", "deeplab", "raft", "mvit"))
    ]
    assert len(known) == len(set(known)) >= 55


@pytest.mark.parametrize("arch", known_architectures())
def test_every_known_architecture_is_described(arch: str) -> None:
    preprocessing = preprocessing_for(arch)
    channels, *time, height, width = input_shape_for(arch, preprocessing)
    assert channels == len(preprocessing.mean) and height == width >= 28
    assert time == ([] if preprocessing.frames is None else [16])
    if arch.startswith("torchvision:"):
        assert preprocessing == from_torchvision.preprocessing(arch.partition(":")[2]) and height == preprocessing.crop


@pytest.mark.parametrize(
    "arch",
    ["explorer:vgg_small", "explorer:resnet20", "torchvision:squeezenet1_0", "torchvision:googlenet", "timm:resnet18"],
)
def test_networks_answer_with_one_logit_a_class(arch: str) -> None:
    if arch.startswith("timm"):
        pytest.importorskip("timm")
    channels, side, _ = input_shape_for(arch, preprocessing_for(arch))
    with torch.no_grad():
        assert build(arch, 4).eval()(torch.zeros(2, channels, side, side)).shape == (2, 4)


def test_input_channels() -> None:
    assert build("explorer:vgg_small", in_channels=3).features[0].in_channels == 3
    assert build("explorer:resnet20", in_channels=1).conv1.in_channels == 1
    assert build("torchvision:vgg11", in_channels=5).features[0].weight.shape == (64, 5, 3, 3)
    assert build("torchvision:googlenet", 3, in_channels=1).transform_input is False


def test_building_is_seeded_and_leaves_the_random_state_alone() -> None:
    torch.manual_seed(7)
    before = torch.get_rng_state()
    one, again, other = (build("explorer:resnet20", seed=seed).conv1.weight for seed in (1, 1, 2))
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(one, again) and not torch.equal(one, other)


def test_preprocessing_of_own_and_timm_networks() -> None:
    assert preprocessing_for("explorer:vgg_small") == Preprocessing((0.1307,), (0.3081,))
    assert preprocessing_for("explorer:resnet56") == Preprocessing((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
    assert input_shape_for("explorer:resnet56", preprocessing_for("explorer:resnet56")) == (3, 32, 32)
    assert input_shape_for("explorer:vgg_small", Preprocessing((0.5,), (0.5,), 40)) == (1, 40, 40)
    pytest.importorskip("timm")
    inception = preprocessing_for("timm:inception_v4")
    assert (inception.size, inception.crop, inception.mean) == (341, 299, (0.5, 0.5, 0.5))  # 299 / 0.875 = 341.7


@pytest.mark.parametrize(
    ("arch", "words"),
    [
        ("vgg16", "'vgg16' is unknown; the closest are torchvision:vgg16"),
        ("torchvision:resnet_50", "closest are .*torchvision:resnet50"),
        ("explorer:resnet21", "closest are .*explorer:resnet20"),
        ("torchvision:fasterrcnn_resnet50_fpn", "is unknown"),
        ("torchvision:vit_b_16", "is unknown"),
        ("", "'' is unknown; write it as"),
        ("os:system", "is your own code: it is called only on the command line"),
        ("a b:c", "is unknown"),
        ("../x:y", "is unknown"),
    ],
)
def test_unknown_architectures(arch: str, words: str) -> None:
    with pytest.raises(BadInput, match=words):
        build(arch)


def test_unknown_timm_architecture() -> None:
    pytest.importorskip("timm")
    with pytest.raises(BadInput, match=r"closest are .*timm:resnet18"):
        build("timm:resnet_18")
    with pytest.raises(BadInput, match="is unknown"):
        build("timm:hf-hub:someone/something")


def test_missing_timm_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "timm", None)  # makes every import of it fail
    with pytest.raises(BadInput, match=r'pip install "pruning-explorer\[timm\]"'):
        build("timm:resnet18")


def test_who_starts_the_app_may_let_all_name_factories(factory: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(families, "_FACTORIES", Event())
    assert not families.factories_allowed()
    families.allow_factories()
    assert families.factories_allowed() and build(f"{factory}:make", 7)(torch.zeros(1, 3, 8, 8)).shape == (1, 7)


def test_own_factory_runs_only_if_trusted(factory: str) -> None:
    with pytest.raises(BadInput, match="only on the command line"):
        build(f"{factory}:make")
    assert factory not in sys.modules
    assert build(f"{factory}:make", 7, trusted=True)(torch.zeros(1, 3, 8, 8)).shape == (1, 7)
    assert isinstance(build(f"{factory}:fixed", trusted=True), nn.Module)
    assert input_shape_for(f"{factory}:make", preprocessing_for(f"{factory}:make")) == (3, 32, 32)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("wrong", "returns a str; it must return a torch.nn.Module"),
        ("broken", "can't be built: KeyError: 'no such width'"),
        ("absent", r"can't be imported \(AttributeError"),
    ],
)
def test_own_factory_that_fails(factory: str, name: str, words: str) -> None:
    with pytest.raises(BadInput, match=words):
        build(f"{factory}:{name}", trusted=True)


def test_own_factory_without_the_option_or_the_module(factory: str) -> None:
    with pytest.raises(BadInput, match="own_factories:fixed takes no num_classes"):
        build(f"{factory}:fixed", 4, trusted=True)
    with pytest.raises(BadInput, match=r"can't be imported \(ModuleNotFoundError"):
        build("no_such_package:make", trusted=True)
