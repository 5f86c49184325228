"""Measure which criterion prunes the demo best before fine-tuning: `python assets/measure_demo.py`, see README.md.

Two networks' losses are compared image by image, since both saw the same 1,000 validation images.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from torch import Tensor

from explorer import open_network
from explorer.data import Batches, open_images
from explorer.evaluation.evaluate import Outcome, evaluate
from explorer.networks.costs import measure_costs
from explorer.networks.load import batches_for
from explorer.networks.network import Network
from explorer.pruning.one_shot import plan_down_to
from explorer.pruning.procedure import iterate
from explorer.pruning.selectors import SELECTORS, Candidates
from explorer.pruning.settings import Settings

GONE = (0.3, 0.4, 0.5, 0.6)  # of the units
STEP = 0.04  # of the units go between two rankings
CHANCE = [("random", seed) for seed in range(3)]
AT_ONCE = [(name, 0) for name in ("joint", "oracle", "taylor", "obd", "weight", "activation_mean", "apoz")] + CHANCE
IN_STEPS = [(name, 0) for name in ("joint", "taylor", "weight", "activation_mean")] + CHANCE  # what is quick to rank
LOWER = [("taylor", "weight"), ("weight", "random"), ("joint", "taylor"), ("oracle", "taylor"), ("obd", "taylor")]

Way = tuple[str, int]
"""A selector and its seed."""

Found = dict[Way, list[Outcome]]
"""The answers to the validation images at each share of GONE."""


def at_once(network: Network, images: Batches, way: Way) -> Iterator[Tensor]:
    """The plans at each share of GONE by one ranking of the network as loaded."""
    name, seed = way
    whole = Candidates(
        network, images, lambda: evaluate(network, images).logits, len(network.units), scaling="l2", seed=seed
    )
    saliency = SELECTORS[name].rank(whole, lambda done, total, note: None).saliency
    costs = measure_costs(network)
    yield from (plan_down_to(costs, saliency, 1 - share) for share in GONE)


def in_steps(network: Network, images: Batches, way: Way) -> Iterator[Tensor]:
    """The plans at each share of GONE where what is left is ranked anew after every step."""
    step, (name, seed) = None, way
    for share in GONE:
        settings = Settings(name, target=1 - share, step=round(STEP * len(network.units)), seed=seed)
        *_, step = iterate(network, {"calibration": images}, settings, start=step)
        yield step.removed


def ratio(lower: Outcome, higher: Outcome) -> float:
    """The mean of higher's losses less lower's, image by image, in standard errors of that mean."""
    apart = (higher.losses - lower.losses).numpy()
    return float(apart.mean() / (apart.std(ddof=1) / np.sqrt(len(apart))))


def of(found: Found, selector: str) -> list[list[Outcome]]:
    """The ways of a selector, one of each seed."""
    return [outcomes for (name, _), outcomes in found.items() if name == selector]


def show(found: Found) -> None:
    """Print accuracy and loss, means over seeds, and how far selectors are apart, the least over seeds."""
    places, heads = range(len(GONE)), [f"{share:.0%} gone" for share in GONE]
    print(f"\n| | {' | '.join(heads)} |\n|---|{'---|' * len(GONE)}")
    for selector in dict.fromkeys(name for name, _ in found):
        ways = of(found, selector)
        means = [(np.mean([w[p].accuracy for w in ways]), np.mean([w[p].loss for w in ways])) for p in places]
        print(f"| {selector} | {' | '.join(f'{accuracy:.1%}, {loss:.3f}' for accuracy, loss in means)} |")
    for lower, higher in LOWER:
        pairs = [(a, b) for a in of(found, lower) for b in of(found, higher)]
        print(lower, "below", higher, [round(min(ratio(a[p], b[p]) for a, b in pairs), 1) for p in places if pairs])


def main() -> None:
    """Both ways to prune."""
    network = open_network("demo")
    images = open_images("demo")
    calibration = batches_for(network, images, "calibration", 256)
    validation = batches_for(network, images, "validation")
    for plans, ways in ((at_once, AT_ONCE), (in_steps, IN_STEPS)):
        show({way: [evaluate(network, validation, plan) for plan in plans(network, calibration, way)] for way in ways})


if __name__ == "__main__":
    main()
