"""Files that can't be opened: one sentence, and nothing else changes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch
from of_demo import DEMO, UNITS, WIDTHS

pytest.importorskip("playwright")

from acting import facts, press, settle, turn, upload, visit
from hostile import Evil
from playwright.sync_api import Page


def weights() -> dict[str, torch.Tensor]:
    return dict(DEMO.module.state_dict())


def files(folder: Path) -> dict[Path, str]:
    """Each bad file with the words of its refusal."""
    nan = weights()
    nan["features.0.bias"] = nan["features.0.bias"].clone().fill_(float("nan"))
    narrow = weights() | {"features.0.weight": torch.ones(3, 1, 3, 3)}
    contents = {"code.pt": weights() | {"x": Evil(folder / "marker")}, "nan.pt": nan, "narrow.pt": narrow}
    for name, content in contents.items():
        torch.save(content, folder / name)
    (folder / "text.pt").write_text("hello, this is no network")
    (folder / "text.safetensors").write_text("hello, this is no network")
    return {
        folder / "text.pt": "text.pt is not a torch checkpoint",
        folder / "text.safetensors": "text.safetensors ",
        folder / "code.pt": "code.pt holds pickled code|code.pt .*pickled code",
        folder / "nan.pt": "nan.pt .*(finite|NaN|nan)",
        folder
        / "narrow.pt": rf"narrow.pt does not fit explorer:.?vgg_tiny: .*\(3, 1, 3, 3\) instead of \({WIDTHS[0]}, ",
    }


def test_a_bad_file_gets_one_sentence_and_nothing_is_lost(tab: Page, tmp_path: Path) -> None:
    visit(tab, "prune")
    before = press(tab, "Remove 10", "state 1 of 1")
    turn(tab, "network")
    places = set()
    for path, words in files(tmp_path).items():
        dialog = upload(tab, path, DEMO.arch)
        alert = dialog.get_by_role("alert").filter(has_text=re.compile(words))
        alert.wait_for()
        said = alert.inner_text().strip()
        assert "\n" not in said and said.endswith(".") and len(said) < 400, said
        settle(tab)
        places.add(dialog.get_by_role("button", name="Open", exact=True).last.bounding_box()["y"])
        tab.keyboard.press("Escape")
        dialog.wait_for(state="hidden")
        assert facts(tab) == before
    assert len(places) == 1  # however long the sentence is
    assert not (tmp_path / "marker").exists()
    tab.reload()
    settle(tab)
    assert facts(tab) == before


def test_an_address_of_a_damaged_run_says_so(tab: Page, workdir: Path) -> None:
    folder = workdir / "runs" / "damaged-run"
    folder.mkdir(parents=True)
    (folder / "run.json").write_text("{")
    visit(tab, "network", "damaged-run")
    tab.get_by_text(re.compile("run.json is damaged: it is not JSON; .*The demo is shown instead")).wait_for()
    assert facts(tab)["Units"] == str(UNITS)
    assert (folder / "run.json").read_text() == "{"
