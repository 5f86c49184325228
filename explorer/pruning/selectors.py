"""Selectors: all that can choose which units go: criteria by their ranking, the oracle, joint linearised pruning.

One table: a selector's row holds its needs, whether it can score a network, and how it ranks the units left.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from torch import Tensor

from explorer.core.errors import BadInput
from explorer.core.own_code import FORM
from explorer.core.progress import Report
from explorer.core.text import quoted
from explorer.data import Batches
from explorer.networks.network import Network
from explorer.networks.units import Units
from explorer.pruning import joint
from explorer.pruning.limits import NO_LIMITS, Limits
from explorer.scoring.criteria import CRITERIA, Criterion, fits_all
from explorer.scoring.evidence import FROM_UPDATES, OF_WEIGHTS, Evidence, gather, gather_of_weights
from explorer.scoring.oracle import oracle
from explorer.scoring.ranking import SCALING_TITLES, penalty_title, scaled

JOINT, ORACLE = "joint", "oracle"


@dataclass(frozen=True, eq=False)
class Candidates:
    """The units left at one step, and what a selector may look at to rank them."""

    network: Network  # without the units that are gone
    batches: Batches | None  # for calibration; None without images
    reference: Callable[[], Tensor]  # gives (N, classes) logits of the network as loaded on these images
    count: int  # units that are to go
    charge: Tensor | None = None  # (units left,) what each unit's price counts against it
    limits: Limits = NO_LIMITS
    scaling: str = "none"  # layer by layer, for selectors that have any
    seed: int = 0
    further: bool = False  # more than `count` units may go, as long as they change nothing
    saliency: Tensor | None = None  # (units left,) not scaled, where it is known already

    @property
    def images(self) -> Batches:
        """The images of a selector that looks at some."""
        assert self.batches is not None, "what looks at images is refused before, where there are none"
        return self.batches


@dataclass(frozen=True, eq=False)
class Ranked:
    """The order in which units go, least first, and how many of them go before they are ranked anew."""

    saliency: Tensor  # (units left,) comparable between layers, prices taken off
    count: int


Rank = Callable[[Candidates, Report], Ranked]


def one_percent(units: Units) -> int:
    """The default number of units that go between two rankings: 1 % of all, at least 1."""
    return max(1, round(len(units) / 100))


@dataclass(frozen=True)
class Selector:
    """One way to choose units: the row that pages and commands offer."""

    name: str
    title: str
    summary: str
    unit: str
    cost: str
    source: str
    rank: Rank
    needs: tuple[str, ...] = ()  # parts of the evidence that it scores units by; none: it makes passes of its own
    why_not: Callable[[Network], str | None] = fits_all  # why it can't score a network; None where it can
    scalable: bool = False  # layer by layer, before units of different layers are compared
    default_step: Callable[[Units], int] = one_percent  # units that go between two rankings
    select: Callable[..., Tensor] | None = None  # chooses all the way to a share, as `explorer.pruning.joint.select`
    measured: bool = False  # measures every unit, so that pages offer it only where that was done; the others' truth

    @property
    def anew(self) -> bool:
        """Whether units are always ranked anew after a step: its order says nothing of those that go later."""
        return self.select is not None

    @property
    def of_weights(self) -> bool:
        """Whether it looks at no image."""
        return bool(self.needs) and set(self.needs) <= OF_WEIGHTS

    @property
    def from_updates(self) -> bool:
        """Whether it can rank by weights and what was seen of fine-tuning's minibatches, without more passes."""
        return bool(self.needs) and set(self.needs) <= FROM_UPDATES


def _by_criterion(criterion: Criterion, candidates: Candidates, report: Report) -> Ranked:
    network, saliency = candidates.network, candidates.saliency
    if saliency is None:
        saliency = criterion.saliency(_evidence(criterion, candidates, report))
    scaling = candidates.scaling if criterion.scalable else "none"
    return Ranked(scaled(saliency, network.units, scaling, candidates.charge), candidates.count)


def _evidence(criterion: Criterion, candidates: Candidates, report: Report) -> Evidence:
    network, seed = candidates.network, candidates.seed
    if criterion.of_weights and candidates.batches is None:
        return gather_of_weights(network, seed=seed)
    return gather(network, candidates.images, criterion.needs, seed=seed, report=report)


