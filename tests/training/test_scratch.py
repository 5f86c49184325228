"""From scratch: the same shapes, fresh weights, and nothing of what was learned."""

from __future__ import annotations

import math
from functools import cache

import pytest
import torch
from networks_at_hand import MODULES, SHAPE, UNUSUAL, at_hand, images, many_classes, network
from torch import Tensor, nn

from explorer.core.errors import BadInput
from explorer.evaluation.evaluate import evaluate
from explorer.networks.architectures.small import resnet20, vgg_small
from explorer.networks.network import Network
from explorer.networks.surgery import prune
from explorer.training.scratch import fresh


def halved(whole: Network) -> Network:
    """Every other unit of each layer removed."""
    removed = torch.zeros(len(whole.units), dtype=torch.bool)
    for place in whole.units.slices.values():
        removed[place.start + 1 : place.stop : 2] = True
    return prune(whole, removed)


def trained(whole: Network) -> Network:
    """The network with weights and statistics that no initialisation gives."""
    for value in whole.module.state_dict().values():
        value.add_(7)
    return whole


NAMES = (*MODULES, *UNUSUAL, "many classes")


@cache
def pruned_network(name: str) -> Network:
    return trained(many_classes()) if name == "many classes" else halved(trained(at_hand(name)))


@pytest.mark.parametrize("name", NAMES)
def test_shapes_stay_and_every_weight_is_fresh(name: str) -> None:
    pruned = pruned_network(name)
    before = {key: value.clone() for key, value in pruned.module.state_dict().items()}
    found = fresh(pruned, 3)
    after = found.module.state_dict()
    assert {key: value.shape for key, value in after.items()} == {key: value.shape for key, value in before.items()}
    assert all((after[key] < 2).all() for key in after)  # 7 was added to everything
    assert all(torch.equal(value, before[key]) for key, value in pruned.module.state_dict().items())
    assert found.units is pruned.units and found.digest != pruned.digest
    assert not found.module.training and not any(p.requires_grad for p in found.module.parameters())
    batches = images(pruned.input_shape, n=4, classes=len(pruned.classes))
    assert torch.isfinite(evaluate(found, batches).logits).all()


@pytest.mark.parametrize("name", NAMES)
def test_the_seed_decides_and_nobody_else_s_random_numbers_move(name: str) -> None:
    state = torch.manual_seed(11).get_state()
    first, again, other = (fresh(pruned_network(name), seed) for seed in (1, 1, 2))
    assert first.digest == again.digest != other.digest
    assert torch.equal(torch.random.get_rng_state(), state)


def test_weights_are_drawn_by_the_layers_own_rule() -> None:
    found = fresh(halved(trained(network(vgg_small(), (1, 28, 28), classes=10))), 0).module
    layer = found.features[5]
    assert layer.weight.shape == (32, 16, 3, 3)
    bound = 1 / math.sqrt(16 * 9)  # uniform in +-1/sqrt(fan in), torch's rule for convolutions
    assert layer.weight.abs().max() <= bound
    torch.testing.assert_close(layer.weight.std().item(), bound / math.sqrt(3), rtol=0.05, atol=0)


def test_batch_norm_starts_anew() -> None:
    norm = fresh(pruned_network("residual")).module.norm1
    assert norm.num_batches_tracked == 0 and not norm.running_mean.any() and not norm.bias.any()
    assert (norm.running_var == 1).all() and (norm.weight == 1).all()


def test_fixed_kernels_stay() -> None:
    torch.manual_seed(0)
    pruned = halved(network(resnet20(3), (3, 8, 8)))
    found = fresh(pruned)
    fixed = dict(pruned.module.named_buffers())
    kernels = [name for name in fixed if name.endswith("shortcut.weight")]
    assert len(kernels) == 2
    for name in kernels:
        assert torch.equal(found.module.get_buffer(name), fixed[name]) and fixed[name].unique().tolist() == [0, 1]
    assert not torch.equal(found.module.conv1.weight, pruned.module.conv1.weight)


def test_a_buffer_beside_weights_stays() -> None:
    body = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Conv2d(4, 3, 6), nn.Flatten())
    weight = body[2].weight.detach().clone()
    del body[2].weight
    body[2].register_buffer("weight", weight)
    before = network(body, SHAPE)
    after = fresh(before, 1).module
    assert torch.equal(after[2].weight, weight) and not torch.equal(after[2].bias, before.module[2].bias)


class Scaled(nn.Module):
    """A weight of its own, and no rule to draw it by."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(1))

    def forward(self, x: Tensor) -> Tensor:
        return self.scale * x


class Around(Scaled):
    """The same at the top of a network."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Conv2d(4, 3, 6), nn.Flatten())

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(self.body(x))


def test_weights_without_a_rule_are_bad_input_that_names_the_module() -> None:
    body = nn.Sequential(nn.Conv2d(1, 4, 3), nn.Sequential(Scaled()), nn.Conv2d(4, 3, 6), nn.Flatten())
    with pytest.raises(BadInput, match=r"^module 1\.0 \(Scaled\) has weights, but no reset_parameters"):
        fresh(network(body, SHAPE))
    with pytest.raises(BadInput, match=r"^the network itself \(Around\) has weights, but no reset_parameters"):
        fresh(network(Around(), SHAPE))
