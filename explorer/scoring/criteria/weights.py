"""Criteria that read a unit's weights; no image is looked at."""

from __future__ import annotations

from torch import Tensor

from explorer.scoring.kernels import Kernels


def weight(kernels: Kernels) -> Tensor:
    """Mean square of the unit's kernel.

        s[u] = (1 / |w_u|) * sum of w^2 over the kernel w_u

    Squared weights; (units,), >= 0, higher = keep; the bias is not counted. Molchanov et al. 2017, sec. 2.2.
    """
    return kernels.mean_square


def l1(kernels: Kernels) -> Tensor:
    """L1 norm of the unit's kernel.

        s[u] = sum of |w| over the kernel w_u

    Weights; (units,), >= 0, higher = keep; the bias is not counted. Li et al. 2017, sec. 3.1.
    """
    return kernels.l1


def fpgm(kernel_distances: Tensor) -> Tensor:
    """Distance of the unit's kernel from those of its layer: near their geometric median, the others can stand in.

        s[u] = sum over the layer's units v of ||w_u - w_v||

    Weights; (units,), >= 0, higher = keep; within a layer only, so scale it. He et al. 2019.
    """
    return kernel_distances


def bn_scale(batchnorm: Tensor) -> Tensor:
    """Scale that batch-norm gives the unit.

        s[u] = |gamma_u|, the mean over the batch-norms of the unit's channels

    No unit; (units,), >= 0, higher = keep. Liu et al. 2017, who train with an L1 penalty on it first.
    """
    return batchnorm
