"""Progress without a page."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from streamlit.runtime import app_session

from explorer.ui.work import progress


def test_a_late_look_at_a_fragment_leaves_no_line_in_the_log_and_all_else_does(
    caplog: pytest.LogCaptureFixture,
) -> None:
    source = Path(app_session.__file__).read_text(encoding="utf-8")
    assert f'_LOGGER.info(\n                    "{progress.LATE}' in source  # as this version of Streamlit says it
    logger = logging.getLogger(app_session.__name__)
    logger.addHandler(caplog.handler)
    caplog.set_level(logging.INFO, logger.name)
    try:
        app_session._LOGGER.info(progress.LATE + " - it might have been removed.", "a1b2")
        app_session._LOGGER.warning("Discarding rerun request after shutdown")
    finally:
        logger.removeHandler(caplog.handler)
    assert {record.getMessage() for record in caplog.records} == {"Discarding rerun request after shutdown"}
