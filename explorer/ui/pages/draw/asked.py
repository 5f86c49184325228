"""What is asked of the network about one picture, computed once for each picture and state."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import streamlit as st
import torch
from torch import Tensor

from explorer.core.errors import BadInput
from explorer.data.drawing import InputForm, Prepared, input_form
from explorer.data.framing import Habits, habits
from explorer.evaluation.answers import answers
from explorer.jobs.job import Job
from explorer.networks.feature_maps import unit_maps
from explorer.networks.network import Network
from explorer.networks.surgery import prune
from explorer.pruning.plan import over_all_units, remove_next
from explorer.runs.answers import answers_on_the_way, weights_on_the_way
from explorer.scoring.detail import (
    ImageEffects,
    ablation_flops,
    linearised_effects,
    measured_effects,
    without_normalisation,
)
from explorer.scoring.oracle import Ablator, Counter, OracleOptions, ablator_for
from explorer.ui.work.jobs import JOBS
from explorer.ui.work.results import plan_digest
from explorer.ui.work.session import View, network_at
from explorer.ui.work.workspace import Workspace

DARK = 0.3  # of 1: a mean below it is that of images on a dark ground
SEEN = 256  # images whose habits are looked at
EAGER = 2e10  # FLOPs that are spent on a picture without being asked for: about a second of two cores
SETS_OF_WEIGHTS = 6  # that are read for a picture without being asked for
SHARES = tuple(share / 20 for share in range(20))  # of the units that go all at once


@dataclass(frozen=True, eq=False)
class OwnPicture:
    """A picture that a person made, as the network gets it."""

    prepared: Prepared
    digest: str  # of the input
    shown: np.ndarray  # (H, W, 1 or 3) uint8
    label: int | None = None  # its class, where it is one of the network's images


@dataclass(frozen=True, eq=False)
class Smaller:
    """The network in view without the units that are gone, and the way to measure those that are left."""

    network: Network
    flops: int  # that measuring every unit on one picture takes


def form_of(workspace: Workspace) -> InputForm:
    """What the network takes; raises BadInput if no picture can be that.

    Without images, the ground that grey ones have goes by their mean: most of an image of ink is its ground.
    """
    network = workspace.network
    plain = input_form(network.input_shape, network.preprocessing, Habits())
    if plain.preprocessing.channels != 1:
        return plain
    without = Habits(0 if plain.preprocessing.mean[0] < DARK else 255)
    return replace(plain, habits=_habits(workspace.key, workspace) if workspace.given else without)


@st.cache_resource(max_entries=8, show_spinner=False)
def _habits(key: str, _workspace: Workspace) -> Habits:
    calibration = _workspace.calibration
    few = calibration.picked(range(min(SEEN, len(calibration))))
    seen = [without_normalisation(x, _workspace.network.preprocessing)[..., 0] for x, _ in few]
    return habits(np.concatenate(seen))


def answer(workspace: Workspace, removed: Tensor, taken: OwnPicture) -> Tensor:
    """(classes,) float64 probabilities at these weights, with the removed units' gates closed."""
    return _answer(workspace.key, plan_digest(removed), taken.digest, workspace, removed, taken)


@st.cache_resource(max_entries=64, show_spinner=False)
def _answer(key: str, plan: str, picture: str, _workspace: Workspace, _removed: Tensor, _taken: OwnPicture) -> Tensor:
    return answers(_workspace.network, _taken.prepared.x, _removed[None])[0]


def answers_at_states(view: View, taken: OwnPicture, asked: bool) -> dict[int, Tensor] | None:
    """State -> probabilities, from the network as loaded to this state; None where that takes long and nobody asked."""
    if len(weights_on_the_way(view.timeline)) > SETS_OF_WEIGHTS and not asked:
        return None
    return answers_on_the_way(view.timeline, lambda number: network_at(view, number), taken.prepared.x)


def plans_at_once(view: View, saliency: Tensor) -> tuple[list[float], Tensor]:
    """Shares of the units in view that go, and the plans (P, units): the least important ones go all at once."""
    units, left = view.workspace.network.units, int((~view.removed).sum())
    found = [(0.0, view.removed)]
    for share in SHARES[1:]:
        try:
            plan = remove_next(units, view.removed, saliency, max(1, round(share * left)))
        except BadInput:  # every layer is down to its last unit
            break
        found.append((share, plan))
    shares, plans = zip(*found, strict=True)
    return list(shares), torch.stack(plans)


