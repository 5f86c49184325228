"""Links: an address opens the same view again, and says what of it is not here; runs are found in a list."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from driving import SCRIPT, App
from streamlit.testing.v1 import AppTest

Open = Callable[..., App]


def typed(page: str = "", **query: str) -> App:
    """A tab at an address that somebody typed or was sent."""
    test = AppTest.from_file(SCRIPT, default_timeout=60)
    for name, value in query.items():
        test.query_params[name] = value
    return App(test).go(page) if page else App(test).again()


def address(app: App, name: str) -> str | None:
    found = app.test.query_params.get(name)
    return found[0] if isinstance(found, list) else found


def test_a_run_that_is_not_here_is_said_with_the_runs_that_are_and_nothing_is_opened(
    open_app: Open, workdir: Path
) -> None:
    kept = open_app("prune").click("Remove 10")
    app = typed("prune", run="from-another-server")
    assert "names the run from-another-server, and this work folder has none" in app.said
    assert not app.test.get("plotly_chart") and "Remove 10" not in app.buttons
    (table,) = app.test.dataframe
    assert table.value["Run"].tolist() == [kept.run] and table.value["States"].tolist() == [2]
    assert table.value["Units left"].tolist() == [int(kept.facts["Units"].replace(",", ""))]
    app.click("Open the demo")
    assert app.fine().run != "from-another-server" and app.buttons["Remove 10"]
    assert typed("prune", run=app.run).fine().facts == app.facts  # a reload of a run in which nothing was done yet
    assert [folder.name for folder in (workdir / "runs").iterdir()] == [kept.run]


def test_a_link_is_about_the_state_that_was_seen_and_moves_nobodys_run_by_itself(open_app: Open) -> None:
    app = open_app("prune").click("Remove 10").click("Remove 1").fine()
    assert address(app, "state") == "2" and "This link is about" not in app.said  # its own steps are no other state
    link = typed("prune", run=app.run, state="1").fine()
    assert "This link is about state 1; the run is at state 2 now." in link.said
    assert link.facts == app.again().facts
    link.click("Go to state 1")
    assert "state 1 of 2" in link.fine().bar and "This link" not in link.said and address(link, "state") == "1"
    gone = typed("prune", run=app.run, state="7").fine()
    assert "about state 7, which the run does not have" in gone.said
    gone.click("Stay at state")
    assert "This link" not in gone.fine().said


def test_an_address_holds_the_threshold_and_another_criterion_takes_as_many_units(open_app: Open) -> None:
    app = open_app("saliency").set("Exactly", 0.02).fine()
    named, going = address(app, "lines"), count(app)
    assert named == f"[{float(np.float32(0.02))!r},{{}}]"
    assert count(typed("saliency", run=app.run, lines=named).fine()) == going
    assert count(app.set("Criterion", "L1 norm").fine()) == going
    assert address(app, "lines") not in (named, None)


def count(app: App) -> str:
    return next(button for button in app.buttons if button.startswith("Remove ") and button.endswith(" units"))


@pytest.mark.parametrize(
    "lines", ["", "[", "7", "[NaN,{}]", '["x",{}]', "[true,{}]", '[1,{"features.0":[]}]', "[" * 9999]
)
def test_lines_that_none_can_be_are_no_lines(open_app: Open, lines: str) -> None:
    app = typed("saliency", run=open_app().run, lines=lines).fine()
    assert address(app, "lines") is None


def test_the_unit_that_is_looked_at_is_in_the_address(open_app: Open) -> None:
    app = open_app("saliency").click("Look at this unit").fine()
    named = address(app, "unit")
    assert named and named.endswith(":0")
    again = typed("saliency", run=app.run, unit=named).fine()
    assert f"{named.removesuffix(':0')}, channel 0" in again.text
    assert "this network has no such unit" in typed("saliency", run=app.run, unit="nowhere:3").fine().said


def test_the_list_of_runs_opens_a_run_again(open_app: Open) -> None:
    first = open_app("prune").click("Remove 10").fine()
    other = open_app().click("Open the demo anew").fine()
    assert other.run != first.run
    other.click("Runs").fine()
    table = next(each.value for each in other.test.dataframe if "Run" in each.value)
    assert dict(zip(table["Run"], table[""], strict=True)) == {first.run: "", other.run: "→"}


def test_a_run_gets_a_name_in_the_list_is_deleted_and_comes_back(open_app: Open, workdir: Path) -> None:
    first = open_app("prune").click("Remove 10").fine()
    before = first.facts
    other = open_app().click("Open the demo anew").fine().click("Runs").fine()
    other.set("Name of this run", "mine, <b>bold</b>").fine()
    table = next(each.value for each in other.test.dataframe if "Run" in each.value)
    assert dict(zip(table["Run"], table["Name"], strict=True)) == {first.run: "mine, <b>bold</b>", other.run: ""}
    assert "mine, <b>bold</b>" in first.again().bar and "<b>" not in first.marked_bar
    other.click("Delete this run").fine()
    assert not (workdir / "runs" / first.run).exists()
    first.click("Remove 1")
    assert "this work folder has none" in first.said and not (workdir / "runs" / first.run).exists()
    first.click("Undo the deletion")
    assert first.facts == before and (workdir / "runs" / first.run).exists()
    other.set("Run", other.run)
    assert not other.buttons["Delete this run"] and not other.buttons["Open this run"]
