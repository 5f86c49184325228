"""Challenge: which units go, chosen by a person, against criteria and chance, on the same network, number and images.

Two choices are compared image by
image: what all images have in common cancels.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from explorer.core.errors import BadInput
from explorer.core.progress import Report, one_of, silent, within
from explorer.core.text import counted, quoted
from explorer.data import Batches, Splits
from explorer.evaluation.evaluate import Outcome, evaluate
from explorer.evaluation.intervals import Z, wilson
from explorer.networks.costs import Costs
from explorer.networks.network import Network, with_weights_of
from explorer.networks.surgery import prune
from explorer.networks.units import Units, none_removed
from explorer.pruning import joint
from explorer.pruning.limits import Chosen, Limits
from explorer.pruning.plan import remove_next
from explorer.pruning.to_the_end import smallest
from explorer.training.finetune import Training, minibatches, train

DRAWS = 8  # choices by chance, whose mean is shown
DIGEST_SIGNS = 16  # of the network's digest, that a link names
MOST_SEED = 2**31 - 1
FORM = re.compile(rf"([0-9a-f]{{{DIGEST_SIGNS}}})\.([0-9]{{1,9}})\.([0-9]{{1,10}})")


@dataclass(frozen=True)
class Challenge:
    """What a link carries; the seed draws chance's choices, and the image that units are seen on."""

    network: str  # the first signs of its digest
    count: int  # units to go
    seed: int

    def __str__(self) -> str:
        return f"{self.network}.{self.count}.{self.seed}"


def challenge_from(text: str) -> Challenge:
    """The challenge that a text names as "digest.count.seed". Raises BadInput for any other text."""
    found = FORM.fullmatch(text)
    if not found or int(found[2]) < 1 or int(found[3]) > MOST_SEED:
        raise BadInput(
            f"{quoted(text)} is no challenge: a link names one as DIGEST.UNITS.SEED, with {DIGEST_SIGNS} signs of the "
            "network's digest. Copy the address once more, or begin a new challenge."
        )
    return Challenge(found[1], int(found[2]), int(found[3]))


def challenge_of(network: Network, count: int, seed: int) -> Challenge:
    """The challenge on this network."""
    return Challenge(network.digest[:DIGEST_SIGNS], count, seed)


def most(units: Units) -> int:
    """How many units may go at most: no layer gets empty."""
    return int(smallest(units, none_removed(units), Limits()).sum())


def hand_plan(units: Units, chosen: Chosen, count: int) -> Tensor:
    """(units,) bool, True = goes: the units that a person chose.

    Raises BadInput unless they are `count` units of this network, and no layer gets empty.
    """
    labels = [(name, channel) for name, channels in chosen.items() for channel in channels]
    if unknown := set(labels) - set(units.labels):
        name, channel = min(unknown)
        raise BadInput(f"Channel {channel} of {quoted(name)} can't be chosen: it is no unit of this network.")
    plan = Limits(go=chosen).going(units)
    for name, gone in units.by_layer(plan).items():
        if gone.all():
            raise BadInput(f"All units of {quoted(name)} are chosen: every layer keeps at least 1, so take one back.")
    if int(plan.sum()) != count:
        raise BadInput(f"{counted(int(plan.sum()), 'unit')} chosen, and the challenge is about {count:,}.")
    return plan


def chance_plans(units: Units, count: int, seed: int, draws: int = DRAWS) -> list[Tensor]:
    """So many plans with `count` units gone at random, the same ones for the same seed; each layer keeps a unit."""
    generator = torch.Generator().manual_seed(seed)
    saliencies = torch.rand(draws, len(units), generator=generator, dtype=torch.float64)
    return [remove_next(units, none_removed(units), saliency, count) for saliency in saliencies]


def joint_plan(network: Network, costs: Costs, images: Batches, count: int, report: Report = silent) -> Tensor:
    """The plan with `count` units gone that were chosen together, see `explorer.pruning.joint`."""
    left = (len(network.units) - count) / len(network.units)
    return joint.select(network, costs, images, none_removed(network.units), joint.Course("units", left), report)


