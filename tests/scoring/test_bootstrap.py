"""The bootstrap: resampled evidence against evidence of the images drawn, and intervals against a plain loop."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest
import torch
from networks_at_hand import MODULES, SHAPE, Tensors, at_hand, images
from torch import Tensor

from explorer.core.errors import BadInput
from explorer.scoring.bootstrap import Resampling, intervals, resampled
from explorer.scoring.criteria import score
from explorer.scoring.evidence import Evidence, gather
from explorer.scoring.oracle import Oracle, reference_oracle
from explorer.scoring.ranking import correlate, measures

IMAGES = images(SHAPE)
ROWS = torch.tensor([3, 3, 0, 11, 7, 5, 3, 8, 1, 0, 2, 9])


def drawn(batches: Tensors, rows: Tensor) -> Tensors:
    return replace(batches, x=batches.x[rows], y=batches.y[rows])


@pytest.mark.parametrize("name", MODULES)
def test_resampled_evidence_is_the_evidence_of_the_images_drawn(name: str) -> None:
    network = at_hand(name)
    whole = gather(network, IMAGES)
    again = gather(network, drawn(IMAGES, ROWS))
    assert again.seen is not None
    torch.testing.assert_close(resampled(whole, ROWS, 12).seen.labels, again.seen.labels)
    found, expected = score(resampled(whole, ROWS, 12)), score(again)
    assert list(found) == list(expected)
    for criterion, saliency in found.items():
        torch.testing.assert_close(saliency, expected[criterion], rtol=1e-4, atol=1e-7, msg=criterion)


def test_what_is_not_of_the_images_is_left_alone_even_where_there_are_as_many_units() -> None:
    network = at_hand("plain")
    as_many = images(SHAPE, n=len(network.units))
    whole = gather(network, as_many)
    found = resampled(whole, torch.zeros(11, dtype=torch.int64), 11)
    assert found.kernels is whole.kernels
    assert found.seen is not None and whole.seen is not None
    assert found.seen.positions is whole.seen.positions
    assert torch.equal(found.seen.gradient, whole.seen.gradient[[0] * 11])


def test_every_image_once_changes_nothing() -> None:
    whole = gather(at_hand("residual"), IMAGES)
    found = resampled(whole, torch.arange(12), 12)
    for field in fields(Evidence):
        if isinstance(part := getattr(whole, field.name), Tensor):
            assert torch.equal(getattr(found, field.name).nan_to_num(), part.nan_to_num())


def test_intervals_are_percentiles_of_the_table_over_resamples() -> None:
    network = at_hand("plain")
    evidence, oracle = gather(network, IMAGES, {"seen", "kernels"}), reference_oracle(network, IMAGES)
    found = intervals(evidence, oracle, score, scaling="max", resampling=Resampling(25, 4))
    generator = torch.Generator().manual_seed(4)
    tables = []
    for rows in torch.randint(12, (25, 12), generator=generator):
        oracle_abs = oracle.rows[rows].mean(0).abs()
        saliencies = score(resampled(evidence, rows, 12))
        tables.append({name: correlate(s, oracle_abs, network.units, "max") for name, s in saliencies.items()})
    for name, spans in found.items():
        assert list(spans) == [m.name for m in measures("max")]
        for measure, span in spans.items():
            expected = np.nanquantile([table[name][measure] for table in tables], [0.025, 0.975])
            assert span == pytest.approx(tuple(expected), abs=1e-9), (name, measure)


def test_a_criterion_that_is_the_oracle_has_no_spread() -> None:
    network = at_hand("plain")
    evidence, oracle = gather(network, IMAGES, {"seen"}), reference_oracle(network, IMAGES)
    assert evidence.seen is not None
    exact = replace(evidence, seen=replace(evidence.seen, gradient=oracle.rows))

    def itself(of: Evidence) -> dict[str, Tensor]:
        assert of.seen is not None
        return {"itself": of.seen.gradient.mean(0).abs()}

    found = intervals(exact, oracle, itself, scaling="none", resampling=Resampling(20))["itself"]
    assert all(span == pytest.approx((1, 1)) for name, span in found.items() if "overlap" not in name)


def test_the_seed_decides_and_progress_is_told() -> None:
    network = at_hand("plain")
    evidence, oracle = gather(network, IMAGES, {"seen"}), reference_oracle(network, IMAGES)
    seen: list[tuple[int, int, str]] = []
    first = intervals(evidence, oracle, score, resampling=Resampling(10), report=lambda *now: seen.append(now))
    assert first == intervals(evidence, oracle, score, resampling=Resampling(10))
    assert first != intervals(evidence, oracle, score, resampling=Resampling(10, 1))
    assert [done for done, _, _ in seen] == list(range(1, 10 + len(first) + 1))
    assert seen[-1][0] == seen[-1][1]


@pytest.mark.parametrize(
    ("done", "total", "message"),
    [
        (5, 5, "The oracle is of 5 images and the criteria are of 12"),
        (5, 12, "The oracle is of 5 of 12 images so far"),
    ],
)
def test_other_images_are_refused(done: int, total: int, message: str) -> None:
    network = at_hand("plain")
    evidence = gather(network, IMAGES, {"seen"})
    oracle = Oracle(network.units, torch.zeros(done, 11).double(), torch.arange(done), total, "test")
    with pytest.raises(BadInput, match=message):
        intervals(evidence, oracle, score)
