"""Oracle page: what removing each single unit really does, and how well each criterion foretells it."""

from __future__ import annotations

from typing import Literal

import numpy as np
import streamlit as st
from torch import Tensor

from explorer.criteria import CRITERIA, applicable
from explorer.figures.correlation import correlation
from explorer.figures.rank_scatter import rank_scatter
from explorer.figures.rank_statistics import LayerRanks, RankPanel, rank_statistics
from explorer.oracle import Oracle
from explorer.plan import nothing
from explorer.ranking import SCALINGS, correlation_table, ranks, spearman
from explorer.ui.chart import chart
from explorer.ui.controls import criterion_choice, saliencies, scaling_choice
from explorer.ui.jobs import JOBS, Job
from explorer.ui.progress import explain_end, follow
from explorer.ui.results import calibration_of, oracle, oracle_key, pooled_layers, scoring, start_oracle
from explorer.ui.session import View
from explorer.ui.workspace import Workspace


def page(view: View) -> None:
    """Answer: how much does the loss change when one unit goes, and which criterion knows it beforehand?"""
    workspace = view.workspace
    job = JOBS.find(oracle_key(workspace))
    drawn = job.version if job else None
    found = oracle(workspace)
    st.subheader("Where in the network the important units are")
    if found is None:
        st.info(
            f"The oracle closes one gate at a time and measures the loss: {len(workspace.network.units):,} units on "
            f"{len(workspace.calibration)} images. The first figures are estimates, and soon exact."
        )
    _run(workspace, job, drawn, found)
    if found is None:
        return
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        criterion = criterion_choice(view, "Compared with")
        scaling = scaling_choice("oracle-scaling")
    picture = st.empty()
    of_oracle = _panel(workspace, "oracle", found.oracle_abs)
    with picture:  # criteria may still be scored
        chart(rank_statistics([of_oracle]), "ranks")
    st.caption(
        f"Rank 1 = most important of all {len(workspace.network.units):,} units; whiskers span a layer's units, boxes "
        f"its quartiles. Oracle-abs: |change in loss when one unit goes|. {measured_on(workspace, found)}"
    )
    scored = scoring(workspace, nothing(workspace.network.units))
    drawn = scored.version  # before the scores are taken: what comes later is seen as new
    scores = saliencies(view, needed=criterion)
    saliency = SCALINGS[scaling](scores[criterion], workspace.network.units)
    with picture:
        chart(rank_statistics([of_oracle, _panel(workspace, criterion, saliency)]), "both-ranks")
    _agreement(view, found, criterion, saliency, scores)
    if len(scores) < len(applicable(workspace.network)):  # the table fills as criteria are scored
        explain_end(scored)
        follow(scored, drawn)


def measured_on(workspace: Workspace, found: Oracle) -> str:
    """On what the oracle's figures were measured, and how far they are final."""
    images = calibration_of(workspace, found.total)
    where = f"On {images.describe()}, {workspace.network.device}, before fine-tuning. {found.note}"
    if found.whole:
        return where
    return (
        f"{where} **Estimates**: {found.images} of {found.total} images are exact, the others linearised; these ranks "
        f"are expected to correlate {found.expected_agreement:.3f} with the final ones."
    )


def _run(workspace: Workspace, job: Job | None, drawn: object, found: Oracle | None) -> None:
    if job:
        explain_end(job, "Dismiss")
        follow(job, drawn)
    if job and job.active:
        return
    wanted = max(found.total if found else 0, len(workspace.calibration))
    available = len(workspace.images.splits["calibration"])
    if found is not None and found.whole and wanted == available:
        return
    settled = "Stops as soon as more images would hardly change the ranks."
    with st.container(horizontal=True):
        if found is None:
            _button("Run the oracle", workspace, wanted, True, settled, "primary")
            _button(f"Run all {wanted:,} images", workspace, wanted, False)
        elif not found.whole:
            if not found.settled:
                _button("Go on until the ranks settle", workspace, wanted, True, settled, "primary")
            _button(f"Go on to all {wanted:,} images", workspace, wanted, False)
        else:
            _button(f"Go on to {min(2 * wanted, available):,} images", workspace, min(2 * wanted, available), False)


def _button(
    label: str, workspace: Workspace, images: int, until_settled: bool, explanation: str | None = None,
    kind: Literal["primary", "secondary"] = "secondary",
) -> None:  # fmt: skip
    st.button(
        label, type=kind, help=explanation, on_click=start_oracle, args=(workspace, images, until_settled), key=label
    )


def _panel(workspace: Workspace, name: str, saliency: Tensor) -> RankPanel:
    pooled = pooled_layers(workspace.key, workspace)
    by_layer = workspace.network.units.by_layer(ranks(saliency))
    return RankPanel(name, [LayerRanks(layer, r.numpy(), layer in pooled) for layer, r in by_layer.items()])


def _agreement(view: View, found: Oracle, criterion: str, saliency: Tensor, scores: dict[str, Tensor]) -> None:
    units = view.workspace.network.units
    left, right = st.columns(2, gap="large")
    with left:
        st.subheader("Unit by unit")
        agreement = spearman(saliency, found.oracle_abs)
        figure = rank_scatter(
            ranks(found.oracle_abs).numpy(), ranks(saliency).numpy(), units.layer_index.numpy(), list(units.slices),
            criterion=criterion, spearman=agreement, channels=np.array([channel for _, channel in units.labels]),
        )  # fmt: skip
        chart(figure, "scatter")
        st.caption(f"Each point is one unit; on the diagonal, {CRITERIA[criterion].title} and the oracle agree.")
    with right:
        st.subheader("Every criterion against the oracle")
        table = correlation_table(scores, found.oracle_abs, units)
        rows = {name: [c["per_layer"], c["all_layers"], c["all_layers_l2"]] for name, c in table.items()}
        chart(correlation(rows), "correlation")
        st.caption(
            "Spearman's rank correlation with oracle-abs (Table 1 of the paper): mean over layers; all units together; "
            "all units after layer-wise l2."
        )
