from __future__ import annotations

import math

import pytest
import torch

from explorer.evaluation.evaluate import Outcome
from explorer.evaluation.intervals import normal, wilson
from explorer.evaluation.metrics import Metrics


@pytest.mark.parametrize(("share", "count"), [(0.0, 10), (0.1, 20), (0.5, 3), (0.975, 1000), (1.0, 256)])
def test_wilson_ends_where_the_share_is_as_many_standard_errors_away(share: float, count: int) -> None:
    low, high = wilson(share, count)
    assert 0 <= low <= share <= high <= 1
    for end in (low, high):
        if 0 < end < 1:  # the p for which |share - p| = z sqrt(p (1 - p) / n)
            assert abs(share - end) == pytest.approx(1.959964 * math.sqrt(end * (1 - end) / count), rel=1e-6)


def test_metrics_have_the_intervals_of_what_was_measured() -> None:
    right, wrong = [2.0, 0.0], [0.0, 2.0]
    outcome = Outcome(torch.tensor([right, right, right, wrong]), torch.zeros(4, dtype=torch.int64))
    good, bad = math.log1p(math.exp(-2)), math.log1p(math.exp(2))
    mean = (3 * good + bad) / 4
    error = math.sqrt((3 * (good - mean) ** 2 + (bad - mean) ** 2) / 3 / 4)
    assert outcome.loss_error == pytest.approx(error)
    found = Metrics(outcome.loss, outcome.accuracy, 4, 1, 1, 1, loss_error=outcome.loss_error)
    assert found.interval("accuracy") == wilson(0.75, 4)
    assert found.interval("loss") == normal(outcome.loss, outcome.loss_error or 0)
    assert normal(0.1, 1.0)[0] == 0


def test_what_is_not_known_has_no_interval() -> None:
    one = Outcome(torch.tensor([[2.0, 0.0]]), torch.zeros(1, dtype=torch.int64))
    assert one.loss_error is None
    assert Metrics(0.1, 0.9, 100, 1, 1, 1).interval("loss") is None  # saved before errors were
    assert Metrics(None, None, 0, 1, 1, 1).interval("accuracy") is None
