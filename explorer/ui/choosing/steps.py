"""Steps: the actions of buttons on the timeline; a step that can remove nothing says why."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

import streamlit as st
import torch
from torch import Tensor

from explorer.core.errors import BadInput
from explorer.core.progress import Report
from explorer.core.text import counted, markdown
from explorer.networks.surgery import prune
from explorer.pruning import procedure
from explorer.pruning.goals import GOALS
from explorer.pruning.joint import Course
from explorer.pruning.plan import remove_next, remove_until
from explorer.pruning.search import Search, SearchResult, furthest
from explorer.pruning.selectors import SELECTORS
from explorer.pruning.settings import Settings
from explorer.pruning.stop_rules import check_within
from explorer.scoring.ranking import charges
from explorer.ui.choosing.controls import RankingChoice
from explorer.ui.elements.boundary import boundary, failed, tell
from explorer.ui.work.changes import ChosenStep, check_ready, commit_step
from explorer.ui.work.progress import NOTHING, REDRAWN, explain_end, follow, redraw
from explorer.ui.work.run_jobs import PLAY, STEP, TURNS, button_state, latest_job, why_busy
from explorer.ui.work.session import View

RUN_POLL_SECONDS = 1.0  # seconds between two looks at whether a run can be changed again
PATIENCE = 6.0  # seconds in which a click waits for its step instead of showing progress


def attempt(act: Callable[..., Any], *args: Any) -> None:
    """Do what a button is for, or remember the one sentence that says why not, for `problems` to show."""
    try:
        act(*args)
    except Exception as error:
        st.session_state["problem"] = failed(error, "a click in the app")


def pressed(label: str, view: View, **looks: Any) -> bool:
    """A button of what needs the fields as they are now, which callbacks don't have; refused like `changes.change`."""
    down = st.button(
        markdown(label), on_click=attempt, args=(_allow, view), **looks, **button_state(why_busy(view.run))
    )
    return down and bool(st.session_state.pop("allowed", False))


def _allow(view: View) -> None:
    st.session_state["allowed"] = False
    check_ready(view)
    st.session_state["allowed"] = True


def problems(view: View) -> None:
    """Show why the last click could do nothing, and where a step that takes long stands."""
    shown = st.session_state.get("shown-problem") if st.session_state.pop(REDRAWN, False) else None
    st.session_state["shown-problem"] = shown = st.session_state.pop("problem", shown)
    if shown:
        tell(shown)
    if job := latest_job(view.run, STEP):
        drawn = job.version
        explain_end(job, NOTHING, "Dismiss")
        follow(job, drawn)
    if (job := latest_job(view.run, TURNS)) and job.active and not job.paused:
        _await_free(view.run)


def await_played(view: View) -> None:
    """Have any page drawn again as soon as Play lets the run be changed; at its end, where it moves nothing."""
    if (job := latest_job(view.run, PLAY)) and job.active:
        _await_free(view.run)


def _await_free(run: str) -> None:
    """Have the page drawn again as soon as the run can be changed, whichever page it is."""

    @st.fragment(run_every=RUN_POLL_SECONDS)
    @boundary()
    def box() -> None:
        if not why_busy(run):
            redraw()

    box()


def remove(view: View, plan: Tensor, how: str, chosen: RankingChoice) -> None:
    """Take the step to a plan, waiting for it a little."""
    commit_step(view, lambda report: ChosenStep(plan, how), how, asdict(chosen)).wait(PATIENCE)


def next_plan(view: View, saliency: Tensor, count: int, chosen: RankingChoice) -> Tensor:
    """The plan without so many more of the least important units; raises BadInput if none of them can go."""
    return remove_next(view.workspace.network.units, view.removed, saliency, count, chosen.limits)


def remove_count(view: View, saliency: Tensor, count: int, chosen: RankingChoice) -> None:
    """Remove the least important units."""
    plan = next_plan(view, saliency, count, chosen)
    gone = int((plan & ~view.removed).sum())
    remove(view, plan, f"{counted(gone, 'unit')} by {chosen.title}", chosen)


