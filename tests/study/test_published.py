"""The published figures are those of the paper's page, cell by cell."""

from __future__ import annotations

from pathlib import Path

import pytest

from explorer.study.lanes import VGG16_MFLOPS
from explorer.study.published import SPEED, TABLE_1

MEASURES = {"per layer": "per_layer", "all layers": "all_layers", "all, l2": "all_layers_l2"}
ORDER = ("weight", "activation_mean", "activation_std", "apoz", "obd", "taylor", "mutual_information")


@pytest.fixture
def paper(shared_data: Path) -> str:
    return (shared_data.parent / "paper.md").read_text()


def test_table_1(paper: str) -> None:
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in paper.splitlines() if line[:2] == "| "]
    found, where = 0, ""
    for row in rows:
        if len(row) == 9 and row[1] in MEASURES:
            where = row[0] or where
            values = [None if cell == "-" else float(cell) for cell in row[2:]]
            assert TABLE_1[where][MEASURES[row[1]]] == dict(zip(ORDER, values, strict=True))
            found += 1
    assert found == 15 == sum(map(len, TABLE_1.values()))


def test_table_2_prints_no_number_that_is_not_there(paper: str) -> None:
    numbers = {word.strip("(),|x%") for word in paper.split()}
    for row in SPEED.rows:
        for cell in row[2:]:
            assert {
                word.strip("(),x%") for word in (cell or "").split() if word.strip("(),x%")[:1].isdigit()
            } <= numbers


def test_the_mean_map_of_vgg16_costs_what_the_scaled_weight_takes() -> None:
    layers = [(3, 64, 224), (64, 64, 224), (64, 128, 112), (128, 128, 112), (128, 256, 56), (256, 256, 56)]
    layers += [(256, 256, 56), (256, 512, 28), (512, 512, 28), (512, 512, 28), *[(512, 512, 14)] * 3]
    flops = sum(2 * side**2 * (reads * 9 + 1) * writes for reads, writes, side in layers)
    assert flops / sum(writes for _, writes, _ in layers) / 1e6 == pytest.approx(VGG16_MFLOPS, abs=0.005)
