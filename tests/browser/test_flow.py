"""The main job, end to end: look, score, prune, go back, compare, export, and take the file away."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch
from of_demo import DEMO, UNITS

pytest.importorskip("playwright")

from acting import PICTURE, facts, press, reach, run_of, settle, state, turn, until, upload, visit
from playwright.sync_api import Page
from threshold_line import below, drag, line, would_go

import explorer
from explorer import open_network
from explorer.data import Batches, open_images


def test_the_first_page_shows_the_demo(tab: Page) -> None:
    visit(tab, "network")
    tab.locator(PICTURE).first.wait_for()
    assert state(tab) == "state 0 of 0"
    assert facts(tab)["Units"] == str(UNITS)
    tab.get_by_role("listbox", name=f"6 layers, {UNITS} of {UNITS} feature maps kept").wait_for()
    assert tab.get_by_role("heading", name="Where the FLOPs and parameters are").is_visible()


def test_a_threshold_is_dragged_and_moved_by_keys_and_its_units_removed(tab: Page) -> None:
    visit(tab, "saliency")
    tab.locator(PICTURE).wait_for()
    slider = line(tab)
    assert below(tab) == (0, UNITS)
    drag(tab, 0.82)
    dragged, _ = below(tab)
    assert 0 < dragged < UNITS
    assert not would_go(tab, dragged).is_visible()
    tab.mouse.up()
    would_go(tab, dragged).wait_for()
    settle(tab)
    assert slider.get_attribute("aria-valuetext").endswith(f", {dragged} of {UNITS} feature maps below")

    slider.focus()
    tab.keyboard.press("ArrowRight")
    assert below(tab)[0] == dragged + 1
    would_go(tab, dragged + 1).wait_for()
    settle(tab)
    slider.focus()
    tab.keyboard.press("Home")
    tab.get_by_text("Drag the line to the right").wait_for()
    assert below(tab)[0] == 0
    slider.focus()
    tab.keyboard.press("PageUp")
    paged, _ = below(tab)
    assert paged >= UNITS // 20
    would_go(tab, paged).wait_for()
    settle(tab)
    press(tab, f"Remove {paged} units", "state 1 of 1")
    assert facts(tab)["Units"] == str(UNITS - paged)


def test_the_criterion_holds_on_every_page_and_in_the_address(tab: Page) -> None:
    visit(tab, "saliency")
    tab.get_by_role("combobox", name="Criterion").click()
    tab.get_by_role("option", name="APoZ", exact=True).click()
    tab.get_by_role("heading", name="APoZ of every unit").wait_for()
    tab.wait_for_url(re.compile("criterion=APoZ"))
    turn(tab, "prune")
    tab.get_by_text("APoZ, layer-wise l2; scored in").wait_for()
    press(tab, "Remove 1", "state 1 of 1")
    assert "1 unit by APoZ" in tab.locator(".state-bar").inner_text()
    tab.reload()
    tab.get_by_text("APoZ, layer-wise l2; scored in").wait_for()
    settle(tab)


def test_steps_forward_and_back_bring_the_numbers_back_exactly(tab: Page) -> None:
    visit(tab, "prune")
    seen = [facts(tab)]
    seen.append(press(tab, "Remove 1", "state 1 of 1"))
    seen.append(press(tab, "Remove 10", "state 2 of 2"))
    seen.append(press(tab, "Remove 10", "state 3 of 3"))
    assert [found["Units"] for found in seen] == [str(UNITS), str(UNITS - 1), str(UNITS - 11), str(UNITS - 21)]
    assert len({found["FLOPs"] for found in seen[1:]} | {found["Parameters"] for found in seen[1:]}) > 2
    assert press(tab, "Back 2", "state 1 of 3") == seen[1]
    assert press(tab, "Redo", "state 2 of 3") == seen[2]
    assert press(tab, "Redo", "state 3 of 3") == seen[3]
    assert press(tab, "Undo", "state 2 of 3") == seen[2]
    found = press(tab, "Prune to this goal", "state 4 of 4")
    assert found["Units"] == str(UNITS // 2)
    tab.get_by_role("listbox", name=f"6 layers, {UNITS // 2} of {UNITS} feature maps kept").wait_for()
    tab.reload()
    settle(tab)
    assert (state(tab), facts(tab)) == ("state 4 of 4", found)


def test_a_double_click_breaks_nothing(tab: Page) -> None:
    visit(tab, "prune")
    tab.get_by_role("button", name="Remove 10", exact=True).dblclick()
    reach(tab, "state [12] of [12]")
    until(tab, lambda: state(tab) in ("state 1 of 1", "state 2 of 2"), "a settled state")
    settle(tab)
    steps = int(state(tab)[-1])
    assert facts(tab)["Units"] == str(UNITS - 10 * steps)
    assert press(tab, "Remove 1", f"state {steps + 1} of {steps + 1}")["Units"] == str(UNITS - 1 - 10 * steps)


def test_the_browser_s_back_button_returns_to_the_page_before(tab: Page) -> None:
    visit(tab, "network")
    turn(tab, "prune")
    run = run_of(tab)
    tab.get_by_role("button", name="Undo", exact=True).wait_for()
    turn(tab, "export")
    tab.get_by_role("heading", name="The file").wait_for()
    tab.go_back()
    tab.get_by_role("button", name="Undo", exact=True).wait_for()
    settle(tab)
    assert run_of(tab) == run
    tab.go_forward()
    tab.get_by_role("heading", name="The file").wait_for()


def test_compare_draws_a_curve_of_each_criterion(tab: Page) -> None:
    visit(tab, "compare")
    for name in ("OBD", "Activation mean", "Weight"):
        tab.get_by_role("button", name=f"Remove {name}", exact=True).click()
        tab.get_by_role("button", name=f"Remove {name}", exact=True).wait_for(state="detached")
        settle(tab)
    tab.get_by_role("button", name="Compare these criteria", exact=True).click()
    figure = tab.get_by_role("figure", name=re.compile("Accuracy against units left.*Taylor.*Random"))
    figure.wait_for()
    until(tab, lambda: not tab.get_by_role("progressbar").count(), "the end of the comparison")
    settle(tab)
    figure.wait_for()


def accuracy(module: torch.nn.Module) -> float:
    """On the validation images that the pages show."""
    batches = Batches(open_images("demo"), "validation", module.preprocessing, 256)
    with torch.no_grad():
        right = sum(int((module(x).argmax(1) == y).sum()) for x, y in batches)
    return right / 256


def test_the_file_taken_away_computes_what_the_pages_showed(tab: Page, tmp_path: Path) -> None:
    visit(tab, "prune")
    shown = press(tab, "Prune to this goal", "state 1 of 1")
    turn(tab, "export")
    tab.get_by_role("button", name="Make and prove").click()
    tab.get_by_text("100.0% of the predictions agree").wait_for()
    assert tab.get_by_text("is not offered").count() == 0
    with tab.expect_download() as download:
        tab.get_by_role("button", name="Download network.safetensors").click()
    path = tmp_path / download.value.suggested_filename
    download.value.save_as(path)
    assert path.name == "network.safetensors"

    reloaded = explorer.load_pruned(path)
    assert sum(layer.width_after for layer in reloaded.manifest.layers) == UNITS // 2
    assert f"{accuracy(reloaded):.1%}" == shown["Accuracy"]

    turn(tab, "network")
    upload(tab, path)
    tab.locator(".state-bar .name", has_text=path.name).wait_for()
    settle(tab)
    assert facts(tab) == shown | {"Units": str(UNITS // 2)}
    tab.get_by_role("listbox", name=f"6 layers, {UNITS // 2} of {UNITS // 2} feature maps kept").wait_for()
    for layer in reloaded.manifest.layers:
        option = tab.get_by_role("option", name=f"{layer.name}: {layer.width_after} of {layer.width_after} feature")
        assert option.is_visible()


def test_a_checkpoint_is_opened_with_its_architecture(tab: Page, tmp_path: Path) -> None:
    path = tmp_path / "mine.pt"
    torch.save(dict(open_network("demo").module.state_dict()), path)
    visit(tab, "network")
    upload(tab, path, DEMO.arch)
    tab.locator(".state-bar .name", has_text="mine.pt").wait_for()
    settle(tab)
    assert facts(tab)["Units"] == str(UNITS)
    turn(tab, "prune")
    assert press(tab, "Remove 10", "state 1 of 1")["Units"] == str(UNITS - 10)
