"""Prune page: step by step down, and back, with the numbers after each step."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from itertools import chain

import plotly.graph_objects as go
import streamlit as st
from torch import Tensor

from explorer.core.errors import BadInput
from explorer.core.text import cell
from explorer.evaluation.metrics import Metrics
from explorer.figures.curve import curve
from explorer.figures.series import SCRATCH, Series
from explorer.figures.thumbnail import thumbnail
from explorer.figures.widths import widths
from explorer.jobs.job import Job
from explorer.pruning.limits import portions
from explorer.runs import timeline as timelines
from explorer.runs.stages import LOADED, PRUNED, TUNED, stages
from explorer.scoring.criteria import CRITERIA, applicable
from explorer.ui.choosing.controls import RankingChoice, axes_choice, criterion_choice, ranking, ranking_choice
from explorer.ui.choosing.drawn import widths_left
from explorer.ui.choosing.measured_line import Axes, measured_line
from explorer.ui.choosing.steps import attempt, go_to, next_plan, pressed, remove_count
from explorer.ui.elements import say
from explorer.ui.elements.chart import chart, picture_and_side
from explorer.ui.elements.readable import main_part
from explorer.ui.elements.wording import for_nothing
from explorer.ui.pages.prune.baseline import baseline_metrics
from explorer.ui.pages.prune.changed import changed
from explorer.ui.pages.prune.from_scratch import from_scratch
from explorer.ui.pages.prune.goal_form import goal_choice
from explorer.ui.pages.prune.states import states
from explorer.ui.pages.prune.turns import turns
from explorer.ui.play.panel import play_panel
from explorer.ui.unit.dialog import UnitRanking, openings, unit_in_detail
from explorer.ui.work.changes import jump
from explorer.ui.work.prefetch import measure_ahead
from explorer.ui.work.progress import NOTHING, explain_end, follow_shortly
from explorer.ui.work.results import first_image_maps
from explorer.ui.work.run_jobs import button_state, why_busy
from explorer.ui.work.session import View
from explorer.ui.work.workspace import Workspace

CANDIDATES = 12  # shown
COUNTS = (1, 10)  # units that a button removes


def page(view: View) -> None:
    """Answer: how far can this network go down, and what did each step cost?"""
    picture, side = picture_and_side(2.2)
    with side:
        chosen = ranking_choice(view)
    with picture:
        play_panel(view, chosen, key="play")
    with side:
        saliency = ranking(view, chosen)
        main_part()
        if _buttons(view, saliency, chosen):
            _look_ahead(view, saliency, chosen)
    with picture:
        say.subheader("The way so far")
        if view.workspace.given:
            _curve(view, chosen)
        else:
            _widths(view)
        states(view)
        if view.workspace.given:
            changed(view)
    with side:
        clicked = _candidates(view, saliency, chosen)
    unit_in_detail(view, clicked, UnitRanking(saliency, chosen.title, chosen.scaling, chosen.anew))


def _buttons(view: View, saliency: Tensor, chosen: RankingChoice) -> bool:
    """The buttons of what comes next; False while turns are under way."""
    reason = why_busy(view.run)
    say.body("**Step**")
    with st.container(horizontal=True, gap="small"):
        for count in COUNTS:
            st.button(
                f"Remove {count:,}",
                key=f"remove-{count}",
                type="primary",
                on_click=attempt,
                args=(remove_count, view, saliency, count, chosen),
                **button_state(reason),
            )
        back = button_state(reason, disabled=view.timeline.state.parent is None)
        st.button("Back", key="back", on_click=attempt, args=(jump, view, _back(view, 1)), **back)
        st.button("Back 2", key="back-2", on_click=attempt, args=(jump, view, _back(view, 2)), **back)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        measure, target = goal_choice(view)
        if pressed("Prune to this goal", view, key="go"):
            go_to(view, saliency, measure, target, chosen)
            st.rerun()
    if view.workspace.given is None:
        say.caption("With images it could also be pruned by loss or accuracy, and in turns with fine-tuning.")
        return False
    recipe = turns(view, chosen, measure, target)
    from_scratch(view, recipe)
    return recipe is not None


def _look_ahead(view: View, saliency: Tensor, chosen: RankingChoice) -> None:
    """Have the states measured that the buttons lead to."""
    plans = []
    for count in COUNTS:
        with suppress(BadInput):  # the button says why
            plans.append(next_plan(view, saliency, count, chosen))
    measure_ahead(view.workspace, plans)


def _back(view: View, steps: int) -> int:
    return timelines.back(view.timeline, steps).current


def _curve(view: View, chosen: RankingChoice) -> None:
    with st.container(horizontal=True, gap="medium", vertical_alignment="bottom"):
        quantity, against = axes_choice("prune")
        criteria = applicable(view.workspace.network)
        other = criterion_choice(criteria, "Beside it, on the same steps", "beside", "random")
    beside, measuring = _beside(view, chosen, other)
    chart(_figure(view, chosen, other, beside, quantity, against), "way")
    if sentence := for_nothing(view.timeline.state.metrics, view.timeline.root.metrics):
        say.body("{}", sentence)
    say.caption(
        f"On {view.workspace.validated_on}, {view.stage}. The second line removes as many units in one go, by "
        f"{CRITERIA[other].title} scored in the network as loaded, before fine-tuning. Bands: the 95 % interval that "
        "so many images give."
    )
    if measuring:
        explain_end(measuring[0], NOTHING)
        follow_shortly(*measuring)


def _widths(view: View) -> None:
    """The picture of a run without images."""
    if drawn := widths_left(view):
        chart(widths(drawn), "way-widths")
    say.caption(
        f"Units left of each layer, {view.stage}. With images, loss and accuracy on the way would be drawn here, "
        "beside another criterion on the same steps."
    )


def _beside(view: View, chosen: RankingChoice, other: str) -> tuple[list[Metrics], tuple[Job, object] | None]:
    """The rival at as many units as each state on the way, as far as it is measured."""
    units = [view.timeline.states[number].metrics.units for number in timelines.path(view.timeline)]
    by = RankingChoice(other, chosen.scaling, chosen.penalty, False, chosen.price)
    return baseline_metrics(view, by, [units[0] - left for left in units])


def _figure(
    view: View, chosen: RankingChoice, other: str, beside: list[Metrics], quantity: str, against: str
) -> go.Figure:
    root, now = view.timeline.root.metrics, view.timeline.state.metrics
    axes = Axes(quantity, against, root)
    drawn = partial(_series, axes)
    here = _points(view, timelines.path(view.timeline))
    rival = [(each, LOADED if each.units == root.units else PRUNED) for each in beside]
    controls = _controls(view)
    series = [
        drawn(chosen.criterion, here, label="this run"),
        drawn(other, rival, label=f"{CRITERIA[other].title}, same steps"),
        *(drawn(chosen.criterion, leg, label="another branch", faded=True) for leg in _branches(view)),
        *([drawn(SCRATCH, controls, label="from scratch")] if controls else []),
    ]
    return curve(
        series,
        quantity=quantity,
        against=against,
        original=getattr(root, quantity),
        current=(axes.share(now), getattr(now, quantity)),
    )


Point = tuple[Metrics, str]  # and the kind of its stage


def _series(axes: Axes, criterion: str, points: list[Point], label: str, faded: bool = False) -> Series:
    one = measured_line(axes, criterion, [metrics for metrics, _ in points])
    marked = replace(one, label=label, faded=faded, stages=[stage for _, stage in points])
    return replace(marked, low=None, high=None) if faded or criterion == SCRATCH else marked


def _points(view: View, numbers: Iterable[int]) -> list[Point]:
    found = stages(view.timeline)
    return [(view.timeline.states[number].metrics, found[number].kind) for number in numbers]


def _branches(view: View) -> list[list[Point]]:
    """Each step off the current path, as a two-point line from its parent."""
    here = set(timelines.path(view.timeline))
    off = [(state.parent, number) for number, state in view.timeline.states.items() if number not in here]
    return [_points(view, (parent, number)) for parent, number in off if parent is not None]


def _controls(view: View) -> list[Point]:
    """The shapes on the way that were trained from scratch."""
    states, way = view.timeline.states, timelines.path(view.timeline)
    return [(control.metrics, TUNED) for number in way if (control := states[number].scratch)]


def _candidates(view: View, saliency: Tensor, chosen: RankingChoice) -> int | None:
    """The least important units with their feature maps, worst first; the one that was clicked."""
    workspace = view.loaded
    units = workspace.network.units
    going = list(chain.from_iterable(portions(units, view.removed, saliency, chosen.limits)))[:CANDIDATES]
    say.body("**Next to go**, least important first")
    picked = st.dataframe(
        {
            **({"Map": [_map(workspace, unit) for unit in going]} if workspace.given else {}),
            "Layer": [cell(units.labels[unit][0]) for unit in going],
            "Channel": [units.labels[unit][1] for unit in going],
            "Saliency": [f"{float(saliency[unit]):.3g}" for unit in going],
        },
        hide_index=True,
        row_height=44,
        column_config={"Map": st.column_config.ImageColumn(width="small")},
        on_select="rerun",
        selection_mode="single-cell",
        key=f"next-{openings()}",
    )
    base = "in the network as it is now" if chosen.anew else "in the network as loaded"
    maps = (
        "Maps: the network as loaded on the first of these images; bright yellow is the layer's largest value, dark "
        "blue zero. "
    )
    say.caption(
        f"{chosen.title}; scored {base}, on {workspace.calibrated_on}. {maps if workspace.given else ''}"
        "Click a row to see its unit."
    )
    return going[picked.selection.cells[0][0]] if picked.selection.cells else None


def _map(workspace: Workspace, unit: int) -> str:
    units = workspace.network.units
    layer = units.layers[int(units.layer_index[unit])].name
    maps = first_image_maps(workspace.key, workspace)[layer]
    return thumbnail(maps[unit - units.slices[layer].start].numpy(), float(maps.max()))
