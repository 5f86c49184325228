"""Pruning and fine-tuning in turns: a few units go, a few minibatches are learned, until the goal is reached."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path

import streamlit as st
from torch import Tensor

from explorer.core.errors import BadInput
from explorer.core.text import markdown
from explorer.jobs.job import LONG, Job
from explorer.networks.load import batches_for
from explorer.networks.units import gone
from explorer.pruning import procedure
from explorer.pruning.goals import GOALS
from explorer.pruning.procedure import Step
from explorer.pruning.settings import EVIDENCE, UPDATES, Settings
from explorer.pruning.stop_rules import check_reachable, check_within, ending, reached
from explorer.runs.store import pruned_at, read_saliency, write_weights
from explorer.runs.timeline import State, Timeline, step, updates_at
from explorer.training.finetune import Recipe
from explorer.ui.choosing.controls import Choice
from explorer.ui.choosing.steps import attempt, pressed
from explorer.ui.elements import say, wording
from explorer.ui.pages.prune.turns_form import Turns, turns_form
from explorer.ui.pages.prune.turns_live import Live, drawing
from explorer.ui.work.changes import check_ready
from explorer.ui.work.jobs import JOBS
from explorer.ui.work.progress import NOTHING, explain_end, follow
from explorer.ui.work.run_jobs import TURNS, key_of, work_on
from explorer.ui.work.session import View, grow_run, run_folder


def turns(view: View, chosen: Choice, measure: str, target: float) -> Recipe | None:
    """The form that begins it, with its recipe; or how far it is."""
    job = work_on(view.run, TURNS)
    if job and job.active:
        _under_way(job)
        return None
    if job:
        _ended(view, job)
    with st.expander("In turns with fine-tuning"):
        asked = turns_form()
        say.caption(
            f"Prunes {GOALS[measure].asked(target)} by {chosen.title}. "
            f"{EVIDENCE[asked.evidence]} Every step is a state; its fine-tuning starts from the weights of the state "
            "before."
        )
        if pressed("Prune and fine-tune", view, type="primary"):
            attempt(begin, view, chosen, measure, target, asked)
            st.rerun()
    return asked.recipe


def _under_way(job: Job) -> None:
    drawn = job.version
    say.body("**Pruning and fine-tuning in turns**{}", ", paused" if job.paused else "")
    label, act = ("Go on", job.resume) if job.paused else ("Pause", job.pause)
    st.button(markdown(label), key="turns-pause", on_click=act)
    follow(job, drawn, show=drawing("turns-live"))


def _ended(view: View, job: Job) -> None:
    """What became of it, with its curves, until somebody has read it."""
    kept = _kept(view.timeline, job.partial or ())
    explain_end(job, kept, "Dismiss")
    if job.state == "done":
        say.success(f"In turns, {wording.duration(job.seconds)}: {kept}. {job.result}")
        st.button(markdown(f"Dismiss: {job.label}"), key="turns-dismiss", on_click=JOBS.forget, args=(job.key,))
    drawing("turns-course")(job)


def _kept(timeline: Timeline, added: Sequence[int]) -> str:
    """What the run holds of the states that a job has added to it."""
    if not added:
        return NOTHING
    gone = len(set(added) - set(timeline.states))
    return (
        f"{wording.count(len(added), 'step')} {'was' if len(added) == 1 else 'were'} added"
        + (f", {gone} of them deleted since" if gone else "")
        + f", the run is at state {timeline.current}"
    )


def _settings(view: View, chosen: Choice, measure: str, target: float, asked: Turns) -> Settings:
    return Settings(
        criterion=chosen.criterion, measure=measure, target=target, scaling=chosen.scaling, price=chosen.price,
        penalty=chosen.penalty, step=asked.units, limits=chosen.limits, updates=asked.updates, recipe=asked.recipe,
        least_accuracy=asked.least, seed=view.loaded.source.seed, evidence=asked.evidence,
    )  # fmt: skip


def begin(view: View, chosen: Choice, measure: str, target: float, asked: Turns) -> None:
    """Start the job; BadInput where the goal can't be reached, is reached already, or the recipe is impossible."""
    loaded, now = view.loaded, view.timeline.state.metrics
    settings = _settings(view, chosen, measure, target, asked)
    if not len(loaded.images.splits.get("finetune", ())):
        raise BadInput(f"{loaded.images.name} has no images for fine-tuning.")
    check_reachable(loaded.costs, view.removed, settings)
    check_within(settings, now)
    if reached(loaded.costs, view.removed, now, settings):
        raise BadInput(f"This state is there already ({settings.goal.asked(target)}): there is nothing to remove.")
    check_ready(view)

    def work(job: Job) -> str:
        return _work(job, view, settings, f"{chosen.title}, {wording.count(asked.updates, 'update')}")

    JOBS.submit(key_of(TURNS, view.run), "In turns", work, LONG)


def _work(job: Job, view: View, settings: Settings, by: str) -> str:
    """Each step is on disk before the next begins; whoever is at the last one goes along. Why it ended."""
    loaded, folder, numbers = view.loaded, run_folder(view.run), [view.timeline.current]
    network, last = pruned_at(loaded.network, view.timeline, folder), view.timeline.state.metrics
    removed, updates = view.removed, updates_at(view.timeline)
    start = Step(0, network, removed, last, updates=updates, saliency=_kept_saliency(view, folder, settings))
    finetuning = batches_for(loaded.network, loaded.images, "finetune")
    job.live = live = Live([(None, last)], loaded.validated_on, view.stage.kind)
    for each in procedure.iterate(
        loaded.network, loaded.calibration, finetuning, loaded.validation, settings, job.report, start, live.hear
    ):
        more = gone(loaded.network.units, removed, each.removed)
        how = f"{wording.count(len(more), 'unit')} by {by}"
        weights = write_weights(folder, each.network, each.saliency)
        state = State(numbers[-1], more, how, each.metrics, each.pruned, settings.updates, weights, asdict(settings))
        within = settings.spent(each.metrics) is None
        timeline = grow_run(view, partial(_grown, state=state, within=within))
        numbers, removed, last = [*numbers, timeline.made - 1], each.removed, each.metrics
        live.steps.append((each.pruned, each.metrics))
        job.publish(numbers[1:])
    return ending(loaded.costs, removed, last, settings)


def _kept_saliency(view: View, folder: Path, settings: Settings) -> Tensor | None:
    """What the updates of the state in view said of its units, where it was made by the same criterion so."""
    state, asked = view.timeline.state, ("criterion", "evidence")
    same = all(state.settings.get(name) == getattr(settings, name) for name in asked)
    return read_saliency(folder / state.weights) if state.weights and same and settings.evidence == UPDATES else None


def _grown(timeline: Timeline, state: State, within: bool) -> Timeline:
    """A state beyond a budget is kept, but nobody goes there by themselves."""
    grown = step(timeline, state)
    return grown if within else replace(grown, current=timeline.current, tip=timeline.tip)
