"""Pairs of units: against a loop over pairs and resamples, and against what chance alone would tell apart."""

from __future__ import annotations

from itertools import combinations

import pytest
import torch
from networks_at_hand import MODULES, at_hand
from torch import Tensor

from explorer.core.errors import BadInput
from explorer.scoring import pairs
from explorer.scoring.bootstrap import Resampling
from explorer.scoring.oracle import Oracle
from explorer.scoring.pairs import told_apart

DRAWN = Resampling(40, seed=2)


def oracle_of(changes: Tensor, name: str = "plain", total: int | None = None) -> Oracle:
    return Oracle(at_hand(name).units, changes, torch.arange(len(changes)), total or len(changes), "made up")


def changes(name: str, images: int = 12) -> Tensor:
    units = len(at_hand(name).units)
    draw = torch.Generator().manual_seed(3)
    return torch.randn(images, units, generator=draw).double() + torch.linspace(-1, 2, units)


@pytest.mark.parametrize("name", MODULES)
def test_pairs_are_those_that_a_loop_over_all_finds(name: str) -> None:
    x, units = changes(name), at_hand(name).units
    found = told_apart(oracle_of(x, name), DRAWN)
    sizes = [[float(column[rows].mean().abs()) for rows in DRAWN.rows(len(x))] for column in x.T]
    layers = [
        [sum(s[k] for s in sizes[place]) / len(sizes[place]) for k in range(40)] for place in units.slices.values()
    ]

    def is_apart(a: list[float], b: list[float]) -> bool:
        ahead, behind = (sum(x > y for x, y in zip(*both, strict=True)) for both in ((a, b), (b, a)))
        return max(ahead, behind) >= 39

    by_unit = [is_apart(a, b) for a, b in combinations(sizes, 2)]
    by_layer = [is_apart(a, b) for a, b in combinations(layers, 2)]
    assert (found.units, found.pairs, found.layer_pairs) == (len(units), len(by_unit), len(by_layer))
    assert found.share == pytest.approx(sum(by_unit) / len(by_unit), abs=1e-12)
    assert found.layers == sum(by_layer)
    order = x.mean(0).abs().argsort(descending=True).tolist()
    k = max(1, round(len(units) / 10))
    with_first = [is_apart(sizes[a], sizes[b]) for a in order[:k] for b in order[k:]]
    assert found.first_share == pytest.approx(sum(with_first) / len(with_first))


def test_units_that_none_tells_from_zero_are_told_from_each_other() -> None:
    units = len(at_hand("plain").units)
    common = torch.randn(30, 1, generator=torch.Generator().manual_seed(0)).double()
    found = oracle_of(common * torch.logspace(0, 1, units).double())
    assert int((found.oracle_abs <= 2 * found.standard_error).sum()) == units
    apart = told_apart(found)
    assert (apart.share, apart.first_share, apart.layers) == (1, 1, apart.layer_pairs)


def test_chance_alone_tells_few_apart() -> None:
    draw = torch.Generator().manual_seed(0)
    shares = [told_apart(oracle_of(torch.randn(40, 11, generator=draw).double())).share for _ in range(30)]
    assert 0 < sum(shares) / len(shares) < 0.07


def test_of_many_units_some_at_even_distances_are_paired(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pairs, "MOST", 5)
    found = told_apart(oracle_of(changes("plain")))
    assert (found.units, found.pairs) == (5, 10)


def test_an_oracle_that_is_not_whole_is_refused() -> None:
    with pytest.raises(BadInput, match="once all images are exact"):
        told_apart(oracle_of(changes("plain"), total=20))
