"""What an address says that names a run which is not here: one sentence, and the runs that are."""

from __future__ import annotations

import streamlit as st

from explorer.ui.choosing.run_list import run_list
from explorer.ui.elements import say
from explorer.ui.work.address import begin, look_at, new_id


def unknown_run(run: str) -> None:
    """The sentence, the list of runs, and a button for a fresh one; nothing is opened by itself."""
    st.subheader("This run is not here")
    say.warning(
        f"The address names the run {run}, and this work folder has none: it was deleted, nothing was ever done in it, "
        "or the address is another server's."
    )
    st.button("Open the demo", type="primary", on_click=_fresh)
    st.subheader("The runs that are here")
    run_list("runs-here")


def _fresh() -> None:
    look_at(begin(new_id()))
