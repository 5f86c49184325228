"""The control variate: exact in the end, better than its parts on the way, and honest about its errors."""

from __future__ import annotations

import pytest
import torch
from networks_at_hand import at_hand
from torch import Tensor

from explorer.scoring.oracle.estimate import LEADING_IMAGES, Estimate, estimate, expected_spearman, most_telling_first
from explorer.scoring.ranking import spearman

UNITS = at_hand("plain").units  # 11 in two layers
N = 96


def changes(seed: int, noise: float = 0.3) -> tuple[Tensor, Tensor]:
    """Exact and linearised changes (N, units) as networks have them: few images and units carry most."""
    generator = torch.Generator().manual_seed(seed)
    images, units = torch.randn(N, 1, generator=generator).exp(), (2 * torch.randn(11, generator=generator)).exp()
    linear = images.double() * units * torch.randn(N, 11, generator=generator)
    return linear * (1 + noise * torch.randn(N, 11, generator=generator)), linear


def after(m: int, exact: Tensor, linear: Tensor) -> Estimate:
    done = most_telling_first(linear)[:m]
    return estimate(exact[done], done, linear, UNITS)


def test_with_all_images_the_estimate_is_the_exact_mean() -> None:
    exact, linear = changes(0)
    found = after(N, exact, linear)
    torch.testing.assert_close(found.mean, exact.mean(0), rtol=1e-12, atol=0)
    assert not found.error.any()
    assert expected_spearman(found) == 1


def test_on_the_way_it_is_the_exact_changes_where_known_and_the_linearised_elsewhere() -> None:
    exact, linear = changes(0)
    done = torch.tensor([5, 3, 90])
    found = estimate(exact[done], done, linear, UNITS)
    by_hand = [sum(float((exact if n in (3, 5, 90) else linear)[n, u]) for n in range(N)) / N for u in range(11)]
    torch.testing.assert_close(found.mean, torch.tensor(by_hand, dtype=torch.float64))


def test_a_perfect_control_variate_leaves_no_error() -> None:
    _, linear = changes(0)
    found = after(LEADING_IMAGES, linear, linear)
    torch.testing.assert_close(found.mean, linear.mean(0))
    assert not found.error.any()


def test_errors_do_not_depend_on_the_scale_of_a_layer() -> None:
    exact, linear = changes(0)
    scale = torch.where(UNITS.layer_index == 0, 1000.0, 1.0)
    a, b = (
        after(16, exact, linear),
        estimate(
            (exact * scale)[most_telling_first(linear)[:16]], most_telling_first(linear)[:16], linear * scale, UNITS
        ),
    )
    torch.testing.assert_close(b.error, a.error * scale)


@pytest.mark.parametrize("m", [LEADING_IMAGES, 24, 48])
def test_standard_errors_cover(m: int) -> None:
    """Of 1,100 estimates, the share within two standard errors is that of a normal variable, 95 %, or near it."""
    within = []
    for seed in range(100):
        exact, linear = changes(seed)
        found = after(m, exact, linear)
        within.append((found.mean - exact.mean(0)).abs() <= 2 * found.error)
    assert 0.85 <= float(torch.cat(within).double().mean()) <= 0.995


@pytest.mark.parametrize("m", [LEADING_IMAGES, 24, 48])
def test_the_expected_rank_correlation_is_the_one_that_comes_true(m: int) -> None:
    expected, true = [], []
    for seed in range(60):
        exact, linear = changes(seed, noise=1.0)
        found = after(m, exact, linear)
        expected.append(expected_spearman(found))
        true.append(spearman(found.mean.abs(), exact.mean(0).abs()))
    mean = [sum(values) / len(values) for values in (expected, true)]
    assert mean[0] == pytest.approx(mean[1], abs=0.06)


def test_the_first_images_come_in_the_datas_order_and_then_those_that_tell_most() -> None:
    _, linear = changes(0)
    order = most_telling_first(linear)
    assert order[:LEADING_IMAGES].tolist() == list(range(LEADING_IMAGES))
    share = (linear.abs() / linear.abs().sum(0)).mean(1)[order[LEADING_IMAGES:]]
    assert (share.diff() <= 0).all()
    assert sorted(order.tolist()) == list(range(N))
    assert most_telling_first(linear[:3]).tolist() == [0, 1, 2]


def test_telling_images_first_settles_sooner_than_the_datas_order() -> None:
    gains = []
    for seed in range(20):
        exact, linear = changes(seed, noise=1.0)
        in_order = torch.arange(24)
        plain = estimate(exact[in_order], in_order, linear, UNITS).mean
        errors = [(e - exact.mean(0)).square().mean() for e in (plain, after(24, exact, linear).mean)]
        gains.append(float((errors[0] / errors[1]).log()))
    assert sum(gains) / len(gains) > 0.3
