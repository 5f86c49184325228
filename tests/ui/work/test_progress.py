"""Progress without a page."""

from __future__ import annotations

import logging
from pathlib import Path
from types import ModuleType

import pytest
from streamlit.runtime import app_session
from streamlit.runtime.scriptrunner import script_runner

from explorer.ui.work import progress


@pytest.mark.parametrize("module", [app_session, script_runner])
def test_a_late_look_at_a_fragment_leaves_no_line_in_the_log_and_all_else_does(
    module: ModuleType, caplog: pytest.LogCaptureFixture
) -> None:
    late = progress.LATE[module.__name__]
    assert f'"{late}' in Path(str(module.__file__)).read_text(encoding="utf-8")  # as this version of Streamlit says it
    logger = logging.getLogger(module.__name__)
    logger.addHandler(caplog.handler)
    caplog.set_level(logging.INFO, logger.name)
    try:
        module._LOGGER.warning(late + " It might have been removed.", "a1b2")
        module._LOGGER.warning("Discarding rerun request after shutdown")
    finally:
        logger.removeHandler(caplog.handler)
    assert {record.getMessage() for record in caplog.records} == {"Discarding rerun request after shutdown"}
