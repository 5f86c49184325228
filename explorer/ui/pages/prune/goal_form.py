"""The goal that both ways to prune share: its number, and what it is of."""

from __future__ import annotations

import streamlit as st

from explorer.pruning.goals import ACCURACY, GOALS, LOSS
from explorer.ui.work.session import View

WIDTH = 118


def goal_choice(view: View) -> tuple[str, float]:
    """The name of a goal, and its number as the engine takes it; without images those that plans alone decide."""
    offered = [name for name, goal in GOALS.items() if goal.counted or view.workspace.given]
    before = st.container(width=WIDTH)  # the number comes first, but depends on what it is of
    name = st.selectbox(
        "of the",
        offered,
        format_func=lambda goal: GOALS[goal].title,
        key="measure",
        persist_state="session",
        width=150,
        help="\n\n".join(f"**{goal.title}**: {goal.summary}" for goal in map(GOALS.__getitem__, offered)),
    )
    with before:
        return name, _number(name, view)


def _number(name: str, view: View) -> float:
    label = GOALS[name].label
    if name == LOSS:
        loss, _ = view.timeline.state.metrics.quality
        return st.number_input(
            label,
            1e-4,
            None,
            round(loss + 0.1, 2),
            step=0.05,
            format="%.2f",
            key="target-loss",
            persist_state="session",
        )
    if name == ACCURACY:
        _, accuracy = view.timeline.state.metrics.quality
        usual = min(99.9, max(0.1, round(100 * accuracy - 1, 1)))
        return (
            st.number_input(
                label,
                0.1,
                99.9,
                usual,
                step=0.5,
                format="%.1f",
                key="target-accuracy",
                persist_state="session",
            )
            / 100
        )
    return st.number_input(label, 1, 99, 50, key="target", persist_state="session") / 100
