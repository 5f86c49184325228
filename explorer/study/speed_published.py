"""Published: what Molchanov et al. (2017) measured of pruned networks, their Table 2."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class PublishedSpeed:
    """One row: a network on a device, full and pruned."""

    network: str
    where: str
    full_gflops: float
    pruned_gflops: float
    full: float  # milliseconds a batch
    pruned: float

    @property
    def theoretical(self) -> float:
        """FLOPs before / after."""
        return self.full_gflops / self.pruned_gflops

    @property
    def measured(self) -> float:
        """Time before / after."""
        return self.full / self.pruned


_CPU, _TITAN = "CPU i7-5930K", "Titan X"
TABLE = tuple(
    PublishedSpeed(network, where, flops, left, full, pruned)
    for network, flops, where, full, *pairs in (
        ("AlexNet / Flowers-102", 1.46, f"{_CPU}, batch 16", 226.4, (0.4, 121.4), (0.2, 87.0)),
        ("AlexNet / Flowers-102", 1.46, f"{_TITAN} (Pascal), batch 16", 4.8, (0.4, 2.4), (0.2, 1.9)),
        ("AlexNet / Flowers-102", 1.46, f"{_TITAN} (Pascal), batch 512", 88.3, (0.4, 36.6), (0.2, 27.4)),
        ("AlexNet / Flowers-102", 1.46, "Jetson TX1, batch 32", 169.2, (0.4, 73.6), (0.2, 58.6)),
        ("VGG-16 / ImageNet", 30.96, f"{_CPU}, batch 16", 2564.7, (11.5, 1483.3), (8.0, 1218.4)),
        ("VGG-16 / ImageNet", 30.96, f"{_TITAN}, batch 16", 68.3, (11.5, 31.0), (8.0, 20.2)),
        ("VGG-16 / ImageNet", 30.96, "Jetson TX1, batch 4", 456.6, (11.5, 182.5), (8.0, 138.2)),
        ("R3DCNN / nvGesture", 37.8, "GT 730M, batch 1", 438.0, (3.0, 85.0)),
    )
    for left, pruned in pairs
)
SOURCE = "Molchanov et al., Pruning Convolutional Neural Networks for Resource Efficient Inference, ICLR 2017, Table 2"
