"""The choice of a device."""

from __future__ import annotations

import pytest
import torch

from explorer.core.device import available, choose
from explorer.core.errors import BadInput


def test_the_processor_is_always_there() -> None:
    assert choose("cpu") == torch.device("cpu")
    assert available()[-1] == "cpu"


@pytest.mark.parametrize(
    ("here", "expected"), [((True, False), "cuda"), ((False, True), "mps"), ((False, False), "cpu")]
)
def test_auto_is_the_fastest_there_is(here: tuple[bool, bool], expected: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: here[0])
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: here[1])
    assert choose() == torch.device(expected)


@pytest.mark.parametrize("name", ["tpu", "", "cpu:1", "cuda:x", "cuda:-1"])
def test_unknown_names(name: str) -> None:
    with pytest.raises(BadInput, match="Unknown device"):
        choose(name)


def test_a_gpu_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    for name in ("cuda", "cuda:7", "mps"):
        with pytest.raises(BadInput, match=f"The device {name} is not available here; available are cpu"):
            choose(name)
