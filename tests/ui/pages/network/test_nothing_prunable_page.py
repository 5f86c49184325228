"""The pages on a network in which nothing can be pruned."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from driving import App
from torch import nn

from explorer.data.preprocessing import Preprocessing
from explorer.networks.graph.safetensors_file import to_bytes
from explorer.networks.load import assemble


@pytest.fixture(scope="module")
def export() -> bytes:
    """An export of a network for the demo's digits without a convolution."""
    torch.manual_seed(0)
    module = nn.Sequential(nn.AdaptiveAvgPool2d(4), nn.Flatten(), nn.Linear(16, 10))
    network = assemble("bare", "own:bare", module, (1, 28, 28), Preprocessing((0.13,), (0.31,)))
    return to_bytes(network, metrics={}, provenance={})


def test_pages_about_units_say_so_and_the_others_work(open_app: Callable[..., App], export: bytes) -> None:
    app = open_app().click("Open another network").upload("bare.safetensors", export).images().click("Open").fine()
    assert "bare.safetensors" in app.bar and app.test.dataframe[0].value["Prunable"].str.startswith("a fully").all()
    for page in ("saliency", "oracle", "prune", "compare"):
        app.go(page)
        assert not app.test.exception and "bare.safetensors has no unit that can be pruned" in app.said
    app.go("export").fine()
