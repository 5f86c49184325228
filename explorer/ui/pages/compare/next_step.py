"""The next step: the units that each criterion would remove now, with the predicted and the measured result."""

from __future__ import annotations

import streamlit as st
from torch import Tensor

from explorer.core.text import counted, markdown
from explorer.evaluation.evaluate import Outcome
from explorer.jobs.job import Job
from explorer.networks.units import newly_removed
from explorer.pruning.plan import remove_next
from explorer.pruning.race import RANDOM
from explorer.pruning.selectors import JOINT, ORACLE, SELECTORS
from explorer.ui.choosing.controls import NEVER_SCALED, RankingChoice, ranking, scaling_choice, selectors_offered
from explorer.ui.elements import say, wording
from explorer.ui.pages.compare.race_tables import counts_by_layer
from explorer.ui.work.joint_jobs import linearising_job, predicted_outcome
from explorer.ui.work.oracle_job import oracle
from explorer.ui.work.progress import follow
from explorer.ui.work.results import measuring_job
from explorer.ui.work.session import View

SELECTORS_SHOWN_FIRST = ("taylor", "obd", "activation_mean", "weight", RANDOM, JOINT, ORACLE)
POLL = 0.3  # seconds between two looks at a measurement
QUIET = 1.5  # seconds of measuring before its progress is shown
PENDING = "…"


def next_step(view: View) -> None:
    """Answer: if the next units went by each criterion, from the state as it is, what would that cost?"""
    table, side = st.columns([2.2, 1], gap="large")
    with side:
        names, count, scaling = _choices(view)
        plans = {name: _plan(view, name, count, scaling) for name in names}
    with table:
        say.subheader(f"The next {counted(count, 'unit')} by each criterion")
        if not plans:
            st.info("Choose criteria: each says which units it would remove next.")
            return
        jobs = {name: measuring_job(view.workspace, plan) for name, plan in plans.items()}
        for job in jobs.values():
            job.wait(POLL)
        _rows(view, plans, jobs)
        _pending(view, jobs)


def _choices(view: View) -> tuple[list[str], int, str]:
    """The selectors to compare, the number of units, and the scaling."""
    known = _oracle(view) is not None
    names = selectors_offered(view, measured=known)
    chosen = st.multiselect(
        "Criteria",
        names,
        [name for name in SELECTORS_SHOWN_FIRST if name in names],
        format_func=lambda name: SELECTORS[name].title,
        key="asked",
        persist_state="session",
        help=None if known else "The oracle can be chosen at the network as loaded, once it has been run on its page.",
    )
    most = max(1, int((~view.removed).sum()) - len(view.loaded.network.units.layers))
    count = st.number_input("Units to go", 1, most, min(10, most), key="asked-units", persist_state="session")
    return chosen, count, scaling_choice("asked-scaling", NEVER_SCALED)


def _oracle(view: View) -> Tensor | None:
    """(units,) what the oracle says of the state, where it is the network as loaded and its oracle is known."""
    if view.removed.any() or view.workspace is not view.loaded:
        return None
    found = oracle(view.loaded)
    return found.oracle_abs if found is not None and found.whole else None


def _plan(view: View, name: str, count: int, scaling: str) -> Tensor:
    """The plan of the state with `count` more units gone by a criterion that scores the state itself."""
    saliency = _oracle(view) if SELECTORS[name].measured else None
    if saliency is None:
        saliency = ranking(view, RankingChoice(name, scaling, 0.0, True))
    return remove_next(view.loaded.network.units, view.removed, saliency, count)


def _rows(view: View, plans: dict[str, Tensor], jobs: dict[str, Job]) -> None:
    now = view.timeline.state.metrics
    loss, accuracy = now.quality
    predicted = {name: predicted_outcome(view.workspace, view.removed, plan) for name, plan in plans.items()}
    outcomes: dict[str, Outcome | None] = {name: job.result for name, job in jobs.items()}
    names = sorted(plans, key=lambda name: _place(outcomes[name], predicted[name]))
    st.table(
        {
            "": [SELECTORS[name].title for name in names],
            "next to go, by layer": [markdown(_layers(view, plans[name])) for name in names],
            "MFLOPs": [_saved(view, plans[name]) for name in names],
            "loss, predicted": [_loss(predicted[name], loss) for name in names],
            "loss, measured": [_loss(outcomes[name], loss) for name in names],
            "accuracy, predicted": [_accuracy(predicted[name]) for name in names],
            "accuracy, measured": [_accuracy(outcomes[name]) for name in names],
        },
        border="horizontal",
        hide_index=True,
    )
    say.caption(
        f"From state {view.timeline.current}: {counted(now.units, 'unit')}, loss {loss:.4f}, accuracy "
        f"{accuracy:.1%}. Least loss first. Scored in this state on {view.workspace.calibrated_on}. Predicted: "
        f"linearised, without a forward pass; measured: with the units closed. Both on {view.workspace.validated_on}, "
        f"{view.stage.pruned}."
    )


def _place(measured: Outcome | None, predicted: Outcome | None) -> float:
    known = measured or predicted
    return known.loss if known else float("inf")


def _layers(view: View, plan: Tensor) -> str:
    units = view.loaded.network.units
    return counts_by_layer(units, newly_removed(units, view.removed, plan))


def _saved(view: View, plan: Tensor) -> str:
    saved = view.timeline.state.metrics.flops - view.loaded.costs.flops(plan)
    return f"−{saved / 1e6:.2f}"


def _loss(outcome: Outcome | None, now: float) -> str:
    return f"{outcome.loss:.4f} ({wording.nats(outcome.loss, now) or '±0'})" if outcome else PENDING


def _accuracy(outcome: Outcome | None) -> str:
    return f"{outcome.accuracy:.1%}" if outcome else PENDING


def _pending(view: View, jobs: dict[str, Job]) -> None:
    """Draw the page again when the next figure is there."""
    linear = linearising_job(view.workspace, view.removed)
    waiting = [job for job in (*jobs.values(), linear) if job is not None and job.active]
    if waiting:
        follow(waiting[0], waiting[0].version, POLL, QUIET)
