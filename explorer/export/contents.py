"""What every format of an export tells: the network, its manifest, and how it came about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from torch import Tensor, fx

from explorer.errors import BadInput
from explorer.export import manifest as manifests
from explorer.export.graph import trace
from explorer.export.manifest import LayerWidth, Manifest
from explorer.export.proof import Verdict
from explorer.export.rebuild import rebuild
from explorer.networks.network import Network
from explorer.stages import stage_at
from explorer.timeline import Label, State, Timeline, path


@dataclass(frozen=True)
class Written:
    """One file of an export, as its report tells of it."""

    name: str
    size: int  # bytes
    description: str
    usage: str  # source that loads it


@dataclass(frozen=True, eq=False)
class Contents:
    """What every format writes: the network, its manifest, and the tensors that its graph runs on."""

    network: Network
    manifest: Manifest
    tensors: Mapping[str, Tensor]
    removed: tuple[Label, ...]  # the plan: units that went, by their original channels
    history: tuple[State, ...] = ()  # from the network as loaded to this one
    written: tuple[Written, ...] = ()  # the files beside it, for those that tell of them
    verdicts: tuple[Verdict, ...] = ()  # and how they did

    def module(self) -> fx.GraphModule:
        """The network on the CPU without its class: what the graph describes, with these very tensors."""
        tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in self.tensors.items()}
        shape = self.manifest.input_shape
        return rebuild(self.manifest.graph, tensors, shape, len(self.manifest.classes), own=True)


def contents(
    network: Network,
    *,
    metrics: Mapping[str, Any],
    provenance: Mapping[str, Any],
    removed: Sequence[Label] | None = None,
    history: Sequence[State] = (),
) -> Contents:
    """Trace a network and describe it.

    `metrics` and `provenance` are free, of JSON values; the network's digest and the versions of the packages join
    the provenance, from which places on this machine are left out. Without `removed`, what went is what the widths
    say is missing.

    Raises BadInput if the network cannot be exported, or would not load again.
    """
    traced = trace(network.module, network.name)
    origin = {"digest": network.digest, "versions": manifests.versions(), **provenance}
    if network.remark:
        origin["outputs"] = network.remark
    widths = tuple(
        LayerWidth(layer.name, layer.width_before, len(layer), tuple(int(c) for c in layer.channels))
        for layer in network.units.layers
    )
    manifest = Manifest(
        network.name, network.arch, network.classes, network.input_shape, network.preprocessing,
        layers=widths, metrics=metrics, provenance=manifests.portable(origin), graph=traced.graph,
    )  # fmt: skip
    _check_reloadable(manifest, traced.tensors)
    gone = missing(widths) if removed is None else tuple(removed)
    return Contents(network, manifest, traced.tensors, gone, tuple(history))


def of_state(
    network: Network,
    timeline: Timeline,
    number: int,
    *,
    provenance: Mapping[str, Any],
) -> Contents:
    """The contents of one state of a timeline: `network` as it is pruned there, with all that led to it.

    Raises BadInput if the network cannot be exported.
    """
    history, stage = [timeline.states[each] for each in path(timeline, number)], stage_at(timeline, number)
    return contents(
        network,
        metrics={"before": asdict(history[0].metrics), "after": asdict(history[-1].metrics)},
        provenance={**provenance, "state": {"number": number, "how": history[-1].how, "stage": str(stage)}},
        removed=[label for each in history for label in each.removed],
        history=history,
    )


def missing(widths: Sequence[LayerWidth]) -> tuple[Label, ...]:
    """The units that layers have lost: the original channels that are not kept."""
    return tuple((w.name, c) for w in widths for c in sorted({*range(w.width_before)} - {*w.kept}))


def _check_reloadable(manifest: Manifest, tensors: Mapping[str, Tensor]) -> None:
    shapes = {name: tensor.to("meta") for name, tensor in tensors.items()}
    try:
        rebuild(manifest.graph, shapes, manifest.input_shape, len(manifest.classes))
    except BadInput as error:
        raise BadInput(f"{manifest.name} cannot be exported as safetensors: it would not load again: {error}") from None
