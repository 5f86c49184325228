"""Tables of a race: how good each selector's networks are, which units went first, and the oracle's share of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection

import streamlit as st

from explorer.core.text import markdown
from explorer.networks.units import Label, Units
from explorer.pruning.race import Lane
from explorer.pruning.race_bands import REPORTED_SHARES, RaceBand, bands, first_at_share, first_removed, overlap_with
from explorer.pruning.selectors import selector_of
from explorer.ui.elements import say
from explorer.ui.pages.compare.races import RaceStatus

SHARES = (0.75, 0.5, 0.25)  # of the units, left
NOT_YET = "–"


def quality_table(now: RaceStatus) -> None:
    """Accuracy of every selector at some shares of the units: median, and in brackets the least and the largest."""
    found = bands(now.lanes, "accuracy", "units", fine_tuned=now.tuned)
    shares = [share for share in SHARES if share >= now.terms.settings.target]
    stage = "after fine-tuning" if now.tuned else "before fine-tuning"
    columns = {f"accuracy, {stage}": [selector_of(band.selector).title for band in found]}
    for share in shares:
        columns[f"at most {share:.0%} of the units"] = [_accuracy(band, first_at_share(band, share)) for band in found]
    columns["last step"] = [f"{_accuracy(band, -1)} at {band.x[-1]:.0%}" for band in found]
    st.table(columns, border="horizontal", hide_index=True)


def _accuracy(band: RaceBand, step: int | None) -> str:
    if step is None:
        return NOT_YET
    spread = f" ({100 * band.low[step]:.1f}–{100 * band.high[step]:.1f})" if band.seeds[step] > 1 else ""
    return f"{band.y[step]:.1%}{spread}"


def first_removed_table(units: Units, now: RaceStatus) -> None:
    """Draw the table of the units that each selector removed first, and how many of them the oracle removed too."""
    say.subheader("What went first")
    share = st.segmented_control(
        "The first",
        list(REPORTED_SHARES),
        default=REPORTED_SHARES[0],
        format_func=lambda share: f"{share:.0%} of the units",
        key="race-first",
        persist_state="session",
        required=True,
        label_visibility="collapsed",
    )
    lanes = list({lane.selector: lane for lane in reversed(now.lanes)}.values())[::-1]  # of the first seed
    columns = {"": [selector_of(lane.selector).title for lane in lanes]}
    columns["units by layer"] = [markdown(counts_by_layer(units, first_removed(lane, float(share)))) for lane in lanes]
    if any(lane.selector == now.terms.truth for lane in lanes):
        for each in REPORTED_SHARES:
            columns[f"oracle's first {each:.0%}"] = [_shared(now, lane.selector, each) for lane in lanes]
    st.table(columns, border="horizontal", hide_index=True)
    say.caption(_about(now, lanes))
    _one_by_one(lanes)


def counts_by_layer(units: Units, removed: Collection[Label] | None) -> str:
    """ "features.0: 3, features.10: 20", in network order; a dash where the lane has not come so far."""
    if removed is None:
        return NOT_YET
    counts = Counter(layer for layer, _ in removed)
    return ", ".join(f"{layer.name}: {counts[layer.name]}" for layer in units.layers if counts[layer.name])


def _shared(now: RaceStatus, selector: str, share: float) -> str:
    found = overlap_with(now.lanes, selector, share)
    return NOT_YET if found is None else f"{found:.0%}"


def _about(now: RaceStatus, lanes: list[Lane]) -> str:
    text = f"Units removed by the end of the step in which that share was reached; seed {lanes[0].seed}."
    if now.terms.truth:
        text += (
            " On the right: the share of the units removed by the oracle until then that each had "
            "removed too, mean over seeds; a random choice would share about as much as the column's "
            "heading says."
        )
    else:
        text += " With the oracle in the race, its choice is compared with everybody else's."
    return text


def _one_by_one(lanes: list[Lane]) -> None:
    with st.expander("Every unit, step by step"):
        lane = st.selectbox(
            "Of",
            lanes,
            format_func=lambda lane: f"{selector_of(lane.selector).title}, seed {lane.seed}",
            key="race-lane",
        )
        rows = [(step, *label) for step, point in enumerate(lane.points) for label in point.removed]
        columns = ("Step", "Layer", "Channel")
        st.dataframe({name: [row[i] for row in rows] for i, name in enumerate(columns)}, hide_index=True, height=260)
