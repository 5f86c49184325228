"""Estimating the oracle of all images from exact ablations of some, with the linearised oracle as control variate.

The linearised change in loss l[n, u] is known for all N images, the exact one e[n, u] for those done. The estimate
takes the exact change where there is one and the linearised one elsewhere:

    mean over N of (e where done, l elsewhere)

so with all images done it *is* the exact oracle. Its error is what l - e adds up to over the images not done. That is
modelled as independent, with a variance proportional to q[n, u] = 3/4 l[n, u]^2 + 1/4 (what image n and unit u have on
average in their layer); the factor comes from the images done, a unit's own drawn towards its layer's.

Most images hardly move any loss, and a few move much. So after a first few in the data's own, stratified order, which
keep the factor honest, those come next whose linearised changes are largest: on the networks tried, that takes at most
half of the images for the same rank correlation, on the demo a twentieth.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from explorer.networks.units import Units
from explorer.scoring.ranking.correlation import spearman_rows

LEADING_IMAGES = 8  # images in the order of the data
PRIOR = 32  # images that a layer's factor counts for beside a unit's own
OWN_WEIGHT = 0.75  # weight of l^2 itself in q
DRAWS = 32


@dataclass(frozen=True, eq=False)
class Estimate:
    """Of every unit's oracle-loss on all N images."""

    mean: Tensor  # (units,) nats
    error: Tensor  # (units,) standard error, nats: 0 once all images are exact


def most_telling_first(linear: Tensor) -> Tensor:
    """(N, units) linearised changes -> (N,) the order in which to ablate images: see above."""
    sizes = linear.abs()
    share = (sizes / sizes.sum(0).clamp(min=torch.finfo(sizes.dtype).tiny)).mean(1)
    share[:LEADING_IMAGES] = torch.arange(LEADING_IMAGES, 0, -1, dtype=share.dtype)[: len(share)] + share.max()
    return share.argsort(descending=True, stable=True)


def estimate(exact: Tensor, positions: Tensor, linear: Tensor, units: Units) -> Estimate:
    """The oracle-loss of N images of which m >= 1 are exact.

    exact: (m, units) their changes, nats; positions: (m,) which they are; linear: (N, units) all linearised changes.
    """
    left = torch.ones(len(linear), dtype=torch.bool)
    left[positions] = False
    errors = [_error(exact[:, place], linear[positions, place], linear[left, place]) for place in units.slices.values()]
    return Estimate(torch.cat([exact, linear[left]]).mean(0), torch.cat(errors))


def _error(exact: Tensor, done: Tensor, left: Tensor) -> Tensor:
    """(units of a layer,) standard error of the mean over all images; done, left: their linearised changes."""
    m = len(done)
    square = torch.cat([done, left]).square()
    tiny = torch.finfo(square.dtype).tiny
    average = square.mean(1, keepdim=True) * square.mean(0) / square.mean().clamp(min=tiny)
    q = OWN_WEIGHT * square + (1 - OWN_WEIGHT) * average + 1e-9 * square.mean() + tiny
    own = ((exact - done).square() / q[:m]).mean(0)
    factor = (PRIOR * own.mean() + m * own) / (PRIOR + m)
    return (factor * q[m:].sum(0)).sqrt() / len(square)


def expected_spearman(found: Estimate, seed: int = 0) -> float:
    """Spearman's correlation to be expected between |estimate| and the final oracle-abs; 1 where nothing is uncertain.

    The mean over seeded draws of what the oracle-loss may turn out to be: normal around the estimate.
    """
    if not found.error.any():
        return 1.0
    generator = torch.Generator().manual_seed(seed)
    noise = torch.randn(DRAWS, len(found.mean), generator=generator, dtype=found.mean.dtype)
    final = (found.mean + noise * found.error).abs()
    now = found.mean.abs().expand_as(final)
    return float(spearman_rows(now.numpy(), final.numpy()).mean())
