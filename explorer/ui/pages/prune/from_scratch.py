"""The control of a state: the same shape, trained from fresh weights by the same recipe."""

from __future__ import annotations

import streamlit as st

from explorer.core.text import counted
from explorer.jobs.job import LONG, Job
from explorer.runs.controls import control_of
from explorer.runs.timeline import Scratch, control, trained_at, updates_at
from explorer.training.finetune import Recipe, Training, recipe_from
from explorer.training.scratch import fresh
from explorer.ui.choosing.steps import attempt, pressed
from explorer.ui.elements import say, terms
from explorer.ui.work.estimates import TRAINED, about
from explorer.ui.work.jobs import JOBS
from explorer.ui.work.progress import NOTHING, explain_end, follow
from explorer.ui.work.run_jobs import SCRATCH, key_of, latest_job
from explorer.ui.work.session import View, grow_run

DEFAULT_UPDATES = 300  # updates of a state that had none


def from_scratch(view: View, recipe: Recipe | None) -> None:
    """Draw the score of the state's shape from scratch, the progress of that training, or the form that begins it.

    recipe: for states that were not fine-tuned; None where nothing can be begun now.
    """
    job = latest_job(view.run, SCRATCH)
    if job and job.active:
        say.body("**Training from scratch**")
        follow(job, job.version)
        return
    if job:
        explain_end(job, NOTHING, "Dismiss")
    if recipe is None:
        return
    with st.expander("This shape from scratch"):
        if scratch := view.timeline.state.scratch:
            _tell(view, scratch)
        _form(view, _recipe(view) or recipe)


def _recipe(view: View) -> Recipe | None:
    """By which the state was fine-tuned, if it was."""
    trained = trained_at(view.timeline)
    return recipe_from(view.timeline.states[trained].settings.get("recipe", {})) if trained is not None else None


def _tell(view: View, scratch: Scratch) -> None:
    own, found = view.timeline.state.metrics, scratch.metrics
    say.body(
        "State {}: **{}** right, {}, from scratch after {}; **{}**, {}, with its own weights, {}.",
        *(view.timeline.current, f"{found.accuracy:.1%}", f"loss {found.loss:.4f}"),
        *(counted(scratch.updates, "update"), f"{own.accuracy:.1%}", f"loss {own.loss:.4f}", view.stage),
    )


def _form(view: View, recipe: Recipe) -> None:
    had = updates_at(view.timeline)
    updates = st.number_input(
        "Updates from scratch",
        1,
        None,
        had or DEFAULT_UPDATES,
        key=f"scratch-{view.timeline.current}",
        help=terms.help_of("control", "update"),
    )
    time = about(view.loaded, TRAINED * updates * recipe.batch_size)
    usual = f"the state has had {had} itself" if had else "the state has had none itself"
    say.caption(
        f"Fresh weights in the layers of state {view.timeline.current}, {recipe.optimizer}, learning rate "
        f"{recipe.learning_rate:g}, minibatches of {recipe.batch_size}; {usual}. "
        f"Measured on {view.loaded.validated_on}.{time and f' It takes {time}, less for a smaller shape.'}"
    )
    if pressed("Train from scratch", view):
        attempt(begin, view, recipe, updates)
        st.rerun()


def begin(view: View, recipe: Recipe, updates: int) -> None:
    """Start the job; raises BadInput if there is nothing to train on, or a layer has no fresh weights to draw."""
    loaded, number = view.loaded, view.timeline.current
    splits, seed = loaded.splits(updates), loaded.source.seed
    fresh(loaded.network)

    def work(job: Job) -> None:
        found = control_of(loaded.network, view.removed, splits, updates, Training(recipe, seed), job.report)
        grow_run(view, lambda timeline: control(timeline, number, found))

    JOBS.submit(key_of(SCRATCH, view.run), f"State {number} from scratch", work, LONG)
