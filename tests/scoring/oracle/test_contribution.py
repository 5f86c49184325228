"""A unit's contribution to a layer against the layer with the unit's channels at zero."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from explorer.scoring.oracle.contribution import Contribution

LAYERS = {
    "1x1": (nn.Conv2d(4, 5, 1), (4, 6, 6)),
    "3x3": (nn.Conv2d(4, 5, 3, padding=1, bias=False), (4, 6, 6)),
    "stride": (nn.Conv2d(4, 5, 3, stride=2, padding=1), (4, 7, 6)),
    "dilation": (nn.Conv2d(4, 5, (3, 2), dilation=(2, 1), padding=(2, 0)), (4, 6, 6)),
    "same": (nn.Conv2d(4, 5, 4, padding="same"), (4, 6, 6)),
    "reflect": (nn.Conv2d(4, 5, 3, padding=1, padding_mode="reflect"), (4, 6, 6)),
    "circular": (nn.Conv2d(4, 5, 3, padding=1, padding_mode="circular"), (4, 6, 6)),
    "sound": (nn.Conv1d(4, 5, 3, padding=1), (4, 9)),
    "video": (nn.Conv3d(4, 5, 3, stride=(1, 2, 2), padding=1), (4, 3, 6, 6)),
    "linear": (nn.Linear(4, 5), (4,)),
}


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("channels_last", [False, True])
@torch.no_grad()
def test_taking_channels_out_is_setting_them_to_zero(name: str, channels_last: bool) -> None:
    layer, shape = LAYERS[name]
    x = torch.randn(3, *shape, generator=torch.Generator().manual_seed(0))
    channels = torch.tensor([[0, 2], [3, 1], [2, 3]])
    y = layer(x)
    if channels_last and y.dim() == 4:
        y = y.to(memory_format=torch.channels_last)
    closed = x.clone()
    rows = torch.arange(3)[:, None]
    closed[rows, channels] = 0
    assert Contribution.possible(layer)
    torch.testing.assert_close(
        Contribution(layer).take_from(y, x[rows, channels], channels), layer(closed), rtol=1e-4, atol=1e-5
    )


def test_layers_with_groups_and_other_layers_are_no_plain_sums() -> None:
    assert not Contribution.possible(nn.Conv2d(4, 4, 3, groups=2))
    assert not Contribution.possible(nn.BatchNorm2d(4))
