"""Saliency page: what each feature map is worth, and a threshold by hand with its measured consequence."""

from __future__ import annotations

import plotly.graph_objects as go
import streamlit as st
import torch
from torch import Tensor

from explorer.core.text import counted
from explorer.figures.distributions import LayerValues, distributions
from explorer.pruning.limits import Limits, unmet
from explorer.pruning.plan import line_needed, removed_by_lines
from explorer.pruning.selectors import SELECTORS
from explorer.ui.choosing import hand_limits
from explorer.ui.choosing.controls import RankingChoice, ranking, ranking_choice
from explorer.ui.elements import say
from explorer.ui.elements.chart import chart, picture_and_side
from explorer.ui.elements.readable import main_part
from explorer.ui.pages.saliency.consequence import consequence
from explorer.ui.pages.saliency.lines import Lines
from explorer.ui.pages.saliency.threshold_lines import PICTURE, chosen_layer, handle, saliencies_left
from explorer.ui.pages.saliency.units_by_hand import Cells, units_map
from explorer.ui.unit.dialog import UnitRanking, unit_choice, unit_in_detail
from explorer.ui.work.joint_jobs import linearising_job
from explorer.ui.work.session import View


def page(view: View) -> None:
    """Answer: which feature maps look cheap, and what would it cost to remove those below a line?"""
    picture, side = picture_and_side(2.2)
    with side:
        chosen = ranking_choice(view)
        saliency = ranking(view, chosen).float().double()  # as the threshold sees it: float32
        needed = line_needed(view.workspace.network.units, view.removed, saliency, chosen.limits)
        layer = chosen_layer(view)
        main_part()
        lines, below = handle(view, chosen, saliency, layer, needed)
    plan = view.removed | removed_by_lines(needed, _over_units(view, lines))
    with picture:
        say.subheader(f"{SELECTORS[chosen.criterion].title} of every unit, by layer")
        chart(_distributions(view, saliency, plan, chosen, lines), PICTURE)
        say.caption(_caption(view, chosen))
        units_map(view, Cells(saliency, plan, lines, layer))
        asked = unit_choice(view)
    with below:
        linearising_job(view.workspace, view.removed)  # begins in the background, for predictions to come
        _outcome(view, plan, saliency < _over_units(view, lines), chosen)
    unit_in_detail(view, asked, UnitRanking(saliency, chosen.title, chosen.scaling, chosen.anew))


def _over_units(view: View, lines: Lines) -> Tensor:
    """(units,) float64: the line of each unit's layer; minus infinity without one."""
    units = view.workspace.network.units
    found = [lines.of(layer.name) for layer in units.layers]
    return torch.tensor([-torch.inf if line is None else line for line in found], dtype=torch.float64)[
        units.layer_index
    ]


def _outcome(view: View, plan: Tensor, below: Tensor, chosen: RankingChoice) -> None:
    """Draw the consequence of the lines and choices, or why there is none; and what they can't do."""
    more, held = plan & ~view.removed, int((below & ~plan).sum())
    if more.any():
        consequence(view, plan, _how(more, chosen.title, chosen.limits, view), chosen)
    elif not held:
        st.info("Drag the line to the right to see what would go, and what that would cost.")
    if held:
        why = hand_limits.summary() or f"every layer keeps {chosen.limits}"
        say.info(f"{counted(held, 'unit')} below a line {'stays' if held == 1 else 'stay'}: {why}.")
    if refused := unmet(view.workspace.network.units, plan, chosen.limits):
        say.warning(refused)


def _how(more: Tensor, title: str, limits: Limits, view: View) -> str:
    """For the timeline: "12 units below a threshold of Taylor, 2 of them by hand"."""
    forced = int((more & limits.going(view.workspace.network.units)).sum())
    return f"{counted(int(more.sum()), 'unit')} below a threshold of {title}" + (
        f", {forced} of them by hand" if forced else ""
    )


def _distributions(view: View, saliency: Tensor, plan: Tensor, chosen: RankingChoice, lines: Lines) -> go.Figure:
    rows = []
    for name, place in view.workspace.network.units.slices.items():
        going = plan[place][~view.removed[place]].numpy()
        rows.append(LayerValues(name, saliencies_left(view, saliency, name), going, lines.of(name)))
    return distributions(rows, criterion=chosen.title, value_unit=chosen.unit)


def _caption(view: View, chosen: RankingChoice) -> str:
    base = "the network as it is now" if chosen.anew else "the network as loaded"
    return (
        f"{SELECTORS[chosen.criterion].summary} Higher means keep. Scored in {base}, in eval mode, on "
        f"{view.workspace.calibrated_on}. Orange would go, blue stays; the bar under "
        "each row spans its quartiles."
    )
