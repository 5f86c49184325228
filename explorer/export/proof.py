"""The proof beside an export: images, or random inputs, and what the network said of them, to compare files with."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path

import safetensors.torch
import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from explorer.core.errors import BadInput
from explorer.core.text import counted, first_line
from explorer.networks.network import Network

NAME = "proof.safetensors"
LABELS = "labels"
FORMAT = "pruning-explorer proof 2"
IMAGES = 64
SEED = 0  # of random inputs
RANDOM = f"{{}} random inputs (seed {SEED})"
BATCH = 24  # no divisor of 64: files are run on batches of more than one size


@dataclass(frozen=True, eq=False)
class Proof:
    """The first images of a split, preprocessed, their labels, and their logits as the app showed them.

    Without images there are random inputs in their place, and no labels.
    """

    inputs: Tensor  # (N, C, H, W) float32
    labels: Tensor | None  # (N,) int64; None of random inputs
    logits: Tensor  # (N, classes) float32
    mean: Tensor  # (C,) float32, and the deviation by which pixels from 0 to 1 became inputs
    std: Tensor

    @property
    def pixels(self) -> Tensor:
        """The images before their normalisation, from 0 to 1."""
        sides = (-1,) + (1,) * (self.inputs.ndim - 2)
        return self.inputs * self.std.view(sides) + self.mean.view(sides)

    @property
    def accuracy(self) -> float | None:
        """Share of the images that the network itself gets right, 0 to 1; None of random inputs."""
        return self.right(self.logits)

    def right(self, logits: Tensor) -> float | None:
        """Share of the images that these logits (N, classes) get right, 0 to 1; None of random inputs."""
        return None if self.labels is None else float((logits.argmax(1) == self.labels).double().mean())

    @property
    def images(self) -> int:
        """The number of images; 0 of random inputs."""
        return 0 if self.labels is None else len(self.labels)

    @property
    def compared_on(self) -> str:
        """In words: "64 images", "64 random inputs (seed 0)"."""
        return counted(len(self.inputs), "image") if self.labels is not None else RANDOM.format(len(self.inputs))


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
    accuracy: float | None  # share of images that the file gets right, 0 to 1; None of random inputs too
    tolerance: float  # largest relative difference that is ok
    seconds: float  # start of the process, loading and running
    error: str = ""  # why there are no numbers, one line


@torch.no_grad()
def prove(network: Network, inputs: Tensor, labels: Tensor | None) -> Proof:
    """The network's own logits on the first 64 of the given inputs, (N, C, H, W) after preprocessing."""
    inputs = inputs[:IMAGES]
    logits = [network.module(x.to(network.device)).float().cpu() for x in inputs.split(BATCH)]
    mean, std = torch.tensor(network.preprocessing.mean), torch.tensor(network.preprocessing.std)
    return Proof(inputs.cpu(), None if labels is None else labels[:IMAGES].cpu(), torch.cat(logits), mean, std)


def random_inputs(network: Network) -> Tensor:
    """(64, C, H, W) inputs of which the pixels are random from 0 to 1, always the same ones of one shape."""
    shape, prepared = network.input_shape, network.preprocessing
    sides = (-1,) + (1,) * (len(shape) - 1)
    pixels = torch.rand(IMAGES, *shape, generator=torch.Generator().manual_seed(SEED))
    return (pixels - torch.tensor(prepared.mean).view(sides)) / torch.tensor(prepared.std).view(sides)


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
    ok = relative <= tolerance and agreement == 1.0
    return Verdict(path, kind, ok, difference, relative, agreement, proof.right(logits), tolerance, run.seconds)


def unjudged(path: Path, kind: str, tolerance: float) -> Verdict:
    """The verdict on a file that was not run, as it holds code that is not trusted."""
    error = "it holds code, and was not run"
    return Verdict(path, kind, None, None, None, None, None, tolerance, 0.0, error)


def render(proof: Proof) -> bytes:
    """The side file's bytes."""
    parts = {field.name: getattr(proof, field.name) for field in fields(Proof)}
    tensors = {name: part.contiguous() for name, part in parts.items() if part is not None}
    return safetensors.torch.save(tensors, metadata={"format": FORMAT})


def read(path: Path) -> Proof:
    """Read a side file. Raises BadInput if it is missing or no proof."""
    if not path.is_file():
        raise BadInput(f"{path} does not exist: an export is verified against the {NAME} beside it.")
    try:
        with safe_open(path, "pt") as file:
            found = (file.metadata() or {}).get("format")
            held = set(file.keys())
            names = [field.name for field in fields(Proof) if field.name != LABELS or LABELS in held]
            tensors = {name: file.get_tensor(name) for name in names if found == FORMAT}
    except (SafetensorError, OSError) as error:
        raise BadInput(f"{path} is not a safetensors file: {first_line(error)}.") from error
    if found != FORMAT:
        raise BadInput(f"{path} has the format {found!r}; only {FORMAT!r} can be read.")
    proof = Proof(**{LABELS: None, **tensors})
    told = proof.logits if proof.labels is None else proof.labels
    if not len(proof.inputs) == len(proof.logits) == len(told) > 0 or proof.logits.ndim != 2:
        raise BadInput(f"{path} is damaged: it must hold logits (N, classes), and labels if any, for N > 0 inputs.")
    return proof
