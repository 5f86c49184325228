"""Observation: one pass over the calibration images that yields what every first-order and activation criterion needs.

Per image and unit: the gradient of the loss at the gate, and moments of the feature map. Everything is kept per image
and reduced afterwards, so that results do not depend on how the images were split into batches.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import partial
from typing import Any

import torch
from torch import Tensor

from explorer.core.progress import Report, silent
from explorer.data import Batches
from explorer.networks.feature_maps import FeatureMaps, by_image
from explorer.networks.gates import Gated
from explorer.networks.network import Network
from explorer.networks.units import Layer, Units

Reduce = Callable[..., Tensor]


@dataclass(frozen=True, eq=False)
class Observation:
    """The observation of N images; float64 on the CPU.

    Sums and means are over the positions m of the feature map z: height and width, of clips also time. Where a unit is
    several channels (behind a grouped convolution), sums are added and means averaged over these; where several
    convolutions write it (a residual stream), all is then averaged over these convolutions, but for `weight_effect`,
    which adds them up. `gradient` is of the one gate that closes all of it, so it needs no such rule.
    """

    units: Units
    gradient: Tensor  # (N, units) dC_n/dg_u at open gates, nats
    gradient_abs: Tensor  # (N, units) sum over m of |dC_n/dz_m * z_m|, nats
    weight_effect: Tensor  # (N, units) sum over all weights w of the unit's kernels of dC_n/dw * w, nats
    mean: Tensor  # (N, units) mean of z
    mean_square: Tensor  # (N, units) mean of z^2
    largest: Tensor  # (N, units) max of z, over channels and convolutions too
    positive: Tensor  # (N, units) share of positions where z > 0
    labels: Tensor  # (N,) int64
    positions: Tensor  # (units,) M = H*W of the feature map, T*H*W of a clip's

    def __len__(self) -> int:
        return len(self.labels)


def observe(network: Network, batches: Batches, report: Report = silent) -> Observation:
    """One forward and one backward pass over the images, in eval mode, without the gradient of any weight."""
    see = observer(network)
    parts: list[Observation] = []
    done = 0
    for x, y in batches:
        parts.append(see(x, y))
        done += len(y)
        report(done, len(batches), "images observed")
    return joined_observations(parts)


def observer(network: Network) -> Callable[[Tensor, Tensor], Observation]:
    """The function of a batch in `observe`: images x (N, C, ...), labels y (N,) -> their observation."""
    gated = Gated(network.module, network.units)
    return partial(_observe_batch, network, gated, FeatureMaps(gated.body, writers(network.units)))


def joined_observations(parts: Sequence[Observation]) -> Observation:
    """Observations of the same units as one of all their images, in this order."""
    of_images = {field.name for field in fields(Observation)} - {"units", "positions"}
    found: dict[str, Any] = {name: torch.cat([getattr(part, name) for part in parts]) for name in of_images}
    return replace(parts[0], **found)


def writers(units: Units) -> Iterable[str]:
    """Names of all convolutions that write a prunable feature map."""
    return (writer for layer in units.layers for writer in layer.writers)


# How statistics of a unit's channels, and of the convolutions that write it, are put together.
REDUCTIONS: dict[str, tuple[Reduce, Reduce]] = {
    "gradient_abs": (torch.sum, torch.mean),
    "weight_effect": (torch.sum, torch.sum),
    "mean": (torch.mean, torch.mean),
    "mean_square": (torch.mean, torch.mean),
    "largest": (torch.amax, torch.amax),
    "positive": (torch.mean, torch.mean),
}


def _observe_batch(network: Network, gated: Gated, recorder: FeatureMaps, x: Tensor, y: Tensor) -> Observation:
    units = network.units
    x, y = x.to(gated.device), y.to(gated.device)
    gates = torch.ones(len(x), len(units), device=x.device, requires_grad=True)
    with recorder:
        loss = network.loss.sum(gated(x, gates), y)
    names, at = list(recorder.maps), [gates, *recorder.maps.values(), *recorder.outputs.values()]
    gradient, *slopes = torch.autograd.grad(loss, at, allow_unused=True, materialize_grads=True)
    seen = [by_image(values, len(x)) for values in (*(value.detach() for value in at[1:]), *slopes)]
    maps, outputs, of_maps, of_outputs = (
        dict(zip(names, seen[k : k + len(names)], strict=True)) for k in range(0, len(seen), len(names))
    )
    by_writer = {
        name: _moments(maps[name], of_maps[name])
        | {"weight_effect": _weight_effect(gated, name, outputs[name], of_outputs[name])}
        for name in names
    }
    found = {name: by_unit(units, {w: s[name] for w, s in by_writer.items()}, *how) for name, how in REDUCTIONS.items()}
    statistics = {name: value.cpu().double() for name, value in ({"gradient": gradient} | found).items()}
    positions = torch.tensor([by_image(recorder.maps[layer.name], len(y))[0, 0].numel() for layer in units.layers])
    return Observation(units=units, **statistics, labels=y.cpu(), positions=positions[units.layer_index])


def _moments(z: Tensor, slope: Tensor) -> dict[str, Tensor]:
    """One convolution's feature maps and the loss's slope in them, (N, C, ...) -> statistics (N, C)."""
    z, slope = z.flatten(2), slope.flatten(2)
    return {
        "gradient_abs": (z * slope).abs().sum(2),
        "mean": z.mean(2),
        "mean_square": z.square().mean(2),
        "largest": z.amax(2),
        "positive": (z > 0).float().mean(2),
    }


def _weight_effect(gated: Gated, writer: str, output: Tensor, slope: Tensor) -> Tensor:
    """(N, C) sum over a kernel's weights of dC_n/dw * w, from the convolution's output: it is linear in its kernel."""
    bias = getattr(gated.body.get_submodule(writer), "bias", None)
    of_kernel = output.flatten(2) if bias is None else output.flatten(2) - bias[:, None]
    return (of_kernel * slope.flatten(2)).sum(2)


def by_unit(
    units: Units, by_writer: Mapping[str, Tensor], over_channels: Reduce = torch.mean, over_writers: Reduce = torch.mean
) -> Tensor:
    """Statistics by convolution, (N, C) -> (N, units): put together over a unit's channels, then over its writers."""
    return torch.cat([_layer_by_unit(layer, by_writer, over_channels, over_writers) for layer in units.layers], dim=1)


def _layer_by_unit(
    layer: Layer, by_writer: Mapping[str, Tensor], over_channels: Reduce, over_writers: Reduce
) -> Tensor:
    parts = []
    for writer in layer.writers:
        channels = torch.from_numpy(layer.written(writer)).to(by_writer[writer].device)  # (units, k)
        parts.append(over_channels(by_writer[writer][:, channels], dim=2))
    return over_writers(torch.stack(parts), dim=0)
