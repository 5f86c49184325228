"""Turns as they go: marks before and after fine-tuning, and what screen readers are told."""

from __future__ import annotations

import numpy as np

from explorer.figures.style import alt_text
from explorer.figures.turn_curves import turn_curves


def test_accuracy_by_step_and_loss_by_update() -> None:
    fig = turn_curves([0.9, 0.8, 0.7], [None, 0.5, 0.4], [(1, 2.0), (2, 1.5)])
    after, of_after, before, of_before, loss = fig.data
    assert [(one.name, one.marker.symbol) for one in (of_after, of_before)] == [
        ("after fine-tuning", "circle"),
        ("before it", "circle-open"),
    ]
    np.testing.assert_allclose(after.y, [0.9, 0.8, 0.7], rtol=1e-6)
    np.testing.assert_allclose(before.y, [np.nan, 0.5, 0.4], rtol=1e-6)
    np.testing.assert_allclose(loss.x, [1, 2])
    assert after.marker.symbol == ("circle",) * 3
    assert before.marker.symbol[1:] == ("circle-open-dot", "circle-open-dot")  # began from a fine-tuned network
    assert alt_text(fig) == (
        "Accuracy after step 2: 70.0%, 40.0% before its fine-tuning. Loss of the minibatches at update 2: 1.5000 nats."
    )


def test_before_the_first_step_there_is_the_start_alone() -> None:
    assert alt_text(turn_curves([0.9], [None], [])) == "Accuracy after step 0: 90.0%."


def test_marks_say_what_had_been_done_to_the_weights() -> None:
    after, _, before, *_ = turn_curves([0.9, 0.8, 0.7], [None, 0.5, 0.4], [], began="as loaded").data
    assert after.marker.symbol == ("circle-open", "circle", "circle")
    assert before.marker.symbol[1:] == ("circle-open", "circle-open-dot")
    assert after.customdata[0] == "as loaded" and before.customdata[2] == "pruned after fine-tuning"
