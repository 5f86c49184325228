"""Oracle page: what removing each single unit really does, and how well each criterion predicts it."""

from __future__ import annotations

from typing import Literal

import streamlit as st
from torch import Tensor

from explorer.core.text import counted, markdown
from explorer.figures.rank_statistics import LayerRanks, RankPanel, rank_statistics
from explorer.figures.unit_effects import CLEAR, unit_effects
from explorer.jobs.job import Job
from explorer.networks.units import none_removed
from explorer.scoring.bootstrap import COVERED, RESAMPLES
from explorer.scoring.criteria import applicable
from explorer.scoring.oracle import Oracle
from explorer.scoring.pairs import FIRST, ToldApart, told_apart
from explorer.scoring.ranking import SCALINGS, ranks
from explorer.ui.choosing.controls import criterion_choice, saliencies, scaling_choice
from explorer.ui.choosing.steps import attempt
from explorer.ui.elements import say
from explorer.ui.elements.chart import chart, clickable_chart
from explorer.ui.elements.readable import main_part
from explorer.ui.pages.oracle.agreement import Chosen, agreement
from explorer.ui.unit.dialog import UnitRanking, openings, unit_in_detail
from explorer.ui.work.jobs import JOBS
from explorer.ui.work.oracle_job import calibration_of, oracle, oracle_key, start_oracle
from explorer.ui.work.progress import NOTHING, explain_end, follow
from explorer.ui.work.results import pooled_layers, scoring_job
from explorer.ui.work.session import View
from explorer.ui.work.workspace import Workspace


def page(view: View) -> None:
    """Answer: how much does the loss change when one unit goes, and which criterion knows it beforehand?"""
    workspace = view.loaded
    job = JOBS.find(oracle_key(workspace))
    drawn = job.version if job else None
    main_part()
    found = oracle(workspace)
    say.subheader("Where in the network the important units are")
    if found is None:
        say.info(
            f"The oracle closes one gate at a time and measures the loss: {len(workspace.network.units):,} units on "
            f"{len(workspace.calibration)} images. The first figures are estimates, and soon exact."
        )
    _run(workspace, job, drawn, found)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        criterion = criterion_choice(applicable(view.workspace.network), "Compared with")
        scaling = scaling_choice("oracle-scaling")
    picture, caption, effects = st.empty(), st.empty(), st.container()
    panels = [_panel(workspace, "oracle", found.oracle_abs)] if found else []
    with caption:
        say.caption(_about_ranks(workspace, found))
    scored = scoring_job(workspace, none_removed(workspace.network.units))
    drawn = scored.version  # before the scores are taken: what comes later is seen as new
    if found and scored.result is None:
        with picture:
            chart(rank_statistics(panels), "ranks")
    clicked = None
    if found:
        with effects:
            clicked = _effects(workspace, found)
    scores = saliencies(view, criterion)
    saliency = SCALINGS[scaling](scores[criterion], workspace.network.units)
    with picture:
        chart(rank_statistics([*panels, _panel(workspace, criterion, saliency)]), f"ranks-{len(panels)}")
    if found:
        agreement(view, found, scored, Chosen(criterion, scaling, saliency, scores))
        unit_in_detail(view, clicked, UnitRanking(found.oracle_abs, "the oracle", scaling))
    if len(scores) < len(applicable(workspace.network)):  # the table fills as criteria are scored
        explain_end(scored, f"the figures of {len(scores)} criteria are kept")
        follow(scored, drawn)


def _about_ranks(workspace: Workspace, found: Oracle | None) -> str:
    ranks_of = (
        f"Rank 1 = most important of all {len(workspace.network.units):,} units; whiskers span a layer's units, boxes "
        "its quartiles."
    )
    if found is None:
        return f"{ranks_of} On {workspace.calibrated_on}, before fine-tuning."
    return f"{ranks_of} Oracle-abs: |change in loss when one unit goes|. {measured_on(workspace, found)}"


def _effects(workspace: Workspace, found: Oracle) -> int | None:
    """Every unit's change in loss, with its standard error; the one that was clicked."""
    say.subheader("What each removal does, and how sure that is")
    names = [f"{layer}, channel {channel}" for layer, channel in workspace.network.units.labels]
    loss, error = found.oracle_loss, found.standard_error
    figure = unit_effects(loss.numpy(), error.numpy(), names, exact=found.whole)
    clicked = clickable_chart(figure, f"effects-{openings()}")
    unclear = int((loss.abs() <= CLEAR * error).sum())
    also = "" if found.whole else ", and of the images that are not exact yet"
    say.caption(
        f"Standard errors over {found.total} images{also}. {unclear:,} of {len(loss):,} units lie within {CLEAR:g} "
        "of zero: these images can't tell whether the network gains or loses without any one of them. Click a unit to "
        "see it in detail."
    )
    return clicked


def _known(workspace: Workspace, found: Oracle) -> str:
    """What these images do tell: the order of units, of the first and the rest, and of layers."""
    if not found.whole:
        return ""
    apart = _apart(f"{oracle_key(workspace)}-{found.total}", found)
    drawn = "" if apart.units == len(found.units) else f" of {apart.units:,} units"
    return (
        f" What they do tell is which of two matters more: {apart.share:.0%} of all {apart.pairs:,} pairs{drawn}, "
        f"{apart.first_share:.0%} of those of one of the first {FIRST:.0%} and one of the rest, and {apart.layers} of "
        f"{counted(apart.layer_pairs, 'pair')} of layers (mean of their units) keep their order in {COVERED:.0%} of "
        f"{RESAMPLES} resamples of the images; by chance {1 - COVERED:.0%} would."
    )


@st.cache_resource(max_entries=32, show_spinner=False)
def _apart(key: str, _found: Oracle) -> ToldApart:
    return told_apart(_found)


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
        explain_end(job, f"{found.images} of {found.total} images are exact, and kept" if found else NOTHING, "Dismiss")
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
    label: str,
    workspace: Workspace,
    images: int,
    until_settled: bool,
    explanation: str | None = None,
    kind: Literal["primary", "secondary"] = "secondary",
) -> None:
    st.button(
        markdown(label),
        type=kind,
        help=explanation,
        on_click=attempt,
        args=(start_oracle, workspace, images, until_settled),
        key=label,
    )


def _panel(workspace: Workspace, name: str, saliency: Tensor) -> RankPanel:
    pooled = pooled_layers(workspace.key, workspace)
    by_layer = workspace.network.units.by_layer(ranks(saliency))
    return RankPanel(name, [LayerRanks(layer, r.numpy(), layer in pooled) for layer, r in by_layer.items()])
