from __future__ import annotations

import json

import pytest
import torch
from exported import bare, export_bytes, images, logits, odd, torchvision_network
from torch import Tensor, nn

from explorer.core.errors import BadInput
from explorer.networks.graph.module_types import MODULES
from explorer.networks.graph.rebuild import rebuild
from explorer.networks.graph.safetensors_file import load_network
from explorer.networks.graph.trace import trace

TORCHVISION = (
    *("alexnet", "densenet121", "efficientnet_b0", "googlenet", "mnasnet0_5", "mobilenet_v2"),
    *("mobilenet_v3_small", "regnet_y_400mf", "resnet18", "shufflenet_v2_x0_5", "squeezenet1_0", "vgg11"),
)


@pytest.mark.parametrize("name", TORCHVISION)
def test_a_torchvision_network_computes_the_same_bits_after_reloading(name: str) -> None:
    network = torchvision_network(name)
    reloaded, manifest = load_network(export_bytes(network))
    x = images(network)
    assert torch.equal(logits(reloaded, x), logits(network.module, x))
    assert not reloaded.training
    assert manifest.classes == network.classes
    names = {key for key, _ in reloaded.named_parameters()}
    assert names == {key for key, _ in network.module.named_parameters()}


def test_exports_of_exports_stay_the_same() -> None:
    first, _ = load_network(export_bytes(odd()))
    second, manifest = load_network(export_bytes(bare(first, odd().input_shape)))
    again = trace(second, "again")
    assert again.graph == manifest.graph
    assert all(torch.equal(value, again.tensors[key]) for key, value in odd().module.state_dict().items())


def test_the_trace_changes_nothing_and_fits_json() -> None:
    network = torchvision_network("shufflenet_v2_x0_5")
    before = set(vars(network.module)), list(network.module.state_dict())
    graph = trace(network.module, "net").graph
    assert json.loads(json.dumps(graph, allow_nan=False)) == graph
    assert (set(vars(network.module)), list(network.module.state_dict())) == before


