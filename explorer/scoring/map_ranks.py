"""Ranks of feature maps as matrices: the evidence for HRank. A singular value decomposition a map makes it dear."""

from __future__ import annotations

import torch
from torch import Tensor

from explorer.core.progress import Report, silent
from explorer.data import Batches
from explorer.networks.feature_maps import FeatureMaps, by_image
from explorer.networks.network import Network, replica
from explorer.scoring.observe import by_unit, writers

RANKED_IMAGES = 32  # ranks hardly differ between images (Lin et al. 2020)


@torch.no_grad()
def map_ranks(network: Network, batches: Batches, images: int = RANKED_IMAGES, report: Report = silent) -> Tensor:
    """(N, units) rank of each feature map, 0 to min(H, W), of the first `images` images; nan for those after them."""
    body = replica(network.module)
    recorder = FeatureMaps(body, writers(network.units))
    found = torch.full((len(batches), len(network.units)), float("nan"), dtype=torch.float64)
    done, wanted = 0, min(images, len(batches))
    for x, _ in batches:
        with recorder:
            body(x[: wanted - done].to(network.device))
        now = min(len(x), wanted - done)
        each = {name: by_image(matrix_ranks(z)[..., None], now) for name, z in recorder.maps.items()}
        ranks = by_unit(network.units, {name: of_parts.flatten(2).mean(2) for name, of_parts in each.items()})
        found[done : done + len(ranks)] = ranks
        done += len(ranks)
        report(done, wanted, "images, the rank of every feature map")
        if done == wanted:
            break
    return found


def matrix_ranks(z: Tensor) -> Tensor:
    """(N, C, ...) -> (N, C); of volumes the mean over their slices, of sequences 1 where anything is not 0."""
    matrices = z.cpu() if z.dim() > 3 else z.cpu()[:, :, None]
    ranks: Tensor = torch.linalg.matrix_rank(matrices[:, :, None] if z.dim() < 5 else matrices)
    return ranks.double().mean(2)
