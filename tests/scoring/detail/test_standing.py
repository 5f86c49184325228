"""A unit's rank against counting, and its neighbours in the order in which units go."""

from __future__ import annotations

import math

import pytest
import torch
from networks_at_hand import MODULES, UNUSUAL, at_hand

from explorer.pruning.plan import remove_next
from explorer.scoring.detail import neighbours, standing


@pytest.mark.parametrize("name", [*MODULES, *UNUSUAL])
def test_ranks_count_what_is_more_important_among_the_units_left(name: str) -> None:
    units = at_hand(name).units
    generator = torch.Generator().manual_seed(0)
    raw = torch.randint(5, (len(units),), generator=generator).double()  # with ties
    removed = torch.rand(len(units), generator=generator) < 0.3
    left = [u for u in range(len(units)) if not removed[u]]
    for unit in left:
        found = standing(raw, -raw, units, removed, unit)
        here = [u for u in left if units.layer_index[u] == units.layer_index[unit]]
        for among, rank, of in ((left, found.rank, found.of), (here, found.layer_rank, found.layer_of)):
            more = sum(bool(-raw[u] > -raw[unit]) for u in among)
            same = sum(bool(raw[u] == raw[unit]) for u in among)
            assert (rank, of) == (more + (same + 1) / 2, len(among))
        assert found.value == raw[unit]


def test_shares_run_from_the_first_to_go_to_the_last() -> None:
    units = at_hand("plain").units
    values = torch.arange(len(units)).double()
    none = torch.zeros(len(units), dtype=torch.bool)
    first, middle, last = (standing(values, values, units, none, unit) for unit in (0, 5, 10))
    assert (first.share, middle.share, last.share) == (0, 0.5, 1)
    assert (first.layer_share, middle.layer_share, last.layer_share) == (0, 0, 1)


def test_a_removed_unit_has_no_rank_and_a_lonely_one_is_no_error() -> None:
    units = at_hand("plain").units
    values, removed = torch.arange(len(units)).double(), torch.arange(len(units)) != 4
    gone, alone = (standing(values, values, units, removed, unit) for unit in (3, 4))
    assert math.isnan(gone.rank) and math.isnan(gone.layer_rank) and gone.value == 3 and gone.of == 1
    assert (alone.rank, alone.of, alone.share) == (1, 1, 0)
    assert [standing(values, values, units, values < 0, unit).rank for unit in (0, 10)] == [11, 1]


def test_neighbours_lead_through_all_units_left_in_the_order_in_which_they_go() -> None:
    units = at_hand("plain").units
    saliency = torch.tensor([3.0, 1, 2, 2, 9, 8, 0, 4, 7, 6, 5])
    removed = torch.zeros(11, dtype=torch.bool)
    removed[[2, 7]] = True
    unit, walked = 6, [6]
    assert neighbours(saliency, removed, 6)[0] is None
    while (following := neighbours(saliency, removed, unit)[1]) is not None:
        assert neighbours(saliency, removed, following)[0] == unit
        unit = following
        walked.append(unit)
    assert walked == sorted((u for u in range(11) if not removed[u]), key=lambda u: float(saliency[u]))
    plan = remove_next(units, removed, saliency, 3)
    assert set((plan & ~removed).nonzero()[:, 0].tolist()) == set(walked[:3])


def test_a_removed_unit_has_neighbours_too() -> None:
    saliency = torch.tensor([0.0, torch.inf, 2.0])
    removed = torch.tensor([False, True, False])
    assert neighbours(saliency, removed, 1) == (None, 0)
    assert neighbours(saliency, removed, 0) == (None, 2)
