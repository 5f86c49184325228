"""Heads and stems of people's own: rebuilt where names and shapes say all of it, else asked for in one sentence."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from explorer.core.errors import BadInput
from explorer.networks.architectures.families import build, input_shape_for, preprocessing_for
from explorer.networks.architectures.fitting import fitted, transferred
from explorer.networks.checkpoints.reading import Checkpoint

RESNET, MOBILE = (
    "explorer:resnet20",
    "torchvision:mobilenet_v3_small",
)  # heads "linear", and "classifier" of four layers


def checkpoint(module: nn.Module, prefix: str = "") -> Checkpoint:
    return Checkpoint("own.pth", {prefix + name: tensor for name, tensor in module.state_dict().items()})


def changed(arch: str, **parts: nn.Module) -> nn.Module:
    module = build(arch, seed=1)
    for path, part in parts.items():
        module.set_submodule(path.replace("__", "."), part)
    return module.eval()


def same(module: nn.Module, loaded: nn.Module, shape: tuple[int, ...]) -> bool:
    x = torch.randn(2, *shape, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        return torch.equal(module(x), loaded(x))


def mlp(activation: nn.Module) -> nn.Module:
    return nn.Sequential(nn.Linear(64, 24), activation, nn.Dropout(0.4), nn.Linear(24, 3))


ROWS: dict[str, tuple[str, Callable[[], nn.Module], str]] = {
    "dropout first": ("linear", lambda: nn.Sequential(nn.Dropout(0.3), nn.Linear(64, 3)), "Linear(64, 3)"),
    "no bias": ("linear", lambda: nn.Linear(64, 3, bias=False), "Linear(64, 3) without bias"),
    "linear layers alone": (
        "linear",
        lambda: nn.Sequential(nn.Linear(64, 5), nn.Linear(5, 3)),
        "Linear(64, 5), Linear(5, 3)",
    ),
    "batch norm": (
        "linear",
        lambda: nn.Sequential(nn.BatchNorm1d(64), nn.Dropout(), nn.Linear(64, 3)),
        "BatchNorm1d(64), Linear(64, 3)",
    ),
    "an activation with weights": (
        "linear",
        lambda: nn.Sequential(nn.Linear(64, 5), nn.PReLU(), nn.Linear(5, 3)),
        "Linear(64, 5), PReLU, Linear(5, 3)",
    ),
    "named": (
        "linear",
        lambda: nn.Sequential(OrderedDict(drop=nn.Dropout(), last=nn.Linear(64, 3))),
        "Linear(64, 3)",
    ),
}


@pytest.mark.parametrize("name", ROWS)
@pytest.mark.parametrize("prefix", ["", "module.", "state_dict/net."])
def test_a_row_that_shapes_tell_is_rebuilt_and_said(name: str, prefix: str) -> None:
    path, make, says = ROWS[name]
    module = changed(RESNET, **{path: make()})
    loaded, note = fitted(RESNET, checkpoint(module, prefix))
    assert same(module, loaded, (3, 32, 32))
    assert note.endswith(f"Rebuilt from the shapes in the file: {path} as {says}.") or name == "named"


@pytest.mark.parametrize(
    ("path", "head"),
    [
        ("classifier", nn.Linear(576, 3)),
        ("classifier", nn.Sequential(nn.Dropout(), nn.Linear(576, 3))),
        ("classifier.3", nn.Sequential(nn.Dropout(), nn.Linear(1024, 3))),
    ],
)
def test_a_sequence_or_its_end_may_be_replaced(path: str, head: nn.Module) -> None:
    module = changed(MOBILE, **{path.replace(".", "__"): head})
    loaded, note = fitted(MOBILE, checkpoint(module))
    assert same(module, loaded, (3, 32, 32)) and f"{path} as Linear" in note


@pytest.mark.parametrize(
    ("word", "activation"),
    [
        ("relu", nn.ReLU()),
        ("gelu", nn.GELU()),
        ("tanh", nn.Tanh()),
        ("leaky_relu", nn.LeakyReLU()),
        ("none", nn.Identity()),
    ],
)
def test_an_activation_between_linear_layers_is_asked_for(word: str, activation: nn.Module) -> None:
    module = changed(RESNET, linear=mlp(activation))
    with pytest.raises(BadInput) as question:
        fitted(RESNET, checkpoint(module))
    assert str(question.value) == (
        "own.pth has a head of its own, linear as Linear(64, 24), ?, Linear(24, 3): which activation stands between "
        "its linear layers, weights don't show. Say it behind the architecture's name, explorer:resnet20,head=relu (or "
        "gelu, silu, tanh, elu, leaky_relu, none), or name the code that builds the network, --arch "
        "package.module:factory."
    )
    loaded, note = fitted(f"{RESNET},head={word}", checkpoint(module))
    assert same(module, loaded, (3, 32, 32)) and f", {type(activation).__name__}, Linear(24, 3)." in note


def test_names_leave_open_whether_something_stands_between_linear_layers() -> None:
    head = nn.Sequential(
        OrderedDict(fc1=nn.Linear(64, 9), relu=nn.ReLU(), fc2=nn.Linear(9, 3), output=nn.LogSoftmax(1))
    )
    module = changed(RESNET, linear=head)
    with pytest.raises(BadInput, match=r"Linear\(64, 9\), \?, Linear\(9, 3\)"):
        fitted(RESNET, checkpoint(module))
    loaded, _ = fitted(f"{RESNET},head=relu", checkpoint(module))
    module.linear = nn.Sequential(*[*head][:-1])
    assert same(module, loaded, (3, 32, 32))


@pytest.mark.parametrize(
    "head",
    [
        nn.Sequential(nn.Linear(64, 9), nn.ReLU(), nn.BatchNorm1d(9), nn.Dropout(), nn.Linear(9, 3)),  # on which side?
        nn.Sequential(nn.Linear(64, 9), nn.LayerNorm(9), nn.Linear(9, 3)),  # or a batch-norm without statistics
        nn.Sequential(nn.Linear(128, 3)),  # of features that the architecture does not have
    ],
)
def test_what_weights_do_not_tell_is_never_guessed(head: nn.Module) -> None:
    module = changed(RESNET, linear=head)
    for arch in (RESNET, f"{RESNET},head=relu"):
        with pytest.raises(
            BadInput,
            match=r"a head of its own in place of linear, of a form .*: name the .* --arch package\.module:factory\.",
        ):
            fitted(arch, checkpoint(module))


@pytest.mark.parametrize("channels", [1, 2, 4, 13])
def test_a_first_convolution_of_other_channels_is_rebuilt(channels: int) -> None:
    bias = channels == 1  # as people forget to leave it out
    module = changed(MOBILE, features__0__0=nn.Conv2d(channels, 16, 3, 2, 1, bias=bias))
    loaded, note = fitted(MOBILE, checkpoint(module))
    assert same(module, loaded, (channels, 32, 32))
    assert f"features.0.0 with {channels} input channels" in note and ("with a bias" in note) == bias


@pytest.mark.parametrize("word", ["cifar", "pooled", "strided"])
def test_a_smaller_stem_is_asked_for(word: str) -> None:
    stride, pooling = (2 if word == "strided" else 1), nn.Identity() if word == "cifar" else nn.MaxPool2d(3, 2, 1)
    arch = "torchvision:resnet18"
    module = changed(arch, conv1=nn.Conv2d(1, 64, 3, stride, 1, bias=False), maxpool=pooling)
    with pytest.raises(
        BadInput, match=rf"has a 3x3 kernel in conv1 in place of 7x7: .* {arch},stem=cifar \(stride 1, no"
    ):
        fitted(arch, checkpoint(module))
    said = f"{arch},stem={word}"
    loaded, _ = fitted(said, checkpoint(module))
    assert same(module, loaded, (1, 32, 32))
    assert preprocessing_for(said).size is None and input_shape_for(said, preprocessing_for(said)) == (3, 32, 32)


def test_only_known_variants_are_taken() -> None:
    for said in ("head=swish", "stem", "tail=relu", "head=relu,head=relu"):
        with pytest.raises(BadInput, match=r"behind its name: use stem=cifar\|pooled\|strided or head=relu\|"):
            build(f"{RESNET},{said}")
    with pytest.raises(BadInput, match="has no stem of a large kernel"):
        build(f"{RESNET},stem=cifar")


def without_head(module: nn.Module) -> dict[str, Tensor]:
    return {name: tensor for name, tensor in module.state_dict().items() if not name.startswith("linear")}


def test_a_backbone_without_head_is_for_fine_tuning() -> None:
    module = build(RESNET, seed=1)
    bare = Checkpoint("nofc.pth", {f"model/{name}": tensor for name, tensor in without_head(module).items()})
    with pytest.raises(
        BadInput, match=r"^nofc\.pth has no head, linear\.weight, linear\.bias: fine-tuning makes a new"
    ):
        fitted(RESNET, bare)
    for source in (bare, checkpoint(changed(RESNET, linear=mlp(nn.ReLU())))):
        tuned, said = transferred(RESNET, source, 4, seed=2)
        state = tuned.state_dict()
        assert torch.equal(tuned.linear.weight, build(RESNET, 4, seed=2).linear.weight)
        assert all(torch.equal(state[n.split("/")[-1]], t) for n, t in source.weights.items() if "linear" not in n)
        assert said.endswith("New, with random weights: linear.weight, linear.bias.")
