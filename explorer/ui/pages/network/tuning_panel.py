"""The panel of a fine-tuning on the Network page: its curves, its progress, and what can be done with it."""

from __future__ import annotations

import streamlit as st

from explorer.core.errors import BadInput
from explorer.evaluation.metrics import Metrics
from explorer.figures.epochs import epoch_curves
from explorer.runs.timeline import Timeline
from explorer.training.finetune import IMAGENET, NONE
from explorer.ui.choosing.steps import attempt
from explorer.ui.elements import say
from explorer.ui.elements.boundary import boundary, offer
from explorer.ui.elements.chart import chart
from explorer.ui.pages.network.tunings import (
    DEVICE,
    Tuning,
    TuningStatus,
    discard,
    look_at,
    open_tuned,
    start,
    tuning_status,
)
from explorer.ui.work.progress import progress_of, redraw


def panel(tuning: Tuning) -> None:
    """The curves of a fine-tuning by epoch, live while its job runs; one sentence where its folder is damaged."""
    with st.container(border=True):
        say.subheader(f"Fine-tuning {tuning.title}")
        try:
            _content(tuning)
        except BadInput as problem:
            say.error(str(problem))
            with st.container(horizontal=True):
                _leaving(tuning)


def _content(tuning: Tuning) -> None:
    drawn = tuning_status(tuning)
    active = drawn.job is not None and drawn.job.active

    @st.fragment(run_every=0.9 if active else None)
    @boundary()
    def live() -> None:
        now = tuning_status(tuning)
        if active and now.job and not now.job.active:
            redraw()
        _curves(tuning, now.states)
        if now.job and now.job.active:
            progress_of(now.job)

    live()
    if not active:
        _ended(tuning, drawn)


def _curves(tuning: Tuning, states: Timeline | None) -> None:
    if states is not None:
        losses, accuracies = zip(*(state.metrics.quality for state in states.states.values()), strict=True)
        chart(epoch_curves(losses, accuracies, tuning.epochs), f"epochs-{tuning.id}-{len(losses)}")
        say.caption(f"Measured on {_measured_on(tuning, states)} {_settings(tuning)}")
    else:
        say.caption(f"The network is measured first, then after every epoch. {_settings(tuning)}")


def _measured_on(tuning: Tuning, states: Timeline) -> str:
    where = f"{states.root.metrics.images} validation images of {tuning.images}, seed {tuning.seed}, {DEVICE}."
    found = f"Epoch 0 (open mark): before fine-tuning, {_quality(states.root.metrics)}."
    if states.current:
        found += f" After epoch {states.current} of {tuning.epochs}: {_quality(states.state.metrics)}."
    return f"{where} {found}"


def _quality(metrics: Metrics) -> str:
    return f"{metrics.accuracy:.1%} right, loss {metrics.loss:.4f} nats"


def _settings(tuning: Tuning) -> str:
    """How, for the caption."""
    recipe = tuning.recipe
    began = {IMAGENET: "published ImageNet weights", NONE: "random weights"}.get(tuning.weights, tuning.name)
    return (
        f"{tuning.arch} from {began}; {recipe.optimizer.upper()}, learning rate {recipe.learning_rate:g}, momentum "
        f"{recipe.momentum:g}, weight decay {recipe.weight_decay:g}, minibatches of {recipe.batch_size}."
    )


def _ended(tuning: Tuning, found: TuningStatus) -> None:
    if found.job and found.job.state == "failed":
        say.error(f"{found.job.label}: {found.job.error}")
        offer(found.job.report_file)
    if not found.finished:
        say.info(_stopped(tuning, found.states))
    with st.container(horizontal=True):
        if found.finished:
            st.button("Open this network", type="primary", on_click=attempt, args=(_open, tuning))
        else:
            st.button("Go on", type="primary", on_click=attempt, args=(start, tuning))
        _leaving(tuning)


def _leaving(tuning: Tuning) -> None:
    st.button(
        "Discard this fine-tuning",
        on_click=attempt,
        args=(_discard, tuning),
        help="Delete it and all that it has made.",
    )
    st.button("Close", on_click=look_at, args=(None,), help="It stays, and is found under “Fine-tune a network”.")


def _stopped(tuning: Tuning, states: Timeline | None) -> str:
    if states is None:
        return "It stopped before anything was measured."
    return f"It stopped after epoch {states.current} of {tuning.epochs}, which is kept: it can go on from there."


def _open(tuning: Tuning) -> None:
    open_tuned(tuning)
    look_at(None)


def _discard(tuning: Tuning) -> None:
    discard(tuning)
    look_at(None)
