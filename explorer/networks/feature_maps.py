"""Feature maps, which the activation criteria are computed from.

The feature map z of a convolution is its output after the batch-norm and the activation that follow it directly,
before pooling. They are found while the network runs, so it need not be traceable.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from explorer.networks.network import Network, replica

FOLLOWERS = frozenset(
    "batch_norm celu elu elu_ gelu hardsigmoid hardswish hardtanh hardtanh_ leaky_relu leaky_relu_ mish prelu relu "  # noqa: SIM905
    "relu_ relu6 selu sigmoid sigmoid_ silu softplus tanh tanh_".split()
)
"""Names of the torch functions that belong to the feature map of the convolution right before them."""


class FeatureMaps(TorchFunctionMode):
    """While active, `maps[name]` becomes the feature map (N, C, ...) of each named convolution that runs.

    Every map can be differentiated with respect to. The next module gets a copy, so that in-place operations leave the
    recorded tensor as it was. The convolutions must be private to the caller: they get a hook.
    """

    def __init__(self, body: nn.Module, convolutions: Iterable[str]) -> None:
        super().__init__()
        self.maps: dict[str, Tensor] = {}
        self.outputs: dict[str, Tensor] = {}  # of the convolutions themselves, before what follows
        self.pooled: set[str] = set()  # convolutions whose feature map goes into a max-pooling
        for name in convolutions:
            body.get_submodule(name).register_forward_hook(lambda *call, name=name: self._written(name, call[2]))

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Run `func`; where it follows a convolution directly, its output is that convolution's feature map."""
        writer = getattr(args[0], "written_by", None) if args else None
        out = func(*args, **(kwargs or {}))
        if writer is None:
            return out
        if func.__name__ in FOLLOWERS:
            return self._record(writer, out)
        if func.__name__.startswith("max_pool"):
            self.pooled.add(writer)
        if out is args[0]:  # changed in place by something else, a residual addition for one
            del out.written_by
        return out

    def _written(self, writer: str, output: Tensor) -> Tensor:
        self.outputs[writer] = output
        return self._record(writer, output)

    def _record(self, writer: str, z: Tensor) -> Tensor:
        if torch.is_grad_enabled():
            z.requires_grad_()  # before the first gate nothing does by itself
        self.maps[writer] = z
        passed_on = z.clone()
        passed_on.written_by = writer  # type: ignore[attr-defined]
        return passed_on


def by_image(z: Tensor, images: int) -> Tensor:
    """Feature maps (images * S, C, ...) -> (images, C, S, ...): parts of an image that a network folds into the batch,
    such as a clip's segments, are further positions of the same maps. Without such parts, the maps as they are."""
    return z if len(z) == images else z.unflatten(0, (images, -1)).transpose(1, 2)


def recorded(network: Network, x: Tensor) -> FeatureMaps:
    """The feature maps of the images x (N, C, H, W) in each layer's first convolution, without gradients."""
    body = replica(network.module)
    recorder = FeatureMaps(body, [layer.name for layer in network.units.layers])
    with recorder, torch.no_grad():
        body(x.to(network.device))
    return recorder


def max_pooled(network: Network) -> frozenset[str]:
    """Names of the layers whose feature maps go straight into a max-pooling."""
    return frozenset(recorded(network, torch.zeros(1, *network.input_shape)).pooled)


def unit_maps(network: Network, image: Tensor) -> dict[str, Tensor]:
    """Layer -> the feature map of each unit, (units, H, W), for one image (C, H, W) or clip; on the CPU.

    A unit of several channels shows the first; the maps of a clip are the means over time.
    """
    maps = recorded(network, image[None]).maps
    return {
        layer.name: _flat(by_image(maps[layer.name], 1)[0, torch.from_numpy(layer.written(layer.name)[:, 0])].cpu())
        for layer in network.units.layers
    }


def _flat(maps: Tensor) -> Tensor:
    """(units, ..., H, W) -> (units, H, W)."""
    return maps.flatten(1, -3).mean(1) if maps.dim() > 3 else maps
