"""Checkpoints meet architectures: head size inferred, weights in place, misfits named, architectures proposed."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from hostile import saved
from torch import Tensor, nn

from explorer.core.errors import BadInput
from explorer.networks.architectures import families, from_timm
from explorer.networks.architectures.families import build, input_shape_for, preprocessing_for
from explorer.networks.architectures.fitting import fit, fitted, propose
from explorer.networks.checkpoints.reading import Checkpoint, read_checkpoint

ARCHITECTURES = [
    ("explorer:vgg_small", 7),
    ("explorer:resnet32", 3),
    ("torchvision:squeezenet1_1", 4),
    ("torchvision:mobilenet_v3_small", 5),
    ("torchvision:shufflenet_v2_x0_5", 2),
    ("torchvision:resnet18", 6),
    ("torchvision:regnet_x_400mf", 3),
    ("torchvision:googlenet", 9),
    ("torchvision:mnasnet0_5", 3),
    ("timm:mobilenetv3_small_050", 4),
]

PREFIXED = """
from torch import nn

def make(num_classes=2):
    return nn.ModuleDict({"model": nn.Linear(3, num_classes)})
"""


def checkpoint(module: nn.Module, **metadata: object) -> Checkpoint:
    return Checkpoint("weights.pt", dict(module.state_dict()), metadata)


def changed(one: nn.Module, **weights: Tensor | None) -> Checkpoint:
    """The module's checkpoint with some tensors replaced, or left out where None."""
    named = {**one.state_dict(), **{name.replace("__", "."): tensor for name, tensor in weights.items()}}
    return Checkpoint("weights.pt", {name: tensor for name, tensor in named.items() if tensor is not None})


@pytest.mark.parametrize(("arch", "classes"), ARCHITECTURES)
def test_head_size_is_inferred_and_the_output_is_the_same(arch: str, classes: int) -> None:
    if arch.startswith("timm"):
        pytest.importorskip("timm")
    original = build(arch, classes, seed=3).eval()
    loaded = fit(arch, read_checkpoint(saved({"state_dict": original.state_dict()}), "w.pt"))
    x = torch.randn(2, *input_shape_for(arch, preprocessing_for(arch)))
    with torch.no_grad():
        assert loaded(x).shape == (2, classes) and torch.equal(loaded(x), original(x))
    assert not loaded.training and not any(p.requires_grad for p in loaded.parameters())