def remove_to(view: View, saliency: Tensor, measure: str, target: float, chosen: RankingChoice) -> None:
    """Remove the least important units until at most a share of a measure is left."""
    plan = _down_to(view, saliency, measure, target, chosen)
    remove(view, plan, _how(measure, target, chosen), chosen)


def _down_to(view: View, saliency: Tensor, measure: str, target: float, chosen: RankingChoice) -> Tensor:
    plan = remove_until(view.workspace.costs, view.removed, saliency, measure, target, chosen.limits)
    if not (plan & ~view.removed).any():
        raise BadInput(f"At most {target:.0%} of the {measure} is left already: there is nothing to remove.")
    return plan


def select_to(view: View, measure: str, target: float, chosen: RankingChoice, select: Callable[..., Tensor]) -> None:
    """Remove units, ranked anew on the way, until at most a share of a measure is left."""
    workspace = view.workspace
    network, costs = workspace.network, workspace.costs
    _down_to(view, torch.zeros(len(network.units)), measure, target, chosen)  # refuses at once

    how = _how(measure, target, chosen)

    def choose(report: Report) -> ChosenStep:
        charge = charges(chosen.price, chosen.penalty, network, costs, report)
        course = Course(measure, target, charge=charge, limits=chosen.limits)
        return ChosenStep(select(network, costs, workspace.calibration, view.removed, course, report), how)

    commit_step(view, choose, how, asdict(chosen)).wait(PATIENCE)


def go_to(view: View, saliency: Tensor, measure: str, target: float, chosen: RankingChoice) -> None:
    """Remove units in one go until a goal is met: counted, or searched for by measurements."""
    if not GOALS[measure].counted:
        attempt(search_to, view, saliency, measure, target, chosen)
    elif select := SELECTORS[chosen.criterion].select:
        attempt(select_to, view, measure, target, chosen, select)
    else:
        attempt(remove_to, view, saliency, measure, target, chosen)


def search_to(view: View, saliency: Tensor, measure: str, target: float, chosen: RankingChoice) -> None:
    """Remove units as far as measurements allow: by bisection of a ranking, or in steps ranked anew."""
    selector = SELECTORS[chosen.criterion]
    step = selector.default_step(view.workspace.network.units)
    settings = replace(chosen.settings(measure, target, step), further=True)
    check_within(settings, view.timeline.state.metrics)
    how = _how(measure, target, chosen)

    def choose(report: Report) -> ChosenStep:
        found = _walked(view, settings, report) if selector.anew else _searched(view, saliency, settings, report)
        return ChosenStep(found.removed, f"{how}, {counted(found.measurements, 'measurement')}", found.latency)

    commit_step(view, choose, how, asdict(chosen)).wait(PATIENCE)


def _how(measure: str, target: float, chosen: RankingChoice) -> str:
    return f"{GOALS[measure].in_words(target)} by {chosen.title}"


def _searched(view: View, saliency: Tensor, settings: Settings, report: Report) -> SearchResult:
    loaded, now = view.loaded, view.workspace
    search = Search(
        loaded.network, now.network, now.costs, now.validation, view.removed, saliency, settings.limits, report
    )
    return furthest(search, settings.measure, settings.target)


def _walked(view: View, settings: Settings, report: Report) -> SearchResult:
    """The last state within a budget, or the first that is fast enough, of the procedure without updates."""
    now, state = view.workspace, view.timeline.state
    network = prune(now.network, view.removed) if view.removed.any() else now.network
    start = procedure.PruningStep(0, network, view.removed, state.metrics)
    within, taken = start, 0
    for each in procedure.iterate(now.network, now.splits(settings.updates), settings, report, start):
        taken += 1
        within = within if settings.spent(each.metrics) else each
    if within is start:
        raise BadInput(
            f"Nothing can go ({settings.goal.in_words(settings.target)}): the next units that go together are too many."
        )
    return SearchResult(within.removed, taken, within.metrics.latency)