def image_drawn(images: int, seed: int) -> int:
    """The place among so many images of the one that a person sees what units make of."""
    return int(np.random.default_rng(seed).integers(images))


@dataclass(frozen=True, eq=False)
class Contender:
    """A choice, or several whose mean counts, as measured on N images."""

    plans: Sequence[Tensor]  # each (units,) bool
    losses: Tensor  # (N,) float64 of each image, mean over the plans
    right: Tensor  # (N,) float64: share of the plans under which the image's answer is right, 0 to 1
    spread: tuple[float, float]  # lowest and highest loss of a plan

    @property
    def loss(self) -> float:
        """Mean over the images, lower is better."""
        return float(self.losses.mean())

    @property
    def error(self) -> float:
        """Standard error of the loss over the images; 0 of a single one."""
        return _error(self.losses)

    @property
    def accuracy(self) -> float:
        """Share of right answers, 0 to 1."""
        return float(self.right.mean())

    @property
    def accuracy_interval(self) -> tuple[float, float]:
        """Its 95 % interval that so many images give (Wilson); of a mean of several plans it is wider than need be."""
        return wilson(self.accuracy, len(self.right))


def contender(plans: Sequence[Tensor], outcomes: Sequence[Outcome]) -> Contender:
    """The contender of plans whose outcomes on the same images are known."""
    losses = torch.stack([each.losses for each in outcomes])
    right = torch.stack([each.logits.argmax(1) == each.labels for each in outcomes]).double()
    means = losses.mean(1).tolist()
    return Contender(plans, losses.mean(0), right.mean(0), (min(means), max(means)))


def contend(network: Network, images: Batches, plans: Sequence[Tensor], report: Report = silent) -> Contender:
    """Measure a choice on all images, or several of which the mean counts."""
    reports = [one_of(report, place, len(plans)) for place in range(len(plans))]
    return contender(plans, [evaluate(network, images, *each) for each in zip(plans, reports, strict=True)])


def contend_tuned(
    network: Network, splits: Splits, plan: Tensor, updates: int, training: Training, report: Report = silent
) -> Contender:
    """The same of one plan after so many updates on the images for fine-tuning, in the order that the seed draws."""
    smaller = prune(network, plan)
    stream = minibatches(splits["finetune"], training.recipe.batch_size, training.seed)
    module = train(smaller.module, stream, updates, training.taught_by(network), within(report, 0, 0.8))
    tuned = with_weights_of(smaller, module)
    return contender([plan], [evaluate(tuned, splits["validation"], report=within(report, 0.8, 1))])


@dataclass(frozen=True)
class Gap:
    """By how much one contender's loss lies above another's on the same images, and what the images leave open."""

    mean: float  # below 0: the first is better
    error: float  # standard error of the mean of the differences over the images

    @property
    def interval(self) -> tuple[float, float]:
        """Its 95 % interval."""
        return self.mean - Z * self.error, self.mean + Z * self.error

    @property
    def told_apart(self) -> bool:
        """Whether the interval leaves out 0."""
        low, high = self.interval
        return low > 0 or high < 0


def gap(one: Contender, other: Contender) -> Gap:
    """mean over n of d_n -+ std(d) / sqrt(N), with d_n = one's loss of image n less the other's."""
    differences = one.losses - other.losses
    return Gap(float(differences.mean()), _error(differences))


def ahead(contenders: Mapping[str, Contender]) -> list[str]:
    """The names of the lowest loss and of those that the images do not tell apart from it, best first."""
    order = sorted(contenders, key=lambda name: contenders[name].loss)
    best = contenders[order[0]]
    return [name for name in order if not gap(contenders[name], best).told_apart]


def shared(one: Tensor, others: Sequence[Tensor]) -> float:
    """How many units a plan has in common with others, on average."""
    return sum(int((one & other).sum()) for other in others) / len(others)


def _error(values: Tensor) -> float:
    return float(values.std()) / math.sqrt(len(values)) if len(values) > 1 else 0.0
