"""An oracle as a file and back, so that later work goes on from it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

import safetensors
import safetensors.torch
from torch import Tensor

from explorer.core.errors import BadInput
from explorer.networks.units import Units
from explorer.scoring.oracle.result import Oracle

DIGEST = "digest"  # of all else that a file holds


def oracle_bytes(found: Oracle) -> bytes:
    """As a safetensors file."""
    tensors = {"changes": found.changes, "positions": found.positions}
    if found.linear is not None:
        tensors["linear"] = found.linear
    about = {"total": str(found.total), "method": found.method, "note": found.note}
    metadata = {**about, DIGEST: _digest(tensors, about)}
    return safetensors.torch.save({name: t.contiguous() for name, t in tensors.items()}, metadata)


def read_oracle(path: Path, units: Units) -> Oracle:
    """The oracle of such a file; raises BadInput if it is not one of these units."""
    try:
        with safetensors.safe_open(path, "pt") as file:
            about = dict(file.metadata() or {})
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        if about.pop(DIGEST, None) not in (None, _digest(tensors, about)):  # None: of an older version
            raise ValueError("it is not what was written")
        total, changes, positions = int(about["total"]), tensors["changes"], tensors["positions"]
        fits = changes.shape == (len(positions), len(units)) and len(positions.unique()) == len(positions)
        if not fits or (len(positions) and not 0 <= int(positions.min()) <= int(positions.max()) < total):
            raise ValueError("shapes")
        return Oracle(units, changes, positions, total, about["method"], tensors.get("linear"), about["note"])
    except (safetensors.SafetensorError, KeyError, TypeError, ValueError, OSError) as problem:
        raise BadInput(f"{path.name} is not an oracle of this network.") from problem


def _digest(tensors: Mapping[str, Tensor], about: Mapping[str, str]) -> str:
    """The SHA-256 of an oracle's numbers and of what is said of them."""
    found = hashlib.sha256(json.dumps(about, sort_keys=True).encode())
    for name in sorted(tensors):
        found.update(name.encode() + tensors[name].contiguous().numpy().tobytes())
    return found.hexdigest()
