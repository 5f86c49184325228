"""Sightings: what a step of a lesson shows, as one sentence with the numbers of the network in view.

Each is None until it was done. None of them says what the paper found: what differs here is said as it is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st
import torch

from explorer.core.text import counted
from explorer.evaluation.metrics import Metrics
from explorer.networks.units import none_removed
from explorer.pruning.one_shot import SHARES
from explorer.pruning.selectors import JOINT, ORACLE, selector_of
from explorer.runs import timeline as timelines
from explorer.scoring.detail import most_exciting
from explorer.scoring.oracle import Oracle
from explorer.scoring.ranking import rank_statistics, scaled
from explorer.scoring.ranking.correlation import spearman
from explorer.ui.work.address import UNIT
from explorer.ui.work.jobs import JOBS
from explorer.ui.work.measurements import curves_of
from explorer.ui.work.oracle_job import oracle
from explorer.ui.work.results import Saliencies, Scored, find_scoring_job
from explorer.ui.work.run_jobs import EXPORT, key_of
from explorer.ui.work.session import View

EXCITED = 16  # images that excite a unit most
HALF, AROUND = 0.5, 0.1  # of the units left, and how far from it still counts
TENTH = 0.1  # of the units


@dataclass(frozen=True)
class Sighting:
    """What can be seen: in words for who writes a lesson, and the sentence on a view, None before it was done."""

    what: str
    sentence: Callable[[View], str | None]


def sighted(view: View, name: str) -> str | None:
    """The sentence of this name, or None if it was not done yet."""
    return SIGHTINGS[name].sentence(view)


def _feature_map(view: View) -> str | None:
    units, scored = view.loaded.network.units, _scored(view)
    named = st.query_params.get(UNIT, "")
    unit = next((i for i, (layer, channel) in enumerate(units.labels) if f"{layer}:{channel}" == named), None)
    if unit is None or scored is None or scored.evidence is None or scored.evidence.seen is None:
        return None
    seen, (layer, channel) = scored.evidence.seen, units.labels[unit]
    if not seen.mean_square[:, unit].any():
        return f"{layer}, channel {channel} sees nothing: it is zero on all {len(seen.labels):,} calibration images."
    first = seen.labels[most_exciting(seen, unit)[:EXCITED]]
    most = int(first.bincount().argmax())
    return (
        f"Of the {len(first)} calibration images that excite {layer}, channel {channel} most, "
        f"{int((first == most).sum())} are of class {view.loaded.network.classes[most]}; of all images "
        f"{int((seen.labels == most).sum())} in {len(seen.labels):,} are."
    )


def _oracle_cost(view: View) -> str | None:
    if (found := oracle(view.loaded)) is None:
        return None
    loss, labels = found.oracle_loss, found.units.labels
    most, least = int(loss.argmax()), int(loss.abs().argmin())
    so_far = "" if found.whole else f" Estimated: {found.images} of {found.total} images are exact so far."
    return (
        f"Of {counted(len(loss), 'unit')}, {_unit(labels[most])} costs most when it alone goes: the loss changes by "
        f"{_nats(float(loss[most]))} nats. {_unit(labels[least])} costs least: {_nats(float(loss[least]))}. Without "
        f"any one of {int((loss < 0).sum()):,} the network is better.{so_far}"
    )


def _weights_mislead(view: View) -> str | None:
    found, scores = oracle(view.loaded), _saliencies(view)
    if found is None or not {"weight", "taylor"} <= scores.keys():
        return None
    weight, taylor = (_agreement(found, scores, name) for name in ("weight", "taylor"))
    few = max(1, round(TENTH * len(found.units)))
    smallest = scaled(scores["weight"], found.units, "l2").argsort()[:few]
    important = int((found.oracle_abs[smallest] > found.oracle_abs.median()).sum())
    verdict = (
        "small weights tell less than Taylor does" if taylor > weight else "here weights tell no less than Taylor does"
    )
    return (
        f"Agreement with the oracle's order (Spearman, 1 = the same): weight {weight:.2f}, Taylor {taylor:.2f}: "
        f"{verdict}. Of the {counted(few, 'unit')} with the smallest weights, {important} are among the "
        "oracle's more important half."
    )


def _ranks_by_layer(view: View) -> str | None:
    found, scores = oracle(view.loaded), _saliencies(view)
    units = view.loaded.network.units
    if found is None and "taylor" not in scores:
        return None
    by = "the oracle" if found else "Taylor"
    ranked = rank_statistics(found.oracle_abs if found else scaled(scores["taylor"], units, "l2"), units)
    if len(ranked) == 1:
        return f"This network has only one layer whose units can go, {ranked[0].layer}: there is nothing to compare."
    first, last = min(ranked, key=lambda layer: layer.median), max(ranked, key=lambda layer: layer.median)
    return (
        f"By {by}, the units of {first.layer} matter most: their median rank is {first.median:.0f} of {len(units):,} "
        f"(1 = most important); those of {last.layer} least, with {last.median:.0f}."
    )


def _half_gone(view: View) -> str | None:
    found = _at_half(view)
    if not {"taylor", "random"} <= found.keys():
        return None
    taylor, chance = found["taylor"], found["random"]
    told = _told_apart(taylor, chance, "Taylor", "chance")
    left = {metrics.units for metrics in (taylor, chance)}
    at = f"{min(left):,}" if len(left) == 1 else f"{taylor.units:,} and {chance.units:,}"
    return (
        f"With {at} of {view.timeline.root.metrics.units:,} units left, Taylor keeps {_right(taylor)} of the images "
        f"right and chance {_right(chance)}, before fine-tuning: {told}."
    )


def _fine_tuned(view: View) -> str | None:
    tuned = [number for number, state in view.timeline.states.items() if state.updates and state.pruned]
    if not tuned:
        return None
    number = view.timeline.current if view.timeline.current in tuned else tuned[-1]
    state = view.timeline.states[number]
    assert state.pruned
    return (
        f"At state {number}, with {counted(state.metrics.units, 'unit')} left, {counted(state.updates, 'update')} took "
        f"the accuracy from {_right(state.pruned)} to {_right(state.metrics)}; the whole network has "
        f"{_right(view.timeline.root.metrics)}."
    )


def _joint_choice(view: View) -> str | None:
    found, whole, scores = _compared_at_half(view), oracle(view.loaded), _saliencies(view)
    agreeing = {name: _agreement(whole, scores, name) for name in found if name in scores} if whole else {}
    agreeing = {name: value for name, value in agreeing.items() if value == value}
    if JOINT not in found or not agreeing:
        return None
    best = max(agreeing, key=agreeing.__getitem__)
    alone, together = found[best], found[JOINT]
    title = selector_of(best).title
    own = f" The oracle's own order keeps {_right(found[ORACLE])}." if ORACLE in found else ""
    return (
        f"Of those compared, {title} agrees best with the oracle ({agreeing[best]:.2f}); with half of the units gone "
        f"it keeps {_right(alone)} right, units chosen jointly {_right(together)}: "
        f"{_told_apart(together, alone, 'the joint choice', title)}.{own}"
    )


def _proven(view: View) -> str | None:
    for number in (view.timeline.current, *sorted(view.timeline.states, reverse=True)):
        job = JOBS.find(key_of(EXPORT, view.run, number))
        if job and job.result and job.result.verdicts:
            good = [verdict for verdict in job.result.verdicts if verdict.ok]
            worst = max((verdict.max_abs_difference or 0.0 for verdict in good), default=0.0)
            return (
                f"{len(good)} of {counted(len(job.result.verdicts), 'file')} of state {number} computed in a clean "
                f"process what the pages showed, on {job.result.compared_on}: logits differ by at most {worst:.1e}."
            )
    return None


def _scored(view: View) -> Scored | None:
    """What is known of the network as loaded; nothing is begun for it."""
    job = find_scoring_job(view.loaded, none_removed(view.loaded.network.units))
    found: Scored | None = (job.result or job.partial) if job else None
    return found


def _saliencies(view: View) -> Saliencies:
    found = _scored(view)
    return found.saliencies if found else {}


def _agreement(found: Oracle, scores: Saliencies, name: str) -> float:
    """Spearman's correlation with oracle-abs over all layers, of saliencies scaled by their layer's l2."""
    return spearman(scaled(scores[name], found.units, "l2"), found.oracle_abs.to(torch.float64))


def _at_half(view: View) -> dict[str, Metrics]:
    """Criterion -> the state nearest to half of the units that it alone made, without fine-tuning; else as compared."""
    states, units = view.timeline.states, view.timeline.root.metrics.units
    found: dict[str, Metrics] = {}
    for number, state in states.items():
        way = [states[each] for each in timelines.path(view.timeline, number)][1:]
        criteria = {str(each.settings.get("criterion", "")) for each in way}
        if len(criteria) != 1 or any(each.updates for each in way) or state.metrics.accuracy is None:
            continue
        (name,), off = criteria, abs(state.metrics.units / units - HALF)
        if off <= AROUND and (name not in found or off < abs(found[name].units / units - HALF)):
            found[name] = state.metrics
    return {**_compared_at_half(view), **found}


def _compared_at_half(view: View) -> dict[str, Metrics]:
    """Ranking -> its state at half of the units, of those that were compared all at once."""
    at = SHARES.index(HALF)
    return {name: points[at] for name, points in curves_of(view.loaded.key).items() if len(points) > at}


def _told_apart(one: Metrics, other: Metrics, first: str, second: str) -> str:
    """Which of two accuracies is higher, unless their 95 % intervals overlap."""
    a, b = one.interval("accuracy"), other.interval("accuracy")
    assert a and b, "both were measured"
    if a[0] <= b[1] and b[0] <= a[1]:
        return f"{counted(one.images, 'image')} can't tell them apart"
    ahead, behind = (first, second) if a[0] > b[1] else (second, first)
    return f"{ahead} is ahead of {behind}"


def _right(metrics: Metrics) -> str:
    return "an unknown share" if metrics.accuracy is None else f"{metrics.accuracy:.1%}"


def _nats(value: float) -> str:
    return f"{value:+.3g}".replace("-", "−")


def _unit(label: tuple[str, int]) -> str:
    return f"{label[0]}, channel {label[1]}"


SIGHTINGS = {
    "feature-map": Sighting("the classes of the images that excite the unit that was looked at", _feature_map),
    "oracle-cost": Sighting("which unit costs most and which least when it alone goes", _oracle_cost),
    "weights-mislead": Sighting("how weight and Taylor agree with the oracle", _weights_mislead),
    "ranks-by-layer": Sighting("the layers whose units matter most and least", _ranks_by_layer),
    "half-gone": Sighting("what Taylor and chance keep right with half of the units left", _half_gone),
    "fine-tuned": Sighting("what fine-tuning brought back, at the state in view or the latest", _fine_tuned),
    "joint-choice": Sighting("the criterion nearest to the oracle, and the joint choice, at half", _joint_choice),
    "proven": Sighting("how exported files did in a clean process", _proven),
}
