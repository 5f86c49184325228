"""Memory: how much one forward pass allocates at most, what values hold, and giving back what is free."""

from __future__ import annotations

import ctypes
import gc
import os
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from itertools import accumulate
from typing import Any

import numpy as np
import torch
from torch.profiler import ProfilerActivity, profile

from explorer.networks.network import Network

os.environ.setdefault(
    "KINETO_LOG_LEVEL", "99"
)  # the profiler tells stderr of every start and stop, and of missing GPUs


@torch.no_grad()
def peak_memory(network: Network, batch: int) -> int:
    """Bytes that torch's allocator holds at most in a pass of `batch` blank images, beside weights and images."""
    x = torch.zeros(batch, *network.input_shape, device=network.device)
    if x.is_cuda:
        torch.cuda.reset_peak_memory_stats(x.device)
        before = torch.cuda.memory_allocated(x.device)
        network.module(x)
        return torch.cuda.max_memory_allocated(x.device) - before
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as seen:
        network.module(x)
    changes = [event.nbytes() for event in seen.profiler.kineto_results.events() if event.name() == "[memory]"]
    return max(accumulate(changes), default=0)


def held_bytes(*values: Any) -> int:
    """Bytes of all tensors and arrays in dataclasses, sequences, mappings and modules; what they share counts once."""
    return sum(dict(_buffers(values, set())).values())


def _buffers(value: Any, seen: set[int]) -> Iterator[tuple[int, int]]:
    """Address and bytes of every buffer."""
    if isinstance(value, torch.Tensor):
        storage = value.untyped_storage()
        yield storage.data_ptr(), storage.nbytes()
    elif isinstance(value, np.ndarray):
        owner = value.base if isinstance(value.base, np.ndarray) else value
        yield owner.ctypes.data, owner.nbytes
    elif id(value) not in seen:
        seen.add(id(value))
        for part in _parts(value):
            yield from _buffers(part, seen)


def _parts(value: Any) -> Iterator[Any]:
    if is_dataclass(value) and not isinstance(value, type):
        yield from (getattr(value, field.name) for field in fields(value))
    elif isinstance(value, torch.nn.Module):
        yield from value.parameters()
        yield from value.buffers()
    elif isinstance(value, Mapping):
        yield from value.values()
    elif isinstance(value, (list, tuple)):
        yield from value


def release_memory() -> None:
    """Collect garbage, and return to the operating system what is free: the C library keeps it otherwise."""
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if os.name == "posix" else None
    if trim is not None:  # of glibc
        trim(0)
