"""Prediction: a network's answers with any units closed, from its linearisation, without a forward pass."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

from explorer.core.progress import Report, silent
from explorer.data import Batches
from explorer.evaluation.evaluate import Outcome
from explorer.networks.network import Network
from explorer.scoring.linearise import Linearisation, linearise


def predict(found: Linearisation, removed: Tensor) -> Outcome:
    """The outcome, as `evaluate` would measure it, if no activation pattern changed; not a measurement.

        logits[n, c] - sum over the removed u of J[n, c, u]

    removed: (units,) bool, the units closed beyond those that were closed when `found` was taken; logits are float64.
    Exact for a single unit that no other nonlinearity sees; the more units go together, the rougher. Where only the
    slopes of some classes are known, the other logits stay where they are.
    """
    shift = found.slopes @ removed.to(found.slopes.dtype)  # (N, K)
    return Outcome(found.logits.scatter_add(1, found.classes, -shift.double()), found.labels, found.loss)


def linearise_all(
    network: Network, batches: Batches, gates: Tensor | None = None, report: Report = silent
) -> Linearisation:
    """One linearisation of all images, at the gates (units,), open where none are given."""
    return joined_linearisations(linearise(network, batches, gates, report))


def joined_linearisations(parts: Iterable[Linearisation]) -> Linearisation:
    """The linearisations of some batches as one."""
    held = list(parts)
    logits, labels, classes, slopes = (
        torch.cat([getattr(part, name) for part in held]) for name in ("logits", "labels", "classes", "slopes")
    )
    return Linearisation(held[0].units, logits, labels, classes, slopes, loss=held[0].loss)
