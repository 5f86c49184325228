"""The images that two states answer differently, against answers written down by hand."""

from __future__ import annotations

import pytest
import torch

from explorer.core.errors import BadInput
from explorer.evaluation.changed import ASTRAY, GAINED, LOST, changed_answers, changed_said
from explorer.evaluation.evaluate import Outcome


def outcome(answers: list[int], sure: list[float], labels: list[int]) -> Outcome:
    """Of three classes: the logit of the answer is `sure`, the others 0."""
    logits = torch.nn.functional.one_hot(torch.tensor(answers), 3) * torch.tensor(sure)[:, None]
    return Outcome(logits, torch.tensor(labels))


LABELS = [0, 1, 2, 0, 1, 2]
BEFORE = outcome([0, 1, 2, 1, 0, 1], [2.0] * 6, LABELS)
AFTER = outcome([1, 1, 0, 2, 1, 1], [1.0, 9.0, 3.0, 4.0, 5.0, 6.0], LABELS)


def test_the_lost_ones_come_first_and_the_surest_of_them() -> None:
    found = changed_answers(BEFORE, AFTER)
    assert [(each.position, each.kind) for each in found] == [(2, LOST), (0, LOST), (3, ASTRAY), (4, GAINED)]
    first = found[0]
    assert (first.label, first.before, first.after) == (2, 2, 0)
    e = torch.tensor([2.0, 3.0]).double().exp()
    assert [first.sure_before, first.sure_after] == pytest.approx((e / (e + 2)).tolist())
    right = BEFORE.accuracy, AFTER.accuracy
    assert round(6 * (right[0] - right[1])) == 2 - 1  # lost less gained


def test_what_changed_is_said_with_its_number() -> None:
    assert changed_said(changed_answers(BEFORE, AFTER), "6 images") == (
        "4 of 6 images changed their answer: 2 from right to wrong, 1 from one wrong class to another, 1 from wrong to "
        "right."
    )
    assert changed_said(changed_answers(AFTER, AFTER), "6 images") == "0 of 6 images changed their answer."


def test_answers_to_other_images_are_refused() -> None:
    with pytest.raises(BadInput, match="different images"):
        changed_answers(BEFORE, outcome([0] * 6, [1.0] * 6, LABELS[::-1]))
