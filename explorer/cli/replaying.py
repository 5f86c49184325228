"""The command that takes a plan's units from a network, without choosing anew."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from explorer.cli.options import Request, requests
from explorer.cli.output import check_writable, table, warn, write_json
from explorer.cli.subject import Subject, open_subject
from explorer.export import plan_file
from explorer.networks.costs import FLOPS_CONVENTION, measure_costs
from explorer.networks.graph.safetensors_file import write_network
from explorer.networks.load import RUN_NETWORK
from explorer.networks.network import Network


@click.command()
@requests()
@click.option("--plan", type=click.Path(path_type=Path), metavar="FILE", required=True, help="plan.json of an export.")
@click.option("--out", type=click.Path(path_type=Path), metavar="DIR", required=True, help="Folder for the network.")
def replay(request: Request, plan: Path, out: Path) -> None:
    """Remove the units of an exported plan from the original network again.

    DIR gets network.safetensors with NETWORK's own weights; they are the export's where that was not fine-tuned. The
    plan of one network fits others of the same layers. A run stands for the network that it began with, unless the plan
    was made for what it ended with.
    """
    check_writable(out, "--out", folder=True)
    steps = plan_file.read(plan)
    subject = open_subject(request, needs_images=False)
    network = _whole(subject, steps)
    if not plan_file.is_for(network, steps):
        name = steps["network"].get("name", "a network")
        warn(
            f"{plan} was made for {name} with other weights or another preprocessing: its units are removed "
            "all the same."
        )
    pruned = plan_file.replay(network, steps)
    before, after = measure_costs(network), measure_costs(pruned)
    path = write_network(
        pruned,
        out / RUN_NETWORK,
        metrics={},
        provenance={"network": steps["network"], "plan": str(plan)},
    )
    figures = {
        "Units": (len(network.units), len(pruned.units)),
        "Parameters": (before.parameters(), after.parameters()),
        "MFLOPs": (before.flops() / 1e6, after.flops() / 1e6),
    }
    rows = [[name, old, new, f"{new / old:.1%} left"] for name, (old, new) in figures.items()]
    notes = [f"Written to {path}.", f"FLOPs: {FLOPS_CONVENTION}."]
    table(f"{network.name} without the units of {plan}", ("What", "Before", "After", "Change"), rows, notes)
    results = {"path": str(path), "removed": steps["removed"], "parameters": after.parameters(), "flops": after.flops()}
    write_json(request.json, subject.result(results, plan=str(plan), out=str(out)))


def _whole(subject: Subject, steps: dict[str, Any]) -> Network:
    """The network that the units are to be taken from."""
    if subject.run is None or plan_file.is_for(subject.network, steps):
        return subject.network
    return subject.original
