"""Export page: a state of the run as files, with the proof that they compute what the pages showed."""

from __future__ import annotations

import streamlit as st

from explorer.core.text import markdown
from explorer.export.folders import MANIFEST
from explorer.export.formats import FORMATS, Format, unavailable
from explorer.figures.widths import widths
from explorer.runs.stages import stage_at
from explorer.runs.timeline import removed_at
from explorer.ui.choosing.drawn import widths_left
from explorer.ui.elements import say
from explorer.ui.elements.chart import chart, picture_and_side
from explorer.ui.elements.readable import main_part
from explorer.ui.pages.export import exports
from explorer.ui.pages.export.exported import downloads, proof
from explorer.ui.pages.export.share import share_panel
from explorer.ui.pages.export.speed import measured_speed
from explorer.ui.work.jobs import JOBS
from explorer.ui.work.progress import NOTHING, explain_end, follow
from explorer.ui.work.results import why_no_export
from explorer.ui.work.run_jobs import EXPORT, key_of
from explorer.ui.work.session import View

USUAL_FORMATS = ("safetensors", "plan", "report")


def page(view: View) -> None:
    """Answer: what do I take away, and does it compute what I saw?"""
    picture, side = picture_and_side(1.6)
    with side:
        main_part()
        say.subheader("The file")
        number = _state(view)
        _making(view, number)
        share_panel(view)
    with picture:
        say.subheader("What is left of each layer")
        removed = removed_at(view.timeline, view.loaded.network.units, number)
        if kept := widths_left(view, removed):
            chart(widths(kept), "export-widths")
        how, stage = view.timeline.states[number].how, stage_at(view.timeline, number)
        say.caption(
            f"State {number}: {how}; {'measured ' if view.loaded.given else ''}{stage}. Units of the network as "
            "loaded; removed ones are gone from the files."
        )
        measured_speed(view, number)


def _state(view: View) -> int:
    states = view.timeline.states
    return st.selectbox(
        "State",
        list(states),
        list(states).index(view.timeline.current),
        key=f"export-state-{view.timeline.current}",
        format_func=lambda number: f"{number}: {states[number].name or states[number].how}",
        help="The network as loaded is state 0: export it as well to compare.",
    )


def _making(view: View, number: int) -> None:
    """The form, how far the job is, or what it made."""
    job = JOBS.find(key_of(EXPORT, view.run, number))
    if job and job.active:
        follow(job, job.version)
        return
    if job and job.result:
        _result(view, number, job.result)
        return
    if problem := why_no_export(view.loaded.key, view.loaded):
        say.info(problem)
        return
    if job:
        before = (exports.folder_of(view.run, number) / MANIFEST).is_file()
        explain_end(job, "the files that were made before stay in the work folder" if before else NOTHING, "Dismiss")
    _form(view, number)


def _result(view: View, number: int, made: exports.ExportedState) -> None:
    st.session_state["shown-export"] = exports.PinnedExport(exports.folder_of(view.run, number))
    if not made.there:
        st.info("The files of this state have been deleted since: make them again.")
        _form(view, number)
        return
    proof(made)
    downloads(view, number, made)
    with st.expander("Other formats"):
        _form(view, number)


def _form(view: View, number: int) -> None:
    chosen = [each.name for each in FORMATS.values() if _offer(each)]
    pressed = st.button("Make and prove", type="primary", disabled=not chosen, key="make")
    say.caption(
        f"Each file is loaded by a process of its own and run on {exports.compared_on(view)}; what it computes is "
        f"compared with what the network of the pages computes at state {number}."
    )
    if pressed:
        exports.make(view, number, chosen)
        st.rerun()


def _offer(each: Format) -> bool:
    """The box of a format, and why it can't be had where its package is missing."""
    reason = unavailable(each)
    ticked = st.checkbox(
        markdown(each.file_name),
        each.name in USUAL_FORMATS and not reason,
        disabled=bool(reason),
        key=f"format-{each.name}",
        help=each.description,
    )
    if reason:
        say.caption(reason)
    return ticked and not reason
