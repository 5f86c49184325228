"""VGG-16 pruned to about 8 of its 31 GFLOPs, timed as in the paper's Table 2: `python tests/benchmarks/speed.py`.

Full and pruned take turns, 16 images of 224 pixels at once on the processor. All layers lose
the same share of their units: about half, as in the paper, which measured 2.1x. Below 2x it leaves with 1.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import torch
import torchvision

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "helpers"))

from networks_at_hand import network

from explorer.networks.costs import measure_costs
from explorer.networks.surgery import prune
from explorer.networks.units import none_removed
from explorer.pruning.plan import remove_until
from explorer.speed.measure import Case, time_both
from explorer.study.speed_published import TABLE

PAPER = next(
    row for row in TABLE if (row.network, row.pruned_gflops) == ("VGG-16 / ImageNet", 8.0) and "CPU" in row.where
)


def main() -> None:
    """Time both and print one line; leave with 1 where the pruned one is less than twice as fast."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--batch", type=int, default=16)
    options.add_argument("--runs", type=int, default=5)
    options.add_argument("--threads", type=int, default=torch.get_num_threads())
    options.add_argument("--engine", default="eager")
    asked = options.parse_args()
    torch.manual_seed(0)
    whole = network(torchvision.models.vgg16(weights=None), (3, 224, 224), "vgg16", 1000)
    units, costs = whole.units, measure_costs(whole)
    saliency = torch.cat([torch.linspace(0, 1, len(layer)) for layer in units.layers])
    removed = remove_until(costs, none_removed(units), saliency, "flops", PAPER.pruned_gflops / PAPER.full_gflops)
    pruned, left = prune(whole, removed), int((~removed).sum())
    print(
        f"{costs.flops() / 1e9:.2f} -> {costs.flops(removed) / 1e9:.2f} GFLOPs, {left} of {len(units)} units",
        flush=True,
    )
    found = time_both(whole, pruned, Case(asked.engine, asked.threads, asked.batch, asked.runs))
    for name, side in (("full", found.full), ("pruned", found.pruned)):
        quartiles = f"{side.lower_quartile:,.0f} to {side.upper_quartile:,.0f}"
        print(f"{name:8}{side.median:8,.0f} ms (quartiles {quartiles}), {side.throughput[0]:.2f} images/s")
    theory = costs.flops() / costs.flops(removed)
    print(f"{found.conditions}, {asked.runs} runs: {found.speed_up:.2f}x, by FLOPs {theory:.2f}x")
    print(f"Published, {PAPER.where}: {PAPER.full:,.0f} -> {PAPER.pruned:,.0f} ms, {PAPER.measured:.1f}x")
    sys.exit(0 if found.speed_up >= 2 else 1)


if __name__ == "__main__":
    main()
