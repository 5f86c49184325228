"""Latency of units: an estimate, layer by layer, of the time that a forward pass saves for each unit that goes.

The convolutions and linear layers that write or read a layer's units are run by themselves on blank images, at full
width and with half of the units gone, again and again in turn:

    saving[u] = (time at full width - time at half width) / units gone

So what lies between convolutions is left out, and so is the fact that kernels are fastest at certain widths: the
saving is an average over half of the layer, not that of the next unit.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.modules.conv import _ConvNd

from explorer.core.progress import Report, silent
from explorer.evaluation.evaluate import timed
from explorer.networks.costs import Costs
from explorer.networks.layer_kinds import depthwise
from explorer.networks.network import Network, replica
from explorer.networks.units import Layer, none_removed

ROUNDS, WARMUP = 11, 2
CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)

Job = tuple[nn.Module, Tensor]  # a layer and a blank input for it


@dataclass(frozen=True, eq=False)
class UnitLatency:
    """Milliseconds of one image's forward pass that go with each unit, (units,); below 0 where it would be slower."""

    median: Tensor
    lower_quartile: Tensor
    upper_quartile: Tensor


def measure_unit_latency(
    network: Network, costs: Costs, *, rounds: int = ROUNDS, report: Report = silent
) -> UnitLatency:
    """Time every layer of the network by itself, on its device; the quartiles are over rounds."""
    inputs = _input_shapes(network)
    savings = []
    for done, layer in enumerate(network.units.layers):
        report(done, len(network.units.layers), f"timing layer {layer.name}")
        savings.append(_saving(network, costs, layer, inputs, rounds))
    shares = torch.tensor([0.25, 0.5, 0.75], dtype=torch.float64)
    low, median, high = torch.quantile(torch.stack(savings, dim=1), shares, dim=0)[:, network.units.layer_index]
    return UnitLatency(median, low, high)


def _input_shapes(network: Network) -> dict[str, torch.Size]:
    """Convolution or linear layer -> the shape of its input, (1, C, ...) or (1, C)."""
    body, shapes = replica(network.module), {}
    for name, module in body.named_modules():
        if isinstance(module, (_ConvNd, nn.Linear)):
            module.register_forward_hook(lambda m, given, out, name=name: shapes.update({name: given[0].shape}))
    with torch.no_grad():
        body(torch.zeros(1, *network.input_shape, device=network.device))
    return shapes


@torch.no_grad()
def _saving(network: Network, costs: Costs, layer: Layer, inputs: dict[str, torch.Size], rounds: int) -> Tensor:
    """(rounds,) milliseconds a unit of this layer; zero for a layer of one unit, which can't go."""
    count = len(layer) // 2
    if not count:
        return torch.zeros(rounds, dtype=torch.float64)
    removed = none_removed(network.units)
    removed[network.units.slices[layer.name]][:count] = True
    full, half = costs.widths(), costs.widths(removed)
    changed = [name for name in inputs if full[name] != half[name]]
    jobs = [
        [_blank(network.module.get_submodule(name), inputs[name], *widths[name], network.device) for name in changed]
        for widths in (full, half)
    ]
    times = torch.tensor(
        [[sum(timed(*job) for job in side) for side in jobs] for _ in range(WARMUP + rounds)], dtype=torch.float64
    )
    return (times[WARMUP:, 0] - times[WARMUP:, 1]) / count


def _blank(module: nn.Module, shape: torch.Size, reads: int, writes: int, device: torch.device) -> Job:
    """A layer like this one that reads and writes so many channels, and an input for it."""
    if isinstance(module, nn.Linear):
        return nn.Linear(reads, writes, module.bias is not None, device), torch.zeros(*shape[:-1], reads, device=device)
    assert isinstance(module, _ConvNd), f"{type(module).__name__} has no input shape"
    layer = CONVOLUTIONS[module.weight.ndim - 3](
        reads,
        writes,
        module.kernel_size,  # type: ignore[arg-type]
        module.stride,  # type: ignore[arg-type]
        module.padding,  # type: ignore[arg-type]
        module.dilation,  # type: ignore[arg-type]
        reads if depthwise(module) else module.groups,
        module.bias is not None,
        device=device,
    )
    return layer, torch.zeros(1, reads, *shape[2:], device=device)
