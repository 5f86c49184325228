"""Commands that say what a network is, and how good and how fast."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import click

from explorer.cli.options import Request, requests
from explorer.cli.output import progress, table, write_json
from explorer.cli.subject import Subject, open_subject
from explorer.data import ALL, SHARES
from explorer.evaluation.evaluate import Latency, Outcome, measure_latency
from explorer.evaluation.evaluate import evaluate as run_images
from explorer.networks.costs import FLOPS_CONVENTION
from explorer.networks.graph.trace import why_no_graph
from explorer.networks.layers import LayerRow, list_layers


@click.command()
@requests()
def inspect(request: Request) -> None:
    """List layers, units, parameters, FLOPs, and what can't be pruned and why.

    It needs no images; with --data, it also checks that they fit the network.
    """
    subject = open_subject(request, needs_images=False)
    layers = [_entry(layer) for layer in list_layers(subject.network, subject.costs)]
    costs, problem = subject.costs, why_no_graph(subject.network.module, subject.network.name)
    totals = {"parameters": costs.parameters(), "flops": costs.flops(), "units": len(costs.units)}
    table(
        f"{subject.network.name} ({subject.network.arch})",
        ("Layer", "Units", "Parameters", "MFLOPs", "Prunable", "Reason"),
        [[*_cells(layer), layer["reason"] or ""] for layer in layers],
        [
            f"In all {totals['units']:,} units, {totals['parameters']:,} parameters and {totals['flops'] / 1e6:,.2f} "
            f"MFLOPs for an image of {'x'.join(map(str, subject.network.input_shape))} ({FLOPS_CONVENTION}).",
            f"Preprocessing: {subject.network.preprocessing.describe()}.",
            *filter(None, [subject.network.remark, subject.network.origin, problem]),
        ],
    )
    write_json(request.json, subject.result({**totals, "layers": layers, "export": problem or None}))


def _cells(layer: dict[str, Any]) -> list[Any]:
    return [layer["name"], layer["units"], layer["parameters"], layer["flops"] / 1e6, layer["prunable"]]


def _entry(layer: LayerRow) -> dict[str, Any]:
    return {
        "name": layer.name,
        "units": layer.units,
        "parameters": layer.parameters,
        "flops": layer.flops,
        "prunable": layer.prunable,
        "reason": layer.reason,
    }


@click.command()
@requests()
@click.option(
    "--split",
    metavar="NAME",
    help=f"The images to measure on: {', '.join(SHARES)} or {ALL}.  [default: test where the data stores its "
    "splits or NETWORK is a run; else all]",
)
def evaluate(request: Request, split: str | None) -> None:
    """Measure loss, accuracy, parameters, FLOPs and latency.

    By default on the test split where the data stores its splits or NETWORK is a run; else on all images.
    """
    subject = open_subject(request)
    batches = subject.batches(split or _held_out(subject), request.limit)
    with progress("Evaluating") as report:
        outcome = run_images(subject.network, batches, report=report)
    latency = measure_latency(subject.network)
    found = {**_figures(subject, outcome), "latency_ms": latency.median}
    _show(subject, found, latency, subject.measured_on(batches))
    write_json(request.json, subject.result(found, batches, split=batches.split, latency=asdict(latency)))


def _held_out(subject: Subject) -> str:
    """The split that was not trained on, as far as is known."""
    stored = subject.images is not None and subject.images.stored_splits
    return "test" if stored or subject.run else ALL


def _figures(subject: Subject, outcome: Outcome) -> dict[str, Any]:
    return {
        "loss": outcome.loss,
        "accuracy": outcome.accuracy,
        "images": len(outcome.labels),
        "parameters": subject.costs.parameters(),
        "flops": subject.costs.flops(),
    }


def _show(subject: Subject, found: dict[str, Any], latency: Latency, measured_on: str) -> None:
    spread = (
        f"median {latency.median:.2f} ms, quartiles {latency.lower_quartile:.2f} and {latency.upper_quartile:.2f} ms"
    )
    how = f"{latency.batch} image, {latency.runs} runs after warm-up, {latency.device}, {latency.threads} threads"
    rows = {
        "Loss": f"{found['loss']:.4f} nats",
        "Accuracy": f"{found['accuracy']:.2%}",
        "Parameters": f"{found['parameters']:,}",
        "FLOPs": f"{found['flops'] / 1e6:,.2f} M ({FLOPS_CONVENTION})",
        "Latency": f"{spread} ({how})",
    }
    table(f"{subject.network.name} ({subject.network.arch})", ("What", "Value"), rows.items(), [measured_on])
