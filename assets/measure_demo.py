"""Measure which criterion prunes the demo best before fine-tuning, see README.md.

`python assets/measure_demo.py` measures the one that ships, `python assets/measure_demo.py 1 2` two that are trained
for it as make_demo.py does, but from other seeds. Two networks' losses are compared image by image, since both saw the
same images: all 2,000 that no weight was fitted to and no criterion looks at.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

import numpy as np
import torch
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
HELD_OUT = ("validation", "test")
STEP = 0.04  # of the units go between two rankings
CHANCE = [("random", seed) for seed in range(3)]
WAYS = [(name, 0) for name in ("joint", "oracle", "taylor", "obd", "weight", "activation_mean", "apoz")] + CHANCE
LOWER = [("taylor", "weight"), ("weight", "random"), ("joint", "taylor"), ("oracle", "taylor"), ("obd", "taylor")]

Way = tuple[str, int]
"""A selector and its seed."""

Found = dict[Way, list[Outcome]]
"""The answers to the images of HELD_OUT at each share of GONE."""


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


def trained(seed: int) -> Network:
    """A network that is made as the demo is, from another seed."""
    from make_demo import demo_of, digits, learned_digits, learned_letters

    data = digits()
    return demo_of(learned_digits(learned_letters(data, seed)[0], data, seed), data)


def answers(network: Network, plan: Tensor | None = None) -> Outcome:
    """The answers to the images of HELD_OUT with the units of a plan removed."""
    parts = [evaluate(network, batches_for(network, open_images("demo"), split), plan) for split in HELD_OUT]
    return Outcome(torch.cat([part.logits for part in parts]), torch.cat([part.labels for part in parts]))


def measure(network: Network) -> None:
    """Both ways to prune it."""
    whole = answers(network)
    print(f"\n{network.digest[:8]}, nothing gone: {whole.accuracy:.1%}, {whole.loss:.3f}")
    calibration = batches_for(network, open_images("demo"), "calibration", 256)
    for plans in (at_once, in_steps):
        show({way: [answers(network, plan) for plan in plans(network, calibration, way)] for way in WAYS})


def main() -> None:
    """The demo, or those of the seeds that are given."""
    for network in map(trained, map(int, sys.argv[1:])) if sys.argv[1:] else [open_network("demo")]:
        measure(network)


if __name__ == "__main__":
    main()
