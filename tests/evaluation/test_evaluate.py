"""Loss, accuracy and confusion by arithmetic; latency; and the check that a closed gate is a removed unit."""

from __future__ import annotations

from dataclasses import replace

import closed_form
import numpy as np
import pytest
import torch
from networks_at_hand import MODULES, SHAPE, at_hand, images
from torch import Tensor, nn
from torch.nn.functional import pad

from explorer.evaluation.evaluate import Outcome, evaluate, measure_latency
from explorer.networks.dependencies import find_units
from explorer.networks.gate_check import exact_units
from explorer.networks.mixing import ZEROS

OUTCOME = Outcome(torch.tensor([[2.0, 0.0], [0.0, 1.0], [3.0, 0.0]]), torch.tensor([0, 0, 0]))


def test_loss_is_the_mean_cross_entropy_in_nats() -> None:
    expected = np.mean([np.log1p(np.exp(-2)), np.log1p(np.exp(1)), np.log1p(np.exp(-3))])
    assert OUTCOME.loss == pytest.approx(expected, rel=1e-12)


def test_accuracy_is_the_share_of_right_answers() -> None:
    assert OUTCOME.accuracy == pytest.approx(2 / 3)


def test_confusion_counts_labels_by_row() -> None:
    outcome = Outcome(torch.eye(3)[[0, 1, 1, 2, 0]], torch.tensor([0, 0, 1, 2, 2]))
    assert outcome.confusion(3).tolist() == [[1, 1, 0], [0, 1, 0], [1, 0, 1]]


def test_confusion_has_rows_for_classes_without_images() -> None:
    assert OUTCOME.confusion(2).tolist() == [[2, 1], [0, 0]]


def test_the_whole_network_gives_its_logits() -> None:
    found = evaluate(closed_form.network(), closed_form.batches())
    assert found.logits.numpy() == pytest.approx(closed_form.LOGITS, rel=1e-6)
    assert found.labels.tolist() == closed_form.LABELS.tolist()


@pytest.mark.parametrize("unit", [0, 1])
def test_a_closed_gate_takes_its_unit_away(unit: int) -> None:
    removed = torch.arange(2) == unit
    found = evaluate(closed_form.network(), closed_form.batches(), removed)
    assert found.logits.numpy() == pytest.approx(closed_form.LOGITS - closed_form.J[:, :, unit], rel=1e-6)


def test_progress_counts_images() -> None:
    seen = []
    evaluate(at_hand("plain"), images(SHAPE, n=12, size=5), report=lambda *report: seen.append(report[:2]))
    assert seen == [(5, 12), (10, 12), (12, 12)]


def test_a_report_that_raises_stops_the_work_and_leaves_the_network_as_it_was() -> None:
    network = at_hand("plain")

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        evaluate(network, images(SHAPE), report=stop)
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in network.module.modules())


def test_latency_is_ordered_and_says_how_it_was_measured() -> None:
    found = measure_latency(at_hand("plain"), batch=3, runs=5, warmup=1)
    assert 0 < found.lower_quartile <= found.median <= found.upper_quartile
    assert (found.batch, found.runs, found.device, found.threads) == (3, 5, "cpu", torch.get_num_threads())


@pytest.mark.parametrize("name", MODULES)
def test_layers_whose_removal_is_exact_are_all_kept(name: str) -> None:
    network = at_hand(name)
    found = exact_units(network.module, network.units, SHAPE)
    assert found.layers == network.units.layers
    assert found.unprunable == network.units.unprunable


class ZeroPadded(nn.Module):
    """An option-A shortcut as others write it: every second row and column, zero channels on both sides."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(1, 4, 3, padding=1)
        self.inner = nn.Conv2d(4, 6, 3, stride=2, padding=1)
        self.outer = nn.Conv2d(6, 8, 3, padding=1)
        self.head = nn.Linear(8, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x).relu()
        y = self.outer(self.inner(x).relu())
        y = y + pad(x[:, :, ::2, ::2], (0, 0, 0, 0, 2, 2))
        return self.head(y.relu().mean((2, 3)))


def zero_padded() -> nn.Module:
    torch.manual_seed(0)
    return ZeroPadded().requires_grad_(False).eval()


def test_a_layer_whose_removal_computes_something_else_is_not_prunable() -> None:
    module = zero_padded()
    before = find_units(module, torch.zeros(1, *SHAPE))
    found = exact_units(module, before, SHAPE)
    assert [layer.name for layer in found.layers] == ["inner"]
    assert found.unprunable == before.unprunable | {"stem": ZEROS, "outer": ZEROS}


def test_the_layers_that_are_left_are_exact_on_images_they_were_not_checked_on() -> None:
    module = zero_padded()
    units = exact_units(module, find_units(module, torch.zeros(1, *SHAPE)), SHAPE)
    network = replace(at_hand("plain"), module=module, units=units)
    batches = images(SHAPE, seed=9)
    removed = torch.arange(len(units)) < 3
    expected = module.head(_without(module, batches.x, removed).relu().mean((2, 3)))
    assert torch.allclose(evaluate(network, batches, removed).logits, expected, atol=1e-6)


def _without(module: ZeroPadded, x: Tensor, removed: Tensor) -> Tensor:
    """The residual sum with the removed maps of `inner` at zero, written out."""
    x = module.stem(x).relu()
    y = module.outer(module.inner(x).relu() * (~removed).float().view(1, -1, 1, 1))
    return y + pad(x[:, :, ::2, ::2], (0, 0, 0, 0, 2, 2))


def test_the_check_leaves_the_module_as_it_was() -> None:
    module = zero_padded()
    before = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    exact_units(module, find_units(module, torch.zeros(1, *SHAPE)), SHAPE)
    assert all(torch.equal(before[name], tensor) for name, tensor in module.state_dict().items())
    assert not module.training
