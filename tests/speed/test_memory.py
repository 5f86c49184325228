"""What values hold of memory."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from explorer.speed.memory import held_bytes, release_memory


@dataclass(frozen=True)
class Pair:
    one: torch.Tensor
    other: object


def test_tensors_and_arrays_are_counted_wherever_they_are_and_once() -> None:
    tensor, array = torch.zeros(100), np.zeros((4, 5))
    layer = torch.nn.Linear(3, 2)
    assert held_bytes(tensor) == 400
    assert held_bytes(tensor, tensor[5:], {"a": [tensor]}) == 400
    assert held_bytes(Pair(tensor, (array, array[1])), "text", None) == 400 + 160
    assert held_bytes(layer) == 4 * (6 + 2)
    looped: list[object] = [tensor]
    looped.append(looped)
    assert held_bytes(looped) == 400


def test_memory_is_given_back_without_harm() -> None:
    kept = torch.ones(1000)
    release_memory()
    assert kept.sum() == 1000
