"""The contents of every format of an export: the network, its manifest, and how it came about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from explorer.export.proof import Verdict
from explorer.networks.graph.described import Described, described, missing
from explorer.networks.network import Network
from explorer.networks.units import Label
from explorer.runs.stages import stage_at
from explorer.runs.timeline import State, Timeline, path


@dataclass(frozen=True)
class ExportedFile:
    """One file of an export, as its report tells of it."""

    name: str
    size: int  # bytes
    description: str
    usage: str  # source that loads it


@dataclass(frozen=True, eq=False)
class ExportContents(Described):
    """The contents of every format: a described network, the units it lost, and the files that tell of each other."""

    removed: tuple[Label, ...] = ()  # the plan: units that went, by their original channels
    history: tuple[State, ...] = ()  # from the network as loaded to this one
    written: tuple[ExportedFile, ...] = ()  # the files beside it, for those that tell of them
    verdicts: tuple[Verdict, ...] = ()  # and how they did


def contents(
    network: Network,
    *,
    metrics: Mapping[str, Any],
    provenance: Mapping[str, Any],
    removed: Sequence[Label] | None = None,
    history: Sequence[State] = (),
) -> ExportContents:
    """Trace a network and describe it, as `described` does, with what led to it.

    Without `removed`, what went is what the widths say is missing. Raises BadInput as `described` does.
    """
    plain = described(network, metrics=metrics, provenance=provenance)
    gone = missing(plain.manifest.layers) if removed is None else tuple(removed)
    return ExportContents(network, plain.manifest, plain.tensors, gone, tuple(history))


def of_state(
    network: Network,
    timeline: Timeline,
    number: int,
    *,
    provenance: Mapping[str, Any],
) -> ExportContents:
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