class Assorted(nn.Module):
    """One of each kind of argument: slices, ellipsis, tuples, dtypes, infinities, buffers, constants, dropped calls."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("kernel", torch.rand(3, 1, 3, 3), persistent=False)
        self.scale = nn.Parameter(torch.rand(1, 3, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        torch._assert(x.ndim == 4, "images come in batches")
        x = nn.functional.conv2d(x, self.kernel, padding=1, groups=3) * self.scale
        x = torch.cat([x[:, 1:], x[..., :1, :, :].contiguous(memory_format=torch.channels_last)], dim=1)
        x = x.clamp(min=-float("inf"), max=0.7) + torch.tensor([0.5])
        first, second = x.chunk(2, dim=3)
        x = (first - second).view(x.shape[0], -1, x.shape[-1] // 2).mean((1, 2), keepdim=True, dtype=torch.float64)
        return x.float().flatten(1).expand(x.size(0), 7)


def test_every_kind_of_argument_survives() -> None:
    network = bare(Assorted(), (3, 8, 8))
    data = export_bytes(network)
    reloaded, manifest = load_network(data)
    x = images(network, 5)
    assert torch.equal(logits(reloaded, x), logits(network.module, x))
    assert manifest.graph["tensors"] == {"kernel": "buffer", "scale": "parameter", "_tensor_constant0": "buffer"}
    assert not [n for n in manifest.graph["nodes"] if n["target"] in ("torch._assert", "operator.eq")]


LAYERS = {  # one instance of each type in the table, on feature maps (1, 4, 6, 6) unless it needs another shape
    "Conv1d": (nn.Conv1d(4, 2, 3, bias=False), (4, 6)),
    "Conv2d": (nn.Conv2d(4, 6, (3, 1), stride=2, padding="valid", dilation=1, groups=2, padding_mode="reflect"), None),
    "Conv3d": (nn.Conv3d(4, 2, 3), (4, 5, 6, 6)),
    "ConvTranspose2d": (nn.ConvTranspose2d(4, 2, 3, stride=2, output_padding=1), None),
    "Linear": (nn.Linear(6, 3, bias=False), None),
    "BatchNorm1d": (nn.BatchNorm1d(4), (4, 6)),
    "BatchNorm2d": (nn.BatchNorm2d(4, eps=1e-3, affine=False), None),
    "BatchNorm3d": (nn.BatchNorm3d(4), (4, 5, 6, 6)),
    "LayerNorm": (nn.LayerNorm((6, 6), bias=False), None),
    "GroupNorm": (nn.GroupNorm(2, 4), None),
    "InstanceNorm2d": (nn.InstanceNorm2d(4, affine=True), None),
    "LocalResponseNorm": (nn.LocalResponseNorm(2, alpha=0.1), None),
    "Dropout1d": (nn.Dropout1d(0.3), (4, 6)),
    "Dropout3d": (nn.Dropout3d(0.3), (4, 5, 6, 6)),
    "LeakyReLU": (nn.LeakyReLU(0.3), None),
    "PReLU": (nn.PReLU(4), None),
    "ELU": (nn.ELU(0.5), None),
    "CELU": (nn.CELU(0.5), None),
    "GELU": (nn.GELU("tanh"), None),
    "Hardtanh": (nn.Hardtanh(-0.1, 0.2), None),
    "Softplus": (nn.Softplus(2.0, 5.0), None),
    "Softmax": (nn.Softmax(1), None),
    "LogSoftmax": (nn.LogSoftmax(1), None),
    "MaxPool1d": (nn.MaxPool1d(2), (4, 6)),
    "MaxPool2d": (nn.MaxPool2d((2, 3), stride=1, ceil_mode=True), None),
    "MaxPool3d": (nn.MaxPool3d(2), (4, 5, 6, 6)),
    "AvgPool2d": (nn.AvgPool2d(3, padding=1, count_include_pad=False), None),
    "AvgPool3d": (nn.AvgPool3d(2), (4, 5, 6, 6)),
    "AdaptiveAvgPool1d": (nn.AdaptiveAvgPool1d(2), (4, 6)),
    "AdaptiveAvgPool2d": (nn.AdaptiveAvgPool2d((None, 2)), None),
    "AdaptiveAvgPool3d": (nn.AdaptiveAvgPool3d(2), (4, 5, 6, 6)),
    "AdaptiveMaxPool2d": (nn.AdaptiveMaxPool2d(2), None),
    "Flatten": (nn.Flatten(2, 3), None),
    "Unflatten": (nn.Unflatten(1, (2, 2)), None),
    "ZeroPad2d": (nn.ZeroPad2d((1, 0, 2, 0)), None),
    "ReflectionPad2d": (nn.ReflectionPad2d(1), None),
    "ReplicationPad2d": (nn.ReplicationPad2d(1), None),
    "ConstantPad2d": (nn.ConstantPad2d(1, 0.5), None),
    "PixelShuffle": (nn.PixelShuffle(2), None),
    "PixelUnshuffle": (nn.PixelUnshuffle(2), None),
    "Upsample": (nn.Upsample(scale_factor=2.0, mode="bilinear"), None),
}


class Last(nn.Module):
    """What a recurrent layer gives, without the state that it ends with."""

    def forward(self, given: tuple[Tensor, object]) -> Tensor:
        return given[0]


RECURRENT = {
    "RNN": (nn.RNN(6, 3, nonlinearity="relu", batch_first=True), (4, 6)),
    "GRU": (nn.GRU(6, 3, num_layers=2, bias=False, batch_first=True, dropout=0.1), (4, 6)),
    "LSTM": (nn.LSTM(6, 3, batch_first=True, bidirectional=True, proj_size=2), (4, 6)),
}


@pytest.mark.parametrize("name", MODULES)
def test_every_layer_type_survives_with_its_settings(name: str) -> None:
    layer, shape = (LAYERS | RECURRENT).get(name) or (MODULES[name].build(), None)
    shape = shape or (4, 6, 6)
    behind = (Last(), nn.Flatten()) if name in RECURRENT else (nn.Flatten(),)
    module = nn.Sequential(layer, *behind).eval()
    traced = trace(module, "net")
    reloaded = rebuild(traced.graph, traced.tensors, shape, classes=1)
    x = torch.randn(2, *shape, generator=torch.Generator().manual_seed(0))
    assert torch.equal(logits(reloaded, x), logits(module, x))
    assert repr(reloaded.get_submodule("0")) == repr(layer)


class Branching(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x if x.sum() > 0 else -x


class Sorting(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return torch.sort(x).values


class Paired(nn.Module):
    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return x.flatten(1), x


class Hooked(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Flatten()
        self.body.register_forward_hook(lambda module, args, output: 2 * output)

    def forward(self, x: Tensor) -> Tensor:
        return self.body(x)


@pytest.mark.parametrize(
    ("module", "reason"),
    [
        (Branching(), r"`return x if x\.sum\(\) > 0 else -x`, decides by what a run computes; write torch.where"),
        (Sorting(), r"it uses sort, which is not among the operations"),
        (nn.Sequential(nn.Flatten(), nn.Threshold(0.1, 0.0)), r"it uses a Threshold, 1, which is not among"),
        (nn.Sequential(nn.utils.parametrizations.weight_norm(nn.Linear(8, 7)), nn.Flatten()), r"is not among"),
        (Paired(), r"it would not load again: .*the output must be one tensor"),
        (nn.Conv2d(3, 7, 3), r"it would not load again: .*one image must give \(1, at least 7\) outputs"),
        (Hooked(), r"layer body has a hook"),
    ],
)
def test_what_cannot_be_exported_is_said_in_one_sentence(module: nn.Module, reason: str) -> None:
    with pytest.raises(BadInput, match=rf"^net can't be exported: .*{reason}") as caught:
        export_bytes(bare(module, (3, 8, 8)))
    assert "\n" not in str(caught.value)
