"""Device: chooses the device that networks run on."""

from __future__ import annotations

import torch

from explorer.core.errors import BadInput
from explorer.core.text import quoted

NAMES = ("cpu", "cuda", "mps", "auto")


def choose(name: str = "auto") -> torch.device:
    """The device of a name: "cpu", "cuda" (or "cuda:1"), "mps", or "auto" for the fastest that is there.

    Raises BadInput for other names, and for a device that this computer lacks.
    """
    here = available()
    if name == "auto":
        return torch.device(here[0])
    kind, _, index = name.partition(":")
    if kind not in NAMES or (index and not (kind == "cuda" and index.isdecimal())):
        raise BadInput(f"Unknown device {quoted(name, 40)}; known are {', '.join(NAMES)}.")
    if kind not in here or (index and int(index) >= torch.cuda.device_count()):
        raise BadInput(f"The device {name} is not available here; available are {', '.join(here)}.")
    return torch.device(name)


def available() -> list[str]:
    """The kinds of device that this computer has, fastest first."""
    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    return [kind for kind, has in there.items() if has]


def title(kind: str) -> str:
    """The name of a device of this computer: a graphics card's model, else the kind itself."""
    return torch.cuda.get_device_name() if kind == "cuda" else kind
