"""The Export page's file to share: it holds the run as its folder does, and says what it lacks."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from driving import App
from shared_pages import held

from explorer.export.sharing.explored import NO_ORACLE
from explorer.ui.work.jobs import JOBS

Open = Callable[..., App]


def test_the_file_holds_the_run_as_its_folder_has_it_and_is_made_again_when_that_changes(
    open_app: Open, workdir: Path
) -> None:
    app = open_app("prune").click("Remove 10").go("export").fine()
    assert "without the oracle, which the Oracle page measures" in app.text
    app.click("Make the file")
    job = JOBS.find(f"share-{app.run}")
    job.wait(60)
    app.again().fine()
    kept = json.loads((workdir / "runs" / app.run / "run.json").read_text())
    assert held(job.result.content, "run")["timeline"] == kept["timeline"]
    assert any(button.label.startswith("Download demo-explored") for button in app.test.get("download_button"))
    assert NO_ORACLE in app.text and "has changed since" not in app.said
    app.go("prune").click("Remove 10").go("export").fine()
    assert "The run has changed since" in app.said and app.buttons["Make it again"]
