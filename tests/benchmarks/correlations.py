"""How well each criterion orders the units as the exact oracle does: `python tests/benchmarks/correlations.py`.

Spearman's correlation with oracle-abs (paper.md's measure: Table 1 of arXiv:1611.06440), with 95 % bootstrap intervals
over the images, for several draws of the calibration images. The demo is a VGG-like network for MNIST; of the CIFAR
ResNet-20, whose files lie beside the checkout in ../shared/data, the units inside the blocks count, unless --all-units.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import torch

from explorer import open_network
from explorer.data import Batches, open_images
from explorer.networks.load import batches_for, for_classes
from explorer.networks.network import Network
from explorer.networks.units import Units
from explorer.scoring.bootstrap import RESAMPLES, Interval, Resampling, intervals
from explorer.scoring.criteria import CRITERIA, score
from explorer.scoring.evidence import gather
from explorer.scoring.oracle import oracle
from explorer.scoring.ranking import correlation_table

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"
NETWORKS = {
    "demo": ("demo", None, "demo"),
    "resnet20": (SHARED / "cifar10" / "resnet20-12fca82f.th", "explorer:resnet20", SHARED / "cifar10" / "test_jpeg"),
    "squeezenet": (SHARED / "leaf" / "squeezenet1_0_leaf.pth", "torchvision:squeezenet1_0", SHARED / "leaf" / "test"),
}
COLUMNS = {"per_layer": "per layer", "all_layers": "all layers", "all_layers_l2": "all, l2"}
WIDTH = max(len(c.title) for c in CRITERIA.values())

Figures = dict[str, dict[str, float]]  # criterion -> measure -> value


def opened(name: str, limit: int, seed: int, all_units: bool) -> tuple[Network, Batches]:
    where, arch, data = NETWORKS[name]
    images = open_images(str(data), seed=seed)
    network = for_classes(open_network(where, arch=arch), images.classes, images.name)
    kept = network.units if all_units else inner(network.units)
    return replace(network, units=kept), batches_for(network, images, "calibration", limit)


def inner(units: Units) -> Units:
    """The units that a single convolution writes: all of a plain network, those inside the blocks of a residual one."""
    return Units(tuple(layer for layer in units.layers if len(layer.writers) == 1), units.unprunable)


def measured(network: Network, batches: Batches, resamples: int) -> tuple[Figures, dict[str, dict[str, Interval]]]:
    evidence, exact = gather(network, batches), oracle(network, batches)
    table = correlation_table(score(evidence), exact.oracle_abs, network.units)
    return table, intervals(evidence, exact, score, resampling=Resampling(resamples))


def show(title: str, rows: Iterator[tuple[str, list[str]]]) -> None:
    print(f"\n{title}\n{'':{WIDTH}}{''.join(f'{column:>24}' for column in COLUMNS.values())}")
    for name, cells in rows:
        print(f"{CRITERIA[name].title:{WIDTH}}{''.join(f'{cell:>24}' for cell in cells)}", flush=True)


def of_one(table: Figures, ranges: dict[str, dict[str, Interval]]) -> Iterator[tuple[str, list[str]]]:
    for name, row in table.items():
        yield name, ["{:.2f} [{:.2f}, {:.2f}]".format(row[column], *ranges[name][column]) for column in COLUMNS]


def of_all(tables: list[Figures]) -> Iterator[tuple[str, list[str]]]:
    for name in tables[0]:
        values = [[table[name][column] for table in tables] for column in COLUMNS]
        yield name, [f"{sum(v) / len(v):.2f} ({min(v):.2f} to {max(v):.2f})" for v in values]


def main() -> None:
    """Print a table for each network and seed, and one for each network over all seeds."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--networks", nargs="+", choices=NETWORKS, default=["demo", "resnet20"])
    options.add_argument("--images", type=int, default=128)
    options.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    options.add_argument("--resamples", type=int, default=RESAMPLES)
    options.add_argument("--threads", type=int, default=2)
    options.add_argument("--all-units", action="store_true", help="units that several convolutions write as well")
    chosen = options.parse_args()
    torch.set_num_threads(chosen.threads)
    for name in chosen.networks:
        tables = []
        for seed in chosen.seeds:
            network, batches = opened(name, chosen.images, seed, chosen.all_units)
            table, ranges = measured(network, batches, chosen.resamples)
            show(f"{name}, {len(network.units)} units, {batches.describe()}: [95 % interval]", of_one(table, ranges))
            tables.append(table)
        show(f"{name}, {len(tables)} seeds: mean (smallest to largest)", of_all(tables))


if __name__ == "__main__":
    main()
