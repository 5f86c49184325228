"""The description of a network in its files: its manifest, and the tensors that its graph runs on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor, fx

from explorer.core.errors import BadInput
from explorer.core.versions import versions
from explorer.networks.graph import manifest as manifests
from explorer.networks.graph.manifest import LayerWidth, Manifest
from explorer.networks.graph.rebuild import rebuild
from explorer.networks.graph.trace import trace
from explorer.networks.network import Network
from explorer.networks.units import Label

MATTERING = ("torch", "torchvision", "torch-pruning")  # packages whose behaviour an export depends on


@dataclass(frozen=True, eq=False)
class Described:
    """A network, its manifest, and the tensors that the graph in it runs on."""

    network: Network
    manifest: Manifest
    tensors: Mapping[str, Tensor]

    def module(self) -> fx.GraphModule:
        """The network on the CPU without its class, built from the graph with these very tensors."""
        tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in self.tensors.items()}
        shape = self.manifest.input_shape
        return rebuild(self.manifest.graph, tensors, shape, len(self.manifest.classes), own=True)


def described(network: Network, *, metrics: Mapping[str, Any], provenance: Mapping[str, Any]) -> Described:
    """Trace a network and describe it.

    `metrics` and `provenance` are free, of JSON values; the network's digest and the versions of the packages join
    the provenance, from which places on this machine are left out.

    Raises BadInput if the network cannot be exported, or would not load again.
    """
    traced = trace(network.module, network.name)
    origin = {"digest": network.digest, "versions": versions(MATTERING), **provenance}
    if network.remark:
        origin["outputs"] = network.remark
    manifest = Manifest(
        network.name,
        network.arch,
        network.classes,
        network.input_shape,
        network.preprocessing,
        layers=_widths(network),
        metrics=metrics,
        provenance=manifests.portable(origin),
        graph=traced.graph,
    )
    _check_reloadable(manifest, traced.tensors)
    return Described(network, manifest, traced.tensors)


def missing(widths: Sequence[LayerWidth]) -> tuple[Label, ...]:
    """The units that layers have lost: the original channels that are not kept."""
    return tuple((w.name, c) for w in widths for c in sorted({*range(w.width_before)} - {*w.kept}))


def _widths(network: Network) -> tuple[LayerWidth, ...]:
    return tuple(
        LayerWidth(layer.name, layer.width_before, len(layer), tuple(int(c) for c in layer.channels))
        for layer in network.units.layers
    )


def _check_reloadable(manifest: Manifest, tensors: Mapping[str, Tensor]) -> None:
    shapes = {name: tensor.to("meta") for name, tensor in tensors.items()}
    try:
        rebuild(manifest.graph, shapes, manifest.input_shape, len(manifest.classes))
    except BadInput as error:
        raise BadInput(f"{manifest.name} can't be exported: it would not load again: {error}") from None
