"""The panel of a lesson, above the page: its question, what to do, and what was seen with this network's numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import streamlit as st

from explorer.core.errors import BadInput
from explorer.core.text import counted, markdown, one_line, quoted
from explorer.pruning.selectors import selector_of
from explorer.ui.choosing.controls import selectors_offered
from explorer.ui.elements import say, terms
from explorer.ui.lesson import taken
from explorer.ui.lesson.reading import Lesson, Step, built_in, read_lesson
from explorer.ui.lesson.sightings import sighted
from explorer.ui.work.address import TURN_TO
from explorer.ui.work.oracle_job import oracle
from explorer.ui.work.session import View

BACK, NEXT = "B", "N"  # keys; Streamlit takes none from who types
NOT_YET = "What is seen stands here, with this network's numbers, once that is done."
FOLLOWED, SET = "lesson-link-followed", "lesson-set"  # of the tab: whether its link was; the step whose settings are
STYLE = """
<style>
.st-key-lesson { border: 1px solid color-mix(in srgb, var(--primary) 45%, transparent); border-left-width: 5px;
  border-radius: 0.4rem; padding: 0.55rem 0.9rem; }
.lesson { font-size: 0.95rem; line-height: 1.45; }
.lesson p { margin: 0; }
.lesson .place { color: var(--muted); font-size: 0.82rem; }
.lesson .seen { min-height: 2.9em; margin-top: 0.2rem; }
.lesson .not-yet { color: var(--muted); }
@media (max-width: 640px) { .lesson .seen { min-height: 5.8em; } }
</style>
"""
_given: list[Lesson] = []  # not empty where --lesson names another


@dataclass(frozen=True)
class Panel:
    """The step that is drawn, and the places of what changes while its page is drawn."""

    number: int
    step: Step
    steps: int
    refused: tuple[str, ...]  # titles of selectors that its settings name and that are not offered here
    text: say.Place


def teach(path: Path) -> None:
    """From now on this process teaches the lesson of a file. Raises BadInput if that is none."""
    _given[:] = [read_lesson(path)]


def lesson() -> Lesson:
    """The lesson that this process teaches."""
    return _given[0] if _given else built_in()


def page_of_link(page: str, first: str) -> str | None:
    """Where an address without a page leads to, which names a step: that step's page, when the tab is opened."""
    opened = FOLLOWED not in st.session_state
    st.session_state[FOLLOWED] = True
    return lesson().steps[_number() - 1].page if opened and page == first and taken.asked() else None


def lesson_panel(view: View, page: str) -> Panel | None:
    """Draw the panel over the page of this name, as far as it is known before the page is drawn; None without one."""
    if not (asked := taken.asked()):
        return None
    number, steps = _number(), lesson().steps
    step = steps[number - 1]
    if asked != str(number):
        say.info(f"The address names the step {quoted(asked)} of a lesson of {counted(len(steps), 'step')}.")
    refused = _set_controls(view, number, step.settings)
    with st.container(key="lesson"):
        text, buttons = st.columns([4, 1.4], vertical_alignment="center")
        panel = Panel(number, step, len(steps), refused, text.empty())
        _write(panel, _seen(view, panel))
        with buttons.container(horizontal=True, horizontal_alignment="right", gap="small"):
            _buttons(number, page)
    return panel


def tell_seen(view: View, panel: Panel | None) -> None:
    """Say what was seen, now that the page is drawn."""
    if panel:
        _write(panel, _seen(view, panel))


def _seen(view: View, panel: Panel) -> str:
    """The sentence of the step, from now on also while what it is about is closed; or why there can be none."""
    if not panel.step.seen:
        taken.mark_done(panel.number)
        return ""
    if view.loaded.given is None:
        return "nothing yet, because this step needs images: open the network again with images."
    if not len(view.loaded.network.units):
        return "nothing, because this step needs units that can go, and this network has none."
    key = f"lesson-seen-{view.run}-{view.loaded.key}-{panel.number}"
    if sentence := sighted(view, panel.step.seen):
        st.session_state[key] = sentence
        taken.mark_done(panel.number)
    return str(st.session_state.get(key, ""))


def _number() -> int:
    """The step that the address names, or the first where the lesson has no such step."""
    asked, steps = taken.asked(), len(lesson().steps)
    return int(asked) if asked.isascii() and asked.isdigit() and 1 <= int(asked[:9]) <= steps else 1


def _buttons(number: int, page: str) -> None:
    steps = lesson().steps
    if page != steps[number - 1].page:
        here = steps[number - 1].page
        st.button(
            markdown(f"Open {here.capitalize()}"),
            key="lesson-open",
            on_click=st.session_state.update,
            args=({TURN_TO: here},),
            type="primary",
        )
    for label, key, to in (("Step back", BACK, number - 1), ("Next step", NEXT, number + 1)):
        there = 1 <= to <= len(steps)
        st.button(
            markdown(label),
            key=f"lesson-to-{key}",
            shortcut=key,
            disabled=not there,
            on_click=taken.go_to,
            args=(to, steps[to - 1].page if there else page),
        )
    st.button("End the lesson", key="lesson-end", type="tertiary", on_click=taken.end)


def _write(panel: Panel, sentence: str) -> None:
    """Where in the lesson this is, the question, what to do, and what was seen."""
    step, done = panel.step, ", ".join(str(number) for number in sorted(taken.done()) if number <= panel.steps)
    place = f"{lesson().title} · step {panel.number} of {panel.steps}{f' · done: {done}' if done else ''}"
    do = step.do
    if panel.refused:
        do += f" Not offered here yet, and so not chosen: {', '.join(panel.refused)}."
    seen = f"<b>Seen:</b> {_written(sentence)}" if sentence else f'<span class="not-yet">{NOT_YET}</span>'
    panel.text.html(
        f'{STYLE}<div class="lesson" role="status"><p class="place">{escape(one_line(place))}</p>'
        f'<p><b>{_written(step.question)}</b> {_written(do)}</p><p class="seen">{seen}</p></div>'
    )


def _written(text: str) -> str:
    """As HTML, its terms explained."""
    return terms.explained(one_line(text), escape)


def _set_controls(view: View, number: int, settings: Mapping[str, Any]) -> tuple[str, ...]:
    """Set the page's controls when the step begins; the titles of what is not offered for this network now.

    A tab that was opened with the step in its address keeps what else the address says.
    """
    linked, begins = SET not in st.session_state, st.session_state.get(SET) != number
    st.session_state[SET] = number
    refused = []
    for name, value in settings.items():
        wanted, offered = value if isinstance(value, list) else [value], _offered(view, name)
        fit = [each for each in wanted if offered is None or each in offered]
        refused += [selector_of(each).title for each in wanted if each not in fit]
        if begins and fit and not (linked and name in st.query_params):
            st.session_state[name] = fit if isinstance(value, list) else fit[0]
    return tuple(refused)


def _offered(view: View, name: str) -> list[str] | None:
    """The selectors that a control of this name offers now; None for those that offer something else."""
    if name == "criterion":
        return selectors_offered(view)
    if name == "compared":
        return selectors_offered(view.as_loaded, measured=_oracle_known(view))
    return None


def _oracle_known(view: View) -> bool:
    try:
        return oracle(view.loaded) is not None
    except BadInput:  # without images
        return False
