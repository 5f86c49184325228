"""Criteria: from what was observed to one saliency a unit. Higher always means more important: keep."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from explorer.curvature import EXACT_CLASSES, PROBES
from explorer.evidence import Evidence

MOLCHANOV = "Molchanov et al. 2017, arXiv:1611.06440"
BINS = 8  # of mutual information


def weight(evidence: Evidence) -> Tensor:
    """Mean square of the unit's kernel.

        s[u] = (1 / |w_u|) * sum of w^2 over the kernel w_u

    Squared weights; (units,), >= 0, higher = keep; the bias is not counted. Molchanov et al. 2017, sec. 2.2.
    """
    return evidence.seen.kernel_square


def activation_mean(evidence: Evidence) -> Tensor:
    """Mean of the feature map over images and positions.

        s[u] = mean over n, m of z[n, u, m]

    Units of activation; (units,), higher = keep. Molchanov et al. 2017, sec. 2.2.
    """
    return evidence.seen.mean.mean(0)


def activation_std(evidence: Evidence) -> Tensor:
    """Standard deviation of the feature map over images and positions.

        s[u] = sqrt(mean of z^2 - (mean of z)^2)

    Units of activation; (units,), >= 0, higher = keep. Molchanov et al. 2017, sec. 2.2.
    """
    variance = evidence.seen.mean_square.mean(0) - evidence.seen.mean.mean(0).square()
    return variance.clamp(min=0).sqrt()  # rounding can leave a constant map a hair below zero


def apoz(evidence: Evidence) -> Tensor:
    """Share of positive activations: one minus the average percentage of zeros.

        s[u] = mean over n, m of [z[n, u, m] > 0]

    A share; (units,), 0 to 1, higher = keep. Hu et al. 2016, arXiv:1607.03250, as ranked by Molchanov et al. 2017.
    """
    return evidence.seen.positive.mean(0)


def mutual_information(evidence: Evidence) -> Tensor:
    """Information that a unit's mean activation carries about the label.

        s[u] = H(a) + H(y) - H(a, y),   a = mean over m of z[n, u, m], in 8 equally filled bins

    Nats; (units,), 0 to H(y), higher = keep; biased upwards for few images. Molchanov et al. 2017, sec. 2.2.
    """
    bins = F.one_hot(_equally_filled(evidence.seen.mean), BINS).double()  # (N, units, BINS)
    classes = F.one_hot(evidence.seen.labels).double()  # (N, classes)
    joint = torch.einsum("nub,nc->ubc", bins, classes) / len(classes)
    return _entropy(joint.sum(2)) + _entropy(classes.mean(0)) - _entropy(joint.flatten(1))


def _equally_filled(a: Tensor) -> Tensor:
    """(N, units) values -> bin of each, 0 to BINS - 1; equal values share a bin."""
    edges = torch.quantile(a, torch.arange(1, BINS, dtype=a.dtype) / BINS, dim=0)  # (BINS - 1, units)
    return (a > edges[:, None]).sum(0)


def _entropy(p: Tensor) -> Tensor:
    return -torch.xlogy(p, p).sum(-1)


def taylor(evidence: Evidence) -> Tensor:
    """First-order estimate of |change in loss| when a unit's gate is closed.

        s[u] = mean over n of |dC_n/dg[u]| / M[u],   M = positions of the feature map

    Nats a position; (units,), >= 0, higher = keep. Molchanov et al. 2017, eq. 8.
    """
    return evidence.seen.gradient.abs().mean(0) / evidence.seen.positions


def taylor_mean(evidence: Evidence) -> Tensor:
    """Taylor with the absolute value after the mean over images.

        s[u] = |mean over n of dC_n/dg[u]| / M[u]

    Nats a position; (units,), >= 0, higher = keep. First order of the oracle-abs in Molchanov et al. 2017.
    """
    return evidence.seen.gradient.mean(0).abs() / evidence.seen.positions


def taylor_element(evidence: Evidence) -> Tensor:
    """Taylor with the absolute value at every position.

        s[u] = mean over n, m of |dC_n/dz[u, m] * z[n, u, m]|

    Nats a position; (units,), >= 0, higher = keep. Variant of Molchanov et al. 2017, eq. 8.
    """
    return evidence.seen.gradient_abs.mean(0) / evidence.seen.positions


def obd(evidence: Evidence) -> Tensor:
    """Second-order estimate of the change in loss when a gate is closed; the first-order term is taken as 0.

        s[u] = 1/2 * mean over n of d2C_n/dg[u]^2

    Nats; (units,), higher = keep. LeCun, Denker, Solla 1990, as used by Molchanov et al. 2017; for how the curvature
    is found, see `explorer.curvature`.
    """
    assert evidence.curvature is not None, "obd is listed as needing curvature"
    return evidence.curvature.mean(0) / 2


def random(evidence: Evidence) -> Tensor:
    """The control: uniform noise, whose expected rank correlation with anything is 0.

    No unit; (units,), 0 to 1. Molchanov et al. 2017, sec. 3.
    """
    generator = torch.Generator().manual_seed(evidence.seed)
    return torch.rand(len(evidence.seen.units), generator=generator, dtype=torch.float64)


@dataclass(frozen=True)
class Criterion:
    """One way to score units: the row that page, command line, documentation and tests are made from."""

    name: str
    title: str
    saliency: Callable[[Evidence], Tensor]
    unit: str
    needs: str  # "weights", "activations", "gradients", "curvature" or "seed"
    cost: str
    source: str = MOLCHANOV

    @property
    def summary(self) -> str:
        """First line of the function's documentation."""
        return (self.saliency.__doc__ or "").partition("\n")[0]


ONE_PASS = "one forward and backward pass"
OBD_COST = f"a backward pass a class; above {EXACT_CLASSES} classes {PROBES} Hessian-vector products"

CRITERIA: dict[str, Criterion] = {
    c.name: c
    for c in (
        Criterion("taylor", "Taylor", taylor, "nats a position", "gradients", ONE_PASS),
        Criterion("taylor_mean", "Taylor, abs after the mean", taylor_mean, "nats a position", "gradients", ONE_PASS),
        Criterion(
            "taylor_element", "Taylor, abs per element", taylor_element, "nats a position", "gradients", ONE_PASS
        ),
        Criterion("obd", "OBD", obd, "nats", "curvature", OBD_COST, "LeCun et al. 1990"),
        Criterion("activation_mean", "Activation mean", activation_mean, "activation", "activations", ONE_PASS),
        Criterion("activation_std", "Activation std", activation_std, "activation", "activations", ONE_PASS),
        Criterion("apoz", "APoZ", apoz, "share positive", "activations", ONE_PASS, "Hu et al. 2016, arXiv:1607.03250"),
        Criterion("mutual_information", "Mutual information", mutual_information, "nats", "activations", ONE_PASS),
        Criterion("weight", "Weight", weight, "squared weight", "weights", "none: reads the kernels"),
        Criterion("random", "Random", random, "none", "seed", "none"),
    )
}


def score(evidence: Evidence) -> dict[str, Tensor]:
    """Saliency (units,) by criterion, of all criteria that the evidence suffices for."""
    possible = (c for c in CRITERIA.values() if c.needs != "curvature" or evidence.curvature is not None)
    return {c.name: c.saliency(evidence) for c in possible}