def test_weights_of_another_library_are_renamed_as_the_architecture_s_own_does_on_loading(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    original = build("explorer:vgg_small", 4, seed=3).eval()
    names = {name: name.replace("classifier.2", "fc") for name in original.state_dict()}
    theirs = {
        f"module.{names[name]}": tensor[..., None] if name == "classifier.2.weight" else tensor
        for name, tensor in original.state_dict().items()
    }

    def filter_fn(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
        ours = {name.replace("fc.", "classifier.2."): tensor for name, tensor in tensors.items()}
        return ours | {
            "classifier.2.weight": ours["classifier.2.weight"].reshape(-1, ours["classifier.2.weight"].shape[1])
        }

    family = replace(families.FAMILIES["explorer"], renamed=from_timm.renamed)
    monkeypatch.setitem(families.FAMILIES, "explorer", family)
    with pytest.raises(BadInput, match=r"missing classifier\.2\.weight|classifier\.2"):
        fitted("explorer:vgg_small", Checkpoint("theirs.pt", theirs))
    monkeypatch.setattr(sys.modules[type(original).__module__], "_filter_fn", filter_fn, raising=False)
    module, said = fitted("explorer:vgg_small", Checkpoint("theirs.pt", theirs))
    assert all(torch.equal(tensor, module.state_dict()[name]) for name, tensor in original.state_dict().items())
    assert f"{len(theirs)} tensors" in said and "renamed as explorer does on loading" in said and "left" not in said


def test_input_channels_are_inferred() -> None:
    original = build("explorer:vgg_small", 4, in_channels=3)
    assert fit("explorer:vgg_small", checkpoint(original)).features[0].in_channels == 3


def test_fitting_leaves_checkpoint_and_random_state_alone() -> None:
    source = checkpoint(build("explorer:resnet20"))
    before = torch.get_rng_state()
    fit("explorer:resnet20", source).conv1.weight.zero_()
    assert torch.equal(torch.get_rng_state(), before) and source.weights["conv1.weight"].any()


def test_missing_batch_counters_are_no_misfit() -> None:
    original = build("explorer:resnet20")
    old = {name: tensor for name, tensor in original.state_dict().items() if "num_batches" not in name}
    loaded = fit("explorer:resnet20", Checkpoint("old.th", old))
    assert loaded.bn1.num_batches_tracked == 0 and torch.equal(loaded.conv1.weight, original.conv1.weight)


def test_auxiliary_heads_are_left_out() -> None:
    original = build("torchvision:googlenet", 3)
    extra = {f"aux{n}.fc2.weight": torch.zeros(3, 1024) for n in (1, 2)}
    assert fit("torchvision:googlenet", Checkpoint("w.pt", {**original.state_dict(), **extra})).fc.out_features == 3


def test_misfit_names_the_first_keys_and_shapes() -> None:
    net = build("explorer:vgg_small")
    wrong = changed(net, features__0__weight=torch.zeros(32, 1, 5, 5), features__2__bias=None, tail=torch.zeros(2))
    with pytest.raises(BadInput) as misfit:
        fit("explorer:vgg_small", wrong)
    assert str(misfit.value) == (
        "weights.pt does not fit explorer:vgg_small: missing features.2.bias (32); unexpected tail (2); "
        "features.0.weight is (32, 1, 5, 5) instead of (32, 1, 3, 3); if that was changed by hand, name the code that "
        "builds the network, --arch package.module:factory."
    )


def test_misfit_of_another_architecture_is_short() -> None:
    with pytest.raises(BadInput, match=r"missing .* and \d+ more; unexpected .* and \d+ more") as misfit:
        fit("torchvision:vgg11", checkpoint(build("explorer:resnet20")))
    assert len(str(misfit.value)) < 700


def test_head_of_impossible_size_takes_no_memory() -> None:
    net = build("explorer:vgg_small")
    wrong = changed(net, classifier__5__weight=torch.zeros(10**12, 0), classifier__5__bias=None)
    with pytest.raises(BadInput, match=r"classifier.5.weight is \(1000000000000, 0\) instead of \(10, 128\)"):
        fit("explorer:vgg_small", wrong)


def test_own_factory_whose_names_share_a_prefix(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "prefixed_factory.py").write_text(PREFIXED)
    monkeypatch.syspath_prepend(tmp_path)
    weights = {"model.weight": torch.ones(5, 3), "model.bias": torch.zeros(5)}
    loaded = fit("prefixed_factory:make", read_checkpoint(saved(weights), "w.pt"), trusted=True)
    assert torch.equal(loaded["model"].weight, torch.ones(5, 3))
    with pytest.raises(BadInput, match="only on the command line"):
        fit("prefixed_factory:make", read_checkpoint(saved(weights), "w.pt"))
    sys.modules.pop("prefixed_factory")


def test_proposals_come_from_manifest_keys_and_shapes() -> None:
    assert propose(checkpoint(build("explorer:resnet56", 3))) == ("explorer:resnet56",)
    assert propose(checkpoint(build("explorer:vgg_small", 3, in_channels=3))) == ("explorer:vgg_small",)
    assert propose(checkpoint(build("torchvision:squeezenet1_1", 3))) == ("torchvision:squeezenet1_1",)
    assert propose(checkpoint(nn.Linear(2, 2), arch="explorer:resnet20")) == ("explorer:resnet20",)
    assert propose(checkpoint(nn.Linear(2, 2))) == ()


def test_manifest_never_names_code() -> None:
    assert propose(checkpoint(build("explorer:resnet20"), arch="os:getcwd")) == ("explorer:resnet20",)


def test_real_checkpoints_find_their_architecture(shared_data: Path) -> None:
    cifar = read_checkpoint(shared_data / "cifar10" / "resnet20-12fca82f.th")
    leaf = read_checkpoint(shared_data / "leaf" / "squeezenet1_0_leaf.pth")
    assert propose(cifar) == ("explorer:resnet20",) and propose(leaf) == ("torchvision:squeezenet1_0",)
    with torch.no_grad():
        assert fit("explorer:resnet20", cifar)(torch.zeros(1, 3, 32, 32)).shape == (1, 10)
        assert fit("torchvision:squeezenet1_0", leaf)(torch.zeros(1, 3, 224, 224)).shape == (1, 4)
