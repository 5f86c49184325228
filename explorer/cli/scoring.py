"""Commands that value units: by criteria, by the oracle, and how well the two agree."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import click
import torch
from torch import Tensor

from explorer.cli.options import Request, requests
from explorer.cli.output import progress, table, write_json
from explorer.cli.subject import Subject, open_subject
from explorer.criteria import CRITERIA
from explorer.data import Batches
from explorer.evidence import gather
from explorer.oracle import Oracle, reference_oracle
from explorer.ranking import correlation_table, rank_statistics

ALL = "all"
QUARTILES = (0.0, 0.25, 0.5, 0.75, 1.0)
SUMMARIES = "\n\n".join(f"{c.name}: {c.summary} Unit: {c.unit}; cost: {c.cost}." for c in CRITERIA.values())


@click.command(epilog=f"Criteria:\n\n{SUMMARIES}")
@requests()
@click.option(
    "--criterion", type=click.Choice([*CRITERIA, ALL]), default=ALL, show_default=True, help="How to value units."
)
def score(request: Request, criterion: str) -> None:
    """Compute the saliency of every unit, on calibration images; higher means more important: keep."""
    subject = open_subject(request)
    batches = subject.calibration()
    found = saliencies(subject, batches, list(CRITERIA) if criterion == ALL else [criterion])
    show = _show_one if len(found) == 1 else _show_all
    show(subject, found, subject.measured_on(batches))
    layers = [
        {"name": layer, "saliency": {name: values[place].tolist() for name, values in found.items()}}
        for layer, place in subject.network.units.slices.items()
    ]
    write_json(request.json, subject.result({"layers": layers}, batches, criterion=criterion))


def saliencies(subject: Subject, batches: Batches, names: list[str]) -> dict[str, Tensor]:
    """Criterion -> (units,), from as few passes as these criteria need."""
    curved = any(CRITERIA[name].needs == "curvature" for name in names)
    with progress("Scoring") as report:
        evidence = gather(subject.network, batches, with_curvature=curved, seed=subject.seed, report=report)
        return {name: CRITERIA[name].saliency(evidence) for name in names}


def _show_one(subject: Subject, found: dict[str, Tensor], measured_on: str) -> None:
    ((name, values),) = found.items()
    rows = [[layer, len(s), *_quartiles(s)] for layer, s in subject.network.units.by_layer(values).items()]
    columns = ("Layer", "Units", "Minimum", "Lower quartile", "Median", "Upper quartile", "Maximum")
    table(f"Saliency: {CRITERIA[name].title} ({CRITERIA[name].unit})", columns, rows, [measured_on])


def _show_all(subject: Subject, found: dict[str, Tensor], measured_on: str) -> None:
    """One row a criterion; which layers it would cut first and last is what people compare."""
    rows: list[list[object]] = []
    for name, values in found.items():
        medians = {layer: float(s.median()) for layer, s in subject.network.units.by_layer(values).items()}
        lowest, highest = (pick(medians, key=lambda layer: medians[layer]) for pick in (min, max))
        rows.append([name, CRITERIA[name].unit, *_quartiles(values)[::2], lowest, highest])
    columns = ("Criterion", "Unit", "Minimum", "Median", "Maximum", "Layer of lowest median", "Of highest median")
    notes = [measured_on, "Each layer: --criterion NAME; each unit: --json FILE."]
    table(f"Saliency of {len(subject.network.units):,} units", columns, rows, notes)


def _quartiles(values: Tensor) -> list[float]:
    return torch.quantile(values, torch.tensor(QUARTILES, dtype=values.dtype)).tolist()


reference_option = click.option(
    "--reference", is_flag=True, help="Take the slow, obvious implementation: one gate closed, the whole network run."
)


@click.command()
@requests()
@reference_option
def oracle(request: Request, reference: bool) -> None:
    """Measure what removing each single unit does to the loss.

    oracle-loss is the change in mean loss over the calibration images, in nats, above 0 where the removal hurts;
    oracle-abs is its absolute value, taken after the mean over images.
    """
    subject = open_subject(request)
    batches = subject.calibration()
    found = _oracle(subject, batches)
    _show_oracle(found, subject.measured_on(batches))
    content = {"layers": _oracle_layers(found), "images": found.images, "method": found.method}
    write_json(request.json, subject.result(content, batches, reference=reference))


def _oracle(subject: Subject, batches: Batches) -> Oracle:
    with progress("Oracle") as report:
        return reference_oracle(subject.network, batches, report)


def _oracle_layers(found: Oracle) -> list[dict[str, Any]]:
    values = {"oracle_loss": found.oracle_loss, "oracle_abs": found.oracle_abs, "standard_error": found.standard_error}
    return [
        {"name": layer, **{key: numbers[place].tolist() for key, numbers in values.items()}}
        for layer, place in found.units.slices.items()
    ]


def _show_oracle(found: Oracle, measured_on: str) -> None:
    losses = found.units.by_layer(found.oracle_loss)
    rows = [
        [r.layer, len(losses[r.layer]), *_quartiles(losses[r.layer])[::2], r.minimum, r.median, r.maximum]
        for r in rank_statistics(found.oracle_abs, found.units)
    ]
    columns = ("Layer", "Units", "Least loss", "Median", "Most loss", "Best rank", "Median rank", "Worst rank")
    note = (
        "Loss: oracle-loss in nats, change when one unit goes. Rank: of oracle-abs among all units, 1 = most important."
    )
    table(f"Oracle ({found.method})", columns, rows, [measured_on, note])


@click.command()
@requests()
@reference_option
def correlate(request: Request, reference: bool) -> None:
    """Compare every criterion's ranking with the oracle's.

    Spearman's correlation with oracle-abs: the mean over layers, over all units, and over all units after layer-wise
    l2 scaling of the saliency.
    """
    subject = open_subject(request)
    batches = subject.calibration()
    values = saliencies(subject, batches, list(CRITERIA))
    found = _oracle(subject, batches)
    correlations = correlation_table(values, found.oracle_abs, subject.network.units)
    rows = [[CRITERIA[n].title, f"{c.per_layer:.3f}", f"{c.all_layers:.3f}", f"{c.all_layers_l2:.3f}"]
            for n, c in correlations.items()]  # fmt: skip
    columns = ("Criterion", "Per layer", "All layers", "All layers, l2")
    table("Spearman's rank correlation with oracle-abs", columns, rows, [subject.measured_on(batches)])
    content = {"table": {name: asdict(correlation) for name, correlation in correlations.items()}}
    write_json(request.json, subject.result(content, batches, reference=reference, method=found.method))
