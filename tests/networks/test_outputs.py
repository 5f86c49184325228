"""Networks that return more than logits."""

from __future__ import annotations

import copy
from collections import namedtuple

import pytest
import torch
from networks_at_hand import SHAPE, plain
from torch import Tensor, fx, nn

from explorer.core.errors import BadInput
from explorer.data.preprocessing import Preprocessing
from explorer.networks.load import assemble
from explorer.networks.outputs import chosen, logits_of, path_of_logits
from explorer.networks.surgery import prune

GREY = Preprocessing((0.0,), (1.0,))
Heads = namedtuple("Heads", ["aux", "logits"])
LOGITS, OTHER, MAPS = torch.zeros(2, 3), torch.ones(2, 7), torch.zeros(2, 4, 5, 5)


@pytest.mark.parametrize(
    ("output", "path"),
    [
        (LOGITS, ()),
        ({"features": OTHER, "logits": LOGITS}, ("logits",)),
        ({"maps": MAPS, "classes": LOGITS}, ("classes",)),
        ((LOGITS, OTHER), (0,)),
        ([MAPS, LOGITS], (1,)),
        (Heads(OTHER, LOGITS), (1,)),
        ((MAPS, {"aux": OTHER, "out": LOGITS}), (1, "out")),
    ],
)
def test_logits_are_found_by_name_then_by_shape(output: object, path: tuple[str | int, ...]) -> None:
    assert path_of_logits(output) == path
    assert logits_of(output) is LOGITS


@pytest.mark.parametrize("output", [MAPS, {"maps": MAPS}, (), "logits", None, {"logits": [MAPS]}])
def test_there_may_be_none(output: object) -> None:
    assert path_of_logits(output) is None


class Talkative(nn.Module):
    """Features and logits in a dictionary, and in train mode a second head in a tuple."""

    def __init__(self) -> None:
        super().__init__()
        self.body, self.aux = plain(), nn.Linear(64, 3)

    def forward(self, x: Tensor) -> dict[str, Tensor] | tuple[Tensor, Tensor]:
        if self.training:
            return self.body(x), self.aux(x.flatten(1))
        return {"features": x.flatten(1), "logits": self.body(x)}


def test_a_network_that_returns_a_dictionary_is_opened_and_pruned_under_its_own_names() -> None:
    torch.manual_seed(0)
    module, x = Talkative().eval(), torch.randn(4, *SHAPE)
    expected, names = module(x)["logits"], set(module.state_dict())
    network = assemble("talkative", "own:talkative", module, SHAPE, GREY)
    assert torch.equal(network.module(x), expected)
    assert network.classes == ("0", "1", "2") and len(network.units) == 11
    pruned = prune(network, torch.arange(11) % 3 == 1)
    assert set(pruned.module.state_dict()) == names and "body.0" in dict(pruned.module.named_modules())
    assert pruned.module(x).shape == (4, 3)
    assert torch.equal(fx.symbolic_trace(pruned.module)(x), pruned.module(x))


def test_what_it_returns_in_train_mode_may_be_something_else() -> None:
    network = assemble("talkative", "own:talkative", Talkative(), SHAPE, GREY)
    assert copy.deepcopy(network.module).train()(torch.randn(4, *SHAPE)).shape == (4, 3)


def test_a_network_without_logits_is_refused() -> None:
    with pytest.raises(BadInput, match="mapper does not give one row of logits an image: only classifiers"):
        assemble("mapper", "own:mapper", nn.Conv2d(1, 2, 3), SHAPE, GREY)


@pytest.mark.parametrize(
    ("output", "said"),
    [
        (torch.zeros(1, 3), ""),
        (torch.zeros(1, 3, 1, 1), "Its output, of one pixel a class, is read as a row."),
        ((torch.zeros(1, 7, 4, 4), torch.zeros(1, 3)), "Of what it gives, output[1] alone is read."),
        ({"aux": torch.zeros(1, 9), "logits": torch.zeros(1, 3)}, "Of what it gives, output['logits'] alone is read."),
    ],
)
def test_which_output_is_read_is_said(output: object, said: str) -> None:
    path = path_of_logits(output)
    assert path is not None and chosen(path, output) == said
