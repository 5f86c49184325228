"""Layers as a table: size and cost of each convolution and linear layer, and whether it can be pruned."""

from __future__ import annotations

from dataclasses import dataclass

from explorer.core.errors import BadInput
from explorer.networks.costs import Costs
from explorer.networks.network import Network

JOINED = "not on its own: its feature maps come and go with the units of {0}"


@dataclass(frozen=True)
class LayerRow:
    """One convolution or linear layer as loaded."""

    name: str
    units: int  # that are listed with this layer
    channels: int  # that it writes
    parameters: int
    flops: int  # of one image
    reason: str | None  # why it can't be pruned on its own; None where it can

    @property
    def prunable(self) -> bool:
        """Whether it has units of its own."""
        return self.reason is None


def check_prunable(network: Network) -> None:
    """Raise BadInput if no layer can be pruned."""
    if not len(network.units):
        raise BadInput(
            f"{network.name} has no unit that can be pruned: the command inspect, or the page Network, says of each "
            "layer why."
        )


def list_layers(network: Network, costs: Costs) -> list[LayerRow]:
    """Every convolution and linear layer in execution order; units that several write are listed with the first."""
    flops, channels = costs.flops_by_module(), {m.name: m.writes for m in costs.modules}
    units = {layer.name: len(layer) for layer in network.units.layers}
    together = {w: JOINED.format(layer.name) for layer in network.units.layers for w in layer.writers[1:]}
    reasons = {**together, **network.units.unprunable}
    return [
        LayerRow(
            name=name,
            units=units.get(name, 0),
            channels=channels[name],
            parameters=sum(p.numel() for p in network.module.get_submodule(name).parameters(recurse=False)),
            flops=flops[name],
            reason=None if name in units else reasons[name],
        )
        for name in flops
    ]
