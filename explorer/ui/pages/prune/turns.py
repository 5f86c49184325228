"""Pruning and fine-tuning in turns: a few units go, a few minibatches are learned, until the goal is reached."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from explorer.core.errors import BadInput
from explorer.core.text import counted, markdown
from explorer.jobs.job import LONG, Job
from explorer.pruning.goals import GOALS
from explorer.pruning.settings import EVIDENCE, Settings
from explorer.pruning.stop_rules import check_reachable, check_within, is_reached
from explorer.runs.pruning_runs import Pruning, grown_run, newest_state, why_ended
from explorer.runs.timeline import Timeline
from explorer.training.finetune import Recipe
from explorer.ui.choosing.controls import RankingChoice
from explorer.ui.choosing.steps import attempt, pressed
from explorer.ui.elements import say, wording
from explorer.ui.pages.prune.turns_form import Turns, turns_form
from explorer.ui.pages.prune.turns_live import Live, drawing
from explorer.ui.work.changes import check_ready
from explorer.ui.work.estimates import about, images_of_a_step
from explorer.ui.work.jobs import JOBS
from explorer.ui.work.progress import NOTHING, explain_end, follow
from explorer.ui.work.run_jobs import TURNS, key_of, latest_job
from explorer.ui.work.session import View, run_folder, run_of


def turns(view: View, chosen: RankingChoice, measure: str, target: float) -> Recipe | None:
    """The form that begins it, with its recipe; or how far it is."""
    job = latest_job(view.run, TURNS)
    if job and job.active:
        _under_way(job)
        return None
    if job:
        _ended(view, job)
    with st.expander("In turns with fine-tuning"):
        form = turns_form()
        time = about(view.loaded, images_of_a_step(view.loaded, form.updates, form.recipe.batch_size))
        say.caption(
            f"Prunes {GOALS[measure].in_words(target)} by {chosen.title}. "
            f"{EVIDENCE[form.evidence]} Every step is a state; its fine-tuning starts from the weights of the state "
            f"before.{time and f' A step takes {time} at first.'}"
        )
        if pressed("Prune and fine-tune", view, type="primary"):
            attempt(begin, view, chosen, measure, target, form)
            st.rerun()
    return form.recipe


def _under_way(job: Job) -> None:
    drawn = job.version
    say.body("**Pruning and fine-tuning in turns**{}", ", paused" if job.paused else "")
    label, act = ("Go on", job.resume) if job.paused else ("Pause", job.pause)
    st.button(markdown(label), key="turns-pause", on_click=act)
    follow(job, drawn, show=drawing("turns-live"))


def _ended(view: View, job: Job) -> None:
    """Draw its result, with its curves, until it has been read."""
    kept = _kept(view.timeline, job.partial or ())
    explain_end(job, kept, "Dismiss")
    if job.state == "done":
        say.success(f"In turns, {wording.duration(job.seconds)}: {kept}. {job.result}")
        st.button(markdown(f"Dismiss: {job.label}"), key="turns-dismiss", on_click=JOBS.forget, args=(job.key,))
    drawing("turns-course")(job)


def _kept(timeline: Timeline, added: Sequence[int]) -> str:
    """The states that a job has added to the run."""
    if not added:
        return NOTHING
    gone = len(set(added) - set(timeline.states))
    return (
        f"{counted(len(added), 'step')} {'was' if len(added) == 1 else 'were'} added"
        + (f", {gone} of them deleted since" if gone else "")
        + f", the run is at state {timeline.current}"
    )


def _settings(view: View, chosen: RankingChoice, measure: str, target: float, form: Turns) -> Settings:
    return replace(
        chosen.settings(measure, target, form.units),
        updates=form.updates,
        recipe=form.recipe,
        least_accuracy=form.least,
        seed=view.loaded.source.seed,
        evidence=form.evidence,
    )


def begin(view: View, chosen: RankingChoice, measure: str, target: float, form: Turns) -> None:
    """Start the job; raises BadInput if the goal can't be reached, is reached already, or the recipe is impossible."""
    loaded, now = view.loaded, view.timeline.state.metrics
    settings = _settings(view, chosen, measure, target, form)
    check_ready(view)
    start, folder = run_of(view), run_folder(view.run)
    pruning = Pruning(loaded.network, loaded.splits(settings.updates), settings)
    check_reachable(loaded.costs, view.removed, settings)
    check_within(settings, now)
    if is_reached(loaded.costs, view.removed, now, settings):
        raise BadInput(f"This state is there already ({settings.goal.in_words(target)}): there is nothing to remove.")
    live = Live([(None, now)], loaded.validated_on, view.stage.kind)

    def work(job: Job) -> str:
        job.live, numbers = live, [start.states.current]
        steps = grown_run(pruning, start, folder, report=job.report, on_loss=live.hear)
        run = next(steps)  # at the state in view; none follows where no unit can go
        for run in steps:
            numbers.append(newest_state(run.states))
            state = run.states.states[numbers[-1]]
            live.steps.append((state.pruned, state.metrics))
            job.publish(numbers[1:])
        return why_ended(loaded.costs, run.states, numbers[-1], settings)

    JOBS.submit(key_of(TURNS, view.run), "In turns", work, LONG)
