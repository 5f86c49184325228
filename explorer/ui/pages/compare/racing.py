"""The race on the Compare page: its curves as they come, its figures, and which units went first."""

from __future__ import annotations

import streamlit as st

from explorer.core.errors import BadInput
from explorer.core.text import counted, markdown
from explorer.figures.race_curve import race_curve
from explorer.pruning.race import Race
from explorer.pruning.race_bands import bands
from explorer.ui.choosing.controls import axes_choice
from explorer.ui.choosing.steps import attempt
from explorer.ui.elements import say
from explorer.ui.elements.chart import chart
from explorer.ui.pages.compare import races
from explorer.ui.pages.compare.race_form import race_form
from explorer.ui.pages.compare.race_tables import first_removed_table, quality_table
from explorer.ui.pages.compare.races import RaceStatus
from explorer.ui.work.progress import NOTHING, explain_end, follow
from explorer.ui.work.session import View

STAGES = {"after": "after", "before": "before", "both": "both"}


def racing(view: View) -> None:
    """Answer: with the same steps and the same fine-tuning, whose choice of units costs least?"""
    name = races.in_view(view.loaded)
    try:
        now = races.race_status(view.loaded, name) if name else None
    except BadInput as problem:
        _unreadable(view, str(name), problem)
        return
    picture, side = st.columns([2.2, 1], gap="large")
    with side:
        if now:
            _controls(view, now)
        race_form(view, now is None)
    with picture:
        say.subheader("The race")
        if now and now.lanes:
            _curves(view, now)
            quality_table(now)
            first_removed_table(view.loaded.network.units, now)
        elif now:
            st.info("The network as loaded is measured first; the curves begin with the first step.")
        else:
            st.info(
                "Choose the selectors that race: each prunes the network as loaded in the same steps, with "
                "the same fine-tuning after each step."
            )


def _controls(view: View, now: RaceStatus) -> None:
    """Draw the choice of a race, its progress, and the buttons for it."""
    _choice(view, now.name)
    if now.job and now.active:
        label, act = ("Go on", now.job.resume) if now.job.paused else ("Pause", now.job.pause)
        st.button(markdown(label), key="race-pause", on_click=act)
        follow(now.job, now.job.version)
        return
    if now.job:
        lanes = f"{counted(now.finished, 'finished lane')} {'is' if now.finished == 1 else 'are'} kept"
        explain_end(now.job, lanes if now.finished else NOTHING, "Dismiss")
    missing = now.wanted(view.loaded.network) - len(now.lanes)
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        if missing:
            st.button(
                markdown(f"Go on: {counted(missing, 'lane')} to run"),
                type="primary",
                key="race-go-on",
                on_click=attempt,
                args=(races.start, view.loaded, now.terms),
            )
        st.button(
            "Discard this race", key="race-discard", on_click=attempt, args=(races.discard, view.loaded, now.name)
        )


def _unreadable(view: View, name: str, problem: BadInput) -> None:
    """Why a race can't be shown, and the ways on: another one, or without it."""
    say.error(problem)
    _choice(view, name)
    st.button(
        "Discard this race", key="race-discard-damaged", on_click=attempt, args=(races.discard, view.loaded, name)
    )


def _choice(view: View, name: str) -> None:
    known, key = races.all_races(view.loaded), f"race-shown-{name}"
    if len(known) > 1:
        st.selectbox(
            "Race",
            known,
            known.index(name),
            format_func=lambda each: _title(view, each),
            key=key,
            on_change=lambda: races.look_at(st.session_state[key]),
        )


def _title(view: View, name: str) -> str:
    try:
        now = races.race_status(view.loaded, name)
    except BadInput:
        return f"{name}: damaged"
    settings = now.terms.settings
    return (
        f"{', '.join(now.terms.selectors)}: {counted(settings.step, 'unit')} and "
        f"{counted(settings.updates, 'update')} a step, {counted(len(now.terms.seeds), 'seed')}"
    )


def _curves(view: View, now: RaceStatus) -> None:
    with st.container(horizontal=True, gap="medium"):
        quantity, against = axes_choice("race", now.terms.timed)
        stage = _stage() if now.tuned else "before"
    stages = {"after": (True,), "before": (False,), "both": (True, False)}[stage]
    found = [band for each in stages for band in bands(now.lanes, quantity, against, fine_tuned=each)]
    chart(race_curve(found, quantity, against), "race-curve")
    say.caption(_about(view, now, now.lanes))


def _stage() -> str:
    return str(
        st.segmented_control(
            "fine-tuning",
            list(STAGES),
            default="after",
            key="race-stage",
            persist_state="session",
            required=True,
            help="After each step's updates (filled marks), or right after its units went (open marks).",
        )
    )


def _about(view: View, now: RaceStatus, lanes: Race) -> str:
    settings, recipe, seeds = now.terms.settings, now.terms.settings.recipe, now.terms.seeds
    tuned = (
        f"then {counted(settings.updates, 'update')} with {recipe.optimizer.upper()}, learning rate "
        f"{recipe.learning_rate:g}, minibatches of {recipe.batch_size}. Filled marks: after a step's updates; open "
        "marks: right after its units went, on the weights that the earlier steps left."
        if settings.updates
        else "ranked anew before each; all before fine-tuning."
    )
    every = sorted({lane.selector for lane in lanes if lane.every_seed})
    alike = (
        f" Run once, because every seed would give the same: {', '.join(every)}." if every and len(seeds) > 1 else ""
    )
    return (
        f"On {view.loaded.validated_on}. {counted(settings.step, 'unit')} a step, {tuned} Lines: median of the "
        f"seeds {', '.join(map(str, seeds))}; bands: least to largest. {now.finished} of "
        f"{now.wanted(view.loaded.network)} lanes finished.{alike}{_timed(now)}"
    )


def _timed(now: RaceStatus) -> str:
    speed = now.lanes[0].points[-1].speed
    if speed is None:
        return ""
    full = speed.full
    return (
        f" Latency: lower quartile of {full.runs} runs, batch {full.batch}, {full.device}, {full.threads} threads; the "
        "pruned network and the one as loaded in turn."
    )
