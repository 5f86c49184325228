"""Criteria that estimate what closing a unit's gate does to the loss C."""

from __future__ import annotations

from typing import Literal

from torch import Tensor

from explorer.scoring.curvature import Curvature
from explorer.scoring.observe import Observation

Absolute = Literal["image", "mean", "element"]


def taylor(seen: Observation, absolute: Absolute = "image") -> Tensor:
    """First-order estimate of |change in loss| when a unit's gate is closed.

        s[u] = mean over n of |dC_n/dg[u]| / M[u]               absolute="image": of each image, as in the paper
        s[u] = |mean over n of dC_n/dg[u]| / M[u]               absolute="mean": after the mean over images
        s[u] = mean over n of mean over m of |dC_n/dz[u, m] * z[n, u, m]|     absolute="element": at every position

    M = positions m of the feature map. Nats a position; (units,), >= 0, higher = keep. Molchanov et al. 2017, eq. 8;
    with the absolute value after the mean it is the first order of their oracle-abs.
    """
    if absolute == "element":
        return seen.gradient_abs.mean(0) / seen.positions
    effect = seen.gradient.mean(0).abs() if absolute == "mean" else seen.gradient.abs().mean(0)
    return effect / seen.positions


def weight_taylor(seen: Observation) -> Tensor:
    """First-order estimate of the squared change in loss when the unit's kernel is set to 0.

        s[u] = mean over n of (sum over the unit's weights w of dC_n/dw * w)^2

    Nats^2; (units,), >= 0, higher = keep. The group contribution of Molchanov et al. 2019, with one image a
    minibatch, so that batches do not matter; weights of the convolutions that write the unit, biases not counted.
    """
    return seen.weight_effect.square().mean(0)


def obd(curvature: Curvature) -> Tensor:
    """Second-order estimate of the change in loss when a gate is closed; the first-order term is taken as 0.

        s[u] = 1/2 * mean over n of d2C_n/dg[u]^2

    Nats; (units,), higher = keep. LeCun, Denker, Solla 1990, as used by Molchanov et al. 2017; for how the curvature
    is found, see `explorer.scoring.curvature`.
    """
    return curvature.values.mean(0) / 2


def taylor2(seen: Observation, curvature: Curvature) -> Tensor:
    """Second-order estimate of |change in loss| when a gate is closed, signed until the end.

        s[u] = |mean over n of (-dC_n/dg[u] + 1/2 * d2C_n/dg[u]^2)|

    Nats; (units,), >= 0, higher = keep. First and second order of the oracle-abs of Molchanov et al. 2017.
    """
    return (curvature.values / 2 - seen.gradient).mean(0).abs()


def linear_oracle(linear_change: Tensor) -> Tensor:
    """Estimate of |change in loss| when a gate is closed: the logits go along their slopes, through the exact loss.

        s[u] = |mean over n of (C(logits_n - J_n[u]) - C(logits_n))|,   J_n[u] = dlogits_n/dg[u]

    Exact while no activation pattern changes. Nats; (units,), >= 0, higher = keep; of many classes only the label's
    and the largest logits move. The oracle-abs of Molchanov et al. 2017 without its forward passes.
    """
    return linear_change.mean(0).abs()
