"""The control from scratch: half the parameters a layer, and a reason where it can't be trained."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from of_demo import WIDTHS

from explorer import open_network
from explorer.core.errors import BadInput
from explorer.core.progress import silent
from explorer.networks.surgery import prune
from explorer.study import from_scratch
from explorer.study.inputs import StudyInputs
from explorer.study.presets import PRESETS


def test_it_has_about_half_of_every_layers_parameters() -> None:
    network = open_network("demo")
    removed = from_scratch.halved(network.units)
    assert [int((~part).sum()) for part in network.units.by_layer(removed).values()] == [
        round(w / 2**0.5) for w in WIDTHS
    ]
    weights = dict(prune(network, removed).module.named_parameters())
    for name, whole in network.module.named_parameters():
        if name.startswith("features.") and name.endswith("weight") and name != "features.0.weight":
            assert weights[name].numel() / whole.numel() == pytest.approx(0.5, abs=0.07), name


def test_what_has_no_fresh_weights_is_a_reason_and_no_end(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def refuse(*given: Any, **options: Any) -> None:
        raise BadInput("module x has weights, but no reset_parameters to draw fresh ones.")

    monkeypatch.setattr(from_scratch, "control_of", refuse)
    images: Any = SimpleNamespace(describe=lambda: "9 validation images of x, seed 0")
    network, about = open_network("demo"), SimpleNamespace()
    inputs = StudyInputs(network, {"validation": images}, PRESETS["quick"], 0, tmp_path, about)  # type: ignore[arg-type]
    found = from_scratch.from_scratch(inputs, {}, silent)
    assert found.result == {"points": []} and "no reset_parameters" in found.setting and not found.findings
