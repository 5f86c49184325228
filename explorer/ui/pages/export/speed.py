"""Speed of a state's network beside the network as loaded: the form, the job, and the measurement."""

from __future__ import annotations

import streamlit as st
import torch

from explorer.core.device import available, choose
from explorer.figures.speed_bars import Pair, speed_bars
from explorer.jobs.job import LONG, Job
from explorer.runs.store import pruned_at
from explorer.speed.engines import ENGINES
from explorer.speed.measure import measure_speed
from explorer.speed.result import DEFAULT_TERMS, Rounded, SpeedReport, Timing, TimingTerms, warning
from explorer.study.speed_published import SOURCE, TABLE, PublishedSpeed
from explorer.ui.elements import say
from explorer.ui.elements.chart import chart
from explorer.ui.elements.wording import short
from explorer.ui.work.jobs import JOBS
from explorer.ui.work.progress import NOTHING, explain_end, follow
from explorer.ui.work.run_jobs import SPEED, key_of
from explorer.ui.work.session import View, run_folder

BATCHES = (1, 4, 16, 64)


def measured_speed(view: View, number: int) -> None:
    """Draw the measured speed of a state, its progress, and the form that begins it."""
    say.subheader("Measured speed")
    job = JOBS.find(key_of(SPEED, view.run, number))
    if job and job.active:
        follow(job, job.version)
        return
    if job and job.result:
        _result(job.result)
    elif job:
        explain_end(job, NOTHING, "Dismiss")
    _form(view, number)


def _form(view: View, number: int) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        engines = st.multiselect("Run by", list(ENGINES), list(DEFAULT_TERMS.engines), key="speed-engines", width=220)
        batches = st.multiselect("Images at once", BATCHES, list(DEFAULT_TERMS.batches), key="speed-batches", width=170)
        most = torch.get_num_threads()
        threads = st.multiselect("Threads", sorted({1, most}), [most], key="speed-threads", width=130)
        there = available()
        device = st.selectbox("Device", there, there.index("cpu"), key="speed-device", width=110)
        if st.button("Measure the speed", key="measure-speed", disabled=not (engines and batches and threads)):
            measure(view, number, TimingTerms(tuple(engines), tuple(threads), tuple(batches)), device)
            st.rerun()
    say.caption(
        f"State {number} and the network as loaded take turns on blank images: {DEFAULT_TERMS.runs} runs of each "
        "after warm-up."
    )


def measure(view: View, number: int, terms: TimingTerms, device: str) -> Job:
    """Start measuring a state beside the network as loaded."""
    folder = run_folder(view.run)

    def work(job: Job) -> SpeedReport:
        full = view.loaded.network.to(choose(device))
        pruned = pruned_at(view.loaded.network, view.timeline, folder, number).to(choose(device))
        return measure_speed(full, pruned, terms, job.report)

    return JOBS.submit(key_of(SPEED, view.run, number), f"Speed of state {number}", work, LONG)


def _result(found: SpeedReport) -> None:
    if found.timings:
        chart(speed_bars([_pair(each) for each in found.timings]), "speed")
        say.caption(
            "Bars: medians; whiskers: quartiles; ×: times as fast as the network as loaded. By FLOPs alone it would be "
            f"{found.theoretical:.2f}×."
        )
    for sentence in (*found.refused, *(warning(found, each) for each in found.timings)):
        if sentence:
            say.warning(sentence)
    st.dataframe(_sizes(found), hide_index=True)
    if rounded := [each for each in found.rounded if each.timing]:
        say.body("**If widths were rounded up**")
        st.dataframe([_rounded(each, found) for each in rounded], hide_index=True)
        say.caption("Timed only with the first engine and the largest batch.")
    with st.expander("What the paper measured"):
        st.dataframe([_published(row) for row in TABLE], hide_index=True)
        say.caption(f"{SOURCE}.")


def _pair(timing: Timing) -> Pair:
    full, pruned = (
        (each.median / each.batch, each.lower_quartile / each.batch, each.upper_quartile / each.batch)
        for each in (timing.full, timing.pruned)
    )
    return Pair(timing.conditions, full, pruned)


def _sizes(found: SpeedReport) -> list[dict[str, str]]:
    return [
        {
            "Network": name,
            "Parameters": short(size.parameters),
            "FLOPs": short(size.flops),
            "Weights": f"{size.weights / 1e6:,.2f} MB",
            f"Memory, {size.batch} images": f"{size.memory / 1e6:,.1f} MB",
        }
        for name, size in (("as loaded", found.full), ("pruned", found.pruned))
    ]


def _rounded(each: Rounded, found: SpeedReport) -> dict[str, str]:
    assert each.timing is not None
    return {
        "Multiples of": str(each.multiple),
        "Units back": str(each.back),
        "FLOPs": short(each.flops),
        "Conditions": each.timing.conditions,
        "Speed-up": f"{each.timing.speed_up:.2f}×",
        "By FLOPs": f"{found.full.flops / each.flops:.2f}×",
    }


def _published(row: PublishedSpeed) -> dict[str, str]:
    return {
        "Network": row.network,
        "Where": row.where,
        "GFLOPs": f"{row.full_gflops:g} → {row.pruned_gflops:g}",
        "Time, ms": f"{row.full:g} → {row.pruned:g}",
        "Speed-up": f"{row.measured:.1f}×",
        "By FLOPs": f"{row.theoretical:.1f}×",
    }
