"""The command that values units by criteria."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import click
import torch
from torch import Tensor

from explorer.cli.options import Request, requests
from explorer.cli.output import progress, table, write_json
from explorer.cli.own_criteria import FORM, CriterionName
from explorer.cli.subject import Subject, open_subject
from explorer.data import Batches
from explorer.pruning.selectors import Selector, check_applies
from explorer.scoring.criteria import CRITERIA, Criterion, applicable, needs
from explorer.scoring.curvature import Curvature, curvature_by_probes
from explorer.scoring.evidence import Evidence, gather, gather_of_weights

ALL = "all"
WEIGHTS_ALONE = (
    "Of the weights alone: no image was looked at. Criteria that look at images, losses and accuracies need --data."
)
QUARTILES = (0.0, 0.25, 0.5, 0.75, 1.0)


def summaries(ways: Iterable[Criterion | Selector]) -> str:
    """A paragraph on each, for the help."""
    return "\n\n".join(f"{each.name}: {each.summary} Unit: {each.unit}; cost: {each.cost}." for each in ways)


@click.command(epilog=f"Criteria:\n\n{summaries(CRITERIA.values())}")
@requests()
@click.option(
    "--criterion",
    type=CriterionName([*CRITERIA, ALL]),
    default=ALL,
    show_default=True,
    help=f"How to value units; or your own {FORM}.",
)
@click.option(
    "--probes",
    type=click.IntRange(min=2),
    help="Estimate the curvature for OBD and Taylor-2 from this many Hessian-vector products with random "
    "vectors for each image, as in the paper, instead of computing it class by class.",
)
def score(request: Request, criterion: str, probes: int | None) -> None:
    """Compute the saliency of every unit, on calibration images; higher means more important: keep.

    Without --data, a network without images of its own is scored by its weights alone.
    """
    needs_images = request.data is not None or not (criterion == ALL or CRITERIA[criterion].of_weights)
    subject = open_subject(request, needs_images=needs_images, needs_units=True)
    batches = [subject.calibration()] if subject.images else []
    names = list(applicable(subject.network)) if criterion == ALL else [criterion]
    if not batches:
        names = [name for name in names if CRITERIA[name].of_weights]
    evidence = _gathered(subject, batches, names, probes)
    found = {name: CRITERIA[name].saliency(evidence) for name in names}
    show = _show_one if len(found) == 1 else _show_all
    about = [subject.measured_on(each) for each in batches] or [WEIGHTS_ALONE]
    show(subject, found, [*about, *_drawn(evidence.curvature)])
    layers = [
        {"name": layer, "saliency": {name: values[place].tolist() for name, values in found.items()}}
        for layer, place in subject.network.units.slices.items()
    ]
    write_json(request.json, subject.result({"layers": layers}, *batches, criterion=criterion, probes=probes))


def _gathered(subject: Subject, batches: Sequence[Batches], names: list[str], probes: int | None) -> Evidence:
    """The evidence that these criteria need of one set of images, or none, in as few passes as that takes."""
    for name in names:
        check_applies(name, subject.network)
    network, parts, seed = subject.network, needs(names), subject.seed
    if not batches:
        return gather_of_weights(network, seed=seed)
    (images,) = batches
    with progress("Scoring") as report:
        if probes is None or "curvature" not in parts:
            return gather(network, images, parts, seed=seed, report=report)
        evidence = gather(network, images, parts - {"curvature"}, seed=seed, report=report)
        curvature = curvature_by_probes(network, images, probes=probes, seed=seed, report=report)
        return replace(evidence, curvature=curvature)


def _drawn(curvature: Curvature | None) -> list[str]:
    """A sentence on a curvature that depends on random draws."""
    if curvature is None or not curvature.variance.any():
        return []
    error, values = curvature.standard_error / 2, curvature.values.mean(0) / 2
    return [
        f"OBD's curvature is estimated from random draws: standard error {float(error.median()):.2g} nats in the "
        f"median over units, whose saliencies reach {float(values.max()):.2g}."
    ]


def _show_one(subject: Subject, found: dict[str, Tensor], notes: list[str]) -> None:
    ((name, values),) = found.items()
    rows = [[layer, len(s), *quartiles(s)] for layer, s in subject.network.units.by_layer(values).items()]
    columns = ("Layer", "Units", "Minimum", "Lower quartile", "Median", "Upper quartile", "Maximum")
    table(f"Saliency: {CRITERIA[name].title} ({CRITERIA[name].unit})", columns, rows, notes)


def _show_all(subject: Subject, found: dict[str, Tensor], notes: list[str]) -> None:
    """One row a criterion; which layers it would cut first and last is what people compare."""
    rows: list[list[object]] = []
    for name, values in found.items():
        medians = {layer: float(s.median()) for layer, s in subject.network.units.by_layer(values).items()}
        lowest, highest = (pick(medians, key=lambda layer: medians[layer]) for pick in (min, max))
        rows.append([name, CRITERIA[name].unit, *quartiles(values)[::2], lowest, highest])
    columns = ("Criterion", "Unit", "Minimum", "Median", "Maximum", "Layer of lowest median", "Of highest median")
    notes = [*notes, "Each layer: --criterion NAME; each unit: --json FILE."]
    table(f"Saliency of {len(subject.network.units):,} units", columns, rows, notes)


def quartiles(values: Tensor) -> list[float]:
    """Minimum, quartiles and maximum."""
    return torch.quantile(values, torch.tensor(QUARTILES, dtype=values.dtype)).tolist()
