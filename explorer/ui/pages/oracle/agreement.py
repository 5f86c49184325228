"""Agreement: how well criteria order the units as the oracle does, a part of the Oracle page."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import streamlit as st
from torch import Tensor

from explorer.figures.correlation import correlation
from explorer.figures.rank_scatter import RankedUnits, rank_scatter
from explorer.jobs.job import Job
from explorer.scoring.bootstrap import COVERED, RESAMPLES, Interval
from explorer.scoring.criteria import CRITERIA
from explorer.scoring.oracle import Oracle
from explorer.scoring.ranking import GROUPS, TOP, measures, ranks, spearman
from explorer.ui.elements import say
from explorer.ui.elements.chart import chart
from explorer.ui.work.oracle_job import bootstrap_job
from explorer.ui.work.progress import NOTHING, explain_end, follow
from explorer.ui.work.results import Saliencies
from explorer.ui.work.session import View
from explorer.ui.work.workspace import Workspace

SHOWN = {
    "spearman": "Spearman correlation",
    "kendall": "Kendall correlation",
    "overlap": f"Overlap of the first {TOP:.0%}",
}


@dataclass(frozen=True)
class Chosen:
    """The criteria that are compared with the oracle."""

    criterion: str
    scaling: str
    saliency: Tensor  # (units,) of the criterion, scaled
    scores: Saliencies  # of all criteria that are scored so far, as they are


def agreement(view: View, found: Oracle, scored: Job, chosen: Chosen) -> None:
    """The chosen criterion's ranks against the oracle's, and every criterion's agreement in figures."""
    left, right = st.columns(2, gap="large")
    with left:
        say.subheader("Unit by unit")
        _scatter(view, found, chosen)
    with right:
        say.subheader("Every criterion against the oracle")
        _table(view.loaded, found, scored, chosen)


def _scatter(view: View, found: Oracle, chosen: Chosen) -> None:
    units = view.loaded.network.units
    oracle, criterion = (ranks(each).numpy() for each in (found.oracle_abs, chosen.saliency))
    channels = np.array([channel for _, channel in units.labels])
    ranked = RankedUnits(oracle, criterion, units.layer_index.numpy(), list(units.slices), channels)
    agreeing = spearman(chosen.saliency, found.oracle_abs)
    figure = rank_scatter(ranked, criterion=chosen.criterion, spearman=agreeing)
    chart(figure, "scatter")
    say.caption(f"Each point is one unit; on the diagonal, {CRITERIA[chosen.criterion].title} and the oracle agree.")


def _table(workspace: Workspace, found: Oracle, scored: Job, chosen: Chosen) -> None:
    group = st.segmented_control(
        "Measure",
        list(SHOWN),
        default="spearman",
        format_func=SHOWN.__getitem__,
        key="agreement",
        persist_state="session",
        required=True,
        label_visibility="collapsed",
    )
    shown = [measure for measure in measures(chosen.scaling) if measure.group == group]
    units, oracle_abs = workspace.network.units, found.oracle_abs[None]
    rows = {name: [float(m.of(s[None], oracle_abs, units)[0]) for m in shown] for name, s in chosen.scores.items()}
    spread = _spread(workspace, found, scored, chosen.scaling)
    spans = {name: [each[m.name] for m in shown] for name, each in (spread.result or {}).items()} if spread else {}
    columns = [measure.column for measure in shown]
    chart(correlation(rows, columns=columns, what=SHOWN[group], intervals=spans), "correlation")
    say.caption(f"{GROUPS[group]}. {_about_intervals(found, spans)}")
    if spread:
        explain_end(spread, NOTHING)
        follow(spread, spread.version)


def _spread(workspace: Workspace, found: Oracle, scored: Job, scaling: str) -> Job | None:
    """The job that finds the intervals; None until the oracle and the scores of the same images are whole."""
    if scored.result is None or not found.whole or found.total != len(workspace.calibration):
        return None
    return bootstrap_job(workspace, scored.result.evidence, found, scaling)


def _about_intervals(found: Oracle, spans: dict[str, list[Interval]]) -> str:
    if spans:
        return f"Under the pointer: the range that {COVERED:.0%} of {RESAMPLES} bootstrap resamples of the images give."
    return "" if found.whole else "Intervals over the images are shown once all of them are exact."
