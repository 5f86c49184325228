"""Pruning and fine-tuning in turns: a few units go, a few minibatches are learned, until the target is reached."""

from __future__ import annotations

from dataclasses import asdict, replace
from functools import partial

import streamlit as st

from explorer import procedure
from explorer.errors import BadInput
from explorer.finetune import OPTIMIZERS, PAPER, Recipe
from explorer.load import batches_for
from explorer.procedure import Settings, Step
from explorer.runs import pruned_at, write_weights
from explorer.schedules import SCHEDULES
from explorer.timeline import State, Timeline, gone, step, updates_at
from explorer.ui import wording
from explorer.ui.address import run_id
from explorer.ui.controls import Choice
from explorer.ui.jobs import JOBS, LONG, Job
from explorer.ui.progress import explain_end, follow
from explorer.ui.session import View, grow_run, run_folder
from explorer.ui.steps import attempt


def turns(view: View, chosen: Choice, measure: str, target: float) -> None:
    """The form that begins it, or how far it is."""
    job = JOBS.find(turns_key())
    if job and job.active:
        _under_way(job)
        return
    if job:
        explain_end(job, "Dismiss")
    with st.expander("In turns with fine-tuning"):
        recipe, count, updates, least = _form()
        st.caption(
            f"Down to {target:.0%} of the {measure} by {chosen.title}, ranked anew before every step. Every step is a "
            "state; its fine-tuning starts from the weights of the state before."
        )
        if st.button("Prune and fine-tune", type="primary"):  # a callback would have the figures of before
            attempt(begin, view, chosen, measure, target, recipe, count, updates, least)
            st.rerun()


def _form() -> tuple[Recipe, int, int, float]:
    """Recipe, units a step, updates a step, least accuracy."""
    with st.container(horizontal=True, gap="small"):
        count = st.number_input("Units a step", 1, None, 10, key="turn-units", persist_state="session")
        updates = st.number_input("Updates a step", 1, None, 10, key="turn-updates", persist_state="session")
    with st.container(horizontal=True, gap="small"):
        rate = st.number_input("Learning rate", 1e-6, None, 1e-3, format="%g", key="turn-rate", persist_state="session")
        size = st.number_input("Minibatch", 1, None, PAPER.batch_size, key="turn-size", persist_state="session")
    with st.container(horizontal=True, gap="small"):
        momentum = st.number_input("Momentum", 0.0, 0.999, PAPER.momentum, key="turn-momentum", persist_state="session")
        decay = st.number_input(
            "Weight decay", 0.0, None, PAPER.weight_decay, format="%g", key="turn-decay", persist_state="session"
        )
    with st.container(horizontal=True, gap="small"):
        optimizer = st.selectbox("Optimizer", list(OPTIMIZERS), key="turn-optimizer", persist_state="session")
        schedule = st.selectbox(
            "Schedule", list(SCHEDULES), key="turn-schedule", persist_state="session",
            help="Of the learning rate, over the updates of each step.",
        )  # fmt: skip
    with st.container(horizontal=True, gap="small"):
        alpha = st.number_input(
            "Distillation", 0.0, 1.0, 0.0, key="turn-distil", persist_state="session",
            help="How much of the loss is the unpruned network's answers (Hinton et al. 2015).",
        )  # fmt: skip
        least = st.number_input(
            "Least accuracy, %", 0.0, 99.9, 0.0, key="turn-least", persist_state="session",
            help="A step that ends below it is the last; one stays at the state before.",
        )  # fmt: skip
    recipe = Recipe(rate, momentum, decay, size, optimizer, schedule, alpha)
    return recipe, count, updates, least / 100


def _under_way(job: Job) -> None:
    drawn = job.version
    st.markdown("**Pruning and fine-tuning in turns**" + (", paused" if job.paused else ""))
    label, act = ("Go on", job.resume) if job.paused else ("Pause", job.pause)
    st.button(label, key="turns-pause", on_click=act)
    follow(job, drawn)


def turns_key() -> str:
    """The key of this run's job."""
    return f"turns-{run_id()}"


def begin(
    view: View, chosen: Choice, measure: str, target: float, recipe: Recipe, count: int, updates: int, least: float
) -> None:
    """Start the job; BadInput where the target can't be reached or the recipe is impossible."""
    loaded = view.loaded
    settings = Settings(
        criterion=chosen.criterion, measure=measure, target=target, scaling=chosen.scaling, price=chosen.price,
        penalty=chosen.penalty, step=count, limits=chosen.limits, updates=updates, recipe=recipe,
        least_accuracy=least, seed=loaded.source.seed,
    )  # fmt: skip
    if "finetune" not in loaded.images.splits or not len(loaded.images.splits["finetune"]):
        raise BadInput(f"{loaded.images.name} has no images for fine-tuning.")
    procedure.check_reachable(loaded.costs, view.removed, settings)
    run = run_id()

    def work(job: Job) -> int:
        return _work(job, run, view, settings, f"{chosen.title}, {wording.count(updates, 'update')}")

    JOBS.submit(turns_key(), "In turns", work, LONG)


def _work(job: Job, run: str, view: View, settings: Settings, by: str) -> int:
    """Each step is on disk before the next begins; whoever is at the last one goes along."""
    loaded, folder, at = view.loaded, run_folder(run), view.timeline.current
    network, removed = pruned_at(loaded.network, view.timeline, folder), view.removed
    start = Step(0, network, removed, view.timeline.state.metrics, updates=updates_at(view.timeline))
    finetuning = batches_for(loaded.network, loaded.images, "finetune")
    for each in procedure.iterate(
        loaded.network, loaded.calibration, finetuning, loaded.validation, settings, job.report, start
    ):
        more = gone(loaded.network.units, removed, each.removed)
        state = State(
            at, more, f"{wording.count(len(more), 'unit')} by {by}", each.metrics, each.pruned, settings.updates,
            write_weights(folder, each.network), asdict(settings),
        )  # fmt: skip
        above = each.metrics.accuracy >= settings.least_accuracy
        timeline = grow_run(run, view, partial(_grown, state=state, above=above))
        at, removed = timeline.made - 1, each.removed
        job.publish(at)
    return at


def _grown(timeline: Timeline, state: State, above: bool) -> Timeline:
    """A state below the least accuracy is kept, but nobody goes there by themselves."""
    grown = step(timeline, state)
    return grown if above else replace(grown, current=timeline.current, tip=timeline.tip)
