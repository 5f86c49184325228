"""Work side by side: the same results in the same order, from several threads, stopped when asked."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest
import torch

from explorer.core.parallel import side_by_side, workers

CPU = torch.device("cpu")


@pytest.fixture(params=[1, 2, 3])
def threads(request: pytest.FixtureRequest) -> Iterator[int]:
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield request.param
    torch.set_num_threads(before)


def test_results_come_in_the_order_of_the_items(threads: int) -> None:
    def slower_at_first(n: int) -> int:
        time.sleep(0.02 / (n + 1))
        return n * n

    assert list(side_by_side(slower_at_first, range(20), CPU)) == [n * n for n in range(20)]
    assert list(side_by_side(slower_at_first, [], CPU)) == []


def test_as_many_run_at_a_time_as_torch_has_threads(threads: int) -> None:
    together = threading.Barrier(threads, timeout=10)
    assert len(list(side_by_side(lambda _: together.wait(), range(2 * threads), CPU))) == 2 * threads


def test_each_piece_computes_with_one_thread_and_the_callers_number_stays(threads: int) -> None:
    assert set(side_by_side(lambda _: torch.get_num_threads(), range(8), CPU)) == {1}
    assert torch.get_num_threads() == threads
    later: list[int] = []
    thread = threading.Thread(target=lambda: later.append(torch.get_num_threads()))
    thread.start()
    thread.join()
    assert later == [threads]


def test_few_items_are_taken_ahead(threads: int) -> None:
    taken: list[int] = []
    results = side_by_side(lambda n: n, (taken.append(n) or n for n in range(100)), CPU)
    next(results)
    assert len(taken) <= 2 * threads + 1
    results.close()


def test_an_error_reaches_the_caller_and_nothing_runs_on(threads: int) -> None:
    started: list[int] = []

    def fails(n: int) -> int:
        started.append(n)
        raise ValueError(f"item {n}")

    with pytest.raises(ValueError, match="item 0"):
        list(side_by_side(fails, range(100), CPU))
    count = len(started)
    time.sleep(0.05)
    assert len(started) == count <= 2 * threads + 1


def test_gradients_are_on_in_every_piece(threads: int) -> None:
    def slope(n: int) -> float:
        x = torch.tensor(float(n), requires_grad=True)
        (x * x).backward()
        return float(x.grad)

    assert list(side_by_side(slope, range(6), CPU)) == [2.0 * n for n in range(6)]


def test_other_devices_are_kept_busy_by_one() -> None:
    assert workers(torch.device("cuda")) == 1
