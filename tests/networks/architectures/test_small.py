from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
import torch_pruning as tp
from PIL import Image
from torch import Tensor, nn

from explorer.networks.architectures.small import fixed_shortcut, resnet20, resnet32, resnet56, vgg_small

IMAGENET_MEAN, IMAGENET_STD = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
ALL = [(vgg_small, (1, 28, 28)), (resnet20, (3, 32, 32)), (resnet32, (3, 32, 32)), (resnet56, (3, 32, 32))]


def groups_of(module: nn.Module, shape: tuple[int, ...]) -> dict[frozenset[tuple[str, str]], int]:
    """{(module, side) of every coupled layer with weights: channels at stake} for each group of convolutions."""
    graph = tp.DependencyGraph().build_dependency(module, torch.zeros(1, *shape))
    names = {child: name for name, child in module.named_modules()}
    found = {}
    for group in graph.get_all_groups(root_module_types=[nn.Conv2d]):
        coupled = [(names.get(item.dep.target.module), item.dep.handler.__name__) for item in group]
        key = frozenset((name, "in" if "in_channels" in prune else "out") for name, prune in coupled if name)
        found[key] = len(group[0].idxs)
    return found


@pytest.mark.parametrize(("build", "shape"), ALL)
@pytest.mark.parametrize("num_classes", [2, 10])
def test_gives_one_logit_a_class(
    build: Callable[..., nn.Module], shape: tuple[int, int, int], num_classes: int
) -> None:
    assert build(num_classes=num_classes).eval()(torch.zeros(2, *shape)).shape == (2, num_classes)


@pytest.mark.parametrize(("build", "shape"), ALL)
def test_traces_with_fx_to_the_same_function(build: Callable[..., nn.Module], shape: tuple[int, int, int]) -> None:
    module, x = build().eval(), torch.randn(2, *shape)
    assert torch.equal(torch.fx.symbolic_trace(module)(x), module(x))


def test_vgg_small_is_six_padded_convolutions_in_pairs_without_batch_norm() -> None:
    module = vgg_small(num_classes=7, in_channels=3)
    convs = [m for m in module.modules() if isinstance(m, nn.Conv2d)]
    assert [(c.in_channels, c.out_channels) for c in convs] == [
        (3, 32),
        (32, 32),
        (32, 64),
        (64, 64),
        (64, 128),
        (128, 128),
    ]
    assert all(c.kernel_size == (3, 3) and c.padding == (1, 1) for c in convs)
    assert not any(isinstance(m, nn.BatchNorm2d) for m in module.modules())
    # convolutions 9 * in * out + out, then two linear layers behind 28 -> 14 -> 7 -> 3 pixels
    kernels = 9 * (3 * 32 + 32 * 32 + 32 * 64 + 64 * 64 + 64 * 128 + 128 * 128) + 448
    linear = 128 * 9 * 128 + 128 + 128 * 7 + 7
    assert sum(p.numel() for p in module.parameters()) == kernels + linear


def test_vgg_small_drops_out_before_both_linear_layers() -> None:
    kinds = [type(m) for m in vgg_small().classifier]
    assert kinds == [nn.Flatten, nn.Dropout, nn.Linear, nn.ReLU, nn.Dropout, nn.Linear]


@pytest.mark.parametrize(("build", "parameters"), [(resnet20, 0.27e6), (resnet32, 0.46e6), (resnet56, 0.85e6)])
def test_resnets_have_the_parameters_published_in_table_6_of_he_et_al(
    build: Callable[[], nn.Module], parameters: float
) -> None:
    assert sum(p.numel() for p in build().parameters()) == pytest.approx(parameters, abs=0.005e6)


@pytest.mark.parametrize(("read", "write", "stride"), [(16, 32, 2), (3, 9, 1), (4, 8, 3)])
def test_fixed_shortcut_is_strided_slicing_and_zero_padding_of_channels(read: int, write: int, stride: int) -> None:
    x = torch.randn(2, read, 7, 7)
    side = (write - read) // 2
    sliced = nn.functional.pad(x[:, :, ::stride, ::stride], (0, 0, 0, 0, side, side))
    assert torch.equal(fixed_shortcut(read, write, stride)(x), sliced)


def test_fixed_shortcut_is_neither_trained_nor_stored() -> None:
    shortcut = fixed_shortcut(16, 32, 2)
    assert not list(shortcut.parameters())
    assert not shortcut.state_dict()


def test_vgg_groups_are_single_convolutions_with_their_one_reader() -> None:
    groups = groups_of(vgg_small().eval(), (1, 28, 28))
    convs = [f"features.{i}" for i in (0, 2, 5, 7, 10, 12)]
    readers = [*convs[1:], "classifier.2"]
    widths = [32, 32, 64, 64, 128, 128]
    assert groups == {
        frozenset({(conv, "out"), (reader, "in")}): width
        for conv, reader, width in zip(convs, readers, widths, strict=True)
    }


def test_resnet_groups_are_inner_convolutions_and_one_residual_stream_a_stage() -> None:
    groups = groups_of(resnet20().eval(), (3, 32, 32))
    inner = [
        frozenset({(f"{block}.conv1", "out"), (f"{block}.bn1", "out"), (f"{block}.conv2", "in")})
        for block in (f"layer{stage}.{place}" for stage in (1, 2, 3) for place in range(3))
    ]
    assert [groups[group] for group in inner] == [16] * 3 + [32] * 3 + [64] * 3
    streams = {width: group for group, width in groups.items() if group not in inner}
    assert len(streams) == len(groups) - len(inner) == 3
    for stage, width in ((1, 16), (2, 32), (3, 64)):
        written = {name for name, side in streams[width] if side == "out"}
        assert {f"layer{stage}.{place}.conv2" for place in range(3)} < written
        assert not any(name.startswith(f"layer{other}") for other in {1, 2, 3} - {stage} for name in written)
    assert {("layer2.0.shortcut", "in"), ("layer2.0.conv1", "in"), ("conv1", "out")} < streams[16]
    assert {("layer2.0.shortcut", "out"), ("layer3.0.shortcut", "in")} < streams[32]
    assert {("layer3.0.shortcut", "out"), ("linear", "in")} < streams[64]


@pytest.fixture(scope="module")
def cifar_test(shared_data: Path) -> tuple[Tensor, Tensor]:
    """The 1,000 JPEG test images, normalised, and their labels."""
    files = sorted((shared_data / "cifar10" / "test_jpeg").glob("*/*.jpg"))
    classes = sorted({file.parent.name for file in files})
    x = torch.from_numpy(np.stack([np.asarray(Image.open(file)) for file in files])).float() / 255
    y = torch.tensor([classes.index(file.parent.name) for file in files])
    return ((x - IMAGENET_MEAN) / IMAGENET_STD).permute(0, 3, 1, 2), y


def test_published_resnet20_loads_strictly_and_reaches_its_accuracy(
    shared_data: Path, cifar_test: tuple[Tensor, Tensor]
) -> None:
    stored = torch.load(shared_data / "cifar10" / "resnet20-12fca82f.th", map_location="cpu", weights_only=True)
    module = resnet20().eval()
    module.load_state_dict({name.removeprefix("module."): value for name, value in stored["state_dict"].items()})
    x, y = cifar_test
    with torch.inference_mode():
        predicted = torch.cat([module(part).argmax(1) for part in x.split(100)])
    assert (predicted == y).double().mean().item() == pytest.approx(0.809, abs=0.0015)
