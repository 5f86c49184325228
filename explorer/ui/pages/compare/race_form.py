"""The form that begins a race: who races, and on which terms."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from explorer.core.text import counted
from explorer.pruning.race import RANDOM, RaceTerms
from explorer.pruning.selectors import SELECTORS, selectors_for
from explorer.pruning.settings import Settings
from explorer.training.finetune import PAPER
from explorer.ui.choosing.controls import NEVER_SCALED, scaling_choice
from explorer.ui.choosing.steps import attempt
from explorer.ui.elements import say
from explorer.ui.pages.compare import races
from explorer.ui.work.estimates import about, images_of_a_step
from explorer.ui.work.session import View
from explorer.ui.work.workspace import Workspace

STEPS = 40  # default number of steps from the whole network to nothing, roughly


def race_form(view: View, first: bool) -> None:
    """Ask for the terms, say what they come to, and start the race; open at once where it would be the first."""
    with st.expander("A new race, from the network as loaded", expanded=first):
        _form(view)


def _form(view: View) -> None:
    network, seed = view.loaded.network, view.loaded.source.seed
    chosen = st.multiselect(
        "Who races",
        list(selectors_for(network)),
        ["taylor", RANDOM],
        format_func=lambda name: SELECTORS[name].title,
        key="racers",
        persist_state="session",
        help="The oracle takes longest: it measures every unit anew before each step.",
    )
    settings, count = _terms(len(network.units))
    timed = st.toggle(
        "Measure latency",
        key="race-timed",
        persist_state="session",
        help="Timed after each step, in turn with the network as loaded. Whatever else this machine does "
        "makes it longer.",
    )
    say.caption(_extent(view.loaded, len(chosen) * count, settings))
    if st.button(
        "Start the race", type="primary", width="stretch", disabled=not chosen
    ):  # a callback would have terms of before
        attempt(_begin, view, tuple(chosen), tuple(range(seed, seed + count)), replace(settings, seed=seed), timed)
        st.rerun()


def _terms(units: int) -> tuple[Settings, int]:
    """The settings that all lanes share, and the number of seeds."""
    with st.container(horizontal=True, gap="small"):
        left = st.number_input("Down to, % of the units", 1, 99, 40, key="race-target", persist_state="session")
        count = st.number_input(
            "Seeds",
            1,
            20,
            3,
            key="race-seeds",
            persist_state="session",
            help="A seed decides the order of minibatches, dropout and the random ranking. Without updates "
            "most criteria need only one.",
        )
    with st.container(horizontal=True, gap="small"):
        usual = max(1, round(units / STEPS))
        step = st.number_input("Units per step", 1, None, usual, key="race-step", persist_state="session")
        updates = st.number_input("Updates per step", 0, None, 10, key="race-updates", persist_state="session")
    with st.container(horizontal=True, gap="small"):
        rate = st.number_input("Learning rate", 1e-6, None, 1e-3, format="%g", key="race-rate", persist_state="session")
        size = st.number_input("Minibatch", 1, None, PAPER.batch_size, key="race-size", persist_state="session")
    scaling = scaling_choice("race-scaling", NEVER_SCALED)
    recipe = replace(PAPER, learning_rate=rate, batch_size=size)
    return Settings(target=left / 100, scaling=scaling, step=step, updates=updates, recipe=recipe), count


def _extent(workspace: Workspace, lanes: int, settings: Settings) -> str:
    units = len(workspace.network.units)
    steps = -(-(units - int(settings.target * units)) // settings.step)
    time = about(workspace, lanes * steps * images_of_a_step(workspace, settings.updates, settings.recipe.batch_size))
    return (
        f"{counted(lanes, 'lane')} of {counted(steps, 'step')}, {counted(settings.updates * steps, 'update')} per lane"
        f"{time and f'; {time}, less as the network shrinks, and more with the oracle'}."
    )


def _begin(view: View, selectors: tuple[str, ...], seeds: tuple[int, ...], settings: Settings, timed: bool) -> None:
    races.look_at(races.start(view.loaded, RaceTerms(selectors, seeds, settings, timed)))
