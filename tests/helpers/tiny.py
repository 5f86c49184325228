"""A network of one's own, named on the command line as tiny:make."""

from __future__ import annotations

from torch import nn


def make(num_classes: int = 10) -> nn.Module:
    """(N, 1, 28, 28) -> (N, num_classes) logits, through 11 feature maps."""
    return nn.Sequential(
        *(nn.Conv2d(1, 6, 3, padding=1), nn.ReLU(), nn.MaxPool2d(4)),
        *(nn.Conv2d(6, 5, 3, padding=1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()),
        nn.Linear(5, num_classes),
    )
