"""The boundary of the app: whatever goes wrong inside it is told in a sentence, on the page that asked for it."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import streamlit as st

from explorer.core.errors import BadInput, Outdated
from explorer.core.reports import Failure, failure
from explorer.core.text import markdown
from explorer.ui.elements import say


@contextmanager
def boundary(doing: str = "a page of the app") -> Iterator[None]:
    """Tell of every error that leaves the block, or the function that this decorates; the server's log has its stack.

    Pages, dialogs and fragments are run in it: each of them is drawn by Streamlit on its own. doing: for the report.
    """
    try:
        yield
    except Exception as error:
        tell(failed(error, doing))


def failed(error: Exception, doing: str) -> Failure:
    """The sentence on an error: that of bad input, or that of a report."""
    if isinstance(error, BadInput):
        return Failure(str(error), outdated=isinstance(error, Outdated))
    traceback.print_exception(error)
    return failure(error, doing)


def tell(found: Failure) -> None:
    """The sentence, and its report to take away."""
    (say.info if found.outdated else say.error)(found.sentence)
    offer(found.report)


def offer(report: Path | None, of: str = "") -> None:
    """A button that downloads a report, if there is one; of: the part that failed, if it is not the page itself."""
    if report is not None and report.is_file():
        st.download_button(
            markdown(f"Download the report: {of}" if of else "Download the report"),
            report.read_bytes(),
            report.name,
            "text/plain",
            on_click="ignore",
            key=f"report-{report.stem}",
        )
