"""Observation: one pass over the calibration images that yields what every first-order and activation criterion needs.

Per image and unit: the gradient of the loss at the gate, and moments of the feature map. Everything is kept per image
and reduced afterwards, so that results do not depend on how the images were split into batches.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from explorer.data import Batches
from explorer.feature_maps import FeatureMaps
from explorer.gates import Gated
from explorer.networks.network import Network
from explorer.networks.units import Layer, Units
from explorer.progress import Report, silent


@dataclass(frozen=True, eq=False)
class Observation:
    """What was seen of N images; float64 on the CPU.

    Sums and means are over the positions m of the feature map z; where several convolutions write a unit (coupled
    units), they are averaged over these convolutions.
    """

    units: Units
    gradient: Tensor  # (N, units) dC_n/dg_u at open gates, nats
    gradient_abs: Tensor  # (N, units) sum over m of |dC_n/dz_m * z_m|, nats
    mean: Tensor  # (N, units) mean of z
    mean_square: Tensor  # (N, units) mean of z^2
    positive: Tensor  # (N, units) share of positions where z > 0
    labels: Tensor  # (N,) int64
    positions: Tensor  # (units,) M = H*W of the feature map
    kernel_square: Tensor  # (units,) mean square of the kernels that write the unit, bias not counted

    def __len__(self) -> int:
        return len(self.labels)


def observe(network: Network, batches: Batches, report: Report = silent) -> Observation:
    """One forward and one backward pass over the images, in eval mode, without the gradient of any weight."""
    gated = Gated(network.module, network.units)
    recorder = FeatureMaps(gated.body, [writer for layer in network.units.layers for writer in layer.writers])
    parts: list[dict[str, Tensor]] = []
    done = 0
    for x, y in batches:
        parts.append(_observe_batch(gated, recorder, network.units, x.to(gated.device), y.to(gated.device)))
        done += len(y)
        report(done, len(batches), "images observed")
    statistics = {name: torch.cat([part[name] for part in parts]) for name in parts[0]}
    positions = [recorder.maps[layer.name][0, 0].numel() for layer in network.units.layers]
    return Observation(
        units=network.units,
        **statistics,
        positions=torch.tensor(positions)[network.units.layer_index],
        kernel_square=kernel_square(network),
    )


def _observe_batch(gated: Gated, recorder: FeatureMaps, units: Units, x: Tensor, y: Tensor) -> dict[str, Tensor]:
    gates = torch.ones(len(x), len(units), device=x.device, requires_grad=True)
    with recorder:
        loss = F.cross_entropy(gated(x, gates), y, reduction="sum")
    names, maps = zip(*recorder.maps.items(), strict=True)
    gradient, *at_maps = torch.autograd.grad(loss, [gates, *maps], allow_unused=True, materialize_grads=True)
    z = {name: m.detach() for name, m in zip(names, maps, strict=True)}
    effect = {name: (z[name] * g).abs() for name, g in zip(names, at_maps, strict=True)}
    found = {
        "gradient": gradient,
        "gradient_abs": _reduce(units, effect, torch.sum),
        "mean": _reduce(units, z, torch.mean),
        "mean_square": _reduce(units, {name: m.square() for name, m in z.items()}, torch.mean),
        "positive": _reduce(units, {name: (m > 0).float() for name, m in z.items()}, torch.mean),
    }
    return {name: value.cpu().double() for name, value in found.items()} | {"labels": y.cpu()}


def _reduce(units: Units, maps: dict[str, Tensor], over_positions: Callable[..., Tensor]) -> Tensor:
    """Feature maps by writer, (N, C, ...) -> (N, units): reduced over positions, averaged over a layer's writers."""
    return torch.cat([_reduce_layer(layer, maps, over_positions) for layer in units.layers], dim=1)


def _reduce_layer(layer: Layer, maps: dict[str, Tensor], over_positions: Callable[..., Tensor]) -> Tensor:
    total = torch.zeros(())
    for writer in layer.writers:
        channels = torch.from_numpy(layer.written(writer)).to(maps[writer].device)  # (units, k)
        z = maps[writer][:, channels.flatten()].reshape(len(maps[writer]), len(layer), -1)
        total = total.to(z.device) + over_positions(z, dim=2)
    return total / len(layer.writers)


def kernel_square(network: Network) -> Tensor:
    """(units,) mean square of each unit's kernel, averaged over the convolutions that write it."""
    values = []
    for layer in network.units.layers:
        kernels: list[Tensor] = [getattr(network.module.get_submodule(w), "weight") for w in layer.writers]  # noqa: B009
        squares = [k.double().square().flatten(1).mean(1).cpu() for k in kernels]
        picked = [s[torch.from_numpy(layer.written(w))].mean(1) for s, w in zip(squares, layer.writers, strict=True)]
        values.append(torch.stack(picked).mean(0))
    return torch.cat(values)
