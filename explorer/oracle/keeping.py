"""An oracle as a file and back, so that later work goes on from it."""

from __future__ import annotations

from pathlib import Path

import safetensors
import safetensors.torch

from explorer.errors import BadInput
from explorer.networks.units import Units
from explorer.oracle.result import Oracle


def oracle_bytes(found: Oracle) -> bytes:
    """As a safetensors file."""
    tensors = {"changes": found.changes, "positions": found.positions}
    if found.linear is not None:
        tensors["linear"] = found.linear
    metadata = {"total": str(found.total), "method": found.method, "note": found.note}
    return safetensors.torch.save({name: t.contiguous() for name, t in tensors.items()}, metadata)


def read_oracle(path: Path, units: Units) -> Oracle:
    """The oracle of such a file; BadInput where it is not one of these units."""
    try:
        with safetensors.safe_open(path, "pt") as file:
            about = file.metadata()
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        total, changes, positions = int(about["total"]), tensors["changes"], tensors["positions"]
        fits = changes.shape == (len(positions), len(units)) and len(positions.unique()) == len(positions)
        if not fits or (len(positions) and not 0 <= int(positions.min()) <= int(positions.max()) < total):
            raise ValueError("shapes")
        return Oracle(units, changes, positions, total, about["method"], tensors.get("linear"), about["note"])
    except (safetensors.SafetensorError, KeyError, TypeError, ValueError, OSError) as problem:
        raise BadInput(f"{path.name} is not an oracle of this network.") from problem
