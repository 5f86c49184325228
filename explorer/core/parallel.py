"""Independent pieces of work side by side, a processor core each.

torch splits every operation over its threads and waits for the slowest of them each time. Where pages and a browser
need the cores as well, most of the time goes into that waiting; pieces that never wait for each other just share.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import cache
from itertools import islice
from typing import TypeVar

import torch

Item = TypeVar("Item")
Result = TypeVar("Result")


def workers(device: torch.device) -> int:
    """As many as torch has threads; a device other than the processor is kept busy by one."""
    return torch.get_num_threads() if device.type == "cpu" else 1


def side_by_side(work: Callable[[Item], Result], items: Iterable[Item], device: torch.device) -> Iterator[Result]:
    """work(item) of each, in the order of the items.

    Few items are taken ahead. Settings that torch keeps for each thread (gradients, autocast) are as at the start in
    `work`.
    """
    count = workers(device)
    if count == 1:
        yield from map(work, items)
        return
    waiting, pool = iter(items), _pool(count)
    running: deque[Future[Result]] = deque(pool.submit(work, item) for item in islice(waiting, 2 * count))
    try:
        while running:
            yield running.popleft().result()
            running.extend(pool.submit(work, item) for item in islice(waiting, 1))
    finally:
        wait([future for future in running if not future.cancel()])


@cache
def _pool(count: int) -> ThreadPoolExecutor:
    """The threads that all of this process shares, one for each core."""
    ready = threading.Barrier(count + 1)

    def alone() -> None:
        torch.set_num_threads(1)
        torch.get_num_threads()  # from its first use on, a thread keeps the number that was set last
        ready.wait()

    pool = ThreadPoolExecutor(count, "side-by-side", alone)
    for _ in range(count):
        pool.submit(int)
    ready.wait()
    torch.set_num_threads(count)  # for all other threads
    return pool