def _by_oracle(candidates: Candidates, report: Report) -> Ranked:
    network = candidates.network
    exact = oracle(network, candidates.images, report=report).oracle_abs
    return Ranked(scaled(exact, network.units, "none", candidates.charge), candidates.count)


def _jointly(candidates: Candidates, report: Report) -> Ranked:
    calm = joint.NEGLIGIBLE_LOSS if candidates.further else -math.inf
    rules = joint.Rules(candidates.count, candidates.charge, candidates.limits, calm)
    found = joint.ranking(candidates.network, candidates.images, candidates.reference(), rules, report)
    return Ranked(found.places, max(1, len(found.units)))


def of_criterion(criterion: Criterion) -> Selector:
    """The selector that removes the units of least saliency."""
    return Selector(
        criterion.name,
        criterion.title,
        criterion.summary,
        criterion.unit,
        criterion.cost,
        criterion.source,
        partial(_by_criterion, criterion),
        criterion.needs,
        criterion.why_not,
        criterion.scalable,
    )


SELECTORS: dict[str, Selector] = {
    **{name: of_criterion(criterion) for name, criterion in CRITERIA.items()},
    JOINT: Selector(
        JOINT,
        "Joint linearised",
        "Place in the order in which units go together with the least change in what the network says.",
        "place",
        "a backward pass a class, up to ten, every few units",
        "explorer.pruning.joint",
        _jointly,
        default_step=joint.default_step,
        select=joint.select,
    ),
    ORACLE: Selector(
        ORACLE,
        "Oracle",
        "How far the mean loss moves when the unit alone is taken out: |C(without it) - C|, measured. Never scaled.",
        "nats",
        "the network from each unit on, for every unit and image",
        "Molchanov et al. 2017, section 2.1",
        _by_oracle,
        measured=True,
    ),
}


def selectors_for(network: Network) -> Mapping[str, Selector]:
    """The selectors that can score this network, in the table's order."""
    return {name: selector for name, selector in SELECTORS.items() if selector.why_not(network) is None}


def selector_of(name: str) -> Selector:
    """The row of a name; for a person's own criterion, not named in this process, one that can only be shown."""
    return SELECTORS.get(name) or _unnamed(name)


def _unnamed(name: str) -> Selector:
    why_not = f"it is a person's own code, which runs only where they name it, with --criterion {name}"

    def refuse(candidates: Candidates, report: Report) -> Ranked:
        raise BadInput(f"{name} can't rank units: {why_not}.")

    return Selector(name, own_title(name), "", "its own", "", name, refuse, why_not=lambda network: why_not)


def own_title(name: str) -> str:
    """ "My score" of package.module:my_score."""
    return name.partition(":")[2].replace("_", " ").strip().capitalize() or name


def check_known(name: str) -> None:
    """Raise BadInput if this is neither a selector's name nor such as a person's own criterion has."""
    if name not in SELECTORS and not FORM.fullmatch(name):
        raise BadInput(f"Unknown criterion {quoted(name)}; known are {', '.join(SELECTORS)}.")


def check_applies(name: str, network: Network) -> None:
    """Raise BadInput if a selector can't score a network."""
    selector = selector_of(name)
    if reason := selector.why_not(network):
        raise BadInput(f"{selector.title} can't score this network: {reason}.")


def check_from_updates(name: str) -> None:
    """Raise BadInput if a selector needs passes of its own."""
    selector = selector_of(name)
    if not selector.from_updates:
        known = ", ".join(each.name for each in SELECTORS.values() if each.from_updates)
        raise BadInput(
            f"{selector.title} can't be computed from the updates' own minibatches, as it needs passes "
            f"over calibration images; these can: {known}."
        )


def scaling_for(name: str, scaling: str) -> str:
    """The scaling under which a selector compares units of different layers: this one, or none where it has none."""
    return scaling if SELECTORS[name].scalable else "none"


def ranked_by(name: str, scaling: str, price: str = "flops", penalty: float = 0.0) -> str:
    """The ranking in words: "Taylor, layer-wise l2, FLOPs penalty 0.001"."""
    selector = selector_of(name)
    scaled_so = f", {SCALING_TITLES[scaling]}" if selector.scalable else ""
    charged = f", {penalty_title(price)} {penalty:g}" if penalty else ""
    return f"{selector.title}{scaled_so}{charged}"
