"""The oracle against its closed form and against removal."""

from __future__ import annotations

import closed_form
import numpy as np
import pytest
import torch
from networks_at_hand import MODULES, SHAPE, at_hand, images

from explorer.evaluation.evaluate import evaluate
from explorer.networks.surgery import prune
from explorer.networks.units import none_removed
from explorer.pruning.plan import with_removed
from explorer.scoring.oracle import reference_oracle


def test_oracle_in_closed_form() -> None:
    found = reference_oracle(closed_form.network(), closed_form.batches())
    np.testing.assert_allclose(found.oracle_loss, closed_form.CHANGES.mean(0), rtol=1e-5)
    np.testing.assert_allclose(found.oracle_abs, np.abs(closed_form.CHANGES.mean(0)), rtol=1e-5)
    np.testing.assert_allclose(found.standard_error, closed_form.CHANGES.std(0, ddof=1) / 2, rtol=1e-5)
    assert found.images == 4


@pytest.mark.parametrize("name", MODULES)
def test_oracle_is_the_change_in_loss_of_every_single_removal(name: str) -> None:
    network, batches = at_hand(name), images(SHAPE)
    found, base = reference_oracle(network, batches), evaluate(network, batches).loss
    for unit in range(len(network.units)):
        pruned = prune(network, with_removed(none_removed(network.units), [[unit]]))
        change = evaluate(pruned, batches).loss - base
        assert float(found.oracle_loss[unit]) == pytest.approx(change, rel=1e-4, abs=1e-6)


def test_oracle_does_not_depend_on_the_batch_split() -> None:
    network = at_hand("plain")
    whole, split = (reference_oracle(network, images(SHAPE, size=size)) for size in (12, 5))
    torch.testing.assert_close(whole.oracle_loss, split.oracle_loss, rtol=1e-5, atol=1e-7)
    torch.testing.assert_close(whole.standard_error, split.standard_error, rtol=1e-4, atol=1e-7)


def test_a_report_that_raises_stops_the_work_and_leaves_the_network_as_found() -> None:
    network = at_hand("plain")
    calls = []

    def report(done: int, total: int, note: str = "") -> None:
        calls.append((done, total))
        if len(calls) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        reference_oracle(network, images(SHAPE), report)
    assert calls == [(int(1200 * k / 11), 1200) for k in (1, 2, 3)]
    assert not any(m._forward_pre_hooks for m in network.module.modules())


def test_one_image_has_no_standard_error() -> None:
    assert torch.isinf(reference_oracle(at_hand("plain"), images(SHAPE, n=1)).standard_error).all()
