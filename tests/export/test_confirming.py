"""A state whose network no longer measures what its run says is not exported."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from explorer.core.errors import BadInput
from explorer.evaluation.evaluate import Outcome
from explorer.evaluation.metrics import Metrics
from explorer.export.confirming import confirm

LABELS = torch.arange(100) % 2


def outcome(wrong: int = 0, noise: float = 0.0) -> Outcome:
    """100 images of two classes, of which so many are taken for the other."""
    said = torch.where(torch.arange(100) < wrong, 1 - LABELS, LABELS)
    return Outcome(4 * torch.nn.functional.one_hot(said, 2) + noise, LABELS)


def recorded(found: Outcome, images: int = 100) -> Metrics:
    return Metrics(found.loss, found.accuracy, images, units=5, parameters=10, flops=20)


def test_the_same_network_is_confirmed_also_with_another_rounding() -> None:
    for same in (outcome(3), outcome(3, noise=1e-6)):
        confirm(same, recorded(outcome(3)), "State 1")
        with pytest.raises(BadInput, match="no longer measures"):
            confirm(same, replace(recorded(outcome(3)), loss=outcome(3).loss + 0.01), "State 1")


@pytest.mark.parametrize("wrong", [10, 50, 100])
def test_another_network_is_refused_with_both_figures(wrong: int) -> None:
    with pytest.raises(BadInput, match=rf"^State 1 no longer measures what its run says: .* {100 - wrong}\.0% on 100 "):
        confirm(outcome(wrong), recorded(outcome(3)), "State 1")


def test_other_images_say_nothing() -> None:
    confirm(outcome(50), recorded(outcome(3), images=256), "State 1")
    with pytest.raises(BadInput, match="on 100 validation images"):
        confirm(outcome(50), recorded(outcome(3), images=100), "State 1")
