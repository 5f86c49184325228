"""The answer to one image at every state of a run, against each state's own network."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import torch
from networks_at_hand import SHAPE, at_hand, images

from explorer.evaluation.metrics import Metrics
from explorer.networks.network import with_weights_of
from explorer.networks.surgery import prune
from explorer.networks.units import newly_removed, none_removed
from explorer.runs import timeline as timelines
from explorer.runs.answers import answers_on_the_way, weights_on_the_way
from explorer.runs.store import at_state, pruned_at, write_weights
from explorer.runs.timeline import State
from explorer.training.finetune import Recipe, Training, minibatches, train

NUMBERS = Metrics(0.5, 0.5, 12, 11, 100, 1000)


def test_the_answer_at_each_state_is_that_of_its_pruned_network(tmp_path: Path) -> None:
    network, batches = at_hand("plain"), images(SHAPE)
    x = batches.x[0]
    timeline, plan = timelines.start(NUMBERS), none_removed(network.units)
    for unit, updates in ((0, 0), (7, 3), (2, 0)):
        before, plan = plan, plan | (torch.arange(len(plan)) == unit)
        taken = newly_removed(network.units, before, plan)
        state = State(timeline.current, taken, "one unit", NUMBERS, updates=updates)
        if updates:
            smaller = prune(network, plan)
            trained = train(smaller.module, minibatches(batches, 4), updates, Training(Recipe(0.1)))
            state = replace(state, weights=write_weights(tmp_path, with_weights_of(smaller, trained)))
        timeline = timelines.step(timeline, state)
    assert weights_on_the_way(timeline) == (None, 2)

    def whole(trained: int | None):  # type: ignore[no-untyped-def]
        return at_state(network, timeline, tmp_path, trained or 0).whole()

    found = answers_on_the_way(timeline, whole, x)
    assert list(found) == [0, 1, 2, 3]
    for number, probabilities in found.items():
        with torch.no_grad():
            alone = pruned_at(network, timeline, tmp_path, number).module(x[None]).double().softmax(1)[0]
        torch.testing.assert_close(probabilities, alone, rtol=1e-4, atol=1e-6)
    assert not torch.allclose(found[1], found[2])
