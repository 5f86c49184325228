"""Table 2: how much faster the pruned networks are, measured in turn with the full one."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import torch

from explorer.core.progress import Report
from explorer.evaluation.evaluate import Latency, measure_latencies
from explorer.networks.network import Network
from explorer.networks.surgery import prune
from explorer.networks.units import Label
from explorer.pruning.plan import from_json
from explorer.pruning.race import Lane, RacePoint
from explorer.runs.race_folders import read_race
from explorer.study.inputs import Finding, PartResult, Results, StudyInputs
from explorer.study.lanes import SCALED
from explorer.study.presets import A_MAPS, B_MAPS

AIMS = {"pruned A": A_MAPS, "pruned B": B_MAPS}  # at most these shares of the maps


def speed(inputs: StudyInputs, done: Results, report: Report) -> PartResult:
    """Size and accuracy of the full network and of two pruned ones; what they take, one image and a batch at once."""
    lane = read_race(inputs.folder / SCALED).lanes[0]
    network, batches = inputs.network, (1, inputs.preset.batch)
    states: dict[str, tuple[Network, RacePoint]] = {"full": (network, lane.points[0])}
    for name, share in AIMS.items():
        states[name] = _pruned(network, lane, share)
    networks = [each for each, _ in states.values()]
    found: dict[str, tuple[Latency, ...]] = {}
    for place, batch in enumerate(batches):
        report(place, len(batches), f"timing, batch {batch}")
        found[str(batch)] = measure_latencies(networks, batch=batch, runs=inputs.preset.runs)
    sizes = {name: _size(point, len(network.units)) for name, (_, point) in states.items()}
    measured = {
        "latency": {batch: dict(zip(states, map(asdict, times), strict=True)) for batch, times in found.items()},
        "findings": [asdict(_finding(sizes, times, int(batch))) for batch, times in found.items()],
    }
    setting = (
        f"Pruned by Taylor with FLOPs regularisation to scale, seed {lane.seed}; accuracy on {inputs.validated}, after "
        f"fine-tuning. Latency: median of {inputs.preset.runs} forward passes with their quartiles, the networks in "
        f"turn, on {network.device}, threads: {torch.get_num_threads()}."
    )
    return PartResult({"networks": sizes}, setting, (), measured)


def _pruned(network: Network, lane: Lane, share: float) -> tuple[Network, RacePoint]:
    """The shape at the first point with at most this share of the maps; the weights make no difference to its speed."""
    gone: list[Label] = []
    for point in lane.points:
        gone += point.removed
        if point.metrics.units <= share * lane.points[0].metrics.units:
            break
    plan = from_json(network.units, [{"layer": layer, "channel": channel} for layer, channel in gone])
    return prune(network, plan), point


def _size(point: RacePoint, units: int) -> dict[str, Any]:
    metrics = point.metrics
    return {
        "maps": metrics.units / units,
        "parameters": metrics.parameters,
        "flops": metrics.flops,
        "accuracy": metrics.accuracy,
    }


def _finding(sizes: dict[str, dict[str, Any]], times: tuple[Latency, ...], batch: int) -> Finding:
    full = times[0]
    parts = [
        f"{name} {full.median / time.median:.1f}x with {sizes['full']['flops'] / sizes[name]['flops']:.1f}x fewer FLOPs"
        for name, time in zip(AIMS, times[1:], strict=True)
    ]
    faster = all(time.upper_quartile < full.lower_quartile for time in times[1:])
    unclear = "" if faster else "; quartiles overlap, or it is slower"
    return Finding(f"The pruned networks are faster, batch {batch}.", ", ".join(parts) + unclear, faster)
