"""All at once: each criterion removes as many units from the network as loaded, before fine-tuning."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import streamlit as st
from torch import Tensor

from explorer.core.text import counted
from explorer.figures.curve import curve
from explorer.jobs.job import LONG, Job
from explorer.pruning.one_shot import SHARES, Curves, one_shot_curves
from explorer.pruning.selectors import ORACLE, SELECTORS
from explorer.scoring.ranking import overlap
from explorer.ui.choosing.controls import (
    NEVER_SCALED,
    RankingChoice,
    axes_choice,
    ranking,
    scaling_choice,
    selectors_offered,
)
from explorer.ui.choosing.measured_line import Axes, measured_line
from explorer.ui.elements import say
from explorer.ui.elements.chart import chart
from explorer.ui.work.estimates import about
from explorer.ui.work.jobs import JOBS
from explorer.ui.work.measurements import curves_of
from explorer.ui.work.oracle_job import oracle
from explorer.ui.work.progress import NOTHING, explain_end, follow
from explorer.ui.work.session import View
from explorer.ui.work.visitors import own_key
from explorer.ui.work.workspace import Workspace

CRITERIA_SHOWN_FIRST = ("taylor", "obd", "activation_mean", "weight", "random")
REMOVED_FIRST = (0.1, 0.25, 0.5)  # shares of the units, for the overlap


def one_shot_compare(view: View) -> None:
    """Answer: if each criterion removes as many units from the same network, which one loses least?"""
    picture, side = st.columns([2.2, 1], gap="large")
    with side:
        rankings = _rankings(view)
        job = JOBS.find(_key(view.loaded, rankings))
        drawn = job.version if job else None
        idle = not (job and (job.active or job.result))
        if idle and (time := about(view.loaded, len(SHARES) * len(rankings) * len(view.loaded.validation))):
            say.caption(f"{counted(len(SHARES) * len(rankings), 'measurement')}, {time}.")
        if idle and st.button(
            "Compare these criteria", type="primary", width="stretch"
        ):  # a callback would have the choice of before
            _start(view.loaded, rankings)
            st.rerun()
        if job:
            kept = "the points so far are shown until you dismiss this" if job.partial else NOTHING
            explain_end(job, kept, "Dismiss")
            follow(job, drawn)
    with picture:
        say.subheader("Each criterion on its own way down")
        curves = job and (job.result or job.partial)
        if curves:
            curves_of(view.loaded.key).update(curves)
            _picture(view, curves)
        else:
            st.info(
                "Choose criteria and compare them: each removes the same number of units from the network as loaded."
            )
        _overlap(view, rankings)


def _rankings(view: View) -> dict[str, Tensor]:
    """The chosen criteria's scaled saliencies of the network as loaded; the oracle's own where it is known."""
    whole = oracle(view.loaded)
    names = selectors_offered(view.as_loaded, measured=whole is not None)
    chosen = st.multiselect(
        "Criteria",
        names,
        [n for n in (*CRITERIA_SHOWN_FIRST, ORACLE) if n in names],
        format_func=_title,
        key="compared",
        persist_state="session",
    )
    scaling = scaling_choice("compare-scaling", NEVER_SCALED)
    found = {}
    for name in chosen:
        if SELECTORS[name].measured and whole is not None:
            found[name] = whole.oracle_abs
        else:
            found[name] = ranking(view.as_loaded, RankingChoice(name, scaling, 0.0, False))
    return found


def _title(name: str) -> str:
    return SELECTORS[name].title


def _key(workspace: Workspace, rankings: dict[str, Tensor]) -> str:
    digest = hashlib.sha256(workspace.key.encode())
    for name, saliency in rankings.items():
        digest.update(name.encode() + saliency.numpy().tobytes())
    return own_key(f"compare-{digest.hexdigest()}")


def _start(workspace: Workspace, rankings: dict[str, Tensor]) -> None:
    def work(job: Job) -> Curves | None:
        steps = one_shot_curves(workspace.network, workspace.costs, rankings, workspace.validation, report=job.report)
        for curves in steps:
            job.publish(curves)
        return job.partial

    JOBS.submit(_key(workspace, rankings), "Comparing criteria", work, LONG)


def _picture(view: View, curves: Curves) -> None:
    with st.container(horizontal=True, gap="medium"):
        quantity, against = axes_choice("compare")
    root = view.timeline.root.metrics
    axes = Axes(quantity, against, root)
    series = [replace(measured_line(axes, name, points), label=_title(name)) for name, points in curves.items()]
    chart(curve(series, quantity=quantity, against=against, original=getattr(root, quantity)), "at-once")
    say.caption(
        f"On {view.loaded.validated_on}, before fine-tuning; one ranking of the network as loaded, all units removed "
        "at once. Bands: the 95 % interval that so many images give. The loss right after removal says little about "
        "the accuracy after retraining on larger tasks (arXiv:2412.00143)."
    )


def _overlap(view: View, rankings: dict[str, Tensor]) -> None:
    """Of the units that the oracle would remove first, how many would each criterion remove?"""
    whole = oracle(view.loaded)
    others = {name: saliency for name, saliency in rankings.items() if not SELECTORS[name].measured}
    if whole is None or not others:
        return
    say.subheader("Units that the oracle would remove first, and a criterion too")
    columns = {"Criterion": [_title(name) for name in others]}
    for share in REMOVED_FIRST:
        shares = [overlap(whole.oracle_abs, saliency, share) for saliency in others.values()]
        columns[f"of the first {share:.0%}"] = [f"{found:.0%}" for found in shares]
    st.dataframe(columns, hide_index=True)
    exact = "" if whole.whole else f", estimated: {whole.images} of them exact, the others linearised"
    say.caption(
        f"Oracle-abs of {whole.total} calibration images{exact}. A random ranking would share about as "
        "much as the column's heading says."
    )
