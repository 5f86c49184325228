"""The proof beside an export: images and what the network said of them, to compare every file with."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path

import safetensors.torch
import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from explorer.core.errors import BadInput
from explorer.core.text import first_line
from explorer.networks.network import Network

NAME = "proof.safetensors"
FORMAT = "pruning-explorer proof 2"
IMAGES = 64
BATCH = 24  # no divisor of 64: files are run on batches of more than one size


@dataclass(frozen=True, eq=False)
class Proof:
    """The first images of a split, preprocessed, their labels, and their logits as the app showed them."""

    inputs: Tensor  # (N, C, H, W) float32
    labels: Tensor  # (N,) int64
    logits: Tensor  # (N, classes) float32
    mean: Tensor  # (C,) float32, and the deviation by which pixels from 0 to 1 became inputs
    std: Tensor

    @property
    def pixels(self) -> Tensor:
        """The images before their normalisation, from 0 to 1."""
        sides = (-1,) + (1,) * (self.inputs.ndim - 2)
        return self.inputs * self.std.view(sides) + self.mean.view(sides)

    @property
    def accuracy(self) -> float:
        """Share of the images that the network itself gets right, 0 to 1."""
        return float((self.logits.argmax(1) == self.labels).double().mean())


@dataclass(frozen=True)
class Verdict:
    """How one file did against the proof.

    ok: max |difference| of logits <= tolerance * max |logit| of the proof, and agreement == 1.
    """

    path: Path
    format: str
    ok: bool | None  # None if it was not run
    max_abs_difference: float | None  # None if the file did not load or gave no comparable numbers
    max_relative_difference: float | None  # the same as a share of the largest |logit| of the proof
    agreement: float | None  # share of images with the same prediction, 0 to 1
    accuracy: float | None  # share of images that the file gets right, 0 to 1
    tolerance: float  # largest relative difference that is ok
    seconds: float  # start of the process, loading and running
    error: str = ""  # why there are no numbers, one line


@torch.no_grad()
def prove(network: Network, inputs: Tensor, labels: Tensor) -> Proof:
    """The network's own logits on the first 64 of the given images, (N, C, H, W) after preprocessing."""
    inputs = inputs[:IMAGES]
    logits = [network.module(x.to(network.device)).float().cpu() for x in inputs.split(BATCH)]
    mean, std = torch.tensor(network.preprocessing.mean), torch.tensor(network.preprocessing.std)
    return Proof(inputs.cpu(), labels[:IMAGES].cpu(), torch.cat(logits), mean, std)


@dataclass(frozen=True, eq=False)
class ProofRun:
    """The result of running a file."""

    logits: Tensor | None
    seconds: float
    error: str = ""  # why there are no logits


def judge(path: Path, kind: str, tolerance: float, proof: Proof, run: ProofRun) -> Verdict:
    """The verdict on the logits that a file gave, or on its failure to give any."""
    logits, error = run.logits, run.error
    if logits is not None and (logits.shape != proof.logits.shape or not logits.isfinite().all()):
        error = f"its output has shape {tuple(logits.shape)} or values that are not finite"
        logits = None
    if logits is None:
        return Verdict(path, kind, False, None, None, None, None, tolerance, run.seconds, error)
    difference = float((logits - proof.logits).abs().max())
    relative = difference / max(float(proof.logits.abs().max()), torch.finfo(torch.float32).tiny)
    predicted = logits.argmax(1)
    agreement = float((predicted == proof.logits.argmax(1)).double().mean())
    accuracy = float((predicted == proof.labels).double().mean())
    ok = relative <= tolerance and agreement == 1.0
    return Verdict(path, kind, ok, difference, relative, agreement, accuracy, tolerance, run.seconds)


def unjudged(path: Path, kind: str, tolerance: float) -> Verdict:
    """The verdict on a file that was not run, as it holds code that is not trusted."""
    error = "it holds code, and was not run"
    return Verdict(path, kind, None, None, None, None, None, tolerance, 0.0, error)


def render(proof: Proof) -> bytes:
    """The side file's bytes."""
    tensors = {field.name: getattr(proof, field.name).contiguous() for field in fields(Proof)}
    return safetensors.torch.save(tensors, metadata={"format": FORMAT})


def read(path: Path) -> Proof:
    """Read a side file. Raises BadInput if it is missing or no proof."""
    if not path.is_file():
        raise BadInput(f"{path} does not exist: an export is verified against the {NAME} beside it.")
    try:
        with safe_open(path, "pt") as file:
            found = (file.metadata() or {}).get("format")
            tensors = [file.get_tensor(field.name) for field in fields(Proof) if found == FORMAT]
    except (SafetensorError, OSError) as error:
        raise BadInput(f"{path} is not a safetensors file: {first_line(error)}.") from error
    if found != FORMAT:
        raise BadInput(f"{path} has the format {found!r}; only {FORMAT!r} can be read.")
    proof = Proof(*tensors)
    if not len(proof.inputs) == len(proof.logits) == len(proof.labels) > 0 or proof.logits.ndim != 2:
        raise BadInput(f"{path} is damaged: it must hold logits (N, classes) and labels for N > 0 inputs.")
    return proof