def answers_at_once(view: View, plans: Tensor, taken: OwnPicture) -> Tensor:
    """(P, classes) probabilities with the gates of each plan closed, at the weights in view."""
    return answers(view.workspace.network, taken.prepared.x, plans)


def smaller(view: View) -> Smaller:
    """The network in view, without the units that are gone."""
    return _smaller(view.workspace.key, plan_digest(view.removed), view)


@st.cache_resource(max_entries=2, show_spinner=False)
def _smaller(key: str, plan: str, _view: View) -> Smaller:
    workspace = _view.workspace
    network = prune(workspace.network, _view.removed) if _view.removed.any() else workspace.network
    return Smaller(network, ablation_flops(network, workspace.costs.flops(_view.removed)))


@st.cache_resource(max_entries=2, show_spinner=False)
def _quick_ablator(key: str, plan: str, _network: Network, _taken: OwnPicture) -> Ablator:
    """The way to measure every unit of a network for which that is quick, tried out on a first picture."""
    return _ablator(_network, _taken)


def _ablator(network: Network, taken: OwnPicture) -> Ablator:
    return ablator_for(network, OracleOptions(), taken.prepared.x[None], torch.zeros(1, dtype=torch.int64))[0]


def maps(view: View, taken: OwnPicture) -> dict[str, Tensor]:
    """Layer -> (units, H, W): what each unit left makes of the picture; zero where it is removed."""
    gone = view.workspace.network.units.by_layer(view.removed)
    return {name: _spread(z, ~gone[name]) for name, z in unit_maps(smaller(view).network, taken.prepared.x).items()}


def _spread(maps: Tensor, left: Tensor) -> Tensor:
    found = maps.new_zeros(len(left), *maps.shape[1:])
    found[left] = maps
    return found


def effects(view: View, taken: OwnPicture, label: int) -> ImageEffects:
    """The effect of each unit on this picture, should it be of this class; units that are removed are at infinity.

    Measured where that is quick or was asked for, else to first order.
    """
    if (job := JOBS.find(_effects_key(view, taken, label))) and job.result:
        return job.result
    found = smaller(view)
    return _effects(_effects_key(view, taken, label), view, taken, label, found.flops <= EAGER)


@st.cache_resource(max_entries=64, show_spinner=False)
def _effects(key: str, _view: View, _taken: OwnPicture, _label: int, quick: bool) -> ImageEffects:
    network, x = smaller(_view).network, _taken.prepared.x
    if not quick:
        return _of_all(linearised_effects(network, x, _label), _view.removed)
    ablator = _quick_ablator(_view.workspace.key, plan_digest(_view.removed), network, _taken)
    return _of_all(measured_effects(network, ablator, x, _label, _give_way), _view.removed)


def _give_way(images: float) -> None:
    """Stop here if there is a newer stroke: Streamlit ends a script that is out of date when it looks at the state."""
    "drawing" in st.session_state  # noqa: B015


def measure_effects(view: View, taken: OwnPicture, label: int) -> None:
    """Measure them in the background."""
    network, removed = smaller(view).network, view.removed

    def work(job: Job) -> ImageEffects:
        counter = Counter(job.report, 1)
        return _of_all(measured_effects(network, _ablator(network, taken), taken.prepared.x, label, counter), removed)

    st.session_state["effects-job"] = key = _effects_key(view, taken, label)
    JOBS.submit(key, "Closing each unit's gate for this picture", work)


def job_in_view() -> Job | None:
    """The measurement that this tab asked for last."""
    return JOBS.find(st.session_state.get("effects-job", ""))


def _effects_key(view: View, taken: OwnPicture, label: int) -> str:
    return f"effects-{view.workspace.key}-{plan_digest(view.removed)}-{taken.digest}-{label}"


def _of_all(found: ImageEffects, removed: Tensor) -> ImageEffects:
    return replace(found, changes=over_all_units(found.changes, removed))
