"""Evidence: what is gathered, in which order, and with how many passes."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch
from networks_at_hand import SHAPE, at_hand, images, many_classes

from explorer.scoring.criteria import CRITERIA, needs, score
from explorer.scoring.evidence import DRAWS, PARTS, STAGES, Evidence, cost, gather, gather_in_stages
from explorer.scoring.linearise import LARGEST

CLASSWISE = {"curvature", "linear_change"}


def test_stages_only_ever_add_and_end_with_all() -> None:
    network, batches = at_hand("plain_batchnorm"), images(SHAPE)
    scored = [score(evidence) for evidence in gather_in_stages(network, batches)]
    for before, after in pairwise(scored):
        assert len(before) < len(after)
        assert all(torch.equal(saliency, after[name]) for name, saliency in before.items())
    assert list(scored[-1]) == list(CRITERIA)


def test_only_the_parts_asked_for_and_those_of_the_same_passes_are_gathered() -> None:
    found = gather(at_hand("plain"), images(SHAPE), {"curvature"})
    assert {part for part in PARTS if getattr(found, part) is not None} == CLASSWISE
    assert gather(at_hand("plain"), images(SHAPE), set()).seen is None


def test_what_was_seen_before_is_taken_as_it_is() -> None:
    network, batches = at_hand("plain"), images(SHAPE)
    seen = gather(network, images(SHAPE, seed=1), {"seen"}).seen
    assert gather(network, batches, set(), seen=seen).seen is gather(network, batches, PARTS, seen=seen).seen is seen
    assert len(list(gather_in_stages(network, batches, seen=seen))) == len(STAGES) - 1


def test_needs_are_parts_that_a_stage_gathers_or_that_are_always_there() -> None:
    assert needs(CRITERIA) <= PARTS | {"units", "seed"}
    assert sum(len(stage.parts) for stage in STAGES) == len(PARTS)
    assert set(vars(Evidence(at_hand("plain").units))) == PARTS | {"units", "seed"}


@pytest.mark.parametrize(
    ("parts", "many", "passes"),
    [
        ({"kernels", "batchnorm", "kernel_distances", "map_ranks"}, False, 0),
        ({"seen"}, False, 1),
        (CLASSWISE, False, 3),
        (CLASSWISE | {"seen"}, False, 1 + 3),
        (CLASSWISE, True, 1 + LARGEST + 1 + DRAWS),
    ],
)
def test_no_more_backward_passes_are_made_than_needed(
    parts: set[str], many: bool, passes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    network, batches = (many_classes(), images(SHAPE, classes=40)) if many else (at_hand("plain"), images(SHAPE))
    made, grad = [], torch.autograd.grad
    monkeypatch.setattr(torch.autograd, "grad", lambda *args, **options: made.append(1) or grad(*args, **options))
    gather(network, batches, parts)
    assert len(made) == passes
    if many:
        assert f"above 32 classes {passes} in all" in cost(parts)


def test_the_cost_is_that_of_the_dearest_pass() -> None:
    assert cost({"seen", "curvature"}) == cost({"linear_change"}) != cost({"seen"})
    assert cost({"units", "seed"}) == "none"
