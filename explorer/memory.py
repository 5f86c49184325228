"""Memory: how much one forward pass allocates at most."""

from __future__ import annotations

import os
from itertools import accumulate

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
