"""Speed: how long a network takes before and after pruning, measured in turns, beside what its FLOPs promise."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import product
from typing import Any

import torch
from torch import Tensor

from explorer.core.errors import BadInput
from explorer.core.progress import Report, one_of, silent
from explorer.evaluation.evaluate import latencies
from explorer.networks.costs import Costs, measure_costs
from explorer.networks.network import Network
from explorer.networks.surgery import prune
from explorer.networks.units import Units, none_removed
from explorer.pruning.limits import Limits
from explorer.pruning.plan import below_thresholds
from explorer.speed.engines import engine
from explorer.speed.memory import peak_memory
from explorer.speed.result import DEFAULT_TERMS, Rounded, Size, SpeedReport, Timing, TimingTerms


@dataclass(frozen=True)
class Case:
    """One way to time a pass."""

    engine: str
    threads: int
    batch: int  # images at once
    runs: int

    def __str__(self) -> str:
        return f"{self.engine}, {self.threads} threads, batch {self.batch}"


def measure_speed(
    full: Network, pruned: Network, terms: TimingTerms = DEFAULT_TERMS, report: Report = silent
) -> SpeedReport:
    """Time both networks in turns, a run of each, under all terms; and what rounding the widths up would change.

    The latter with the first engine that runs here, its first number of threads, and the most images at once.

    full: the network whose units `pruned` is left with, on the same device. Raises BadInput if it is not.
    """
    removed = plan_between(full.units, pruned.units)
    costs, batch = measure_costs(full), max(terms.batches)
    timings, refused = _timings(full, pruned, terms, report)
    threads = terms.threads[0] if terms.threads else torch.get_num_threads()
    case = Case(timings[0].engine, threads, batch, terms.runs) if timings else None
    return SpeedReport(
        measured_size(full, batch),
        measured_size(pruned, batch),
        tuple(timings),
        tuple(_rounded(full, costs, removed, multiple, case, report) for multiple in terms.multiples),
        tuple(refused),
        _odd(pruned.units, full.units, min(terms.multiples, default=1)),
    )


def plan_between(full: Units, pruned: Units) -> Tensor:
    """(units,) bool: the units of `full` that `pruned` lacks; raises BadInput if it has others."""
    kept = set(pruned.labels)
    if strangers := kept - set(full.labels):
        layer, channel = min(strangers)
        raise BadInput(f"The pruned network has channel {channel} of {layer!r}, which the full network has not.")
    return torch.tensor([label not in kept for label in full.labels], dtype=torch.bool)


def measured_size(network: Network, batch: int) -> Size:
    """The costs of a network, its memory with so many images at once."""
    tensors, costs = network.module.state_dict().values(), measure_costs(network)
    weights = sum(tensor.numel() * tensor.element_size() for tensor in tensors)
    return Size(costs.parameters(), costs.flops(), weights, peak_memory(network, batch), batch)


def _timings(full: Network, pruned: Network, terms: TimingTerms, report: Report) -> tuple[list[Timing], list[str]]:
    found: list[Timing] = []
    refused: dict[str, str] = {}
    ways = product(terms.engines, terms.threads or (torch.get_num_threads(),), terms.batches)
    cases = [Case(*way, terms.runs) for way in ways]
    for done, case in enumerate(cases):
        if case.engine not in refused:
            try:
                found.append(time_both(full, pruned, case, one_of(report, done, len(cases), str(case))))
            except BadInput as problem:
                refused[case.engine] = str(problem)
    return found, list(refused.values())


def time_both(full: Network, pruned: Network, case: Case, report: Report = silent) -> Timing:
    """Both networks in turns with one engine; raises BadInput if that can't run them here."""
    x = torch.zeros(case.batch, *full.input_shape, device=full.device)
    with _threads(case.threads):
        bodies: list[Callable[[Tensor], Any]] = [engine(case.engine).prepare(each, x) for each in (full, pruned)]
        first, second = latencies([(body, x) for body in bodies], runs=case.runs, report=report)
    return Timing(case.engine, first, second)


@contextmanager
def _threads(number: int) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(number)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def rounded_up(units: Units, removed: Tensor, multiple: int) -> Tensor:
    """The plan (units,) that removes only as many of these units as leave widths in multiples, so: fewer."""
    kept = (~removed).double()
    return below_thresholds(
        units, none_removed(units), kept, {layer.name: 0.5 for layer in units.layers}, Limits(multiple=multiple)
    )


def _rounded(full: Network, costs: Costs, removed: Tensor, multiple: int, case: Case | None, report: Report) -> Rounded:
    plan = rounded_up(full.units, removed, multiple)
    back = int((removed & ~plan).sum())
    if not back or case is None:
        return Rounded(multiple, back, costs.flops(plan), None)
    wider = prune(full, plan) if plan.any() else full
    return Rounded(multiple, back, costs.flops(plan), time_both(full, wider, case, report))


def _odd(pruned: Units, full: Units, multiple: int) -> int:
    widths = {layer.name: len(layer) for layer in full.layers}
    return sum(len(layer) < widths[layer.name] and len(layer) % multiple > 0 for layer in pruned.layers)
