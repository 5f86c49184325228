"""Steps: what buttons do to the timeline; a step that can do nothing says why."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import streamlit as st
import torch
from torch import Tensor

from explorer.errors import BadInput
from explorer.joint import select
from explorer.plan import remove_next, remove_until
from explorer.progress import Report
from explorer.ranking import charges
from explorer.ui import wording
from explorer.ui.controls import Choice
from explorer.ui.jobs import JOBS
from explorer.ui.progress import explain_end, follow
from explorer.ui.session import View, step_key, take

PATIENCE = 6.0  # seconds in which a click waits for its step instead of showing progress


def attempt(act: Callable[..., Any], *args: Any) -> None:
    """Do what a button is for, or remember the one sentence that says why not, for `problems` to show."""
    try:
        act(*args)
    except BadInput as problem:
        st.session_state["problem"] = str(problem)


def problems() -> None:
    """Show why the last click could do nothing, and where a step that takes long stands."""
    if problem := st.session_state.pop("problem", None):
        st.error(problem)
    if job := JOBS.find(step_key()):
        drawn = job.version
        explain_end(job, "Dismiss")
        follow(job, drawn)


def remove(view: View, plan: Tensor, how: str, chosen: Choice) -> None:
    """Take the step to a plan, waiting for it a little."""
    take(view, lambda report: plan, how, asdict(chosen)).wait(PATIENCE)


def remove_count(view: View, saliency: Tensor, count: int, chosen: Choice) -> None:
    """Remove the least important units."""
    plan = remove_next(view.workspace.network.units, view.removed, saliency, count, chosen.limits)
    gone = int((plan & ~view.removed).sum())
    remove(view, plan, f"{wording.count(gone, 'unit')} by {chosen.title}", chosen)


def remove_to(view: View, saliency: Tensor, measure: str, target: float, chosen: Choice) -> None:
    """Remove the least important units until at most a share of a measure is left."""
    plan = _down_to(view, saliency, measure, target, chosen)
    remove(view, plan, f"down to {target:.0%} of {measure} by {chosen.title}", chosen)


def _down_to(view: View, saliency: Tensor, measure: str, target: float, chosen: Choice) -> Tensor:
    plan = remove_until(view.workspace.costs, view.removed, saliency, measure, target, chosen.limits)
    if not (plan & ~view.removed).any():
        raise BadInput(f"At most {target:.0%} of the {measure} is left already: there is nothing to remove.")
    return plan


def select_to(view: View, measure: str, target: float, chosen: Choice) -> None:
    """Remove units jointly, linearised anew on the way, until at most a share of a measure is left."""
    workspace = view.workspace
    network, costs = workspace.network, workspace.costs
    _down_to(view, torch.zeros(len(network.units)), measure, target, chosen)  # refuses at once

    def choose(report: Report) -> Tensor:
        charge = charges(chosen.price, chosen.penalty, network, costs, report)
        return select(
            network, costs, workspace.calibration, view.removed, measure, target,
            charge=charge, report=report, limits=chosen.limits,
        )  # fmt: skip

    take(view, choose, f"down to {target:.0%} of {measure} by {chosen.title}", asdict(chosen)).wait(PATIENCE)
