"""The worth of one feature map: by every criterion, by the oracle, and to each class."""

from __future__ import annotations

import streamlit as st

from explorer.core.text import counted, markdown
from explorer.evaluation.evaluate import Outcome
from explorer.figures.class_changes import MAX_CLASSES, class_changes
from explorer.figures.rank_strip import CriterionPlace, rank_strip
from explorer.figures.unit_effects import CLEAR
from explorer.jobs.job import Job
from explorer.pruning.selectors import ORACLE, SELECTORS, scaling_for
from explorer.scoring.detail import Effects, UnitRank, effects_by_class, effects_overall, open_and_closed, standing
from explorer.scoring.ranking import SCALING_TITLES, scaled
from explorer.ui.choosing.controls import saliencies, selectors_offered
from explorer.ui.elements import say, wording
from explorer.ui.elements.chart import chart
from explorer.ui.work.jobs import JOBS
from explorer.ui.work.oracle_job import oracle
from explorer.ui.work.progress import NOTHING, explain_end, follow
from explorer.ui.work.results import find_measuring_job, measuring_job, scoring_job
from explorer.ui.work.session import View

EAGER = 4e11  # FLOPs that opening the dialog may spend on a measurement
PATIENCE = 6.0  # seconds


def standings(view: View, unit: int, scaling: str, anew: bool) -> None:
    """Every criterion's value of the unit, and its rank among those left."""
    units, removed = view.workspace.network.units, view.removed
    found = {}
    if view.loaded.given and (known := oracle(view.loaded)):
        found[ORACLE] = standing(known.oracle_abs, known.oracle_abs, units, removed, unit)
    scored = view if anew else view.as_loaded
    job = scoring_job(scored.workspace, scored.removed)
    drawn = job.version  # before the scores are taken: what comes later is seen as new
    for name, saliency in saliencies(view, selectors_offered(view)[0], anew).items():
        found[name] = standing(saliency, scaled(saliency, units, scaling_for(name, scaling)), units, removed, unit)
    say.body("**By every criterion**")
    if not removed[unit]:
        places = [CriterionPlace(name, s.share, s.layer_share, _ranked(s)) for name, s in found.items()]
        chart(rank_strip(places), "unit-ranks")
    st.dataframe(_table(found), hide_index=True, height=350)
    base = "the network as it is now" if anew else "the network as loaded"
    say.caption(
        f"Rank 1 = most important, among the units left; criteria ranked {SCALING_TITLES[scaling]}, the oracle as it "
        f"is. Values as they are, scored in {base}, on {view.workspace.calibrated_on}."
    )
    explain_end(job, NOTHING)
    follow(job, drawn)


def _ranked(found: UnitRank) -> str:
    return (
        f"{found.value:.4g}<br>rank {wording.rank(found.rank)} of {found.of:,} units left<br>"
        f"rank {wording.rank(found.layer_rank)} of {found.layer_of:,} in its layer"
    )


def _table(found: dict[str, UnitRank]) -> dict[str, list[str]]:
    titles = {name: SELECTORS[name].title for name in found} | {ORACLE: "Oracle-abs"}
    return {
        "Criterion": [titles[name] for name in found],
        "Value": [f"{s.value:.4g}" for s in found.values()],
        "Measured in": [SELECTORS[name].unit for name in found],
        "Rank": [f"{wording.rank(s.rank)} of {s.of:,}" for s in found.values()],
        "In its layer": [f"{wording.rank(s.layer_rank)} of {s.layer_of:,}" for s in found.values()],
    }


def oracle_effect(view: View, unit: int) -> None:
    """Draw the oracle's value of the unit, or the way to measure it."""
    known = oracle(view.loaded)
    if known is None:
        say.caption("Oracle: not known yet. It is run on the Oracle page, for all units at once.")
        return
    loss, error = float(known.oracle_loss[unit]), float(known.standard_error[unit])
    spread = f" ± {error:.2g}" if error < float("inf") else ""
    unclear = " That is within two standard errors of zero." if abs(loss) <= CLEAR * error else ""
    exact = "" if known.whole else f" Estimated: {known.images} of {known.total} images are exact so far."
    say.body(
        "**Oracle**: without it alone, the network as loaded changes its loss by **{}**{} nats on {} calibration "
        "images.{}",
        *(_signed(loss), spread, known.total, unclear + exact),
    )


def _signed(nats: float) -> str:
    return f"{nats:+.3g}".replace("-", "−")


def class_effects(view: View, unit: int) -> None:
    """The measured change in loss of each class, at the state in view; asked for first where it takes long."""
    say.body("**Class by class**")
    workspace, plans = view.workspace, open_and_closed(view.removed, unit)
    cost = workspace.costs.flops(plans[0]) * len(workspace.validation)
    begun = all(find_measuring_job(workspace, plan) for plan in plans)
    label = f"Measure it on {counted(len(workspace.validation), 'validation image')}"
    if not (begun or cost <= EAGER or st.button(markdown(label), key="unit-measure")):
        say.caption("What removing it does to each class is not known yet: it takes a pass over the validation images.")
        return
    jobs = [measuring_job(workspace, plan) for plan in plans]
    outcomes = [_outcome(job) for job in jobs]
    if outcomes[0] and outcomes[1]:
        _changes(view, unit, outcomes[0], outcomes[1])


def stop_measuring(view: View, unit: int) -> None:
    """Stop the measurement of a unit that is no longer shown."""
    for plan in open_and_closed(view.removed, unit):
        job = find_measuring_job(view.workspace, plan)
        if job and job.active and not plan.equal(view.removed):
            job.cancel()
            job.wait(PATIENCE)
            JOBS.forget(job.key)


def _outcome(job: Job) -> Outcome | None:
    """The measured value, or None and then the progress of its measurement."""
    with st.spinner(markdown(job.label)):
        job.wait(PATIENCE)
    drawn = job.version
    if job.result is None:
        explain_end(job, NOTHING)
        follow(job, drawn)
    return job.result


def _changes(view: View, unit: int, before: Outcome, after: Outcome) -> None:
    classes = view.workspace.network.classes
    found, total = effects_by_class(before, after, len(classes)), effects_overall(before, after)
    figure = class_changes(found.loss.numpy(), found.error.numpy(), classes, _notes(found))
    chart(figure, "unit-classes")
    would = "Its removal changed" if view.removed[unit] else "Its removal would change"
    few = f" The {MAX_CLASSES} classes that change most are shown." if len(classes) > MAX_CLASSES else ""
    say.caption(
        f"{would} the loss from {before.loss:.4f} to {after.loss:.4f} nats ({_signed(float(total.loss))} ± "
        f"{float(total.error):.2g}) and the accuracy from {before.accuracy:.1%} to {after.accuracy:.1%}. Bars: mean "
        f"over a class's images, with its standard error.{few} At the state in view, on "
        f"{view.workspace.validated_on}, {view.stage}."
    )


def _notes(found: Effects) -> list[str]:
    return [
        f"accuracy {100 * change:+.1f} points, {counted(images, 'image')}"
        for change, images in zip(found.accuracy.tolist(), found.images.tolist(), strict=True)
    ]
