"""The incremental oracle against the reference, whatever the network, the memory and the split."""

from __future__ import annotations

import pytest
import torch
from modules import ODD, odd
from networks_at_hand import MODULES, SHAPE, Tensors, at_hand, images, network
from torch import Tensor, nn

from explorer.networks.network import Network
from explorer.scoring.oracle import Incremental, ReferenceOracle
from explorer.scoring.oracle.ablation import Pairs, ablation
from explorer.scoring.oracle.program import program_of

NETWORKS = [*MODULES, *ODD]


def of(name: str) -> tuple[Network, Tensors]:
    """A network, and images for it."""
    found = at_hand(name) if name in MODULES else odd(name)
    return found, images(found.input_shape)


@pytest.mark.parametrize("name", NETWORKS)
def test_every_change_is_the_references(name: str) -> None:
    network, batch = of(name)
    found = Incremental(network).changes(batch.x, batch.y)
    expected = ReferenceOracle(network).changes(batch.x, batch.y)
    assert expected.abs().max() > 1e-3
    assert (found - expected).abs().max() <= 1e-6


@pytest.mark.parametrize("name", NETWORKS)
def test_memory_changes_how_much_runs_at_once_and_no_result(name: str) -> None:
    network, batch = of(name)
    found = [Incremental(network, memory=bytes).changes(batch.x, batch.y) for bytes in (1, 50_000, 1 << 30)]
    torch.testing.assert_close(found[0], found[2], rtol=1e-4, atol=1e-6)
    torch.testing.assert_close(found[1], found[2], rtol=1e-4, atol=1e-6)


def test_the_network_is_left_as_it_was() -> None:
    network, batch = of("residual")
    before = {name: value.clone() for name, value in network.module.state_dict().items()}
    flags = [getattr(m, "inplace", None) for m in at_hand("plain").module.modules()]
    plain = at_hand("plain")
    Incremental(network).changes(batch.x, batch.y)
    Incremental(plain).changes(batch.x, batch.y)
    assert all(torch.equal(before[name], value) for name, value in network.module.state_dict().items())
    assert [getattr(m, "inplace", None) for m in plain.module.modules()] == flags


def test_a_unit_that_is_zero_costs_nothing() -> None:
    module = nn.Sequential(nn.Conv2d(1, 2, 1), nn.ReLU(), nn.Flatten(), nn.Linear(128, 8), nn.ReLU(), nn.Linear(8, 3))
    module[0].weight.data.zero_()
    module[0].bias.data = torch.tensor([1.0, -1.0])
    half_dead, batch = network(module, SHAPE), images(SHAPE)
    incremental = Incremental(half_dead)
    changes = incremental.changes(batch.x, batch.y)
    assert changes[:, 0].all() and not changes[:, 1].any()
    assert incremental.executed == len(batch) * (2 * 64 * 8 + 2 * 8 * 3)


def test_executed_flops_are_those_of_the_nonzero_pairs_suffixes() -> None:
    found, batch = of("plain")
    incremental = Incremental(found)
    incremental.changes(batch.x, batch.y)
    pooled = nn.MaxPool2d(2)
    a = pooled(found.module[0](batch.x).relu())
    b = pooled(found.module[3](a).relu())
    nonzero = [int((z.flatten(2) != 0).any(2).sum()) for z in (a, b)]
    one_channel, linear1, linear2 = 2 * 6 * 9 * 16, 2 * 24 * 8, 2 * 8 * 3
    assert incremental.executed == nonzero[0] * (one_channel + linear1 + linear2) + nonzero[1] * (
        linear1 * 4 // 24 + linear2
    )


def _drowned() -> Network:
    """Unit 0 of the first layer moves the second layer's only map, but never above the ReLU's zero."""
    module = nn.Sequential(
        nn.Conv2d(1, 2, 1), nn.ReLU(), nn.Conv2d(2, 2, 1), nn.ReLU(), nn.Flatten(), nn.Linear(128, 3)
    )
    module[0].weight.data = torch.tensor([1.0, -1.0]).view(2, 1, 1, 1)
    module[0].bias.data.zero_()
    module[2].weight.data = torch.tensor([[-1.0, 0.0], [0.0, 1.0]]).view(2, 2, 1, 1)
    module[2].bias.data = torch.tensor([-0.5, 0.1])
    return network(module, SHAPE, "drowned")


def test_pairs_whose_change_drowns_are_dropped_where_that_is_seen() -> None:
    network, batch = _drowned(), images(SHAPE)
    program = program_of(network)
    layer = network.units.layers[0]
    part = ablation(program, layer, *program.consumers(layer))
    pairs = Pairs(torch.tensor([0, 0, 1]), torch.tensor([0, 1, 0]))
    with torch.no_grad():
        env = program.values(batch.x)
        logits, places = part.run(env, pairs, part.bottlenecks)
        everything, _ = part.run(env, pairs)
    assert places.tolist() == [1]
    torch.testing.assert_close(logits, everything[1:2])
    torch.testing.assert_close(everything[[0, 2]], env[program.logits][[0, 1]])


def test_progress_adds_up_to_the_images() -> None:
    for name in NETWORKS:
        network, batch = of(name)
        told: list[float] = []
        Incremental(network).changes(batch.x, batch.y, told.append)
        assert len(told) >= len(network.units.layers)
        assert sum(told) == pytest.approx(len(batch))


def test_lower_precision_is_close_and_not_the_same() -> None:
    network, batch = of("plain")
    coarse, exact = (Incremental(network, None, p).changes(batch.x, batch.y) for p in (torch.bfloat16, torch.float32))
    assert 0 < (coarse - exact).abs().max() < 0.1


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("name", NETWORKS)
def test_on_cuda_as_on_the_cpu(name: str) -> None:
    network, batch = of(name)
    on_cuda: Tensor = Incremental(network.to(torch.device("cuda"))).changes(batch.x, batch.y)
    torch.testing.assert_close(on_cuda, Incremental(network).changes(batch.x, batch.y), rtol=1e-3, atol=1e-4)
