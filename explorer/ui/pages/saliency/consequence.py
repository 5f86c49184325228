"""The consequence of a plan before anything is committed: predicted at once, then measured, both side by side."""

from __future__ import annotations

import streamlit as st
from torch import Tensor

from explorer.core.text import counted, markdown
from explorer.evaluation.evaluate import Outcome
from explorer.evaluation.metrics import Metrics, metrics_of
from explorer.ui.choosing.controls import RankingChoice
from explorer.ui.choosing.steps import attempt, remove
from explorer.ui.elements import say, wording
from explorer.ui.work.joint_jobs import linearising_job, predicted_outcome
from explorer.ui.work.progress import NOTHING, await_result, explain_end, follow_shortly, wait_shortly
from explorer.ui.work.results import measuring_job
from explorer.ui.work.run_jobs import button_state, why_busy
from explorer.ui.work.session import View

PENDING = "…"


def consequence(view: View, plan: Tensor, how: str, chosen: RankingChoice) -> None:
    """The table of a plan, and the button that takes the step to it; how: its words in the timeline."""
    if view.workspace.given is None:
        _counted(view, plan)
        _button(view, plan, how, chosen)
        return
    job, predicted = measuring_job(view.workspace, plan), predicted_outcome(view.workspace, view.removed, plan)
    wait_shortly(job)
    drawn, measured = job.version, job.result
    if measured is None and predicted is None:
        measured = await_result(job)
    say.body("**{} would go.** {}", _more(view, plan), _said(view, measured is not None, predicted is not None))
    st.table(_table(view, plan, predicted, measured), border="horizontal", hide_index=True)
    if predicted and measured:
        say.caption(_trust(predicted, measured))
    _button(view, plan, how, chosen)
    if measured is None:
        explain_end(job, NOTHING)
        follow_shortly(job, drawn)


def _more(view: View, plan: Tensor) -> str:
    return counted(int((plan & ~view.removed).sum()), "unit")


def _button(view: View, plan: Tensor, how: str, chosen: RankingChoice) -> None:
    st.button(
        markdown(f"Remove {_more(view, plan)}"),
        type="primary",
        width="stretch",
        on_click=attempt,
        args=(remove, view, plan, how, chosen),
        **button_state(why_busy(view.run)),
    )


def _counted(view: View, plan: Tensor) -> None:
    """The numbers of a plan without images: what can be counted."""
    say.body("**{} would go.** {}", _more(view, plan), "Counted; without images, loss and accuracy are not measured.")
    now = view.timeline.state.metrics
    what, values, changes = zip(*wording.facts(_metrics(view, plan, None), now), strict=True)
    st.table({"": what, "Then": values, "Change": changes}, border="horizontal", hide_index=True)


def _said(view: View, measured: bool, predicted: bool) -> str:
    how = "Measured on" if measured else "Predicted from slopes, rough where many go, for"
    missing = (
        ""
        if predicted or linearising_job(view.workspace, view.removed)
        else " There is no prediction: it would take too much memory."
    )
    return f"{how} {view.workspace.validated_on}, {view.stage.pruned}:{missing}"


def _table(view: View, plan: Tensor, predicted: Outcome | None, measured: Outcome | None) -> dict[str, list[str]]:
    """Every number of the plan: counted, predicted and measured, and the change from now."""
    now, best = view.timeline.state.metrics, _metrics(view, plan, measured or predicted)
    what, values, changes = (list(column) for column in zip(*wording.facts(best, now), strict=True))
    counted = values[:3]
    foretold = wording.facts(_metrics(view, plan, predicted), now)[3:] if predicted else []
    return {
        "": what,
        "Predicted": ["", "", "", *([value for _, value, _ in foretold] or [PENDING, PENDING])],
        "Measured": [*counted, *(values[3:] if measured else [PENDING, PENDING])],
        "Change": changes,
    }


def _metrics(view: View, plan: Tensor, outcome: Outcome | None) -> Metrics:
    return metrics_of(outcome, view.workspace.costs, plan)


def _trust(predicted: Outcome, measured: Outcome) -> str:
    loss = wording.nats(predicted.loss, measured.loss) or "±0.0000"
    accuracy = wording.points(predicted.accuracy, measured.accuracy) or "±0.0 points"
    return f"The prediction was off by {loss} in loss and {accuracy} in accuracy."
