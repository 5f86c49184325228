"""The states of a run as files, each proven against what was measured there: the whole network, its units gated."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from explorer.core.progress import Report, silent
from explorer.data import Batches
from explorer.evaluation.evaluate import evaluate
from explorer.export.confirming import confirm
from explorer.export.contents import of_state
from explorer.export.folders import export_proven
from explorer.export.proof import BATCH, Proof, Verdict, random_inputs
from explorer.networks.gates import Gated, open_gates
from explorer.networks.network import Network
from explorer.runs.store import AtState, at_state
from explorer.runs.timeline import Timeline


@dataclass(frozen=True, eq=False)
class StateOfRun:
    """A state, and all that its files are made of."""

    network: Network  # as loaded
    timeline: Timeline
    folder: Path  # of the run, which holds the weights
    number: int
    images: Batches | None  # that it was measured on, if it was
    provenance: Mapping[str, Any]


def export_state(
    state: StateOfRun, folder: Path, names: Iterable[str], report: Report = silent
) -> tuple[dict[str, Path], tuple[Verdict, ...], Proof]:
    """Write and prove the files of a state, see `export_proven`; with these, the proof that they were held against.

    Raises BadInput if the state no longer measures what its run says, or its weights were not kept.
    """
    at = at_state(state.network, state.timeline, state.folder, state.number)
    proof = _proof_without_images(at) if state.images is None else _proof(state, at, state.images, report)
    contents = of_state(at.pruned(), state.timeline, state.number, provenance=state.provenance)
    return *export_proven(contents, folder, names, proof, report), proof


def _proof(state: StateOfRun, at: AtState, images: Batches, report: Report) -> Proof:
    """The answers of the whole network with the state's plan as gates."""
    outcome = evaluate(at.whole(), images, at.removed, report)
    confirm(outcome, state.timeline.states[state.number].metrics, f"State {state.number}")
    inputs, prepared = torch.cat([x for x, _ in images]), state.network.preprocessing
    return Proof(inputs, outcome.labels, outcome.logits, torch.tensor(prepared.mean), torch.tensor(prepared.std))


@torch.no_grad()
def _proof_without_images(at: AtState) -> Proof:
    """The same answers to random inputs."""
    whole, gates = at.whole(), open_gates(at.removed)
    gated, inputs, prepared = Gated(whole.module, whole.units, at.removed), random_inputs(whole), whole.preprocessing
    logits = torch.cat([gated(x.to(gated.device), gates.to(gated.device)).float().cpu() for x in inputs.split(BATCH)])
    return Proof(inputs, None, logits, torch.tensor(prepared.mean), torch.tensor(prepared.std))
