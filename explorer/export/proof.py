"""The proof beside an export: images and what the network said of them, to compare every file with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import safetensors.torch
import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from explorer.errors import BadInput
from explorer.export.checks import first_line
from explorer.networks.network import Network

NAME = "proof.safetensors"
FORMAT = "pruning-explorer proof 1"
IMAGES = 64
BATCH = 16


@dataclass(frozen=True, eq=False)
class Proof:
    """The first images of a split, preprocessed, and their logits as the app showed them."""

    inputs: Tensor  # (N, C, H, W) float32
    logits: Tensor  # (N, classes) float32


@torch.no_grad()
def prove(network: Network, inputs: Tensor) -> Proof:
    """The network's own logits on the first 64 of the given images, (N, C, H, W) after preprocessing."""
    inputs = inputs[:IMAGES]
    logits = [network.module(x.to(network.device)).float().cpu() for x in inputs.split(BATCH)]
    return Proof(inputs.cpu(), torch.cat(logits))


def render(proof: Proof) -> bytes:
    """The side file's bytes."""
    tensors = {"inputs": proof.inputs.contiguous(), "logits": proof.logits.contiguous()}
    return safetensors.torch.save(tensors, metadata={"format": FORMAT})


def read(path: Path) -> Proof:
    """Read a side file. Raises BadInput if it is missing or no proof."""
    if not path.is_file():
        raise BadInput(f"{path} does not exist: an export is verified against the {NAME} beside it.")
    try:
        with safe_open(path, "pt") as file:
            found = (file.metadata() or {}).get("format")
            tensors = [file.get_tensor(key) for key in ("inputs", "logits") if found == FORMAT]
    except (SafetensorError, OSError) as error:
        raise BadInput(f"{path} is not a safetensors file: {first_line(error)}.") from error
    if found != FORMAT:
        raise BadInput(f"{path} has the format {found!r}; only {FORMAT!r} can be read.")
    proof = Proof(*tensors)
    if not len(proof.inputs) == len(proof.logits) > 0 or proof.logits.ndim != 2:
        raise BadInput(f"{path} is damaged: it must hold logits (N, classes) for N > 0 inputs.")
    return proof
