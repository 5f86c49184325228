"""An export on its page: how each file did, and the files themselves."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import streamlit as st

from explorer.core.text import counted, markdown
from explorer.export.formats import Format
from explorer.export.proof import Verdict
from explorer.ui.elements import say
from explorer.ui.pages.export.exports import STATES_KEPT, ExportedState, zipped
from explorer.ui.work.session import View


def proof(made: ExportedState) -> None:
    """The findings of the clean processes, in a sentence and in numbers; and why a file is not offered."""
    good = [each for each in made.verdicts if each.ok]
    if good:
        worst = max(good, key=lambda each: each.max_relative_difference or 0.0)
        say.success(
            f"{counted(len(good), 'file')} loaded and run without the app on {made.compared_on}: "
            f"logits differ by at most {worst.max_abs_difference:.1e} ({worst.max_relative_difference:.1e} of the "
            f"largest), {worst.agreement:.1%} of the predictions agree with the network of the pages."
        )
    for each in made.verdicts:
        if not each.ok:
            say.error(f"{each.path.name} failed its proof and is not offered: {_reason(each)}.")
    st.dataframe([_row(made, each, path) for each, path in made.files.items()], hide_index=True)
    say.caption(
        "Difference: the largest of all logits, beside the page's; the largest logit is "
        f"{made.largest:.3g}. A file is proven if its difference is within its format's tolerance and "
        "every prediction is the same; plan and report compute nothing."
    )


def _reason(verdict: Verdict) -> str:
    if verdict.max_relative_difference is None:
        return verdict.error
    return (
        f"its logits differ by up to {verdict.max_relative_difference:.1e} of the largest, where "
        f"{verdict.tolerance:.0e} is allowed, and {verdict.agreement:.1%} of its predictions agree"
    )


def _row(made: ExportedState, each: Format, path: Path) -> dict[str, str]:
    found = made.verdict(each)
    about = {"File": path.name, "Size": f"{path.stat().st_size / 1e3:,.0f} kB"}
    if found is None:
        return {**about, "Proven": "–", "Difference": "–", "Agree": "–", "Right": "–"}
    return {
        **about,
        "Proven": "yes" if found.ok else "no",
        "Difference": _shown(found.max_abs_difference, "{:.1e}"),
        "Agree": _shown(found.agreement, "{:.1%}"),
        "Right": _shown(found.accuracy, "{:.1%}"),
    }


def _shown(number: float | None, form: str) -> str:
    return "–" if number is None else form.format(number)


def downloads(view: View, number: int, made: ExportedState) -> None:
    """All files in one archive, each alone, and how to load it."""
    name = f"{view.loaded.network.name.partition('.')[0]}-state-{number}"
    paths = [*made.offered.values(), made.manifest]
    st.download_button(
        markdown(f"Download {name}.zip (all {len(paths)} files)"),
        partial(zipped, name, paths),
        f"{name}.zip",
        "application/zip",
        type="primary",
        width="stretch",
        on_click="ignore",
    )
    with st.container(horizontal=True, gap="small"):
        for path in paths:
            of_file = (path.read_bytes, path.name)
            st.download_button(markdown(f"Download {path.name}"), *of_file, on_click="ignore", width="stretch")
    say.caption(f"The work folder keeps the files of the {STATES_KEPT} states of a run that were exported last.")
    with st.expander("How to load them"):
        for each in made.offered:
            say.caption(f"{each.file_name}: {each.description}")
            st.code(each.usage, language=None if each.tells_of_others or each.runner is None else "python")
