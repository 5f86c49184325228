"""Which images to look at, by arithmetic on five of them."""

from __future__ import annotations

import math

import pytest
import torch

from explorer.evaluation.evaluate import Outcome
from explorer.evaluation.samples import ORDERS, Sample, samples

# Two classes: the margin m of the larger logit gives the predicted class the probability 1 / (1 + e^-m).
OUTCOME = Outcome(
    torch.tensor([[0.0, 1.0], [2.0, 0.0], [0.0, 3.0], [0.0, 4.0], [0.0, 1.0]]), torch.tensor([0, 0, 1, 0, 1])
)


def found(order: str, **options: int) -> list[int]:
    return [sample.position for sample in samples(OUTCOME, order, **options)]


def test_wrong_ones_come_with_the_most_confident_first() -> None:
    assert found("wrong") == [3, 0]
    first = samples(OUTCOME)[0]
    assert (first.label, first.predicted, first.right) == (0, 1, False)
    assert first.probability == pytest.approx(1 / (1 + math.exp(-4)))


def test_right_ones_come_with_the_least_confident_first() -> None:
    assert found("right") == [4, 1, 2]
    assert all(sample.right for sample in samples(OUTCOME, "right"))


def test_any_are_the_first_of_the_images_order() -> None:
    assert found("any", count=3) == [0, 1, 2]


def test_one_class_may_be_asked_for() -> None:
    assert found("any", label=0) == [0, 1, 3]
    assert found("wrong", label=1) == []


@pytest.mark.parametrize("order", ORDERS)
def test_equal_probabilities_keep_the_order_of_the_images(order: str) -> None:
    labels = torch.zeros(20, dtype=torch.int64) + (order == "wrong")
    same = Outcome(torch.tensor([[1.0, 0.0]]).expand(20, 2), labels)
    assert [sample.position for sample in samples(same, order)] == list(range(12))


def test_what_is_shown_is_one_row_of_the_outcome() -> None:
    assert samples(OUTCOME, "any", count=1) == [Sample(0, 0, 1, pytest.approx(1 / (1 + math.exp(-1))))]
