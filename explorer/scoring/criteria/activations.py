"""Criteria that look at the feature maps, and not at the loss."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from explorer.scoring.observe import Observation

BINS = 8  # of mutual information


def activation_mean(seen: Observation) -> Tensor:
    """Mean of the feature map over images and positions.

        s[u] = mean over n, m of z[n, u, m]

    Units of activation; (units,), higher = keep. Molchanov et al. 2017, sec. 2.2.
    """
    return seen.mean.mean(0)


def activation_std(seen: Observation) -> Tensor:
    """Standard deviation of the feature map over images and positions.

        s[u] = sqrt(mean of z^2 - (mean of z)^2)

    Units of activation; (units,), >= 0, higher = keep. Molchanov et al. 2017, sec. 2.2.
    """
    variance = seen.mean_square.mean(0) - seen.mean.mean(0).square()
    return variance.clamp(min=0).sqrt()  # rounding can leave a constant map a hair below zero


def apoz(seen: Observation) -> Tensor:
    """Share of positive activations: one minus the average percentage of zeros.

        s[u] = mean over n, m of [z[n, u, m] > 0]

    A share; (units,), 0 to 1, higher = keep. Hu et al. 2016, arXiv:1607.03250, as ranked by Molchanov et al. 2017.
    """
    return seen.positive.mean(0)


def mutual_information(seen: Observation) -> Tensor:
    """Information that a unit's mean activation carries about the label.

        s[u] = H(a) + H(y) - H(a, y),   a = mean over m of z[n, u, m], in 8 equally filled bins

    Nats; (units,), 0 to H(y), higher = keep; biased upwards for few images. Molchanov et al. 2017, sec. 2.2.
    """
    bins = F.one_hot(_equally_filled(seen.mean), BINS).double()  # (N, units, BINS)
    present = seen.labels.unique(return_inverse=True)[1]  # classes without an image add nothing, but cost memory
    classes = F.one_hot(present).double()  # (N, classes)
    joint = torch.einsum("nub,nc->ubc", bins, classes) / len(classes)
    return _entropy(joint.sum(2)) + _entropy(classes.mean(0)) - _entropy(joint.flatten(1))


def _equally_filled(a: Tensor) -> Tensor:
    """(N, units) values -> bin of each, 0 to BINS - 1; equal values share a bin."""
    edges = torch.quantile(a, torch.arange(1, BINS, dtype=a.dtype) / BINS, dim=0)  # (BINS - 1, units)
    return (a > edges[:, None]).sum(0)


def _entropy(p: Tensor) -> Tensor:
    return -torch.xlogy(p, p).sum(-1)


def hrank(map_ranks: Tensor) -> Tensor:
    """Average rank of the feature map as a matrix.

        s[u] = mean over n of rank(z[n, u]),   z[n, u] the H x W map of image n

    A rank; (units,), 0 to min(H, W), higher = keep; layers of larger maps have larger ranks. Lin et al. 2020.
    """
    return map_ranks.nanmean(0)
