"""The form of pruning and fine-tuning in turns."""

from __future__ import annotations

from dataclasses import dataclass, replace

import streamlit as st

from explorer.pruning.settings import CALIBRATION, EVIDENCE, UPDATES
from explorer.training.finetune import OPTIMIZERS, PAPER, Recipe
from explorer.training.schedules import SCHEDULES
from explorer.ui.elements.terms import help_of

TITLES = {CALIBRATION: "calibration images, scored anew", UPDATES: "the updates' own minibatches"}


@dataclass(frozen=True)
class Turns:
    """The settings that the form asks for."""

    recipe: Recipe
    units: int  # a step
    updates: int  # a step
    least: float  # accuracy, 0 to 1
    evidence: str


def turns_form() -> Turns:
    """All that decides the steps, apart from the ranking and the goal."""
    with st.container(horizontal=True, gap="small"):
        count = st.number_input("Units per step", 1, None, 10, key="turn-units", persist_state="session")
        updates = st.number_input(
            "Updates per step", 1, None, 10, key="turn-updates", persist_state="session", help=help_of("update")
        )
    recipe = _descent()
    with st.container(horizontal=True, gap="small"):
        alpha = st.number_input(
            "Distillation",
            0.0,
            1.0,
            0.0,
            step=0.1,
            key="turn-distil",
            persist_state="session",
            help=help_of("distillation", also="0 to 1: its share of the loss (Hinton et al. 2015)."),
        )
        least = st.number_input(
            "Least accuracy, %",
            0.0,
            99.9,
            0.0,
            step=1.0,
            key="turn-least",
            persist_state="session",
            help="A budget beside the goal: the first step that ends below it is the last, and the state "
            "before it is the result.",
        )
    evidence = st.selectbox(
        "Rank each step by",
        list(EVIDENCE),
        format_func=TITLES.__getitem__,
        key="turn-evidence",
        persist_state="session",
        help="\n\n".join(f"**{TITLES[n]}**: {said}" for n, said in EVIDENCE.items()),
    )
    return Turns(replace(recipe, distillation=alpha), count, updates, least / 100, evidence)


def _descent() -> Recipe:
    """The fields of the recipe that concern the loss of the labels."""
    with st.container(horizontal=True, gap="small"):
        rate = st.number_input(
            "Learning rate",
            1e-6,
            None,
            1e-3,
            step=1e-4,
            format="%g",
            key="turn-rate",
            persist_state="session",
            help=help_of("learning rate"),
        )
        size = st.number_input(
            "Minibatch", 1, None, PAPER.batch_size, key="turn-size", persist_state="session", help=help_of("minibatch")
        )
    with st.container(horizontal=True, gap="small"):
        momentum = st.number_input(
            "Momentum",
            0.0,
            0.999,
            PAPER.momentum,
            step=0.05,
            key="turn-momentum",
            persist_state="session",
            help=help_of("momentum"),
        )
        decay = st.number_input(
            "Weight decay",
            0.0,
            None,
            PAPER.weight_decay,
            step=1e-4,
            format="%g",
            key="turn-decay",
            persist_state="session",
            help=help_of("weight decay"),
        )
    with st.container(horizontal=True, gap="small"):
        optimizer = st.selectbox("Optimizer", list(OPTIMIZERS), key="turn-optimizer", persist_state="session")
        schedule = st.selectbox(
            "Schedule",
            list(SCHEDULES),
            key="turn-schedule",
            persist_state="session",
            help="How the learning rate changes over the updates of each step.",
        )
    return Recipe(rate, momentum, decay, size, optimizer, schedule)
