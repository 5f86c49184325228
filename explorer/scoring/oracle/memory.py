"""Memory: how many images and pairs run at once, as memory and the processor's cache allow."""

from __future__ import annotations

import torch

from explorer.core.free_memory import free

SHARE = 0.25  # of what is free, where no budget is given
CACHED = 8 << 20  # bytes of the largest value of all pairs at once; by measurement, from 1 to 32 MiB tried
LIVE = 6  # values of the largest size that one operation may hold at the same time, with its workspace


def default_budget(device: torch.device) -> int:
    """Bytes: a quarter of the memory that is free on the device."""
    return int(SHARE * free(device))


def images_at_once(bytes_an_image: int, budget: int) -> int:
    """The number of images whose values may be kept in half of the budget; the other half is for the pairs."""
    return max(1, budget // 2 // bytes_an_image)


def pairs_at_once(bytes_a_pair: int, budget: int, device: torch.device) -> int:
    """The number of (image, unit) pairs that run together."""
    room = budget // 2 // LIVE
    return max(1, min(room, CACHED if device.type == "cpu" else room) // bytes_a_pair)
